"""SMPL parameters, as all estimators write them, onto the body model in a world with z up and the ground at z = 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.transform import Rotation, Slerp

from motion.body import Body, build_body
from motion.exporters.amass import KNUCKLES, PELVIS_REST
from motion.importers.ground import ground_height
from motion.importers.importer import BODY_MASS_INDEX, DEFAULT_HEIGHT, ImportOptions, Track
from motion.importers.motion_file_error import MotionFileError
from motion.local_derivative import differentiate
from motion.skeleton import SMPL_ORDER
from motion.smpl_body import Rest, load_body
from motion.smpl_fit import fitted_bones, placed
from records import Camera, Motion

R_WORLD_FORMAT = {
    "z": np.eye(3),
    "y": np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]),
    "-y": np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]),
}
"""From a format's axes, by where up is, to the world: z up, and x along the format's z (the front of an SMPL body, or
the line of sight of a level camera)."""

PELVIS = {"smpl": PELVIS_REST, "smplh": PELVIS_REST, "smplx": np.array([0.0031, -0.3514, 0.0120])}
"""Pelvis of the neutral mesh with mean shape [m]: `trans` moves the mesh's origin. Used when no model file is given."""

EXTRA_JOINTS = {"smplh": 0, "smplx": 3}
"""Joints between the 22 of the body and the fingers: SMPL-X has a jaw and two eyes."""

SMOOTHING = 0.04
"""Width of the Gaussian behind the velocities and accelerations of the record [s]."""

MOST_MISSING = 10
"""Longest motion over the number of poses in it: beyond that the frame numbers are not frame numbers."""


@dataclass(frozen=True, kw_only=True)
class SmplTrack:
    """One person in a format's own frame, unchecked: `place` checks it. T frames, J >= 22 joints."""

    name: str
    frames: np.ndarray
    """(T) frame of the video of each pose."""
    turns: np.ndarray
    """(T, J, 3, 3) rotation of the pelvis in the format's frame, then of every other joint against its parent."""
    trans: np.ndarray
    """(T, 3) place of the mesh's origin [m]."""
    betas: np.ndarray
    """(B) shape."""
    family: Literal["smpl", "smplh", "smplx"] = "smpl"
    up: Literal["y", "z", "-y"] = "y"
    K: np.ndarray | None = None
    """(3, 3) intrinsics [px], where the format knows the camera."""
    camera: np.ndarray | None = None
    """(T, 4, 4) pose of the camera in the format's frame."""
    size_hw: tuple[int, int] | None = None
    assumed: Mapping[str, float] | None = None
    measured: bool = False
    """Captured rather than estimated from a video."""


def place(track: SmplTrack, fps: float, options: ImportOptions) -> Track:
    """Bring one person onto the body model.

    With a model file, bone lengths follow from the shape, and joint frames are turned so that bones point as those of
    the mesh do. Without, joint angles are taken over by the body of given height.

    Raises:
        MotionFileError: shapes that do not fit together, values that are not finite, or a model of another family.
    """
    _check(track)
    track, observed = _bridged(track)
    rest = None if options.body_model is None else load_body(options.body_model).rest(track.betas)
    assumed: dict[str, float] = dict(track.assumed or {})
    body = _body(rest, options, assumed)
    turns = _joint_turns(track)
    pelvis = PELVIS[track.family] if rest is None else rest.joints[0]
    R = R_WORLD_FORMAT[track.up]
    root = (track.trans + pelvis) @ R.T
    turns[:, 0] = R @ turns[:, 0]
    if rest is not None:
        turns, root = placed(body, rest, turns, root)
    q = np.concatenate([root, Rotation.from_matrix(turns.reshape(-1, 3, 3)).as_quat().reshape(len(root), -1)], axis=1)
    drop = ground_height(body, q, fps) if options.fit_ground else 0.0
    q[:, 2] -= drop
    v, a = differentiate(q, fps, SMOOTHING)
    return Track(
        name=track.name,
        motion=Motion(model="smpl_tree", parameters=body.parameters(), fps=fps, q=q, v=v, a=a),
        camera=_camera(track, R, drop),
        observed=observed,
        measured=track.measured,
        first_frame=int(track.frames[0]),
        assumed=assumed,
    )


def axis_angles(value: Any, what: str, path: Path) -> Float[np.ndarray, "T J 3 3"]:
    """Rotation matrices of rotation vectors (T, 3 J) [rad].

    Raises:
        MotionFileError: not that shape.
    """
    poses = np.asarray(value, float)
    if poses.ndim != 2 or poses.shape[1] % 3 or poses.shape[1] < 3:
        raise MotionFileError(f"{path}: {what} has shape {poses.shape}; expected (frames, 3 x joints)")
    _finite(poses, what)
    return Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(len(poses), -1, 3, 3)


def camera_from_bodies(
    in_world: Float[np.ndarray, "T 3 3"],
    p_world: Float[np.ndarray, "T 3"],
    in_camera: Float[np.ndarray, "T 3 3"],
    p_camera: Float[np.ndarray, "T 3"],
) -> Float[np.ndarray, "T 4 4"]:
    """Pose of the camera, from the pose of the same pelvis in the world and in the camera."""
    pose = np.tile(np.eye(4), (len(in_world), 1, 1))
    pose[:, :3, :3] = in_world @ in_camera.swapaxes(-1, -2)
    pose[:, :3, 3] = p_world - np.einsum("tij,tj->ti", pose[:, :3, :3], p_camera)
    return pose


def frame_numbers(value: Any) -> Int[np.ndarray, "T"]:
    """Numbers of video frames.

    Raises:
        MotionFileError: not numbers.
    """
    numbers = np.asarray(value, float).ravel()
    _finite(numbers, "frame numbers")
    return numbers.astype(int)


def mean_shape(betas: Any) -> Float[np.ndarray, "B"]:
    """One shape of a person from one, or from one per frame."""
    value = np.atleast_2d(np.asarray(betas, float))
    if not value.size:
        return np.zeros(1)
    return np.nan_to_num(value.reshape(-1, value.shape[-1]).mean(axis=0))


def _finite(value: np.ndarray, what: str) -> None:
    if not np.isfinite(value).all():
        raise MotionFileError(f"{what} holds values that are not finite; remove those frames first")


def _check(track: SmplTrack) -> None:
    frames = len(track.frames)
    if not frames:
        raise MotionFileError(f"person {track.name} has no frames")
    if track.turns.shape[0] != frames or track.turns.shape[1] < 22 or track.turns.shape[2:] != (3, 3):
        raise MotionFileError(f"rotations of shape {track.turns.shape}; expected ({frames}, at least 22, 3, 3)")
    if track.trans.shape != (frames, 3):
        raise MotionFileError(f"positions of shape {track.trans.shape}; expected ({frames}, 3)")
    for what, value in (("rotations", track.turns), ("positions", track.trans)):
        _finite(value, what)
    if np.any(np.linalg.det(track.turns) < 0.5):
        raise MotionFileError("rotation matrices that are no rotations")
    if np.any(np.diff(track.frames) <= 0):
        raise MotionFileError(f"person {track.name}: frame numbers do not increase")
    if track.frames[-1] - track.frames[0] >= MOST_MISSING * frames + 1:
        raise MotionFileError(f"person {track.name}: {frames} poses in {track.frames[-1] - track.frames[0] + 1} frames")


def _bridged(track: SmplTrack) -> tuple[SmplTrack, np.ndarray]:
    """The same with a pose in every frame, and where it was there before."""
    frames = np.arange(track.frames[0], track.frames[-1] + 1)
    observed = np.isin(frames, track.frames)
    if observed.all():
        return track, observed

    def lines(value: np.ndarray) -> np.ndarray:
        return np.stack([np.interp(frames, track.frames, column) for column in value.T], axis=1)

    def arcs(turns: np.ndarray) -> np.ndarray:
        return Slerp(track.frames, Rotation.from_matrix(turns))(frames).as_matrix()

    camera = track.camera
    if camera is not None:
        filled = np.tile(np.eye(4), (len(frames), 1, 1))
        filled[:, :3, :3], filled[:, :3, 3] = arcs(camera[:, :3, :3]), lines(camera[:, :3, 3])
        camera = filled
    turns = np.stack([arcs(track.turns[:, j]) for j in range(track.turns.shape[1])], axis=1)
    changed = {"frames": frames, "turns": turns, "trans": lines(track.trans), "camera": camera}
    return SmplTrack(**{**vars(track), **changed}), observed


def _body(rest: Rest | None, options: ImportOptions, assumed: dict[str, float]) -> Body:
    height = options.height if options.height is not None else rest.height if rest is not None else None
    if height is None:
        height = assumed["height"] = DEFAULT_HEIGHT
    mass = options.mass
    if mass is None:
        mass = assumed["mass"] = BODY_MASS_INDEX * height**2
    return build_body(height=height, mass=mass, bones=None if rest is None else fitted_bones(rest, height))


def _joint_turns(track: SmplTrack) -> np.ndarray:
    """Rotations (T, 24, 3, 3) in the order of the body's joints."""
    turns = np.tile(np.eye(3), (len(track.frames), 24, 1, 1))
    for j, name in enumerate(Body.joint_names):
        k = SMPL_ORDER.index(name)
        if name in KNUCKLES and track.family != "smpl":
            fingers = [k + EXTRA_JOINTS[track.family] for k in KNUCKLES[name]]
            if max(fingers) < track.turns.shape[1]:
                turns[:, j] = _mean_turn(track.turns[:, fingers])
        elif k < track.turns.shape[1]:
            turns[:, j] = track.turns[:, k]
    return turns


def _mean_turn(turns: Float[np.ndarray, "T N 3 3"]) -> Float[np.ndarray, "T 3 3"]:
    """The rotation nearest to several: the fingers bend as one."""
    U, _, Vt = np.linalg.svd(turns.mean(axis=1))
    U[..., -1] *= np.linalg.det(U @ Vt)[:, None]
    return np.asarray(U @ Vt)


def _camera(track: SmplTrack, R: np.ndarray, drop: float) -> Camera | None:
    if track.K is None or track.camera is None or track.size_hw is None:
        return None
    pose = track.camera.copy()
    U, _, Vt = np.linalg.svd(R @ pose[:, :3, :3])
    pose[:, :3, :3] = U @ Vt  # files keep single precision
    pose[:, :3, 3] = pose[:, :3, 3] @ R.T - [0, 0, drop]
    if np.ptp(pose, axis=0).max() < 1e-6:
        pose = pose[:1]
    return Camera(K=track.K, T_world_camera=pose, size_hw=track.size_hw)
