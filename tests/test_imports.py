from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("pinocchio", "pybullet", "torch", "mediapipe", "gymnasium", "stable_baselines3", "rerun")


@pytest.mark.parametrize("module", ["records", "perception.video", "pretrain", "pretrain.corpus"])
def test_a_machine_without_physics_can_import(module):
    absent = "; ".join(f"sys.modules[{name!r}] = None" for name in HEAVY)
    done = subprocess.run([sys.executable, "-c", f"import sys; {absent}; import {module}"], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_the_command_line_explains_itself_without_loading_what_is_heavy():
    code = f"import sys, apprentice.cli\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
