"""From the markers that laboratories put on people to points of the body: joint centres, feet, neck.

Names are compared in small letters without punctuation and without a subject's prefix, so `L.ASIS`, `subject:L_ASIS`
and `lasis` are one. Where several markers surround a joint its centre is their mean; a lone lateral marker is moved
inwards by half the width of the joint; hips follow from the pelvis (Harrington et al. 2007).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from motion.importers.motion_file_error import MotionFileError
from motion.markers import MARKERS

LEFT_RIGHT = ("l", "r")

SURROUNDING: dict[str, tuple[str, ...]] = {
    "hip": ("{s}hjc", "{s}hjcreg", "{s}hip"),
    "knee": ("{s}kjc", "{s}knee+{s}mknee", "{s}lfc+{s}mfc", "{s}kne+{s}kne", "{s}kne+{s}knm", "{s}kneelat+{s}kneemed"),
    "ankle": (
        "{s}ajc", "{s}ankle+{s}mankle", "{s}lmal+{s}mmal", "{s}ank+{s}ank", "{s}ank+{s}mma", "{s}anklelat+{s}anklemed",
    ),
    "heel": ("{s}calc", "{s}heel", "{s}hee", "{s}cal"),
    "ball": ("{s}mt1+{s}mt5", "{s}foo+{s}foo", "{s}mt2"),
    "toes": ("{s}toe", "{s}bigtoe", "{s}toes"),
    "elbow": ("{s}elbowlat+{s}elbowmed", "{s}lel+{s}mel", "{s}elbow", "{s}elb"),
    "wrist": ("{s}wristradius+{s}wristulna", "{s}wra+{s}wrb", "{s}wrist", "{s}wri"),
    "fingers": ("{s}fin", "{s}hand", "{s}fingers"),
}  # fmt: skip
"""For each point of a side, markers whose mean it is; the first alternative that is there is taken."""

LATERAL = {"knee": ("{s}knee", "{s}kne", "{s}lfc"), "ankle": ("{s}ankle", "{s}ank", "{s}lmal")}
"""Lone markers on the outside of a joint."""

HALF_WIDTH = {"knee": 0.055, "ankle": 0.04}
"""From a marker on the outside to the centre of the joint [m]: half of knee and ankle breadth (10 and 7 cm; Gordon et
al. 2014, ANSUR II) and a marker's radius."""

ACROMION = ("{s}shoulder", "{s}sho", "{s}acr", "{s}ac")
ACROMION_DROP = 0.17
"""Shoulder joint below the acromion, over the distance of both acromia [1] (Rab et al. 2002)."""

ASIS, PSIS, SACRUM = ("{s}asis", "{s}asi"), ("{s}psis", "{s}psi"), ("s2", "vsac", "sacr", "sacrum")

NECK_DEPTH = 0.06
"""Base of the neck in front of a lone marker on the seventh cervical vertebra [m]: half way to the sternal notch."""

MIDDLE = {"neck": ("c7+clav", "c7+ij", "neck"), "nose": ("nose",), "head": ("head",)}

CENTRES = {"lhip", "rhip", "lknee", "rknee"}
"""Names by which video systems write joint centres; their shoulders are joint centres too."""


class BodyPoints(NamedTuple):
    """Named points of the body over time."""

    names: tuple[str, ...]
    points: Float[np.ndarray, "T N 3"]
    """[m], in the markers' axes; NaN where one cannot be told."""
    surface: bool
    """Hips and shoulders are our own surface markers (`motion.markers`)."""


def body_points(names: Sequence[str], points: Float[np.ndarray, "T N 3"]) -> BodyPoints:
    """Points of the body from markers.

    Raises:
        MotionFileError: hips, or what is above them, cannot be told from these markers.
    """
    own = [n for n, name in enumerate(names) if name in MARKERS]
    if {"l_hip", "r_hip", "l_shoulder", "r_shoulder"} <= {names[n] for n in own}:
        return BodyPoints(tuple(names[n] for n in own), points[:, own], True)
    seek = _seeker([_plain(name) for name in names], points)
    found: dict[str, np.ndarray] = {}
    for side in LEFT_RIGHT:
        for point, alternatives in SURROUNDING.items():
            value = seek(alternatives, side)
            if value is not None:
                found[f"{side}_{point}"] = value
    if "l_hip" not in found or "r_hip" not in found:
        found |= _hips(seek)
    for name, alternatives in MIDDLE.items():
        value = seek(alternatives, "")
        if value is not None:
            found[name] = value
    if not {"l_hip", "r_hip"} <= set(found):
        raise MotionFileError(f"no hips among the markers {', '.join(names)}; expected HJC, or ASIS and PSIS")
    across = _unit(found["r_hip"] - found["l_hip"])
    for side, inwards in zip(LEFT_RIGHT, (across, -across), strict=True):
        for point, alternatives in LATERAL.items():
            value = seek(alternatives, side)
            if f"{side}_{point}" not in found and value is not None:
                centre = {"lhip", "rhip"} <= {_plain(name) for name in names}
                found[f"{side}_{point}"] = value + (0.0 if centre else HALF_WIDTH[point]) * inwards
    found |= _shoulders(seek, found, joint_centres={_plain(name) for name in names} >= CENTRES)
    back = seek(("c7",), "")
    if "neck" not in found and back is not None:
        up = back - 0.5 * (found["l_hip"] + found["r_hip"])
        found["neck"] = back + NECK_DEPTH * _unit(np.cross(up, across))
    if "neck" not in found and "l_shoulder" not in found:
        raise MotionFileError(f"neither shoulders nor neck among the markers {', '.join(names)}")
    return BodyPoints(tuple(found), np.stack(list(found.values()), axis=1), False)


Seek = Callable[[Sequence[str], str], "np.ndarray | None"]


def _seeker(plain: list[str], points: np.ndarray) -> Seek:
    def seek(alternatives: Sequence[str], side: str) -> np.ndarray | None:
        for alternative in alternatives:
            wanted = alternative.format(s=side).split("+")
            columns = [n for n, name in enumerate(plain) if name in wanted]
            enough = len(columns) >= len(wanted) and set(wanted) <= set(plain)
            if enough and np.isfinite(points[:, columns]).any():
                return np.asarray(points[:, columns].mean(axis=1))
        return None

    return seek


def _hips(seek: Seek) -> dict[str, np.ndarray]:
    """Hip joints from the pelvis (Harrington et al. 2007, table 3, regression on pelvic width and depth)."""
    left, right = (seek(ASIS, side) for side in LEFT_RIGHT)
    backs = [seek(PSIS, side) for side in LEFT_RIGHT]
    back = seek(SACRUM, "") if backs[0] is None or backs[1] is None else 0.5 * (backs[0] + backs[1])
    if left is None or right is None or back is None:
        return {}
    front = 0.5 * (left + right)
    width = float(np.nanmedian(np.linalg.norm(right - left, axis=-1)))
    depth = float(np.nanmedian(np.linalg.norm(front - back, axis=-1)))
    z = _unit(right - left)
    y = _unit(np.cross(z, front - back))
    x = np.cross(y, z)
    centre = front - (0.24 * depth + 0.0099) * x - (0.30 * width + 0.0109) * y
    aside = (0.33 * width + 0.0073) * z
    return {"l_hip": centre - aside, "r_hip": centre + aside}


def _shoulders(seek: Seek, found: dict[str, np.ndarray], *, joint_centres: bool) -> dict[str, np.ndarray]:
    left, right = (seek(ACROMION, side) for side in LEFT_RIGHT)
    if left is None or right is None:
        return {}
    drop = 0.0 if joint_centres else ACROMION_DROP * float(np.nanmedian(np.linalg.norm(right - left, axis=-1)))
    down = _unit(found["l_hip"] + found["r_hip"] - left - right)
    return {"l_shoulder": left + drop * down, "r_shoulder": right + drop * down}


def _unit(v: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(v / np.linalg.norm(v, axis=-1, keepdims=True))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().rpartition(":")[2])
