"""Motion of a person who holds something, with what the hands bear; nothing moves."""

import numpy as np

from records import Camera, ContactForces, ContactStates, Interaction, Motion


def interaction(names=("l_ankle", "r_ankle", "l_fingers", "r_fingers"), tool=True):
    """Five frames in which each hand bears 4 to 8 N of a tool; `tool` says whether one is held at all."""
    frames, count = 5, len(names)
    motion = Motion(model="m", fps=10.0, q=np.zeros((frames, 7)), v=np.zeros((frames, 6)), a=np.zeros((frames, 6)))
    wrench = np.zeros((frames, count, 6))
    for k, name in enumerate(names):
        if name.endswith("fingers"):
            wrench[:, k, 2] = -4.0 - np.arange(frames)
    forces = ContactForces(
        names=names,
        fps=10.0,
        point=np.zeros((frames, count, 3)),
        wrench=wrench,
        tau=np.zeros((frames, 6)),
        residual=np.zeros((frames, 6)),
    )
    return Interaction(
        person=motion,
        tool=motion if tool else None,
        contacts=ContactStates(names=names, fps=10.0, probability=np.ones((frames, count))),
        forces=forces,
        camera=Camera(K=np.eye(3), T_world_camera=np.eye(4)[None], size_hw=(2, 2)),
        observed=np.ones(frames, bool),
        status="converged",
    )
