"""A person in T-pose who glides forward 30 cm and swings a hammer: small, and every figure known."""

from __future__ import annotations

import numpy as np

from motion.body import build_body
from motion.skeleton import CONTACT_SITES
from motion.tool import HAMMER, tool_motion
from records import Camera, ContactForces, ContactStates, Interaction, Motion

FRAMES, FPS = 6, 25.0


def standing(*, head_shift: float = 0.0, force: float = 350.0, frames: int = FRAMES) -> Interaction:
    """Feet bear `force` [N] each; `head_shift` [m] raises the hammer; a camera 4 m in front looks at it all."""
    body = build_body()
    q = np.tile(body.neutral(), (frames, 1))
    q[:, 0] = np.linspace(0, 0.3, frames)
    person = Motion(
        model="smpl_tree",
        parameters=body.parameters(),
        fps=FPS,
        q=q,
        v=np.zeros((frames, 75)),
        a=np.zeros((frames, 75)),
    )
    angle = np.linspace(0.2, 1.0, frames)
    handle = np.tile([0.3, 0.2, 1.0 + head_shift], (frames, 1))
    head = handle + HAMMER.length * np.stack([np.cos(angle), 0 * angle, np.sin(angle)], axis=1)
    wrench = np.zeros((frames, 4, 6))
    wrench[:, :2, 2] = force
    forces = ContactForces(
        names=CONTACT_SITES,
        fps=FPS,
        point=body.site_positions(q, CONTACT_SITES),
        wrench=wrench,
        tau=np.zeros((frames, 75)),
        residual=np.zeros((frames, 6)),
    )
    pose = np.eye(4)
    pose[:3, :3] = [[0, 0, -1], [1, 0, 0], [0, -1, 0]]
    pose[:3, 3] = [4, 0, 1]
    K = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
    return Interaction(
        person=person,
        tool=tool_motion(HAMMER, head, handle, FPS),
        contacts=ContactStates(names=CONTACT_SITES, probability=np.ones((frames, 4)), fps=FPS),
        forces=forces,
        camera=Camera(K=K, T_world_camera=pose[None], size_hw=(480, 640)),
        observed=np.ones(frames, bool),
        status="converged",
    )
