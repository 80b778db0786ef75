from __future__ import annotations

import io
import os
import pickle
import zlib
from collections import OrderedDict, defaultdict

import numpy as np
import pytest

from motion.importers import MotionFileError, import_motion
from motion.importers.container import read_content
from motion.importers.restricted import load_pickle
from motion.importers.torch_file import load_legacy, load_torch


class Evil:
    """Runs a command when it is unpickled by the standard library."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def save_npz_object(path, value):
    np.savez(path, poses=np.zeros((2, 156)), trans=np.array(value, dtype=object))


def save_torch(path, value):
    import torch

    torch.save({"smpl_params_global": value}, path)


def save_torch_legacy(path, value):
    import torch

    torch.save({"smpl_params_global": value}, path, _use_new_zipfile_serialization=False)


WRITERS = {
    "pkl": lambda path, value: path.write_bytes(pickle.dumps(value)),
    "pkl in a dict": lambda path, value: path.write_bytes(pickle.dumps({0: {"pose_world": value}})),
    "pkl in an array": lambda path, value: path.write_bytes(pickle.dumps(np.array([value], object))),
    "joblib, zlib": lambda path, value: path.write_bytes(zlib.compress(pickle.dumps({0: value}))),
    "npy": lambda path, value: np.save(open(path, "wb"), np.array({"frame": value}, object), allow_pickle=True),  # noqa: SIM115
    "npz": lambda path, value: save_npz_object(path, value),
    "torch": save_torch,
    "torch, legacy": save_torch_legacy,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_code_in_a_file_is_refused_by_name_and_not_run(kind, tmp_path):
    marker, path = tmp_path / "it_ran", tmp_path / "motion.npz"
    WRITERS[kind](path, Evil(marker))
    with pytest.raises(MotionFileError, match=r"motion\.npz: refused to load (posix|nt|os)\.system") as error:
        import_motion(path)
    assert "\n" not in str(error.value)
    assert not marker.exists()


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"\x80\x02cbuiltins\neval\n.",
        b"\x80\x02cbuiltins\ngetattr\n.",
        b"\x80\x02cnumpy\nload\n.",
        b"\x80\x02cpickle\nloads\n.",
        b"\x80\x02cmotion.importers.restricted\npickle\n.",
        b"\x80\x04\x8c\x0fnumpy.multiarray\x8c\x10_reconstruct.f.x\x93.",
        b"\x80\x02cnumpy\nndarray\n)R.",
        b"\x80\x02cnumpy\nndarray\n}b.",
        b"\x80\x02cnumpy\ndtype\n}b.",
        b"\x80\x02ccollections\nOrderedDict\n}b.",
        b"\x80\x02ccopy_reg\n_reconstructor\n(c__builtin__\nobject\nc__builtin__\nobject\nNtR.",
        b"\x80\x02c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00rotttR.",
        b"\x80\x02Qthing.",
        b"\x80\x02\x82\x01.",
        b"\x80\x02]\x94h\x00a.",
    ],
)
def test_programs_that_reach_beyond_data_end_in_the_one_error(program):
    with pytest.raises(MotionFileError):
        load_pickle(io.BytesIO(program))


def test_array_types_that_hide_pointers_are_refused():
    """A crafted type with object fields over raw bytes would make numpy follow any address."""
    for dtype in (np.dtype([("a", "O")]), np.dtype([("a", "f8")]), np.dtype("datetime64[s]"), np.dtype(("f8", (2,)))):
        array = np.zeros(1, dtype)
        with pytest.raises(MotionFileError, match="not admitted"):
            load_pickle(io.BytesIO(pickle.dumps(array if dtype.base == dtype else dtype)))


def same(a, b):
    if isinstance(b, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and bool(np.all(a == b))
    if isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in b)
    return bool(a == b)


def motions():
    shared = np.arange(6.0).reshape(2, 3)
    return {
        "numbers": [1, 2.5, None, True, "text", b"bytes", (1, 2), {3, 4}],
        "arrays": {"a": shared, "again": shared, "turned": np.asfortranarray(shared), "empty": np.zeros((0, 3))},
        "types": {n: np.ones(2, n) for n in ("f4", "i8", "u1", "?", ">f8", "U3", "c16")},
        "scalars": {"s": np.float32(2.5), "b": np.bool_(True)},
        "people": defaultdict(dict, {0: {"pose": shared}}),
        "ordered": OrderedDict(a=1),
    }


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_data_come_back_as_they_were(protocol):
    value = motions()
    found = load_pickle(io.BytesIO(pickle.dumps(value, protocol=protocol)))
    value["types"][">f8"] = np.ones(2)
    assert same(found["arrays"], value["arrays"])
    assert same(found["types"], value["types"])
    assert found["numbers"] == value["numbers"]
    assert found["scalars"] == value["scalars"]
    assert type(found["people"]) is dict
    assert same(found["people"], {0: {"pose": value["arrays"]["a"]}})
    assert found["ordered"] == {"a": 1}


@pytest.mark.parametrize("compress", [False, True])
def test_joblib_layout(joblib_dump, tmp_path, compress):
    value = {k: v for k, v in motions().items() if k in ("arrays", "people")}
    value["types"] = {n: np.ones(3, n) for n in ("f4", "i8", "?", "U3")}
    found = read_content(joblib_dump(value, tmp_path / "x.pkl", compress=compress))
    assert found.kind == "pickle"
    assert same(found.value, {**value, "people": dict(value["people"])})


def test_tensors_in_every_packaging(tmp_path):
    torch = pytest.importorskip("torch")
    value = {
        "turned": torch.arange(12.0).reshape(3, 4).T,
        "view": torch.arange(10)[3:7:2],
        "repeated": torch.tensor([1.0, 2.0]).expand(5, 2),
        "half": torch.ones(2, dtype=torch.float16),
        "empty": torch.zeros(0, 3),
        "nested": [{"flag": torch.tensor(True)}],
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }
    torch.save(value, tmp_path / "new.pt")
    torch.save(value, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    pickled = load_pickle(io.BytesIO(pickle.dumps(value)))
    for found in (load_torch(tmp_path / "new.pt"), load_legacy((tmp_path / "old.pt").read_bytes()), pickled):
        for key in ("turned", "view", "repeated", "half", "empty"):
            assert same(found[key], value[key].numpy()), key
        assert found["nested"][0]["flag"].item() is True
        assert found["parameter"].tolist() == [1, 1]


def test_a_tensor_of_impossible_shape_is_refused():
    from motion.importers.pickled_arrays import TorchStorage, TorchTensor

    storage = TorchStorage("f4")
    storage.fill(np.arange(4.0, dtype="f4").tobytes())
    for offset, size, stride in (
        (0, (5,), (1,)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (2**40,), (0,)),
        (0, (2, 2), (1,)),
    ):
        with pytest.raises(MotionFileError):
            TorchTensor(storage, offset, size, stride).value()


def test_cut_short_anywhere_gives_one_line(joblib_dump, tmp_path):
    torch = pytest.importorskip("torch")
    plain, packed, zipped = tmp_path / "a.pkl", tmp_path / "b.pkl", tmp_path / "c.pt"
    joblib_dump(motions()["arrays"], plain)
    joblib_dump(motions()["arrays"], packed, compress=True)
    torch.save({"a": torch.ones(3)}, zipped)
    for path in (plain, packed, zipped):
        data = path.read_bytes()
        for share in (0.0, 0.1, 0.5, 0.9, 0.99):
            short = tmp_path / f"short{path.suffix}"
            short.write_bytes(data[: int(share * len(data))])
            with pytest.raises(MotionFileError, match=r"cut short|empty") as error:
                read_content(short)
            assert "\n" not in str(error.value)


def test_a_container_that_holds_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(MotionFileError, match="holds itself"):
        load_pickle(io.BytesIO(pickle.dumps(loop)))


def test_shared_containers_are_met_once():
    """Thirty lists, each holding the one before twice: a walk that did not remember would take 2^30 steps."""
    value = [1]
    for _ in range(30):
        value = [value, value]
    found = load_pickle(io.BytesIO(pickle.dumps(value)))
    assert found[0] is found[1]
