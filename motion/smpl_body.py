"""Bodies of SMPL, SMPL-H and SMPL-X model files (Loper et al. 2015), shaped and posed by the package `smplx`.

The files are read through the restricted loader; `smplx` is handed arrays, as its own loading would run what they hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csc_matrix

from motion.importers.container import read_content
from motion.importers.motion_file_error import MotionFileError
from motion.skeleton import SMPL_ORDER

BATCH = 64
"""Frames that are posed at a time: skinning takes 1 MB a frame of a published mesh."""


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


class Mesh(NamedTuple):
    """A posed body."""

    joints: Float[np.ndarray, "T J 3"]
    """[m]"""
    vertices: Float[np.ndarray, "T V 3"]
    """[m]"""


@dataclass(frozen=True, eq=False)
class SmplBody:
    """The arrays of a model file."""

    path: Path
    template: Float[np.ndarray, "V 3"]
    """Vertices of the mean shape [m]."""
    shapes: Float[np.ndarray, "V 3 B"]
    """What each unit of shape adds [m]."""
    regressor: Float[np.ndarray, "J V"]
    skin: dict[str, Any]
    """What posing needs besides, as the file has it: posedirs, weights, kintree_table, f."""

    @property
    def num_joints(self) -> int:
        """24 of SMPL, 52 of SMPL-H, 55 of SMPL-X."""
        return len(self.regressor)

    @property
    def faces(self) -> Int[np.ndarray, "F 3"]:
        """Triangles of the mesh.

        Raises:
            MotionFileError: the file has none.
        """
        return np.asarray(self._skin("f"), int)

    def rest(self, betas: Float[np.ndarray, "B"]) -> Rest:
        """Skeleton and height of a shape; more numbers than the file has shapes are ignored.

        Raises:
            MotionFileError: smplx or torch is not installed.
        """
        torch, lbs = _smplx()
        used = np.zeros((1, self.shapes.shape[2]))
        count = min(len(betas), used.shape[1])
        used[0, :count] = betas[:count]
        vertices = torch.tensor(self.template)[None] + lbs.blend_shapes(torch.tensor(used), torch.tensor(self.shapes))
        joints = lbs.vertices2joints(torch.tensor(self.regressor), vertices)[0].numpy()
        # SMPL-H and SMPL-X go on with faces and fingers after the 22 joints of the body.
        kept = 24 if self.num_joints == 24 else 22
        return Rest(joints[:kept], float(np.ptp(vertices[0, :, 1].numpy())))

    def posed(
        self, betas: Float[np.ndarray, "B"], turns: Float[np.ndarray, "T J 3 3"], trans: Float[np.ndarray, "T 3"]
    ) -> Mesh:
        """Joints and vertices of poses.

        Args:
            betas: shape.
            turns: rotation of the pelvis in the world, then of every other joint against its parent.
            trans: place of the mesh's origin [m].

        Raises:
            MotionFileError: the file is a skeleton without a skin, or smplx or torch is not installed.
        """
        torch, lbs = _smplx()
        used = np.zeros((1, self.shapes.shape[2]))
        count = min(len(betas), used.shape[1])
        used[0, :count] = betas[:count]
        poses = _dense(self._skin("posedirs"))
        parents = np.asarray(self._skin("kintree_table")).astype(np.int64)[0]
        parents[0] = -1  # files keep it as an unsigned number
        arrays = [torch.tensor(a) for a in (self.template, self.shapes, poses.reshape(-1, poses.shape[-1]).T.copy())]
        arrays += [torch.tensor(self.regressor), torch.tensor(parents), torch.tensor(_dense(self._skin("weights")))]
        joints, vertices = [], []
        for first in range(0, len(turns), BATCH):
            pose = torch.tensor(np.ascontiguousarray(turns[first : first + BATCH]))
            v, j = lbs.lbs(torch.tensor(used).expand(len(pose), -1), pose, *arrays, pose2rot=False)
            joints.append(j.numpy() + trans[first : first + BATCH, None])
            vertices.append(v.numpy() + trans[first : first + BATCH, None])
        return Mesh(np.concatenate(joints), np.concatenate(vertices))

    def _skin(self, name: str) -> Any:
        if name not in self.skin:
            raise MotionFileError(f"{self.path}: no {name}; a mesh needs the whole model file, not its skeleton")
        return self.skin[name]


def load_body(path: Path | str) -> SmplBody:
    """Read a model file, .pkl or .npz.

    Raises:
        MotionFileError: missing, damaged, refused, or not an SMPL model.
    """
    path = Path(path)
    model = read_content(path).value
    needed = ("v_template", "shapedirs", "J_regressor")
    missing = [key for key in needed if not isinstance(model, dict) or key not in model]
    if missing:
        raise MotionFileError(f"{path}: no {missing[0]}; expected an SMPL, SMPL-H or SMPL-X model file")
    try:
        template, shapes, regressor = (_dense(model[key]) for key in needed)
        joints = regressor @ (template + shapes[..., 0] * 0)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise MotionFileError(f"{path}: arrays of the model do not fit together ({error})") from error
    if joints.ndim != 2 or joints.shape[1:] != (3,) or len(joints) < 22 or not np.isfinite(joints).all():
        raise MotionFileError(f"{path}: {joints.shape} joints; expected at least 22 points")
    skin = {key: model[key] for key in ("posedirs", "weights", "kintree_table", "f") if key in model}
    return SmplBody(path, template, shapes, regressor, skin)


def _smplx() -> tuple[Any, Any]:
    try:
        import torch
        from smplx import lbs
    except ImportError as error:
        raise MotionFileError("SMPL bodies are made by smplx and torch: pip install 'apprentice[smpl]'") from error
    return torch, lbs


def _dense(value: Any) -> np.ndarray:
    """An array; or what is left of a sparse matrix or of a chumpy array when it is read without their code."""
    if isinstance(value, dict):
        if "indptr" in value:
            shape = value["_shape"] if "_shape" in value else value["shape"]
            return np.asarray(csc_matrix((value["data"], value["indices"], value["indptr"]), shape=shape).todense())
        value = value["x"]
    return np.asarray(value, float)
