"""Newton's second law along a whole clip, with the error where it arises: in the positions of the centre of mass.

A motion that was seen lies some centimetres off, now this way and now that, with errors that last for a while. Twice
differentiated they are accelerations of metres per second squared; yet over half a second and more they change the
mean force hardly at all. So the true path c is an unknown beside the forces f,

    c_{t+1} - c_t = dt u_t,    m (u_t - u_{t-1}) = dt (sum f_t + m g),

and the path that was seen differs from it by an error e whose size and duration are known: an Ornstein-Uhlenbeck
process, e_{t+1} = phi e_t + noise with phi = exp(-dt / duration), wider along the line of sight than across it. Slow
forces then are exact (a body that stays up for a second was carried), and quick ones are as uncertain as they should
be. Unknowns per frame after those of the forces: e, and by how much u differs from that of the path that was seen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from motion.block_quadratic import BlockQuadratic
from motion.local_derivative import differentiate
from records import Camera

GRAVITY = np.array([0.0, 0.0, -9.81])
"""[m/s^2]."""
SIZE = 6
"""Unknowns that the path adds to each frame."""
EXACT = 0.02
"""Standard error of the definition of velocity, as an acceleration [m/s^2]: none, but for the numbers."""
ENDS = 0.4
"""Time for which a clip is continued at both ends along its last parabola [s], so that forces are as well known there
as within: twice as long as errors last."""


class Seen(NamedTuple):
    """The path of the centre of mass as the motion has it, continued at both ends."""

    position: Float[np.ndarray, "T 3"]
    """World [m]."""
    frames: Int[np.ndarray, "T"]
    """The frame of the clip that each frame is, or continues."""


def seen_path(com: Float[np.ndarray, "F 3"], fps: float, smoothing: float) -> Seen:
    """Continue a path [m] at both ends, along the parabolas that a Gaussian of width `smoothing` [s] finds there."""
    extra = int(np.ceil(ENDS * fps))
    level = np.tile([0.0, 0.0, 0.0, 1.0], (len(com), 1))
    v, a = (part[:, :3] for part in differentiate(np.concatenate([com, level], axis=1), fps, smoothing))
    time = np.arange(1, extra + 1)[:, None] / fps
    before = (com[0] - time * v[0] + 0.5 * time**2 * a[0])[::-1]
    after = com[-1] + time * v[-1] + 0.5 * time**2 * a[-1]
    frames = np.clip(np.arange(-extra, len(com) + extra), 0, len(com) - 1)
    return Seen(np.concatenate([before, com, after]), frames)


def second_difference(x: Float[np.ndarray, "T 3"]) -> Float[np.ndarray, "T 3"]:
    """That of the neighbours; at the ends, of the frames beside them."""
    middle = x[2:] - 2 * x[1:-1] + x[:-2]
    return np.concatenate([middle[:1], middle, middle[-1:]])


def whitening(seen: Seen, camera: Camera | None, across: float, along: float) -> Float[np.ndarray, "T 3 3"]:
    """Matrices that scale an error to one standard deviation: `across` the line of sight and `along` it [m]."""
    if camera is None:
        return np.broadcast_to(np.eye(3) / across, (len(seen.position), 3, 3))
    eye = camera.T_world_camera[:, :3, 3]
    ray = seen.position - (eye if len(eye) == 1 else eye[seen.frames])
    ray /= np.maximum(np.linalg.norm(ray, axis=1, keepdims=True), 1e-9)
    return np.eye(3) / across + (1 / along - 1 / across) * ray[:, :, None] * ray[:, None, :]


def add_path(
    total: BlockQuadratic,
    seen: Seen,
    acceleration: Float[np.ndarray, "*#T 3 N"],
    slack: Float[np.ndarray, "T"],
    whiten: Float[np.ndarray, "T 3 3"],
    fps: float,
    duration: float,
) -> float:
    """Add the law of motion and the error of the path to a quadratic of forces; its last `SIZE` unknowns are the path.

    Args:
        total: takes the squares.
        seen: the path that was seen.
        acceleration: of the body [m/s^2] by each unknown of the forces, in each frame or in all.
        slack: standard deviation of the acceleration by other forces in each frame [m/s^2].
        whiten: of the path's error.
        fps: frame rate [1/s].
        duration: how long an error lasts [s].

    Returns:
        Unit of the path's unknowns: the first three times it are the error of the position [m].
    """
    dt, n = 1 / fps, acceleration.shape[-1]
    unit = 1 / float(np.linalg.norm(whiten[0], 2))
    pairs = len(seen.position) - 1
    error, speed = (np.zeros((3, n + SIZE)) for _ in range(2))
    push = np.zeros((pairs, 3, n + SIZE))
    error[:, n : n + 3] = unit * np.eye(3)
    speed[:, n + 3 :] = unit * fps * np.eye(3)
    push[..., :n] = np.broadcast_to(acceleration, (pairs + 1, 3, n))[1:]

    def everywhere(rows: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        return rows / sigma[:, None, None]

    place, pace = np.full(pairs, EXACT * dt**2), slack[1:] * dt
    total.tie(everywhere(-error - dt * speed, place), everywhere(error, place))
    velocity = np.diff(seen.position, axis=0) * fps
    change = np.diff(velocity, axis=0, append=velocity[-1:] + (velocity[-1:] - velocity[-2:-1])) - dt * GRAVITY
    total.tie(everywhere(-speed, pace), everywhere(speed - dt * push, pace), -change / pace[:, None])
    phi = float(np.exp(-dt / duration))
    fresh = 1 / np.sqrt(1 - phi**2)
    total.tie(-phi * fresh * whiten[:-1] @ error, fresh * whiten[1:] @ error)
    first = np.zeros((pairs + 1, 3, n + SIZE))
    first[0] = whiten[0] @ error
    total.add(first, np.zeros((pairs + 1, 3)))
    return unit
