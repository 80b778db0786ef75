"""Calibrated cameras from files: OpenCV YAML, ROS camera info, and Qualisys `.qca.txt`."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import yaml
from jaxtyping import Float

from records import Camera

SUBPIXELS = 64.0
"""Qualisys writes image coordinates in 64ths of a pixel."""
MAX_COEFFICIENTS = 5
"""k1, k2, p1, p2, k3 of the lens; models with more are refused unless the rest is zero."""
BLOCK = 16
"""Side of a video codec's block [px]."""


class CameraFileError(ValueError):
    """A calibration file cannot be read, or does not say what a camera needs."""


class Calibration(NamedTuple):
    """What a calibration file says."""

    camera: Camera
    posed: bool
    """Whether the file gives the camera's place; else `T_world_camera` is the identity and means nothing."""


def load_camera(path: Path | str, *, name: str | None = None, size_hw: tuple[int, int] | None = None) -> Camera:
    """Read a calibrated camera; see `read_calibration`, which also tells whether the file gives its place."""
    return read_calibration(path, name=name, size_hw=size_hw).camera


def read_calibration(
    path: Path | str, *, name: str | None = None, size_hw: tuple[int, int] | None = None
) -> Calibration:
    """Read a calibration by its content.

    OpenCV YAML: `camera_matrix`, `distortion_coefficients`, `image_width`, `image_height`, and optionally `rvec`,
    `tvec` [m] that take world points to the camera. ROS camera info has the same names. Qualisys XML holds several
    cameras in millimetres. The world of a file must have z up and its ground at z = 0.

    Args:
        path: the file.
        name: which camera of a Qualisys file, by serial or by number from 0; needed when there are several.
        size_hw: height and width of the clip [px]; checked against the file, or used where the file gives none.

    Raises:
        CameraFileError: unreadable, incomplete, another lens model, no such camera, or another image size.
    """
    path = Path(path)
    if not path.is_file():
        raise CameraFileError(f"{path}: no such file; expected a camera calibration (OpenCV .yml or Qualisys .qca.txt)")
    try:
        text = path.read_text(encoding="utf-8", errors="strict")
    except UnicodeDecodeError as error:
        raise CameraFileError(f"{path}: not a text file; expected OpenCV YAML or Qualisys XML") from error
    if text.lstrip().startswith("<?xml") or "<calibration" in text:
        return _qualisys(path, text, name, size_hw)
    return _opencv(path, text, size_hw)


class _OpenCVLoader(yaml.SafeLoader):
    """YAML that may hold `!!opencv-matrix`."""


_OpenCVLoader.add_constructor(
    "tag:yaml.org,2002:opencv-matrix", lambda loader, node: loader.construct_mapping(node, deep=True)
)


def _opencv(path: Path, text: str, size_hw: tuple[int, int] | None) -> Calibration:
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    try:
        content = yaml.load("\n".join(lines), Loader=_OpenCVLoader)  # derives from SafeLoader
    except yaml.YAMLError as error:
        raise CameraFileError(f"{path}: neither YAML nor XML ({str(error).splitlines()[0]})") from error
    if not isinstance(content, Mapping) or "camera_matrix" not in content:
        raise CameraFileError(f"{path}: no camera_matrix; expected the file that OpenCV's calibration writes")
    if content.get("distortion_model", "plumb_bob") not in ("plumb_bob", "radtan"):
        raise CameraFileError(f"{path}: lens model {content['distortion_model']!r}; only plumb_bob (OpenCV) is known")
    K = _matrix(path, content, "camera_matrix", 9).reshape(3, 3)
    has_lens = "distortion_coefficients" in content
    lens = _matrix(path, content, "distortion_coefficients", None) if has_lens else np.zeros(MAX_COEFFICIENTS)
    if lens[MAX_COEFFICIENTS:].any():
        raise CameraFileError(f"{path}: {len(lens)} distortion coefficients; only k1, k2, p1, p2, k3 are known")
    distortion = np.zeros(MAX_COEFFICIENTS)
    distortion[: min(len(lens), MAX_COEFFICIENTS)] = lens[:MAX_COEFFICIENTS]
    size = None
    if {"image_width", "image_height"} <= content.keys():
        size = (int(content["image_height"]), int(content["image_width"]))
    posed = {"rvec", "tvec"} <= content.keys()
    T_world_camera = np.eye(4)
    if posed:
        R_camera_world = np.asarray(cv2.Rodrigues(_matrix(path, content, "rvec", 3))[0], np.float64)
        T_world_camera[:3, :3] = R_camera_world.T
        T_world_camera[:3, 3] = -R_camera_world.T @ _matrix(path, content, "tvec", 3)
    return Calibration(_camera(path, K, distortion, T_world_camera, _agreed(path, size, size_hw)), posed)


def _matrix(path: Path, content: Mapping[str, Any], key: str, count: int | None) -> Float[np.ndarray, "N"]:
    value = content[key]
    data = value.get("data") if isinstance(value, Mapping) else value
    try:
        numbers: np.ndarray = np.array(data, np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise CameraFileError(f"{path}: {key} is not a matrix of numbers") from error
    if not np.isfinite(numbers).all() or (count is not None and len(numbers) != count):
        raise CameraFileError(f"{path}: {key} has {len(numbers)} numbers; expected {count or 'finite ones'}")
    return numbers


def _qualisys(path: Path, text: str, name: str | None, size_hw: tuple[int, int] | None) -> Calibration:
    try:
        # The declared encoding is dropped: the text is already decoded.
        root = ElementTree.fromstring(text[text.index("<calibration") :])  # no entities are resolved
    except (ElementTree.ParseError, ValueError) as error:
        raise CameraFileError(f"{path}: damaged XML ({error}); expected a Qualisys calibration") from error
    cameras = {camera.get("serial", str(i)): camera for i, camera in enumerate(root.iter("camera"))}
    choices = ", ".join(cameras) or "none"
    if name is None and len(cameras) != 1:
        raise CameraFileError(f"{path}: holds several cameras; choose one by name: {choices}")
    chosen = next(iter(cameras)) if name is None else name
    if chosen not in cameras and chosen.isdigit() and int(chosen) < len(cameras):
        chosen = list(cameras)[int(chosen)]
    if chosen not in cameras:
        raise CameraFileError(f"{path}: no camera named {name!r}; there are: {choices}")
    element = cameras[chosen]
    lens, place, view = (element.find(tag) for tag in ("intrinsic", "transform", "fov_video"))
    if lens is None or place is None or view is None:
        raise CameraFileError(f"{path}: camera {chosen} lacks intrinsic, transform or fov_video")
    if element.get("viewrotation", "0") != "0":
        raise CameraFileError(f"{path}: camera {chosen} is turned by {element.get('viewrotation')} degrees in the file")

    def numbers(part: ElementTree.Element, *keys: str) -> np.ndarray:
        try:
            return np.array([float(part.attrib[key]) for key in keys])
        except (KeyError, ValueError) as error:
            raise CameraFileError(f"{path}: camera {chosen}, {part.tag}: {error} missing or not a number") from error

    fu, fv, cu, cv = numbers(lens, "focalLengthU", "focalLengthV", "centerPointU", "centerPointV") / SUBPIXELS
    left, top, right, bottom = numbers(view, "left", "top", "right", "bottom")
    K = np.array([[fu, 0, cu - left], [0, fv, cv - top], [0, 0, 1]])
    # The misspelling is Qualisys's.
    terms = ("radialDistortion1", "radialDistortion2", "tangentalDistortion1", "tangentalDistortion2")
    distortion = numbers(lens, *terms, "radialDistortion3")
    M = numbers(place, *(f"r{i}{j}" for i in (1, 2, 3) for j in (1, 2, 3))).reshape(3, 3)
    T_world_camera = np.eye(4)
    # Qualisys looks along -z with y up; OpenCV along z with y down.
    T_world_camera[:3, :3] = M.T @ np.diag([1.0, -1.0, -1.0])
    T_world_camera[:3, 3] = numbers(place, "x", "y", "z") / 1000
    size = (int(bottom - top) + 1, int(right - left) + 1)
    return Calibration(_camera(path, K, distortion, T_world_camera, _agreed(path, size, size_hw)), True)


def _agreed(path: Path, size: tuple[int, int] | None, size_hw: tuple[int, int] | None) -> tuple[int, int]:
    if size is None or size_hw is None:
        known = size or size_hw
        if known is None:
            raise CameraFileError(f"{path}: no image_width and image_height, and no clip to take them from")
        return known
    # Codecs pad frames on the right and at the bottom to whole blocks, and some calibrations were made on the padding.
    padded = all(0 <= calibrated - shown < BLOCK for calibrated, shown in zip(size, size_hw, strict=True))
    if not padded:
        raise CameraFileError(
            f"{path}: calibrated for {size[1]} x {size[0]} px, but the clip has {size_hw[1]} x {size_hw[0]} px"
        )
    return size_hw


def _camera(
    path: Path, K: np.ndarray, distortion: np.ndarray, T_world_camera: np.ndarray, size_hw: tuple[int, int]
) -> Camera:
    U, singular, Vt = np.linalg.svd(T_world_camera[:3, :3])
    if np.abs(singular - 1).max() > 1e-2 or np.linalg.det(U @ Vt) < 0:
        raise CameraFileError(f"{path}: the camera's rotation is not a rotation (singular values {singular.round(3)})")
    T_world_camera[:3, :3] = U @ Vt
    try:
        return Camera(K=K, distortion=distortion, T_world_camera=T_world_camera[None], size_hw=size_hw)
    except ValueError as error:
        raise CameraFileError(f"{path}: {error}") from error
