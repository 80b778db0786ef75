"""What is seen, in the form that the residuals take: trust per point, landmarks in the axes of the viewing ray."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from motion.initialise import Placed
from motion.residuals.lift import Lift
from motion.residuals.pose_prior import Hinge, RestPose
from motion.residuals.reprojection import Reprojection
from motion.residuals.residual import Residual
from motion.residuals.shared_prior import SharedPrior
from motion.residuals.smoothness import Acceleration, JointRate
from motion.residuals.stature import Stature
from motion.skeleton import SITES
from motion.state import SHARED
from records import Keypoints

SIGMA_OVER_DIAGONAL = 8.0 / 922.0
"""Error of a detection over the image diagonal: 8 px at 720 x 576."""

ERROR_TIME = 0.4
"""How long an error of a detection lasts [s]: about as long as a pose. Where image points alone are seen, a bone that
is shorter and one that is foreshortened look the same, so that such errors would end up in the bones."""

MEASURED_FOCAL = 1e-3
"""Standard deviation of the logarithm of a focal length, and of a lens, that were measured: careful ones."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Observations of a person."""

    names: tuple[str, ...]
    uv: Float[np.ndarray, "T N 2"]
    weight: Float[np.ndarray, "T N"]
    """Square root of confidence; 0 where a point was not seen."""
    sigma: float
    """Error of a detection [px]."""
    landmarks: Float[np.ndarray, "T N 3"] | None
    """Root-relative, to scale [m], in the axes of the viewing ray; None where the detector gives none."""
    R_camera_ray: Float[np.ndarray, "T 3 3"]
    observed: Bool[np.ndarray, "T"]


def image_evidence(person: Keypoints, placed: Placed) -> Evidence:
    """Select the points that the body has."""
    kept = [k for k, name in enumerate(person.names) if name in SITES]
    weight = np.sqrt(person.confidence[:, kept]) * placed.placed[:, None]
    return Evidence(
        names=tuple(person.names[k] for k in kept),
        uv=person.uv[:, kept],
        weight=weight,
        sigma=SIGMA_OVER_DIAGONAL * float(np.hypot(*person.size_hw)),
        landmarks=None if person.xyz is None else placed.scale * np.asarray(person.xyz)[:, kept],
        R_camera_ray=placed.R_camera_ray,
        observed=placed.placed,
    )


def image_residuals(
    evidence: Evidence, fps: float, *, focal_known: bool = False, tilt_sigma: Float[np.ndarray, "2"] | None = None
) -> dict[str, Residual]:
    """Residuals of a person before contacts are known.

    Args:
        evidence: what is seen.
        fps: frame rate [1/s].
        focal_known: whether the focal length was measured.
        tilt_sigma: `Camera.tilt_sigma`, where it is told.
    """
    told = dict.fromkeys(("log_focal", "lens"), MEASURED_FOCAL) if focal_known else {}
    if tilt_sigma is not None:
        told |= {"pitch": float(tilt_sigma[0]), "roll": float(tilt_sigma[1])}
    sigma = np.array([told.get(shared.name, shared.sigma) for shared in SHARED])
    frames_per_error = 1.0 if evidence.landmarks is not None else max(1.0, ERROR_TIME * fps)
    residuals: dict[str, Residual] = {
        "reprojection": Reprojection(
            names=evidence.names, uv=evidence.uv, weight=evidence.weight, sigma=evidence.sigma
        ),
        "acceleration": Acceleration(),
        "joint_rate": JointRate(),
        "rest_pose": RestPose(),
        "hinge": Hinge(),
        "shared_prior": SharedPrior(frames_per_error=frames_per_error, sigma=sigma),
        "stature": Stature(),
    }
    if evidence.landmarks is not None:
        residuals["lift"] = Lift(
            names=evidence.names,
            xyz=evidence.landmarks,
            R_camera_ray=evidence.R_camera_ray,
            weight=evidence.weight,
        )
    return residuals
