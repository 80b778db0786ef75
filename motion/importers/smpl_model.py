"""The skeleton inside an SMPL, SMPL-H or SMPL-X mesh of given shape, and our body fitted to it.

Rest joints are J = R (T + S b): regressor, template and shape directions of the model file (Loper et al. 2015, eq. 10).
Only these three arrays are read, through the restricted loader; poses need no mesh.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.sparse import csc_matrix
from scipy.spatial.transform import Rotation

from motion.body import Body
from motion.importers.container import read_content
from motion.importers.motion_file_error import MotionFileError
from motion.skeleton import BONES, SMPL_ORDER

ALONG = {
    **{f"{side}_{joint}": f"{side}_{child}" for side in "lr" for joint, child in (
        ("hip", "knee"), ("knee", "ankle"), ("ankle", "foot"), ("collar", "shoulder"), ("shoulder", "elbow"),
        ("elbow", "wrist"), ("wrist", "hand"),
    )},
    "spine1": "spine2", "spine2": "spine3", "spine3": "neck", "neck": "head",
}  # fmt: skip
"""The joint that each bone points to; the pelvis keeps its frame, and ends of limbs turn with their parent."""


class Rest(NamedTuple):
    """A person in the rest pose, in SMPL's axes: x to the left, y up, z forward."""

    joints: Float[np.ndarray, "J 3"]
    """Joints [m] in SMPL's order; 24 of SMPL, or the first 22."""
    height: float
    """From sole to crown [m]."""

    def offset(self, joint: str, child: str) -> np.ndarray:
        """From one joint to another [m]."""
        return np.asarray(self.joints[SMPL_ORDER.index(child)] - self.joints[SMPL_ORDER.index(joint)])

    def has(self, joint: str) -> bool:
        """Whether the skeleton has this joint."""
        return SMPL_ORDER.index(joint) < len(self.joints)


def load_rest(path: Path, betas: Float[np.ndarray, "B"]) -> Rest:
    """Read a model file (.pkl or .npz) and give it a shape.

    Raises:
        MotionFileError: missing, damaged, refused, or not an SMPL model.
    """
    content = read_content(path)
    model = content.value
    missing = [
        key for key in ("v_template", "shapedirs", "J_regressor") if not isinstance(model, dict) or key not in model
    ]
    if missing:
        raise MotionFileError(f"{path}: no {missing[0]}; expected an SMPL, SMPL-H or SMPL-X model file")
    try:
        template, directions = _dense(model["v_template"]), _dense(model["shapedirs"])
        regressor = _dense(model["J_regressor"])
        count = min(len(betas), directions.shape[-1])
        vertices = template + directions[..., :count] @ betas[:count]
        joints = regressor @ vertices
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise MotionFileError(f"{path}: arrays of the model do not fit together ({error})") from error
    if joints.ndim != 2 or joints.shape[1:] != (3,) or len(joints) < 22 or not np.isfinite(joints).all():
        raise MotionFileError(f"{path}: {joints.shape} joints; expected at least 22 points")
    # SMPL-H and SMPL-X go on with faces and fingers after the 22 joints of the body.
    kept = 24 if len(joints) == 24 else 22
    return Rest(joints[:kept], float(np.ptp(vertices[:, 1])))


def fitted_bones(rest: Rest, height: float) -> dict[str, float]:
    """Bone lengths [m] of our body, from the skeleton; left and right are averaged."""

    def both(joint: str, child: str) -> float:
        return float(np.mean([np.linalg.norm(rest.offset(f"{side}_{joint}", f"{side}_{child}")) for side in "lr"]))

    def across(joint: str, child: str) -> float:
        left, right = (rest.offset(joint.format(side), child.format(side)) for side in "lr")
        return float(left[0] - right[0]) / 2

    spine = ("pelvis", "spine1", "spine2", "spine3", "neck")
    bones = {
        "hip_half_width": across("pelvis", "{}_hip"),
        "hip_drop": -float(np.mean([rest.offset("pelvis", f"{side}_hip")[1] for side in "lr"])),
        "thigh": both("hip", "knee"),
        "shank": both("knee", "ankle"),
        "foot": both("ankle", "foot"),
        "trunk": float(sum(np.linalg.norm(rest.offset(a, b)) for a, b in pairwise(spine))),
        "neck": float(np.linalg.norm(rest.offset("neck", "head"))),
        "head": BONES["head"] * height,
        "shoulder_half_width": across("spine3", "{}_shoulder"),
        "upper_arm": both("shoulder", "elbow"),
        "forearm": both("elbow", "wrist"),
        "hand": both("wrist", "hand") if rest.has("l_hand") else BONES["hand"] * height,
    }
    wrong = [name for name, length in bones.items() if not length > 0]
    if wrong:
        raise MotionFileError(f"the model's skeleton has a {wrong[0]} of {bones[wrong[0]]:.3f} m: not SMPL's axes?")
    return bones


def placed(
    body: Body, rest: Rest, turns: Float[np.ndarray, "T 24 3 3"], root: Float[np.ndarray, "T 3"]
) -> tuple[Float[np.ndarray, "T 24 3 3"], Float[np.ndarray, "T 3"]]:
    """Turn joint frames so that our bones point as the mesh's do, and put the hips where they are.

    Args:
        body: with the mesh's bone lengths.
        rest: the mesh's skeleton.
        turns: its joint rotations, in the order of the body's joints.
        root: its pelvis [m], world.
    """
    names = body.joint_names
    C = np.tile(np.eye(3), (24, 1, 1))
    for j, name in enumerate(names):
        child = ALONG.get(name)
        if child is not None and rest.has(child):
            C[j] = _turn_onto(body.offsets[names.index(child)], rest.offset(name, child))
        elif j:
            C[j] = C[body.parents[j]]
    bent = np.stack([turns[:, 0], *(C[body.parents[j]].T @ turns[:, j] @ C[j] for j in range(1, 24))], axis=1)
    ours = np.mean([body.offsets[names.index(f"{side}_hip")] for side in "lr"], axis=0)
    theirs = np.mean([rest.offset("pelvis", f"{side}_hip") for side in "lr"], axis=0)
    return bent, root + np.einsum("tij,j->ti", turns[:, 0], theirs - ours)


def _turn_onto(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest rotation that takes direction `a` to direction `b`."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis)
    angle = np.arctan2(sine, a @ b)
    return np.asarray(Rotation.from_rotvec(axis * (angle / sine if sine > 1e-9 else 0.0)).as_matrix())


def _dense(value: Any) -> np.ndarray:
    """An array; or what is left of a sparse matrix or of a chumpy array when it is read without their code."""
    if isinstance(value, dict):
        if "indptr" in value:
            shape = value["_shape"] if "_shape" in value else value["shape"]
            return np.asarray(csc_matrix((value["data"], value["indices"], value["indptr"]), shape=shape).todense())
        value = value["x"]
    return np.asarray(value, float)
