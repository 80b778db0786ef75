from __future__ import annotations

import pytest
from layouts import bending, joblib_dumper


@pytest.fixture
def person():
    return bending()


@pytest.fixture
def joblib_dump(monkeypatch):
    return joblib_dumper(monkeypatch)
