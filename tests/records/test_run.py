from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap

import pytest
from examples import example

from records import Motion, Run, RunError, digest


def test_a_stage_is_computed_once_until_its_inputs_change(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return example("Motion")

    for key in ("a", "a", "b"):
        assert Run(tmp_path).stage("motion", key, Motion, compute) == example("Motion")
    assert len(calls) == 2
    Run(tmp_path, force=True).stage("motion", "b", Motion, compute)
    assert len(calls) == 3


def test_a_damaged_stage_is_computed_again(tmp_path):
    run = Run(tmp_path)
    run.stage("motion", "a", Motion, lambda: example("Motion"))
    run.file("motion").write_bytes(b"damaged")
    assert run.stage("motion", "a", Motion, lambda: example("Motion", seed=5)) == example("Motion", seed=5)


def test_config_is_written_before_the_work(tmp_path):
    Run(tmp_path / "run", config={"fps": 25})
    assert json.loads((tmp_path / "run/config.json").read_text()) == {"fps": 25}


def test_a_missing_stage_says_so(tmp_path):
    with pytest.raises(RunError, match="has no 'interaction'"):
        Run(tmp_path).load("interaction", Motion)


def test_a_run_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot use"):
        Run(tmp_path / "file")


def test_digest_sees_every_part(tmp_path):
    path = tmp_path / "input"
    path.write_text("one")
    first = digest(example("Motion"), path, {"b": 1, "a": 2})
    assert first == digest(example("Motion"), path, {"a": 2, "b": 1})
    path.write_text("two")
    assert first != digest(example("Motion"), path, {"a": 2, "b": 1})
    assert digest(example("Motion")) != digest(example("Motion", seed=1))


def test_metrics_are_merged(tmp_path):
    Run(tmp_path).add_metrics("align", {"score": 0.9})
    Run(tmp_path).add_metrics("train", {"success": 1.0})
    assert Run(tmp_path).metrics() == {"align": {"score": 0.9}, "train": {"success": 1.0}}


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from examples import example
from records import Motion, Run
run = Run({folder!r})
run.stage("first", "a", Motion, lambda: example("Motion"))
def die(folder=None):
    if folder:
        (folder / "half").write_text("half done")
    os.kill(os.getpid(), signal.SIGKILL)
{statement}
"""


@pytest.mark.parametrize("statement", ['run.stage("second", "a", Motion, die)', 'run.folder_stage("policy", "a", die)'])
def test_a_killed_run_resumes_with_the_same_result(tmp_path, statement):
    from pathlib import Path

    code = textwrap.dedent(KILLED).format(tests=str(Path(__file__).parent), folder=str(tmp_path), statement=statement)
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    assert killed.returncode == -signal.SIGKILL
    run = Run(tmp_path)
    assert run.stage("first", "a", Motion, lambda: pytest.fail("computed again")) == example("Motion")
    assert not run.has("second")
    assert not (tmp_path / "policy").exists()
    second = run.stage("second", "a", Motion, lambda: example("Motion", seed=2))
    assert second == example("Motion", seed=2)

    def finish(folder):
        (folder / "done").write_text("resumed" if (folder / "half").exists() else "anew")

    folder = run.folder_stage("policy", "a", finish)
    assert (folder / "done").read_text() == ("resumed" if "policy" in statement else "anew")
    run.folder_stage("policy", "a", lambda f: pytest.fail("made again"))
    run.folder_stage("policy", "b", finish)
    assert (folder / "done").read_text() == "anew", "partial work of other inputs is not used"
