"""One small valid example of every record type, drawn from a seed."""

from __future__ import annotations

import numpy as np

from records import (
    Camera,
    Clip,
    ContactForces,
    ContactStates,
    Demonstration,
    Episodes,
    Features,
    Interaction,
    Keypoints,
    MeasuredForces,
    Motion,
    Record,
    Timeline,
    Uncertainty,
)


def motion(rng: np.random.Generator, frames: int) -> Motion:
    q, v = rng.standard_normal((frames, 7)), rng.standard_normal((frames, 6))
    return Motion(model="hammer", parameters={"length": 0.35}, fps=25, q=q, v=v, a=-v)


def camera() -> Camera:
    K = np.array([[900.0, 0, 320], [0, 960, 240], [0, 0, 1]])
    T = np.eye(4)
    T[:3, :3] = [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]
    T[:3, 3] = [-3, 0.2, 1.1]
    return Camera(K=K, T_world_camera=T[None], size_hw=(480, 640), distortion=[0.1, -0.05, 0.002, -0.003, 0.01])


def uncertainty(rng: np.random.Generator, frames: int) -> Uncertainty:
    root, other = rng.standard_normal((frames, 2, 3, 3)), rng.standard_normal((frames, 1, 3, 3))
    return Uncertainty(
        joint_names=("l_ankle", "nose"),
        joints=root @ root.swapaxes(-1, -2),
        contact_names=("l_ankle",),
        forces=other @ other.swapaxes(-1, -2),
    )


def interaction(rng: np.random.Generator, frames: int) -> Interaction:
    contacts = ContactStates(names=("l_ankle", "r_ankle"), probability=rng.random((frames, 2)), fps=25)
    forces = ContactForces(
        names=("l_ankle", "r_ankle"),
        fps=25,
        point=rng.standard_normal((frames, 2, 3)),
        wrench=rng.standard_normal((frames, 2, 6)),
        tau=rng.standard_normal((frames, 6)),
        residual=rng.standard_normal((frames, 6)),
    )
    return Interaction(
        person=motion(rng, frames),
        tool=motion(rng, frames) if rng.random() < 0.5 else None,
        contacts=contacts,
        forces=forces,
        camera=camera(),
        observed=rng.random(frames) < 0.9,
        cost={"reprojection": 1.5},
        status="converged",
        uncertainty=uncertainty(rng, frames) if rng.random() < 0.5 else None,
    )


def episodes(rng: np.random.Generator) -> Episodes:
    length = rng.integers(1, 5, 3)
    steps = int(length.sum())
    return Episodes(
        task="hammer",
        agent="zero",
        fps=24,
        obs_names=("phase", "depth"),
        action_names=("dx",),
        term_names=("driven",),
        length=length,
        obs=rng.standard_normal((steps + 3, 2)),
        action=rng.standard_normal((steps, 1)),
        reward=rng.standard_normal(steps),
        reward_terms=rng.standard_normal((steps, 1)),
        terminated=rng.random(3) < 0.5,
        success=rng.random(3) < 0.5,
        seed=np.arange(3),
    )


def example(kind: str, seed: int = 0, frames: int = 3) -> Record:
    rng = np.random.default_rng(seed)
    makers = {
        "Clip": lambda: Clip(path="clip.mp4", fps=29.97, num_frames=frames, size_hw=(576, 720)),
        "Camera": camera,
        "Keypoints": lambda: Keypoints(
            names=("nose", "l_hip"),
            uv=rng.standard_normal((frames, 2, 2)),
            confidence=rng.random((frames, 2)),
            xyz=rng.standard_normal((frames, 2, 3)) if rng.random() < 0.5 else None,
            fps=25,
            size_hw=(480, 640),
        ),
        "ContactStates": lambda: interaction(rng, frames).contacts,
        "ContactForces": lambda: interaction(rng, frames).forces,
        "MeasuredForces": lambda: MeasuredForces(
            names=("l_ankle", "plate 2"),
            fps=25,
            force=rng.standard_normal((frames, 2, 3)),
            captured=rng.random((frames, 2)) < 0.8,
        ),
        "Motion": lambda: motion(rng, frames),
        "Uncertainty": lambda: uncertainty(rng, frames),
        "Interaction": lambda: interaction(rng, frames),
        "Demonstration": lambda: Demonstration(
            task="hammer", scene={"nail_x": 0.4}, tool=motion(rng, frames), robot=motion(rng, frames), score=0.9
        ),
        "Episodes": lambda: episodes(rng),
        "Features": lambda: Features(
            value=rng.standard_normal((frames, 4)),
            time=np.tile([0.0, 1.0], (frames, 1)),
            encoder="s3d",
            encoder_hash="0",
        ),
        "Timeline": lambda: Timeline(labels=("pour",), interval=[[0.5, 2.0]], confidence=[0.8]),
    }
    return makers[kind]()


KINDS = (
    "Clip",
    "Camera",
    "Keypoints",
    "ContactStates",
    "ContactForces",
    "MeasuredForces",
    "Motion",
    "Uncertainty",
    "Interaction",
    "Demonstration",
    "Episodes",
    "Features",
    "Timeline",
)
