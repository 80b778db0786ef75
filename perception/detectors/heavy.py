"""Put MediaPipe's larger pose network where MediaPipe looks for it.

    python -m perception.detectors.heavy ARCHIVE

MediaPipe's Python package leaves the network out; its package for browsers, `@mediapipe/pose`, holds it. `ARCHIVE` is
that package as `npm pack` gives it.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tarfile
from pathlib import Path

from perception.detectors.pose_models import HEAVY, heavy_path

SHA256 = "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe"
"""Of the network that the figures were measured with."""

LARGEST = 2**26
"""Bytes beyond which it is something else."""


class ArchiveError(ValueError):
    """Not the package, or not this network."""


def unpack(archive: Path, to: Path) -> None:
    """Copy the network out of the package.

    Raises:
        ArchiveError: the archive cannot be read, or does not hold the network that is meant.
    """
    try:
        with tarfile.open(archive) as package:
            member = package.getmember(f"package/{HEAVY}")
            file = package.extractfile(member)
            content = b"" if file is None else file.read(LARGEST)
    except (OSError, tarfile.TarError, KeyError) as error:
        raise ArchiveError(f"{archive}: no {HEAVY} in it ({error}); expected the package @mediapipe/pose") from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise ArchiveError(f"{archive}: its {HEAVY} is not the one of @mediapipe/pose 0.5; nothing was installed")
    part = to.with_suffix(".part")
    part.write_bytes(content)
    part.replace(to)


def main() -> int:
    """Install the network from the archive that the command line names."""
    parser = argparse.ArgumentParser(description="Install MediaPipe's larger pose network.")
    parser.add_argument("archive", type=Path, help="what `npm pack @mediapipe/pose` gives")
    try:
        unpack(parser.parse_args().archive, heavy_path())
    except (ArchiveError, ImportError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
