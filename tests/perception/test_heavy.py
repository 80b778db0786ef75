"""The larger pose network out of the package that holds it."""

from __future__ import annotations

import hashlib
import io
import tarfile

import pytest

from perception.detectors import heavy
from perception.detectors.heavy import ArchiveError, unpack
from perception.detectors.pose_models import HEAVY


def pack(path, name, content):
    with tarfile.open(path, "w:gz") as package:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        package.addfile(member, io.BytesIO(content))
    return path


def test_the_network_is_taken_out_of_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(heavy, "SHA256", hashlib.sha256(b"weights").hexdigest())
    unpack(pack(tmp_path / "pose.tgz", f"package/{HEAVY}", b"weights"), tmp_path / HEAVY)
    assert (tmp_path / HEAVY).read_bytes() == b"weights"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["pose.tgz", HEAVY])


@pytest.mark.parametrize(
    ("name", "message"), [(f"package/{HEAVY}", "is not the one of"), ("other", "no pose_landmark")]
)
def test_another_package_changes_nothing(tmp_path, name, message):
    (tmp_path / HEAVY).write_bytes(b"old")
    with pytest.raises(ArchiveError, match=message):
        unpack(pack(tmp_path / "pose.tgz", name, b"something"), tmp_path / HEAVY)
    assert (tmp_path / HEAVY).read_bytes() == b"old"


def test_no_archive_is_one_clear_line(tmp_path):
    (tmp_path / "broken.tgz").write_bytes(b"not an archive")
    for archive in (tmp_path / "absent.tgz", tmp_path / "broken.tgz"):
        with pytest.raises(ArchiveError, match="expected the package @mediapipe/pose"):
            unpack(archive, tmp_path / HEAVY)
