"""Tables of the human body: the SMPL tree, its bones and named sites as fractions of stature, and segment inertias.

Body axes in the neutral T-pose are those of SMPL: x to the person's left, y up, z forward. Joints are listed depth
first, as Pinocchio's derivative algorithms need contiguous subtrees. An offset is a sum of (bone, direction) pairs:
its length scales with the bones, so that lengths can be estimated.
"""

from __future__ import annotations

from typing import NamedTuple

Direction = tuple[float, float, float]
Offset = tuple[tuple[str, Direction], ...]

BONES: dict[str, float] = {
    "hip_half_width": 0.049,
    "hip_drop": 0.050,
    "thigh": 0.245,
    "shank": 0.246,
    "foot": 0.080,
    "trunk": 0.270,
    "neck": 0.060,
    "head": 0.090,
    "shoulder_half_width": 0.110,
    "upper_arm": 0.186,
    "forearm": 0.146,
    "hand": 0.055,
}
"""Bone lengths as fractions of stature (Drillis and Contini 1966, in Winter 2009, fig. 4.1; widths between joint
centres; trunk from pelvis to seventh cervical vertebra; foot from ankle to ball; hand from wrist to knuckles)."""


class JointSpec(NamedTuple):
    """A spherical joint of the tree: its parent and its offset in the parent's frame."""

    name: str
    parent: str
    offset: Offset


def _leg(side: str, x: float) -> tuple[JointSpec, ...]:
    return (
        JointSpec(f"{side}_hip", "pelvis", (("hip_half_width", (x, 0, 0)), ("hip_drop", (0, -1, 0)))),
        JointSpec(f"{side}_knee", f"{side}_hip", (("thigh", (0, -1, 0)),)),
        JointSpec(f"{side}_ankle", f"{side}_knee", (("shank", (0, -1, 0)),)),
        JointSpec(f"{side}_foot", f"{side}_ankle", (("foot", (0, -0.4875, 0.873)),)),
    )


def _arm(side: str, x: float) -> tuple[JointSpec, ...]:
    return (
        JointSpec(f"{side}_collar", "spine3", (("shoulder_half_width", (0.35 * x, 0, 0)), ("trunk", (0, 0.16, 0)))),
        JointSpec(
            f"{side}_shoulder", f"{side}_collar", (("shoulder_half_width", (0.65 * x, 0, 0)), ("trunk", (0, 0.05, 0)))
        ),
        JointSpec(f"{side}_elbow", f"{side}_shoulder", (("upper_arm", (x, 0, 0)),)),
        JointSpec(f"{side}_wrist", f"{side}_elbow", (("forearm", (x, 0, 0)),)),
        JointSpec(f"{side}_hand", f"{side}_wrist", (("hand", (x, 0, 0)),)),
    )


JOINTS: tuple[JointSpec, ...] = (
    *_leg("l", 1),
    *_leg("r", -1),
    JointSpec("spine1", "pelvis", (("trunk", (0, 0.25, 0)),)),
    JointSpec("spine2", "spine1", (("trunk", (0, 0.30, 0)),)),
    JointSpec("spine3", "spine2", (("trunk", (0, 0.12, 0)),)),
    JointSpec("neck", "spine3", (("trunk", (0, 0.33, 0)),)),
    JointSpec("head", "neck", (("neck", (0, 1, 0)),)),
    *_arm("l", 1),
    *_arm("r", -1),
)
"""The 23 spherical joints; the free-flyer `pelvis` comes before them."""

SMPL_ORDER: tuple[str, ...] = (
    "pelvis", "l_hip", "r_hip", "spine1", "l_knee", "r_knee", "spine2", "l_ankle", "r_ankle", "spine3", "l_foot",
    "r_foot", "neck", "l_collar", "r_collar", "head", "l_shoulder", "r_shoulder", "l_elbow", "r_elbow", "l_wrist",
    "r_wrist", "l_hand", "r_hand",
)  # fmt: skip
"""Joint order of SMPL's pose parameters (Loper et al. 2015)."""


class SiteSpec(NamedTuple):
    """A named point fixed to a joint's frame."""

    joint: str
    offset: Offset = ()


def _sites(side: str, x: float) -> dict[str, SiteSpec]:
    return {
        f"{side}_eye": SiteSpec("head", (("head", (0.20 * x, 0.29, 0.55)),)),
        f"{side}_ear": SiteSpec("head", (("head", (0.45 * x, 0.20, 0.05)),)),
        f"{side}_mouth": SiteSpec("head", (("head", (0.15 * x, -0.15, 0.55)),)),
        f"{side}_shoulder": SiteSpec(f"{side}_shoulder"),
        f"{side}_elbow": SiteSpec(f"{side}_elbow"),
        f"{side}_wrist": SiteSpec(f"{side}_wrist"),
        f"{side}_fingers": SiteSpec(f"{side}_hand"),
        f"{side}_thumb": SiteSpec(f"{side}_wrist", (("hand", (0.50 * x, 0, 0.45)),)),
        f"{side}_index": SiteSpec(f"{side}_hand", (("hand", (0, 0, 0.35)),)),
        f"{side}_pinky": SiteSpec(f"{side}_hand", (("hand", (-0.10 * x, 0, -0.35)),)),
        f"{side}_hip": SiteSpec(f"{side}_hip"),
        f"{side}_knee": SiteSpec(f"{side}_knee"),
        f"{side}_ankle": SiteSpec(f"{side}_ankle"),
        f"{side}_heel": SiteSpec(f"{side}_ankle", (("foot", (0, -0.4875, -0.45)),)),
        f"{side}_ball": SiteSpec(f"{side}_foot"),
        f"{side}_toes": SiteSpec(f"{side}_foot", (("foot", (0, 0, 0.50)),)),
        f"{side}_kneecap": SiteSpec(f"{side}_knee", (("shank", (0, -0.04, 0.14)),)),
        f"{side}_seat": SiteSpec("pelvis", (("hip_half_width", (x, 0, 0)), ("hip_drop", (0, -2.1, -0.2)))),
    }


SITES: dict[str, SiteSpec] = {
    "pelvis": SiteSpec("pelvis"),
    "neck": SiteSpec("neck"),
    "head": SiteSpec("head", (("head", (0, 1, 0)),)),
    "nose": SiteSpec("head", (("head", (0, 0.10, 0.70)),)),
    **_sites("l", 1),
    **_sites("r", -1),
}
"""Named points of the body: detector landmarks, markers and contact points."""


class SegmentSpec(NamedTuple):
    """Mass of a joint's body: share of the body mass, centre, length, and radii of gyration about body x, y, z."""

    joint: str
    mass: float
    centre: Offset
    length: str
    gyration: Direction


def _limb_segments(side: str, x: float) -> tuple[SegmentSpec, ...]:
    return (
        SegmentSpec(f"{side}_hip", 0.1416, (("thigh", (0, -0.4095, 0)),), "thigh", (0.329, 0.149, 0.329)),
        SegmentSpec(f"{side}_knee", 0.0433, (("shank", (0, -0.4459, 0)),), "shank", (0.249, 0.103, 0.255)),
        SegmentSpec(f"{side}_ankle", 0.0107, (("foot", (0, -0.24, 0.25)),), "foot", (0.45, 0.47, 0.24)),
        SegmentSpec(f"{side}_foot", 0.0030, (("foot", (0, 0.05, 0.15)),), "foot", (0.20, 0.20, 0.20)),
        SegmentSpec(
            f"{side}_shoulder", 0.0271, (("upper_arm", (0.5772 * x, 0, 0)),), "upper_arm", (0.158, 0.285, 0.269)
        ),
        SegmentSpec(f"{side}_elbow", 0.0162, (("forearm", (0.4574 * x, 0, 0)),), "forearm", (0.121, 0.276, 0.265)),
        SegmentSpec(f"{side}_wrist", 0.0043, (("hand", (0.65 * x, 0, 0)),), "hand", (0.40, 0.63, 0.51)),
        SegmentSpec(f"{side}_hand", 0.0018, (("hand", (0.45 * x, 0, 0)),), "hand", (0.40, 0.40, 0.40)),
    )


SEGMENTS: tuple[SegmentSpec, ...] = (
    SegmentSpec("pelvis", 0.1117, (("hip_drop", (0, 0.10, 0)),), "trunk", (0.297, 0.317, 0.332)),
    SegmentSpec("spine1", 0.0817, (("trunk", (0, 0.15, 0)),), "trunk", (0.155, 0.190, 0.195)),
    SegmentSpec("spine2", 0.0816, (("trunk", (0, 0.06, 0)),), "trunk", (0.155, 0.190, 0.195)),
    SegmentSpec("spine3", 0.1596, (("trunk", (0, 0.12, 0)),), "trunk", (0.204, 0.297, 0.322)),
    SegmentSpec("neck", 0.0100, (("neck", (0, 0.50, 0)),), "neck", (0.50, 0.40, 0.50)),
    SegmentSpec("head", 0.0594, (("head", (0, 0.35, 0.10)),), "head", (0.65, 0.54, 0.63)),
    *_limb_segments("l", 1),
    *_limb_segments("r", -1),
)
"""Segment inertias (de Leva 1996, table 4, men): mass shares sum to 1. Where one of his segments spans two joints
(foot, hand, head and neck, middle trunk) its mass is divided between them."""

CONTACT_SITES: tuple[str, ...] = ("l_ankle", "r_ankle", "l_fingers", "r_fingers")
"""Sites at which contact wrenches are always reported: feet, then hands."""

SOLE_SITES: dict[str, tuple[str, ...]] = {
    "l_ankle": ("l_heel", "l_ball", "l_toes"),
    "r_ankle": ("r_heel", "r_ball", "r_toes"),
}
"""Points of the sole that carry the force reported at an ankle."""

RESTING_SITES: dict[str, str] = {
    "l_knee": "l_kneecap",
    "r_knee": "r_kneecap",
    "l_hip": "l_seat",
    "r_hip": "r_seat",
}
"""Sites at which contact wrenches are reported where a person kneels or sits, and the point that carries the force: the
shin below the kneecap, 6 cm ahead of the knee's axis (half of the depth of a knee); the seat, 9 cm below the hip joint
(the hip point of a seated manikin is 97 mm above the hard seat under it: SAE J826)."""

FACING: dict[str, Direction] = {
    **{f"{side}_{point}": (0.0, -1.0, 0.0) for side in "lr" for point in ("heel", "ball", "toes", "seat")},
    **{f"{side}_kneecap": (0.0, 0.0, 1.0) for side in "lr"},
}
"""Direction in its joint's frame in which a point that carries faces: towards what it touches."""
