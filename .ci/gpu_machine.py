"""What must work on a GPU machine: Python 3.12 that has neither Pinocchio nor PyBullet. Run by that Python.

Torch is left out, too: a second one is half a gigabyte. So modules that import it are compiled only, and that is said.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import tempfile
import tomllib
import warnings
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
ROOMS = ("records", "perception", "motion", "sim", "policies", "pretrain", "apprentice")
WITHOUT = ("torch", "pinocchio", "pybullet")
"""What the modules that are imported must do without."""


def main() -> None:
    """Check, and say in one line what was proved."""
    sys.path.insert(0, str(ROOT))
    compiled = compile_all()
    check_metadata()
    imported, left = import_all()
    write_and_read()
    version = ".".join(map(str, sys.version_info[:3]))
    sys.stdout.write(
        f"python {version}: {compiled} files compile; perception.video and {imported - 1} modules of records and"
        f" pretrain import without {', '.join(WITHOUT)}, and a narrated video is painted, made into a shard and read;"
        f" {left} modules need torch and are compiled only\n"
    )


def compile_all() -> int:
    """Every source; a warning is an error."""
    warnings.simplefilter("error")
    files = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]
    for file in files:
        compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
    warnings.resetwarnings()
    return len(files)


def check_metadata() -> None:
    """The project admits this Python, and asks for no PyBullet on it, for which there is no wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = ".".join(map(str, sys.version_info[:3]))
    assert SpecifierSet(project["requires-python"]).contains(version), project["requires-python"]
    wanted = [Requirement(line) for line in project["optional-dependencies"]["sim"]]
    asked = [need.name for need in wanted if need.marker is None or need.marker.evaluate()]
    assert "pybullet" not in asked, asked


def import_all() -> tuple[int, int]:
    """Modules that were imported, and those that could not be for want of torch alone."""
    for name in WITHOUT:
        sys.modules[name] = None  # type: ignore[assignment]
    imported, left = 0, 0
    for name in ["perception.video", *modules("records"), *modules("pretrain")]:
        try:
            importlib.import_module(name)
            imported += 1
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "torch":
                raise
            left += 1
    return imported, left


def modules(room: str) -> list[str]:
    """All modules of a room."""
    package = importlib.import_module(room)
    # Packages are imported to be walked; one that needs torch would be told of by `import_all`.
    found = pkgutil.walk_packages(package.__path__, f"{room}.", onerror=lambda _: None)
    return [room, *(module.name for module in found)]


def write_and_read() -> None:
    """A generated video with sound goes through a file into a shard, and clips come out."""
    from pretrain.clips import NarratedClips
    from pretrain.corpus import CorpusOptions, GeneratedVideos
    from pretrain.corpus.films import write_films
    from pretrain.narration import find_narrated
    from pretrain.prepare import prepare
    from pretrain.sampling import Sampling
    from pretrain.shards import Shards
    from pretrain.transcode import Encoding

    rate = 8000
    with tempfile.TemporaryDirectory() as folder:
        films, shards = Path(folder) / "films", Path(folder) / "shards"
        videos = GeneratedVideos(CorpusOptions(videos=1, steps=2, sample_rate=rate), seed=0)
        write_films(videos, films, size=32, fps=8.0)
        prepare(find_narrated(films)[0], shards, encoding=Encoding(short_side=32, sound=rate), processes=1)
        clip = NarratedClips(Shards(shards), Sampling(frames=4, size=28), seed=0, sample_rate=rate)[0]
    assert clip.frames.shape == (4, 28, 28, 3)
    assert clip.wave is not None
    assert clip.frames.std() > 1 < len(clip.captions)
    assert clip.wave.std() > 0


if __name__ == "__main__":
    main()
