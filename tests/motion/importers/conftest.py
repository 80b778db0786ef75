from __future__ import annotations

import sys
import types
import zlib

import pytest
from layouts import Wrapper, bending, joblib_bytes


@pytest.fixture
def person():
    return bending()


@pytest.fixture
def joblib_dump(monkeypatch):
    """Write a file as joblib does, without joblib."""
    module = types.ModuleType("joblib.numpy_pickle")
    module.NumpyArrayWrapper = Wrapper
    monkeypatch.setitem(sys.modules, "joblib", types.ModuleType("joblib"))
    monkeypatch.setitem(sys.modules, "joblib.numpy_pickle", module)

    def dump(value, path, *, compress=False):
        data = joblib_bytes(value)
        path.write_bytes(zlib.compress(data) if compress else data)
        return path

    return dump
