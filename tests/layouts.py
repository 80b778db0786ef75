"""The published layouts of other people's motion: a person known in each of their frames, and joblib's files."""

from __future__ import annotations

import io
import pickle
import sys
import types
import zlib
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from motion.body import build_body
from motion.exporters.amass import PELVIS_REST
from motion.skeleton import SMPL_ORDER

FRAMES = 12
Y_UP = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
"""From our world to a world with y up that looks along z: what WHAM, GVHMR and PromptHMR write."""
CAMERA_AXES = np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]])
"""From our world to the axes of a level camera that looks along our x."""


@dataclass
class Person:
    """A body that bends and turns, and its SMPL parameters in any frame."""

    body: object
    q: np.ndarray

    @property
    def joints(self):
        """(T, 24, 3) m, world, in SMPL's order."""
        _, p = self.body.joint_poses(self.q)
        return p[:, [self.body.joint_names.index(name) for name in SMPL_ORDER]]

    def smpl(self, R=None, t=None, pelvis=PELVIS_REST):
        """Rotation matrices (T, 24, 3, 3) and places (T, 3) of the mesh's origin, seen from `R` x + `t`."""
        R = np.eye(3) if R is None else R
        turns = Rotation.from_quat(self.q[:, 3:].reshape(-1, 4)).as_matrix().reshape(len(self.q), 24, 3, 3)
        turns = turns[:, [self.body.joint_names.index(name) for name in SMPL_ORDER]]
        turns = np.concatenate([(R @ turns[:, 0])[:, None], turns[:, 1:]], axis=1)
        place = (
            np.einsum("...ij,tj->ti", R, self.q[:, :3]) if R.ndim == 2 else np.einsum("tij,tj->ti", R, self.q[:, :3])
        )
        return turns, place + (0 if t is None else t) - pelvis


def bending():
    """Someone with feet on the ground who bends every joint above the hips, drifting slowly over the ground."""
    body = build_body(height=1.70, mass=64.0)
    rng = np.random.default_rng(7)
    q = np.tile(body.neutral(), (FRAMES, 1))
    upper = [
        j for j, name in enumerate(body.joint_names) if not name.endswith(("hip", "knee", "ankle", "foot", "pelvis"))
    ]
    for j in upper:
        start, drift = 0.4 * rng.standard_normal(3), 0.02 * rng.standard_normal(3)
        q[:, 3 + 4 * j : 7 + 4 * j] = Rotation.from_rotvec(start + np.arange(FRAMES)[:, None] * drift).as_quat()
    q[:, 0] += np.linspace(0, 0.05, FRAMES)
    turn = Rotation.from_rotvec(np.outer(np.linspace(0, 0.1, FRAMES), [0, 0, 1]))
    q[:, 3:7] = (turn * Rotation.from_quat(q[:, 3:7])).as_quat()
    return Person(body, q)


def rotvec(turns):
    """(T, 3 J) rotation vectors of (T, J, 3, 3)."""
    return Rotation.from_matrix(turns.reshape(-1, 3, 3)).as_rotvec().reshape(len(turns), -1)


def orbit(frames=FRAMES):
    """A camera that moves: rotation camera to world (T, 3, 3) and place (T, 3) m, in our world."""
    yaw = Rotation.from_rotvec(np.outer(np.linspace(0, 0.2, frames), [0, 0, 1])).as_matrix()
    return yaw @ CAMERA_AXES.T, np.stack([np.full(frames, -4.0), np.linspace(0, 0.5, frames), np.full(frames, 1.3)], 1)


class Wrapper:
    """What joblib puts in an array's place."""


Wrapper.__name__ = Wrapper.__qualname__ = "NumpyArrayWrapper"
Wrapper.__module__ = "joblib.numpy_pickle"


class JoblibPickler(pickle._Pickler):
    """joblib's layout: each array is a wrapper in the pickle and its bytes, aligned to 16, right behind it."""

    def __init__(self, file):
        super().__init__(file, protocol=4)
        self.file = file

    def save(self, value, save_persistent_id=True):
        if type(value) is not np.ndarray or value.dtype.hasobject:
            return super().save(value, save_persistent_id)
        wrapper = Wrapper()
        order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
        vars(wrapper).update(
            subclass=np.ndarray, shape=value.shape, order=order, dtype=value.dtype, allow_mmap=True,
            numpy_array_alignment_bytes=16,
        )  # fmt: skip
        super().save(wrapper)
        self.framer.commit_frame(force=True)
        padding = 16 - (self.file.tell() + 1) % 16
        self.file.write(bytes([padding]) + b"\xff" * padding + value.tobytes(order))
        return None


def joblib_bytes(value):
    """A file as joblib writes it; the module `joblib.numpy_pickle` must be importable while it is written."""
    file = io.BytesIO()
    JoblibPickler(file).dump(value)
    return file.getvalue()


def joblib_dumper(monkeypatch):
    """Write a file as joblib does, without joblib: dump(value, path)."""
    module = types.ModuleType("joblib.numpy_pickle")
    module.NumpyArrayWrapper = Wrapper
    monkeypatch.setitem(sys.modules, "joblib", types.ModuleType("joblib"))
    monkeypatch.setitem(sys.modules, "joblib.numpy_pickle", module)

    def dump(value, path, *, compress=False):
        data = joblib_bytes(value)
        path.write_bytes(zlib.compress(data) if compress else data)
        return path

    return dump
