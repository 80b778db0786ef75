"""Motion of a rigid plane of points before a static camera: robust least squares over the whole clip, sparse.

Unknown are the pose in every frame, as the path of one of the points and three angles, and where the other points lie
in the plane. The points' errors are those of tracking, and of what is clicked on: the edge of a round body is made by
other parts of it when it turns. They last, as do the attitudes that the plane is held in.
"""

from __future__ import annotations

import itertools

import numpy as np
import pinocchio as pin
from jaxtyping import Float
from scipy.sparse import coo_matrix, csc_matrix, diags, vstack
from scipy.sparse.linalg import spsolve

from motion.evidence import ERROR_TIME
from motion.plane_start import MISTAKES, plane_start
from records import Camera, Keypoints

OFF = 4.0 / 922.0
"""Error of a point over the image diagonal: that of tracking, and of edges that other parts of a round body make."""
ACCELERATION = 6.0
"""Usual acceleration of what is carried [m/s^2]."""
TURNING = 15.0
"""Usual angular acceleration of it [rad/s^2]."""
ACCELERATION_TIME = 0.1
"""Accelerations this far apart are independent [s]."""
FACING = np.radians(15.0)
"""How far the tool's plane turns away from the camera's view [rad]."""
UPRIGHT = np.radians(5.0)
"""How far it leans to its side [rad]."""
ATTITUDE_TIME = 1.0
"""Both change within about this time [s]."""
LEVEL = np.radians(0.5)
"""How level the tool stands in the frame of reference [rad]."""
STATED = 0.005
"""Error of the distance that the user states, as a share."""
LARGEST = 2.0
"""Points lie within this many times that distance of each other."""
_STEPS = 60
_POSE = 6
"""x, y, z of the anchor [m], yaw, pitch, roll [rad]."""


class PlaneProblem:
    """Robust least squares over the anchor's path, the tool's attitude and the points' places, sparse."""

    def __init__(self, seen: Keypoints, camera: Camera, anchor: str, span: tuple[str, str, float]) -> None:
        self.seen, self.camera, self.length = seen, camera, span[2]
        self.anchor = seen.index(anchor)
        self.free = [k for k in range(len(seen.names)) if k != self.anchor]
        self.frames = seen.num_frames
        self.weight = np.sqrt(seen.confidence / (seen.fps * ERROR_TIME))
        self.reference = int(np.argmax((seen.confidence > 0).all(axis=1)))
        self.sigma = OFF * float(np.hypot(*seen.size_hw))
        self.ends = seen.index(span[0]), seen.index(span[1])
        at = (seen, camera, self.anchor, self.ends, self.length, self.reference)
        self.start = plane_start(*at, sigma=self.sigma)
        self.facing = float(self.start[0][0, 3])
        self._priors()

    def solve(self) -> tuple[Float[np.ndarray, "T 6"], Float[np.ndarray, "K 3"]]:
        """Levenberg-Marquardt with robust weights."""
        x = self._packed(*self.start)
        cost, damping = self._cost(x), 1e-3
        for _ in range(_STEPS):
            r, J = self.linearised(x)
            A, g = (J.T @ J).tocsc(), J.T @ r
            diagonal = A.diagonal()
            while damping < 1e8:
                step = spsolve(A + diags(damping * diagonal, format="csc"), -g, "MMD_AT_PLUS_A")
                trial = self._cost(x + step)
                if trial < cost:
                    break
                damping *= 10
            else:
                break
            x, gained, cost, damping = x + step, cost - trial, trial, max(damping / 10, 1e-9)
            if gained < 1e-4 * cost:
                break
        return self._unpacked(x)

    def error(self, poses: np.ndarray, shape: np.ndarray) -> float:
        """Median over seen points [px]."""
        off = np.linalg.norm(self._project(poses, shape) - self.seen.uv, axis=-1)
        return float(np.median(off[self.weight > 0]))

    def linearised(self, x: np.ndarray) -> tuple[np.ndarray, csc_matrix]:
        """Weighted residuals and their Jacobian; robust weights are held."""
        r, J = self.reprojection(x)
        trust = np.sqrt(MISTAKES.weight((r.reshape(-1, 2) ** 2).sum(axis=1)))
        w = np.repeat(self.weight.ravel() * trust, 2)
        q, K = self.priors(x)
        return np.concatenate([w * r, q]), vstack([J.multiply(w[:, None]), K]).tocsc()

    def reprojection(self, x: np.ndarray) -> tuple[np.ndarray, csc_matrix]:
        """Distance of every point from where it is seen, in standard deviations (2 T K), and its Jacobian.

        All points count, wherever they are not seen: `weight` says how much.
        """
        poses, shape = self._unpacked(x)
        R, count = rotations_of(poses), len(self.seen.names)
        arm = np.einsum("tij,kj->tki", R, shape)
        uv, J_point = self.camera.project_with_jacobian(poses[:, None, :3] + arm)
        r = ((uv - self.seen.uv) / self.sigma).ravel()
        J_point = J_point / self.sigma
        cos, sin = np.cos(poses[:, 3]), np.sin(poses[:, 3])
        zero = np.zeros_like(cos)
        axes = [
            np.stack([zero, zero, zero + 1], axis=-1),
            np.stack([-sin, cos, zero], axis=-1),
            R[:, :, 0],
        ]
        turned = np.stack([np.cross(axis[:, None], arm) for axis in axes], axis=-1)
        moved = np.broadcast_to(np.eye(3), (*arm.shape[:2], 3, 3))
        per_pose = J_point @ np.concatenate([moved, turned], axis=-1)
        per_shape = J_point @ np.broadcast_to(R[:, None][..., [0, 2]], (*arm.shape[:2], 3, 2))
        rows = np.arange(r.size).reshape(self.frames, count, 2)
        of_pose = np.arange(self.frames)[:, None] * _POSE + np.arange(_POSE)
        entries = [
            (
                per_pose,
                rows[..., None] + np.zeros(_POSE, int),
                np.broadcast_to(of_pose[:, None, None], per_pose.shape),
            )
        ]
        for number, k in enumerate(self.free):
            columns = self.frames * _POSE + 2 * number + np.arange(2)
            block = per_shape[:, k]
            entries.append((block, rows[:, k, :, None] + np.zeros(2, int), np.broadcast_to(columns, block.shape)))
        data, i, j = (np.concatenate([np.ravel(entry[n]) for entry in entries]) for n in range(3))
        return r, coo_matrix((data, (i, j)), shape=(r.size, len(x))).tocsc()

    def priors(self, x: np.ndarray) -> tuple[np.ndarray, csc_matrix]:
        """Accelerations, attitudes, the reference and the stated length, in standard deviations, and their Jacobian."""
        first, second = (self._unpacked(x)[1][k] for k in self.ends)
        apart = second - first
        length = float(np.linalg.norm(apart))
        sigma = STATED * self.length
        row = np.zeros((1, len(x)))
        for k, sign in zip(self.ends, (-1.0, 1.0), strict=True):
            if k != self.anchor:
                columns = self.frames * _POSE + 2 * self.free.index(k) + np.arange(2)
                row[0, columns] = sign * apart[[0, 2]] / max(length, 1e-9) / sigma
        r = np.append(self._linear @ x - self._target, (length - self.length) / sigma)
        return r, vstack([self._linear, csc_matrix(row)]).tocsc()

    def _priors(self) -> None:
        """Rows that are linear in the unknowns."""
        size = self.frames * _POSE + 2 * len(self.free)
        fps = self.seen.fps
        pace = fps**2 / np.sqrt(fps * ACCELERATION_TIME)
        scale = pace / np.array([ACCELERATION] * 3 + [TURNING] * 3)
        rows: list[tuple[list[int], list[float], float]] = []
        for t, n in itertools.product(range(1, self.frames - 1), range(_POSE)):
            at = [(t + k) * _POSE + n for k in (-1, 0, 1)]
            rows.append((at, [scale[n], -2 * scale[n], scale[n]], 0.0))
        share = 1 / np.sqrt(fps * ATTITUDE_TIME)
        for t in range(self.frames):
            rows.append(([t * _POSE + 3], [share / FACING], share * self.facing / FACING))
            rows.append(([t * _POSE + 5], [share / UPRIGHT], 0.0))
        for n, value in ((3, self.facing), (4, 0.0), (5, 0.0)):
            rows.append(([self.reference * _POSE + n], [1 / LEVEL], value / LEVEL))
        far = LARGEST * self.length
        rows += [([self.frames * _POSE + n], [1 / far], 0.0) for n in range(2 * len(self.free))]
        i = np.concatenate([[k] * len(row[0]) for k, row in enumerate(rows)])
        j, data = np.concatenate([row[0] for row in rows]), np.concatenate([row[1] for row in rows])
        self._linear = coo_matrix((data, (i, j)), shape=(len(rows), size)).tocsc()
        self._target = np.array([row[2] for row in rows])

    def _project(self, poses: np.ndarray, shape: np.ndarray) -> np.ndarray:
        return self.camera.project(poses[:, None, :3] + np.einsum("tij,kj->tki", rotations_of(poses), shape))

    def _cost(self, x: np.ndarray) -> float:
        squared = (self.reprojection(x)[0].reshape(-1, 2) ** 2).sum(axis=1)
        return float(self.weight.ravel() ** 2 @ MISTAKES.cost(squared) + (self.priors(x)[0] ** 2).sum())

    def _packed(self, poses: np.ndarray, shape: np.ndarray) -> np.ndarray:
        return np.concatenate([poses.ravel(), shape[self.free][:, [0, 2]].ravel()])

    def _unpacked(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shape = np.zeros((len(self.seen.names), 3))
        shape[np.ix_(self.free, [0, 2])] = x[self.frames * _POSE :].reshape(-1, 2)
        return x[: self.frames * _POSE].reshape(-1, _POSE), shape


def rotations_of(poses: Float[np.ndarray, "T 6"]) -> Float[np.ndarray, "T 3 3"]:
    """Of the tool in the world: roll about its x axis first, then pitch, nose down, then yaw."""
    return np.array([pin.rpy.rpyToMatrix(float(r), float(p), float(y)) for y, p, r in poses[:, 3:]])
