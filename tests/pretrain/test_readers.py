"""Readers of videos show the same; one that cannot be loaded says what it needs."""

import json
import os
import subprocess
import sys
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import pytest
from films import write_film, write_turned

from pretrain.clips import VideoFolder
from pretrain.frames import VIDEO_READERS, ReaderError
from pretrain.shards import Shards
from records import UnknownName

MOMENTS = [0.0, 0.05, 0.1, 0.149, 0.15, 1.0, 2.55, 2.56, 5.9, 6.0, 7.5]
"""Within frames, at their beginnings, and after the last one [s]."""

COMPARED = """
import io, json, sys
import numpy as np
from pathlib import Path
from perception.video import ClipError
from pretrain.frames import VIDEO_READERS

film, turned, cut, *uneven = map(Path, sys.argv[2:])
moments = np.array(json.loads(sys.argv[1]))

def shown(name):
    read = VIDEO_READERS.load(name)
    with open(film, "rb") as file:
        stretch = read(file, moments, short_side=48, name="stretch")
    return [
        read(film, moments, short_side=48),
        stretch,
        read(turned, np.zeros(1), short_side=48),
        *(read(path, moments, short_side=48) for path in uneven),
        read(film, moments, short_side=24),
        read(turned, np.zeros(1), short_side=24),
    ]

def failure(name, path, moment):
    try:
        VIDEO_READERS.load(name)(path, np.array([moment]), short_side=24)
    except ClipError as error:
        return str(error)

ours, theirs = shown("pyav"), shown("torchcodec")
print(json.dumps({
    "same": [a.shape == b.shape for a, b in zip(ours, theirs, strict=True)],
    "different": len(np.unique(ours[3], axis=0)),
    "apart": [float(np.abs(a.astype(float) - b).mean()) for a, b in zip(ours, theirs, strict=True)],
    "failures": [failure("torchcodec", path, moment) for path, moment in ((film, 9.0), (cut, 0.0), (Path("no"), 0.0))],
}))
"""


def write_uneven(path: Path, **options: str) -> Path:
    """A video whose frames last from 50 ms to 1.5 s, each brighter than the one before."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=10, options={"g": "10", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, moment in enumerate([0, 100, 150, 900, 1000, 2500, 2600, 4000, 5500, 6000]):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 30 + 10 * number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = moment, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def ffmpeg_of_pyav(folder: Path) -> str:
    """Search path for shared libraries on which those of PyAV's wheel stand under FFmpeg's own names."""
    bundled = Path(av.__file__).parent.parent / "av.libs"
    for library in [*bundled.glob("libav*.so.*"), *bundled.glob("libsw*.so.*")]:
        name, _, version = library.name.partition(".so.")
        (folder / f"{name.partition('-')[0]}.so.{version.partition('.')[0]}").symlink_to(library)
    return os.pathsep.join([str(folder), str(bundled), os.environ.get("LD_LIBRARY_PATH", "")])


@pytest.mark.skipif(find_spec("torchcodec") is None, reason="the optional reader torchcodec is not installed")
def test_torchcodec_shows_what_pyav_shows(tmp_path):
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32] = 255
    film, turned = write_film(tmp_path / "a.mp4", seconds=6), write_turned(tmp_path / "b.mp4", image)
    uneven = [write_uneven(tmp_path / "d.mp4"), write_uneven(tmp_path / "e.mkv")]
    uneven += [write_uneven(tmp_path / "f.mkv", live="1")]  # whose header does not say how long it lasts
    cut = tmp_path / "c.mp4"
    cut.write_bytes(film.read_bytes()[:2000])
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    paths = {"LD_LIBRARY_PATH": ffmpeg_of_pyav(libraries), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", COMPARED, json.dumps(MOMENTS), film, turned, cut, *uneven],
        env=os.environ | paths,
        capture_output=True,
        text=True,
    )
    if "the shared libraries of FFmpeg" in done.stderr:
        pytest.skip("torchcodec finds no FFmpeg here, not even that of PyAV")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert all(found["same"])
    assert found["different"] > 5
    assert found["apart"][:-2] == [0] * 6, "of the size that they have, to the last bit"
    assert max(found["apart"][-2:]) < 4, "smaller by different filters"
    assert "ends at 6.00 s, before 9.00 s" in found["failures"][0]
    assert all(found["failures"])


def test_a_reader_that_is_not_here_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    film = write_film(tmp_path / "a.mp4", seconds=1)
    with pytest.raises(ReaderError, match=r"torchcodec is not installed: pip install .* FFmpeg 4 to 8 .* pyav needs"):
        VIDEO_READERS.load("torchcodec")(film, np.zeros(1), short_side=24)


@pytest.mark.parametrize("kind", [VideoFolder, Shards])
def test_readers_are_chosen_by_name(tmp_path, kind):
    with pytest.raises(UnknownName, match="unknown video reader 'fast'; choose from: pyav, torchcodec"):
        kind(tmp_path, reader="fast")
