"""Pictures of a scene."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from sim.bullet.client import Bullet
from sim.bullet.engine import pb
from sim.view import View


def render(bullet: Bullet, view: View, size_hw: tuple[int, int]) -> UInt8[np.ndarray, "H W 3"]:
    """Picture of the scene by the software renderer, RGB."""
    height, width = size_hw
    looking = pb.computeViewMatrix(view.eye, view.target, [0, 0, 1])
    lens = pb.computeProjectionMatrixFOV(view.fov, width / height, 0.05, 20.0)
    image = pb.getCameraImage(width, height, looking, lens, renderer=pb.ER_TINY_RENDERER, physicsClientId=bullet.client)
    return np.ascontiguousarray(np.reshape(image[2], (height, width, 4))[..., :3]).astype(np.uint8)
