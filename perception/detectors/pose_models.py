"""Where the pose networks lie: those in MediaPipe's package, and `.task` bundles of newer releases."""

from __future__ import annotations

import functools
import importlib.util
import io
import zipfile
from pathlib import Path

from perception.detectors.detector import DetectionError

LEAST_SCORE = 0.5
"""Score from which MediaPipe takes a detection for a person and goes on following them (its own default)."""

LANDMARKS = "pose_landmarks_detector.tflite"
"""The network in a pose landmarker bundle that finds the points of a person."""

PEOPLE = "pose_detector.tflite"
"""The network in it that finds people."""

PARTS = (PEOPLE, LANDMARKS)
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
        return self._part(LANDMARKS)

    @property
    def people(self) -> bytes:
        """The network that finds people in an image."""
        return self._part(PEOPLE)

    def _part(self, name: str) -> bytes:
        with zipfile.ZipFile(io.BytesIO(self.content)) as bundle:
            return bundle.read(name)


@functools.cache
def packaged_task() -> TaskPose:
    """The model in MediaPipe's package as a bundle.

    Raises:
        DetectionError: MediaPipe is not installed, or is too new to hold this model.
    """
    try:
        people = (_modules() / "pose_detection/pose_detection.tflite").read_bytes()
        landmarks = (_modules() / "pose_landmark/pose_landmark_full.tflite").read_bytes()
    except (ImportError, OSError) as error:
        raise DetectionError(
            f"MediaPipe 0.10.21 with its pose model is not installed ({error}); `make test` installs it"
        ) from error
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_STORED) as file:
        for name, content in zip(PARTS, (people, landmarks), strict=True):
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
    """Where MediaPipe keeps its networks, found without running it: that takes seconds."""
    spec = importlib.util.find_spec("mediapipe")
    if spec is None or spec.origin is None:
        raise ImportError("No module named 'mediapipe'")
    return Path(spec.origin).parent / "modules"
