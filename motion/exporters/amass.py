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


def export_amass(interaction: Interaction, folder: Path) -> list[Path]:
    """Write `motion.npz`: poses (T, 156) rad, trans (T, 3) m, betas (16,) zero, gender, mocap_framerate; z up.

    The mean shape stands in for the person's own, so joints of an SMPL mesh differ from ours by the bone lengths; the
    pelvis and all joint angles are the same.
    """
    person = interaction.person
    path = folder / "motion.npz"
    with atomic_path(path) as temporary:
        np.savez_compressed(
            temporary,
            poses=smplh_poses(body_of(person), person.q),
            trans=person.q[:, :3] - PELVIS_REST,
            betas=np.zeros(16),
            gender=np.array("neutral"),
            mocap_framerate=np.array(person.fps),
        )
    return [path]


def smplh_poses(body: Body, q: np.ndarray) -> np.ndarray:
    """Poses (T, 156) of SMPL-H: rotation vectors [rad] of 52 joints; the first is the pelvis in the world."""
    turns = Rotation.from_quat(q[:, 3:].reshape(-1, 4)).as_rotvec().reshape(len(q), len(body.joint_names), 3)
    poses = np.zeros((len(q), NUM_JOINTS, 3))
    poses[:, : len(BODY_JOINTS)] = turns[:, [body.joint_names.index(name) for name in BODY_JOINTS]]
    for hand, knuckles in KNUCKLES.items():
        poses[:, knuckles] = turns[:, None, body.joint_names.index(hand)]
    return poses.reshape(len(q), -1)
