"""The focal length in a file's metadata."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from perception.lens import stated_focal
from records import Clip


def write(path: Path, tags: dict[str, str]) -> Clip:
    with av.open(str(path), "w", format="mov", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(tags)
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((240, 320, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    return Clip(path=str(path), fps=25.0, num_frames=2, size_hw=(240, 320))


def test_35_mm_equivalent_scales_with_the_diagonal(tmp_path: Path) -> None:
    clip = write(tmp_path / "a.mov", {"com.apple.quicktime.camera.focal_length.35mm_equivalent": "26"})
    assert stated_focal(clip, 1.0) == pytest.approx(26 / 43.2666 * 400, rel=1e-4)
    assert stated_focal(clip, 0.75) == pytest.approx(26 / 43.2666 * np.hypot(320, 320), rel=1e-4)


@pytest.mark.parametrize("value", ["0", "unknown", "nan"])
def test_no_lens_has_that_focal_length(tmp_path: Path, value: str) -> None:
    clip = write(tmp_path / "a.mov", {"com.apple.quicktime.camera.focal_length.35mm_equivalent": value})
    assert stated_focal(clip, 1.0) is None


def test_silent_and_missing_files_say_nothing(tmp_path: Path) -> None:
    clip = write(tmp_path / "a.mov", {})
    assert stated_focal(clip, 1.0) is None
    (tmp_path / "a.mov").unlink()
    assert stated_focal(clip, 1.0) is None
