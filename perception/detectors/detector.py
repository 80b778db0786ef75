"""What a detector is: a clip in, the keypoints of every candidate person out; and readers of finished detections."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from perception.click import Click
from records import Clip, Entry, Keypoints, Registry


class DetectionError(ValueError):
    """A detector cannot run, or a file of detections cannot be read."""


@runtime_checkable
class Detector(Protocol):
    """Finds people in the frames of a clip."""

    def detect(self, clip: Clip, *, pick: Click | None = None) -> list[Keypoints]:
        """Return the keypoints (T, K) of each candidate person; none where nobody is seen.

        Args:
            clip: the video.
            pick: a point on the person who is meant; a detector may spare itself the others.
        """


class KeypointReader(Protocol):
    """Reads detections that another program has made."""

    def __call__(
        self, path: Path, *, sequence: str | None, fps: float, size_hw: tuple[int, int] | None
    ) -> list[Keypoints]:
        """Return the keypoints (T, K) of each person in the file or folder."""


DETECTORS = Registry(
    "detector",
    {
        "mediapipe": Entry(
            "perception.detectors.mediapipe_pose:MediaPipePose",
            "MediaPipe's pose networks: the bundled one, plain and mirrored, fused with the larger one (default)",
        ),
        "mediapipe_single": Entry(
            "perception.detectors.mediapipe_pose:single_view",
            "MediaPipe's bundled pose network alone: three times as fast",
        ),
        "hands": Entry(
            "perception.detectors.mediapipe_hands:MediaPipeHands",
            "MediaPipe Hands, bundled model: both hands of one person, for close-ups without a body",
        ),
        "mediapipe_task": Entry(
            "perception.detectors.mediapipe_pose:from_task",
            "a pose_landmarker .task file of newer MediaPipe; name the file itself, --detector PATH.task",
        ),
    },
)

READERS = Registry(
    "keypoint format",
    {
        "openpose_npz": Entry(
            "perception.detectors.openpose:read_npz", "arrays (T, 18 or 25, 3) of OpenPose, one per sequence"
        ),
        "openpose_json": Entry(
            "perception.detectors.openpose:read_json", "folder of OpenPose JSON files, one per frame"
        ),
        "csv": Entry("perception.detectors.csv_points:read_csv", "table frame,name,x,y,confidence[,person]"),
        "record": Entry("perception.detectors.detector:read_record", "Keypoints record saved by this program"),
    },
)


def load_detector(name: str) -> Detector:
    """Return a detector by its name in the table, or by the path of its `.task` model.

    Raises:
        UnknownName: not in the table.
        DetectionError: no such model, or it cannot be used.
    """
    if name.endswith(".task"):
        detector: Detector = DETECTORS.load("mediapipe_task")(Path(name))
    else:
        detector = DETECTORS.load(name)()
    return detector


def read_keypoints(
    path: Path | str, *, sequence: str | None = None, fps: float = 24.0, size_hw: tuple[int, int] | None = None
) -> list[Keypoints]:
    """Read detections from a file or folder, its format told by its kind and content.

    Args:
        path: OpenPose folder or `.npz`, tidy `.csv`, or a saved `Keypoints` record.
        sequence: which sequence, where the file holds several.
        fps: rate [1/s], where the format does not state it.
        size_hw: image size [px], where the format does not state it; by default the smallest usual one that holds all
            points.

    Raises:
        DetectionError: no such file, an unknown format, or malformed content.
    """
    path = Path(path)
    if not path.exists():
        raise DetectionError(f"{path}: no such file or folder of keypoints")
    return READERS.load(_format(path))(path, sequence=sequence, fps=fps, size_hw=size_hw)


def read_record(path: Path, *, sequence: str | None, fps: float, size_hw: tuple[int, int] | None) -> list[Keypoints]:
    """Read a saved `Keypoints` record; it states its own rate and size."""
    return [Keypoints.load(path)]


def _format(path: Path) -> str:
    if path.is_dir():
        return "openpose_json"
    if path.suffix == ".csv":
        return "csv"
    if path.suffix == ".npz":
        import zipfile

        is_record = zipfile.is_zipfile(path) and "header.npy" in zipfile.ZipFile(path).namelist()
        return "record" if is_record else "openpose_npz"
    raise DetectionError(f"{path}: unknown kind of keypoints; expected an OpenPose folder, .npz or .csv")


def image_size(size_hw: tuple[int, int] | None, widest: float, tallest: float) -> tuple[int, int]:
    """Return the stated image size, else the smallest of the usual sizes that holds all points [px]."""
    if size_hw is not None:
        return size_hw
    usual = ((400, 600), (480, 640), (576, 720), (720, 1280), (1080, 1920), (2160, 3840))
    for height, width in usual:
        for size in ((height, width), (width, height)):
            if tallest <= size[0] and widest <= size[1]:
                return size
    raise DetectionError(
        f"points reach ({widest:.0f}, {tallest:.0f}) px: state the image size with --size HEIGHT WIDTH"
    )
