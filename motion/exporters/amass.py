"""AMASS motion files: SMPL-H poses as axis-angle, z up (Mahmood et al. 2019)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from motion.body import Body, body_of
from motion.skeleton import SMPL_ORDER
from records import Interaction
from records.atomic import atomic_path

BODY_JOINTS = SMPL_ORDER[:22]
"""Joints that SMPL and SMPL-H share, in order; SMPL-H goes on with 15 finger joints a hand."""

KNUCKLES = {"l_hand": (22, 25, 28, 31), "r_hand": (37, 40, 43, 46)}
"""SMPL-H joints index1, middle1, pinky1, ring1 of each hand: they bend as one with the hand's knuckle joint."""

PELVIS_REST = np.array([-0.00179506, -0.22333382, 0.02821918])
"""Pelvis of the neutral SMPL mesh with mean shape [m]: its origin is not its root joint, and `trans` moves the
origin."""

NUM_JOINTS = 52
NUM_BETAS = 16


def export_amass(interaction: Interaction, folder: Path, body_model: Path | None = None) -> list[Path]:
    """Write `motion.npz`: poses (T, 156) rad, trans (T, 3) m, betas (16,), gender, mocap_framerate; z up.

    Without a body model the mean shape stands in for the person's own, so joints of an SMPL mesh differ from ours by
    the bone lengths; the pelvis and all joint angles are the same. With one, the shape follows from the bone lengths,
    poses are those of the mesh, as many as the model has joints, and `mesh.npz` holds vertices (T, V, 3) m, joints
    (T, J, 3) m and faces (F, 3).

    Raises:
        MotionFileError: the body model cannot be read.
    """
    person = interaction.person
    body, known = body_of(person), {"gender": np.array("neutral"), "mocap_framerate": np.array(person.fps)}
    if body_model is None:
        poses, trans = smplh_poses(body, person.q), person.q[:, :3] - PELVIS_REST
        return [_write(folder / "motion.npz", poses=poses, trans=trans, betas=np.zeros(NUM_BETAS), **known)]
    from motion.smpl_body import load_body
    from motion.smpl_fit import fitted_betas, on_mesh

    model = load_body(body_model)
    betas = fitted_betas(model, body)
    rest = model.rest(betas)
    ours = Rotation.from_quat(person.q[:, 3:].reshape(-1, 4)).as_matrix().reshape(len(person.q), -1, 3, 3)
    theirs, pelvis = on_mesh(body, rest, ours, person.q[:, :3])
    turns, trans = _of_model(body, theirs, model.num_joints), pelvis - rest.joints[0]
    mesh = model.posed(betas, turns, trans)
    poses = Rotation.from_matrix(turns.reshape(-1, 3, 3)).as_rotvec().reshape(len(turns), -1)
    family = {24: "smpl", 52: "smplh"}.get(model.num_joints, "smplx")
    shape = np.pad(betas, (0, max(0, NUM_BETAS - len(betas))))
    known["surface_model_type"] = np.array(family)
    return [
        _write(folder / "motion.npz", poses=poses, trans=trans, betas=shape, **known),
        _write(
            folder / "mesh.npz",
            vertices=mesh.vertices.astype(np.float32),
            joints=mesh.joints,
            faces=model.faces,
            mocap_framerate=known["mocap_framerate"],
        ),
    ]


def _write(path: Path, **arrays: np.ndarray) -> Path:
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]
    return path


def _of_model(body: Body, turns: np.ndarray, count: int) -> np.ndarray:
    """Rotations (T, J, 3, 3) in a model's order, from those of our joints."""
    found = np.tile(np.eye(3), (len(turns), count, 1, 1))
    own = SMPL_ORDER if count == len(SMPL_ORDER) else BODY_JOINTS
    found[:, : len(own)] = turns[:, [body.joint_names.index(name) for name in own]]
    if count > len(SMPL_ORDER):
        for hand, knuckles in KNUCKLES.items():
            fingers = [k + count - NUM_JOINTS for k in knuckles]  # SMPL-X has a jaw and two eyes before them
            found[:, fingers] = turns[:, None, body.joint_names.index(hand)]
    return found


def smplh_poses(body: Body, q: np.ndarray) -> np.ndarray:
    """Poses (T, 156) of SMPL-H: rotation vectors [rad] of 52 joints; the first is the pelvis in the world."""
    turns = Rotation.from_quat(q[:, 3:].reshape(-1, 4)).as_rotvec().reshape(len(q), len(body.joint_names), 3)
    poses = np.zeros((len(q), NUM_JOINTS, 3))
    poses[:, : len(BODY_JOINTS)] = turns[:, [body.joint_names.index(name) for name in BODY_JOINTS]]
    for hand, knuckles in KNUCKLES.items():
        poses[:, knuckles] = turns[:, None, body.joint_names.index(hand)]
    return poses.reshape(len(q), -1)
