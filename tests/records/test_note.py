"""Notes of folders: what was written is read, anything else is named with what to do."""

import errno

import pytest

from records.atomic import atomic_path, write_json
from records.note import NoteError, read_note


def test_what_was_written_is_read(tmp_path):
    write_json(tmp_path / "a.json", {"version": 2, "names": ["x"]})
    assert read_note(tmp_path / "a.json", 2, remedy="train again") == {"version": 2, "names": ["x"]}


@pytest.mark.parametrize("content", ["", "{", "[]", "[1]", "3", '"version"', "{}", "null", b"\xff\xfe{"])
def test_what_is_no_note_is_damaged(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(NoteError, match=r"a\.json: damaged \(.*\); train again"):
        read_note(path, 1, remedy="train again")


def test_damage_is_told_in_short(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xff" * 100_000)
    with pytest.raises(NoteError) as raised:
        read_note(tmp_path / "a.json", 1, remedy="train again")
    assert len(str(raised.value)) < 200 + len(str(tmp_path))


@pytest.mark.parametrize("version", [0, 3, "2", None])
def test_another_version_is_told(tmp_path, version):
    write_json(tmp_path / "a.json", {"version": version})
    with pytest.raises(NoteError, match=f"version {version}, this program reads 2; update apprentice, or train again"):
        read_note(tmp_path / "a.json", 2, remedy="train again")


def test_a_file_that_is_gone_is_damaged_too(tmp_path):
    with pytest.raises(NoteError, match="No such file"):
        read_note(tmp_path / "a.json", 1, remedy="train again")


def test_a_full_disk_is_told_with_the_file(tmp_path):
    with pytest.raises(OSError, match=r"No space left on device: '.*a\.json'"), atomic_path(tmp_path / "a.json"):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match=r"^\[Errno 5\] Input/output error$"), atomic_path(tmp_path / "a.json"):
        raise OSError(errno.EIO, "Input/output error")
    assert not list(tmp_path.iterdir())
