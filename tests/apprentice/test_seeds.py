"""`apprentice train --seeds`: what a user sees of several trainings of the same run."""

from __future__ import annotations

import json
import math

import pytest

from apprentice.cli import main
from sim.tasks.hammer import HammerTask


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    HammerTask.scripted().save(folder / "retargeted.npz")
    return folder


SHORT = ("--steps", "1", "--processes", "1", "--fresh", "4")


def test_seeds_are_trained_judged_and_summed_up(run, capsys):
    main(["train", str(run), "--seeds", "2", "--seed", "3", *SHORT])
    said = "".join(capsys.readouterr())
    for words in ("seed 3", "seed 4", "all", "95 % interval", "zero residual", "policies of 2 seeds"):
        assert words in said
    found = json.loads((run / "metrics.json").read_text())["seeds"]
    assert found == json.loads((run / "seeds/seeds.json").read_text())
    assert set(found["seeds"]) == {"3", "4"}
    assert found["all"]["episodes"] == 8
    first = {path.name: path.read_bytes() for path in (run / "seeds/seed-3").glob("policy.*")}
    assert {path.name: path.read_bytes() for path in (run / "policy").glob("policy.*")} == first
    trained = {path: path.stat().st_mtime_ns for path in run.glob("seeds/*/policy.*")}
    main(["train", str(run), "--seeds", "2", "--seed", "3", *SHORT])
    main(["train", str(run), "--seed", "3", *SHORT])
    assert {path: path.stat().st_mtime_ns for path in run.glob("seeds/*/policy.*")} == trained
    main(["train", str(run), "--seeds", "2", "--seed", "3", "--force", *SHORT])
    assert all(path.stat().st_mtime_ns > before for path, before in trained.items())


def test_no_seeds_are_refused_in_one_line(run, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["train", str(run), "--seeds", "0", *SHORT])
    assert ended.value.code == 2
    assert "0 seeds judged in 4 episodes each: at least 1 of both is needed" in capsys.readouterr().err


def test_errors_of_sensors_are_those_of_training_and_of_judging(run, capsys):
    beside = ("--place", "0.06", "--seen-turn", "90")
    main(["train", str(run), "--steps", "1", "--processes", "1", "--force", *beside])
    sensing = {"place": 0.06, "jitter": 0.0, "turn": pytest.approx(math.pi / 2), "delay": 0.0, "action": 0.0}
    sensing["calibration"] = 0.0
    assert json.loads((run / "policy/policy.json").read_text())["sensing"] == sensing
    main(["evaluate", str(run), "--episodes", "2", "--trials", "nominal", *beside])
    assert json.loads((run / "metrics.json").read_text())["evaluate"]["setting"]["sensing"] == sensing
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(run), "--missed", "-1"])
    assert ended.value.code == 2
    assert "sensing action -1.0: it must be a number from 0" in capsys.readouterr().err
