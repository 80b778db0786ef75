"""Surface markers of a person: where a marker set sits on the skin, against the joint centres of the body model.

Hip markers sit on the iliac crest, above the hip joint; shoulder markers on the acromion, above the shoulder joint.
The other points are those of `motion.skeleton.SITES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from motion.body import Body
from motion.rotation import skew
from motion.skeleton import JOINTS

HIP_RAISE = 0.40
"""Height of a hip marker above the hip joint, in lengths of the lowest spine link (pelvis to spine1)."""

SHOULDER_RAISE = 0.03
"""Height of a shoulder marker above the shoulder joint [m], along the upper trunk."""

LIMB_MARKERS = (
    "l_hip", "l_knee", "l_ankle", "l_toes", "r_hip", "r_knee", "r_ankle", "r_toes",
    "l_shoulder", "l_elbow", "l_wrist", "l_fingers", "r_shoulder", "r_elbow", "r_wrist", "r_fingers",
)  # fmt: skip
"""The sixteen limb markers of the Parkour and Handtool protocols (Li et al. 2019)."""

MARKERS = (*LIMB_MARKERS, "pelvis", "neck", "head", "nose", "l_heel", "r_heel")
"""All points that are exported."""


def marker_positions(
    body: Body, q: Float[np.ndarray, "T 99"], names: Sequence[str] = MARKERS
) -> Float[np.ndarray, "T N 3"]:
    """World positions [m] of surface markers."""
    points = body.site_positions(q, names)
    R, _ = body.joint_poses(q)
    for n, joint, raised in _raised(body, names):
        points[:, n] += R[:, joint, :, 1] * raised
    return points


def marker_jacobian(
    body: Body, q: Float[np.ndarray, "T 99"], names: Sequence[str] = MARKERS
) -> tuple[Float[np.ndarray, "T N 3"], Float[np.ndarray, "T N 3 75"]]:
    """Positions of surface markers and their derivative with respect to a tangent step of `q`."""
    points, J = body.site_jacobian(q, names)
    R, _ = body.joint_poses(q)
    for n, joint, raised in _raised(body, names):
        lever = R[:, joint, :, 1] * raised
        points[:, n] += lever
        for k in np.flatnonzero(body.ancestors[joint]):
            J[:, n, :, 3 + 3 * k : 6 + 3 * k] -= skew(lever) @ R[:, k]
    return points, J


def _raised(body: Body, names: Sequence[str]) -> Iterator[tuple[int, int, float]]:
    """Columns of the markers that differ from their site: joint whose y axis they are raised along, and how far [m]."""
    lowest_spine = next(joint.offset for joint in JOINTS if joint.name == "spine1")
    hip = HIP_RAISE * sum(body.bones[bone] * float(np.linalg.norm(direction)) for bone, direction in lowest_spine)
    for n, name in enumerate(names):
        if name in ("l_hip", "r_hip"):
            yield n, body.joint_names.index("pelvis"), hip
        elif name in ("l_shoulder", "r_shoulder"):
            yield n, body.joint_names.index("spine3"), SHOULDER_RAISE
