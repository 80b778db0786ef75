"""The forces benchmark, whole: against plates and against the parkour truth."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared/data"


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "force_plates").is_dir(), reason="needs ../shared/data/force_plates and parkour")
def test_forces_from_true_motion_agree_with_plates():
    run = subprocess.run(
        [sys.executable, ROOT / "benchmarks/forces.py", DATA],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    figures = run.stdout.splitlines()[-1]
    r, mae, parkour, zero = (
        float(re.search(pattern, figures).group(1))
        for pattern in (r"r ([\d.]+)", r"MAE ([\d.]+) N", r"motion ([\d.]+) N", r"zero ([\d.]+) N")
    )
    assert r > 0.97
    assert mae < 17
    assert parkour < 60
    assert zero == pytest.approx(130.4, abs=0.2)
