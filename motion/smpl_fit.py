"""Our body and an SMPL skeleton, fitted to each other: bone lengths, shape, and poses that point the same way."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from motion.body import Body
from motion.importers.motion_file_error import MotionFileError
from motion.skeleton import BONES
from motion.smpl_body import Rest, SmplBody

ALONG = {
    **{f"{side}_{joint}": f"{side}_{child}" for side in "lr" for joint, child in (
        ("hip", "knee"), ("knee", "ankle"), ("ankle", "foot"), ("collar", "shoulder"), ("shoulder", "elbow"),
        ("elbow", "wrist"), ("wrist", "hand"),
    )},
    "spine1": "spine2", "spine2": "spine3", "spine3": "neck", "neck": "head",
}  # fmt: skip
"""The joint that each bone points to; the pelvis keeps its frame, and ends of limbs turn with their parent."""

NUM_BETAS = 10
"""Shapes that are fitted: the ones that all releases have, ordered by how much people differ in them."""

BONE_ERROR = 0.005
"""How well a shape shall have our bone lengths [m], against its being a likely one: shapes have unit variance over
people."""


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


def fitted_betas(model: SmplBody, body: Body) -> Float[np.ndarray, "B"]:
    """The likeliest shape of a model with our body's bone lengths."""
    bones = [name for name in body.bones if name not in ("head", "hand")]

    def error(betas: np.ndarray) -> np.ndarray:
        found = fitted_bones(model.rest(betas), body.height)
        return np.concatenate([[(found[name] - body.bones[name]) / BONE_ERROR for name in bones], betas])

    return np.asarray(least_squares(error, np.zeros(min(NUM_BETAS, model.shapes.shape[2]))).x)


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
    C = bone_turns(body, rest)
    bent = np.stack([turns[:, 0], *(C[body.parents[j]].T @ turns[:, j] @ C[j] for j in range(1, 24))], axis=1)
    return bent, root + np.einsum("tij,j->ti", turns[:, 0], _hips_apart(body, rest))


def on_mesh(
    body: Body, rest: Rest, turns: Float[np.ndarray, "T 24 3 3"], root: Float[np.ndarray, "T 3"]
) -> tuple[Float[np.ndarray, "T 24 3 3"], Float[np.ndarray, "T 3"]]:
    """The inverse of `placed`: the mesh's joint rotations and pelvis from ours."""
    C = bone_turns(body, rest)
    theirs = np.stack([turns[:, 0], *(C[body.parents[j]] @ turns[:, j] @ C[j].T for j in range(1, 24))], axis=1)
    return theirs, root - np.einsum("tij,j->ti", turns[:, 0], _hips_apart(body, rest))


def bone_turns(body: Body, rest: Rest) -> Float[np.ndarray, "24 3 3"]:
    """For each joint of our body the turn in the rest pose that makes its bone point as the mesh's."""
    names = body.joint_names
    C = np.tile(np.eye(3), (24, 1, 1))
    for j, name in enumerate(names):
        child = ALONG.get(name)
        if child is not None and rest.has(child):
            C[j] = _turn_onto(body.offsets[names.index(child)], rest.offset(name, child))
        elif j:
            C[j] = C[body.parents[j]]
    return C


def _hips_apart(body: Body, rest: Rest) -> np.ndarray:
    """From our hips to the mesh's, pelvis on pelvis [m]."""
    ours = np.mean([body.offsets[body.joint_names.index(f"{side}_hip")] for side in "lr"], axis=0)
    theirs = np.mean([rest.offset("pelvis", f"{side}_hip") for side in "lr"], axis=0)
    return np.asarray(theirs - ours)


def _turn_onto(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest rotation that takes direction `a` to direction `b`."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis)
    angle = np.arctan2(sine, a @ b)
    return np.asarray(Rotation.from_rotvec(axis * (angle / sine if sine > 1e-9 else 0.0)).as_matrix())
