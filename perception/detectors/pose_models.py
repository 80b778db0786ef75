"""Where the pose networks lie: those in MediaPipe's package, and `.task` bundles of newer releases."""

from __future__ import annotations

import contextlib
import functools
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from perception.detectors.blazepose import Body, named
from perception.detectors.detector import DetectionError
from perception.detectors.quiet import quiet
from perception.video import Image

LEAST_SCORE = 0.5
"""Score from which MediaPipe takes a detection for a person and goes on following them (its own default)."""

LANDMARKS = "pose_landmarks_detector.tflite"
"""The network in a pose landmarker bundle that finds the points of a person."""

PARTS = ("pose_detector.tflite", LANDMARKS)
"""What a pose landmarker bundle holds."""

HEAVY = "pose_landmark_heavy.tflite"
"""The larger network: not in MediaPipe's package, but where MediaPipe puts it once it has been downloaded."""


class TaskPose:
    """A pose landmarker bundle."""

    def __init__(self, content: bytes, name: str) -> None:
        """Hold the content of a `.task` file; `name` is how errors call it."""
        self.content = content
        self.name = name

    @classmethod
    def from_file(cls, path: Path | str) -> TaskPose:
        """Read a `.task` file.

        Raises:
            DetectionError: no such file, or not a pose landmarker bundle.
        """
        path = Path(path)
        try:
            content = path.read_bytes()
            with zipfile.ZipFile(io.BytesIO(content)) as bundle:
                absent = set(PARTS) - set(bundle.namelist())
        except OSError as error:
            raise DetectionError(
                f"{path}: cannot be read ({error.strerror}); download a pose_landmarker .task model of MediaPipe"
            ) from error
        except zipfile.BadZipFile as error:
            raise DetectionError(f"{path}: not a .task bundle ({error}); expected a pose_landmarker model") from error
        if absent:
            raise DetectionError(f"{path}: holds no {sorted(absent)[0]}; expected a pose_landmarker .task model")
        return cls(content, str(path))

    @property
    def landmarks(self) -> bytes:
        """The network that finds the points of a person."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as bundle:
            return bundle.read(LANDMARKS)

    @contextlib.contextmanager
    def finder(self, most: int) -> Iterator[Callable[[Image], list[Body]]]:
        """Give a function that finds up to `most` people in an image, without regard to images before.

        Raises:
            DetectionError: MediaPipe refuses the bundle.
        """
        try:
            import mediapipe as mp
            from mediapipe.tasks.python import BaseOptions, vision
        except ImportError as error:
            raise DetectionError(f"MediaPipe is not installed ({error}); `make test` installs it") from error
        options = vision.PoseLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=self.content),
            running_mode=vision.RunningMode.IMAGE,
            num_poses=most,
            min_pose_detection_confidence=LEAST_SCORE,
            min_pose_presence_confidence=LEAST_SCORE,
        )
        try:
            with quiet():
                landmarker = vision.PoseLandmarker.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise DetectionError(f"{self.name}: MediaPipe cannot run this model ({reason})") from error

        def find(image: Image) -> list[Body]:
            picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(image))
            with quiet():
                result = landmarker.detect(picture)
            pairs = zip(result.pose_landmarks, result.pose_world_landmarks, strict=True)
            return [_body(flat, world, image) for flat, world in pairs]

        with landmarker:
            yield find


@functools.cache
def packaged_task() -> TaskPose:
    """The model in MediaPipe's package as a bundle: the package's own interface to it knows one person only.

    Raises:
        DetectionError: MediaPipe is not installed, or is too new to hold this model.
    """
    try:
        from mediapipe.tasks.python.metadata.metadata_writers.metadata_writer import MetadataWriter

        detector = (_modules() / "pose_detection/pose_detection.tflite").read_bytes()
        landmarks = (_modules() / "pose_landmark/pose_landmark_full.tflite").read_bytes()
    except (ImportError, OSError) as error:
        raise DetectionError(
            f"MediaPipe 0.10.21 with its pose model is not installed ({error}); `make test` installs it"
        ) from error
    # The network takes colours in [0, 1]; its file in the package does not say so, and tasks ask.
    writer = MetadataWriter.create(bytearray(landmarks))
    writer.add_general_info("pose landmarks")
    writer.add_image_input([0.0], [255.0])
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_STORED) as file:
        for name, content in zip(PARTS, (detector, bytes(writer.populate()[0])), strict=True):
            file.writestr(name, content)
    return TaskPose(bundle.getvalue(), "the pose model of the MediaPipe package")


def heavy_network() -> bytes | None:
    """The larger network, where it is installed."""
    try:
        return heavy_path().read_bytes()
    except (ImportError, OSError):
        return None


def heavy_path() -> Path:
    """Where MediaPipe keeps the larger network.

    Raises:
        ImportError: MediaPipe is not installed.
    """
    return _modules() / "pose_landmark" / HEAVY


def _modules() -> Path:
    import mediapipe

    return Path(mediapipe.__file__).parent / "modules"


def _body(flat: Any, world: Any, image: Image) -> Body:
    points = np.array([(p.x, p.y, p.visibility) for p in flat])
    uv = points[:, :2] * [image.shape[1], image.shape[0]] - 0.5
    return named(uv, np.array([(p.x, p.y, p.z) for p in world]), points[:, 2])
