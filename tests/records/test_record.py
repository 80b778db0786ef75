from __future__ import annotations

import dataclasses
import errno
import json

import numpy as np
import pytest
from examples import KINDS, example
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import records
from records import Keypoints, Motion, Record, RecordError
from records.record import HEADER

SAME_FOLDER = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def test_every_record_type_has_an_example():
    exported = {name for name in records.__all__ if isinstance(getattr(records, name), type)}
    types = {name for name in exported if issubclass(getattr(records, name), Record)} - {"Record"}
    assert types == set(KINDS)


@SAME_FOLDER
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 10_000), frames=st.integers(1, 7))
def test_save_and_load_give_the_same_record(tmp_path, kind, seed, frames):
    record = example(kind, seed, frames).replace(source="abc")
    loaded = type(record).load(record.save(tmp_path / "record.npz"))
    assert loaded == record
    assert loaded.source == "abc"
    assert [f.name for f in tmp_path.iterdir()] == ["record.npz"], "no temporary file is left"


@SAME_FOLDER
@given(kind=st.sampled_from(KINDS), cut=st.floats(0, 0.999))
def test_truncated_file_is_a_record_error(tmp_path, kind, cut):
    record, path = example(kind), tmp_path / "record.npz"
    content = record.save(path).read_bytes()
    path.write_bytes(content[: int(cut * len(content))])
    with pytest.raises(RecordError, match=r"record\.npz"):
        type(record).load(path)


@SAME_FOLDER
@given(kind=st.sampled_from(KINDS), where=st.floats(0, 0.999), flip=st.integers(1, 255))
def test_damaged_file_is_a_record_error_or_harmless(tmp_path, kind, where, flip):
    record, path = example(kind), tmp_path / "record.npz"
    content = bytearray(record.save(path).read_bytes())
    content[int(where * len(content))] ^= flip
    path.write_bytes(content)
    try:
        loaded = type(record).load(path)
    except RecordError:
        return
    assert loaded == record, "a flipped byte must never change the content unnoticed"


@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_nan_is_refused_in_every_float_array(data, kind):
    record = example(kind, seed=1)
    arrays = [f.name for f in dataclasses.fields(record) if _is_float_array(getattr(record, f.name))]
    if not arrays:
        return
    name = data.draw(st.sampled_from(arrays))
    value = getattr(record, name).copy()
    value.flat[data.draw(st.integers(0, value.size - 1))] = data.draw(st.sampled_from([np.nan, np.inf]))
    with pytest.raises(RecordError, match=rf"{name}: not finite at index"):
        record.replace(**{name: value})


@given(kind=st.sampled_from([k for k in KINDS if k != "Clip"]))
def test_wrong_number_of_axes_is_refused(kind):
    record = example(kind)
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if isinstance(value, np.ndarray):
            with pytest.raises(RecordError, match=rf"{field.name}: shape .* does not fit"):
                record.replace(**{field.name: value[..., None]})


def test_axes_of_one_name_must_have_one_length():
    record = example("Keypoints")
    with pytest.raises(RecordError, match=r"confidence: shape \(2, 2\) does not fit \(T, K\) with T=3, K=2"):
        record.replace(confidence=np.ones((2, 2)))


def test_an_interaction_of_before_uncertainty_still_loads(tmp_path):
    whole = next(i for seed in range(20) if (i := example("Interaction", seed)).uncertainty is None)
    path = whole.save(tmp_path / "old.npz")
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    header = json.loads(arrays[HEADER].tobytes())
    del header["fields"]["uncertainty"]
    arrays[HEADER] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(path, **arrays)
    assert type(whole).load(path) == whole


def test_a_negative_variance_is_refused():
    with pytest.raises(RecordError, match=r"Uncertainty\.joints: a variance is negative"):
        example("Uncertainty").replace(joints=-np.tile(np.eye(3), (3, 2, 1, 1)))


def test_a_newer_version_is_refused(tmp_path):
    path = _with_header(tmp_path, version=99)
    with pytest.raises(RecordError, match="version 99 is newer than this program's 1; update apprentice"):
        Motion.load(path)


def test_another_type_is_refused(tmp_path):
    with pytest.raises(RecordError, match="holds a Motion, expected a Keypoints"):
        Keypoints.load(example("Motion").save(tmp_path / "m.npz"))


@pytest.mark.parametrize("header", [[1, 2], {}, {"type": "Motion"}, {"type": "Motion", "version": 1, "fields": {}}])
def test_a_foreign_header_is_refused(tmp_path, header):
    path = tmp_path / "m.npz"
    np.savez(path, **{HEADER: np.frombuffer(json.dumps(header).encode(), np.uint8)})
    with pytest.raises(RecordError, match=r"m\.npz"):
        Motion.load(path)


def test_pickled_arrays_are_never_read(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, header=np.array([{"type": "Motion"}], dtype=object))
    with pytest.raises(RecordError, match="corrupt or truncated"):
        Motion.load(path)


def test_missing_and_plain_files_are_refused(tmp_path):
    with pytest.raises(RecordError, match="no such file; expected a saved Motion"):
        Motion.load(tmp_path / "none.npz")
    np.savez(tmp_path / "plain.npz", q=np.zeros(3))
    with pytest.raises(RecordError, match="not a record"):
        Motion.load(tmp_path / "plain.npz")


def test_a_full_disk_leaves_the_old_file_intact(tmp_path, monkeypatch):
    path = example("Motion", seed=1).save(tmp_path / "m.npz")

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(RecordError, match="No space left on device; what was there is intact"):
        example("Motion", seed=2).save(path)
    assert Motion.load(path) == example("Motion", seed=1)
    assert len(list(tmp_path.iterdir())) == 1


def test_arrays_are_read_only_copies():
    q = np.zeros((2, 7))
    record = Motion(model="hammer", fps=25, q=q, v=np.zeros((2, 6)), a=np.zeros((2, 6)))
    q[:] = 1
    assert record.q.max() == 0
    with pytest.raises(ValueError, match="read-only"):
        record.q[0] = 1


def test_source_does_not_change_equality_but_content_does():
    record = example("Motion")
    assert record.replace(source="elsewhere") == record
    assert record.replace(fps=30) != record


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("Clip", {"fps": 0}, "must be positive"),
        ("Keypoints", {"confidence": np.full((3, 2), 1.5)}, "outside"),
        ("Keypoints", {"names": ("nose", "nose")}, "or one twice"),
        ("Camera", {"K": np.zeros((3, 3))}, "positive fx, fy"),
        ("Camera", {"T_world_camera": 2 * np.eye(4)[None]}, "not a rigid transform"),
        ("Interaction", {"observed": np.ones(9, bool)}, "different length"),
        ("Episodes", {"length": [1, 1, 1]}, "lengths add up to 3"),
        ("Timeline", {"interval": [[2.0, 1.0]]}, "ends before it starts"),
        ("Demonstration", {"score": 1.5}, "score 1.5"),
        ("Motion", {"fps": "fast"}, "fps"),
        ("Motion", {"parameters": {"mass": np.nan}}, "finite"),
    ],
)
def test_contradictions_are_refused(kind, changes, message):
    with pytest.raises(RecordError, match=message):
        example(kind).replace(**changes)


def _is_float_array(value):
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _with_header(folder, **changes):
    path = example("Motion").save(folder / "m.npz")
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(arrays[HEADER].tobytes()) | changes
    arrays[HEADER] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(path, **arrays)
    return path
