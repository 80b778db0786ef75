"""A person who bends the knees in front of a level camera, and what a detector would see of it."""

from __future__ import annotations

import numpy as np

from motion.body import build_body
from motion.initialise import rotation_to
from motion.rotation import exponential
from records import Camera, ContactStates, Keypoints

FPS = 25.0
SEEN = (
    "nose", "l_ear", "r_ear", "l_shoulder", "r_shoulder", "l_elbow", "r_elbow", "l_wrist", "r_wrist", "l_fingers",
    "r_fingers", "l_hip", "r_hip", "l_knee", "r_knee", "l_ankle", "r_ankle", "l_heel", "r_heel", "l_toes", "r_toes",
)  # fmt: skip
OPENPOSE = (*(n for n in SEEN if not n.endswith(("fingers", "heel", "toes"))), "neck", "l_eye", "r_eye")


def level_camera(height=1.2, distance=4.0, focal=900.0):
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]), [0, -distance, height]
    K = np.array([[focal, 0, 360], [0, focal, 288], [0, 0, 1]])
    return Camera(K=K, T_world_camera=T[None], size_hw=(576, 720))


def squatting(frames=40, body=None):
    """A person who bends the knees by up to 60 degrees and swings the arms; the feet stay where they are."""
    body = body or build_body()
    t = np.arange(frames) / FPS
    bend = 0.5 * (1 - np.cos(2 * np.pi * t / 1.6)) * 0.5
    w = np.zeros((frames, 24, 3))
    for side, x in (("l", 1.0), ("r", -1.0)):
        w[:, body.joint_names.index(f"{side}_hip"), 0] = -bend
        w[:, body.joint_names.index(f"{side}_knee"), 0] = 2 * bend
        w[:, body.joint_names.index(f"{side}_ankle"), 0] = -bend
        w[:, body.joint_names.index(f"{side}_shoulder"), 2] = -x * (1.1 - 0.5 * bend)
        w[:, body.joint_names.index(f"{side}_elbow"), 1] = -x * (0.3 + 0.8 * bend)
    q = np.tile(body.neutral(), (frames, 1))
    turned = exponential(w)
    q[:, 7:] = turned[:, 1:].reshape(frames, -1)
    ankles = body.site_positions(q, ["l_ball", "r_ball"]).mean(axis=1)
    q[:, :3] += ankles[0] - ankles
    return body, q


def observe(body, q, camera, names=SEEN, pixels=2.0, metres=0.03, seed=0, lifted=True):
    rng = np.random.default_rng(seed)
    p = body.site_positions(q, list(names))
    uv = camera.project(p) + pixels * rng.standard_normal((*p.shape[:2], 2))
    xyz = None
    if lifted:
        R_camera_world = camera.T_world_camera[0, :3, :3].T
        root = body.site_positions(q, ["l_hip", "r_hip"]).mean(axis=1, keepdims=True)
        plane = (uv.mean(axis=1) - camera.K[:2, 2]) / camera.K[[0, 1], [0, 1]]
        xyz = ((p - root) @ R_camera_world.T) @ rotation_to(plane)
        xyz = xyz + metres * rng.standard_normal(xyz.shape)
    return Keypoints(
        names=tuple(names),
        uv=uv,
        confidence=np.full(p.shape[:2], 0.9),
        xyz=xyz,
        fps=FPS,
        size_hw=camera.size_hw,
    )


def standing_contacts(frames, feet=0.98):
    probability = np.tile([feet, feet, 0.02, 0.02], (frames, 1))
    return ContactStates(names=("l_ankle", "r_ankle", "l_fingers", "r_fingers"), probability=probability, fps=FPS)
