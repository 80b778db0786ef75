"""The command line from keypoints to a policy, interrupted after every stage."""

from __future__ import annotations

import json
import shutil

import h5py
import numpy as np
import pytest

from apprentice.cli import main
from policies.policy import load_policy
from records import Demonstration, Episodes, Interaction, Record, RecordError

SHORT = ["--steps", "600", "--episodes", "4", "--seed", "1"]
"""Enough to go through every stage; not enough to learn."""

STAGES = ("person", "tool", "camera", "contacts", "interaction", "demonstration", "retargeted")
"""Records that are made from keypoints, in order."""


def learn(hammering, folder, *more):
    main(["learn", *hammering.options, "--run", str(folder), *SHORT, *more])


@pytest.fixture(scope="module")
def whole(hammering, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    learn(hammering, folder)
    return folder


def contents(folder):
    """What a run has found: its records, its figures, and the policy's weights."""
    records = {}
    for path in sorted(folder.rglob("*.npz")):
        for kind in Record.__subclasses__():
            try:
                records[path.relative_to(folder).as_posix()] = kind.load(path).fingerprint()
            except RecordError:
                continue
    weights = {p.name: p.read_bytes() for p in sorted((folder / "policy").glob("*.safetensors"))}
    return records, json.loads((folder / "metrics.json").read_text()), weights


def test_the_whole_way_leaves_every_part(whole):
    found, metrics, weights = contents(whole)
    agents = {"policy", "shifted", "replay", "zero", "random"}
    assert {f"{stage}.npz" for stage in STAGES} | {f"episodes/{agent}.npz" for agent in agents} <= set(found)
    assert set(metrics) == {"align", "retarget", "evaluate"}
    assert set(metrics["evaluate"]["agents"]) == agents
    assert weights
    for name in ("report.html", "scene.rrd", "log.txt", "config.json"):
        assert (whole / name).stat().st_size > 0
    assert not list(whole.rglob(".*")), "temporary files are left"


def test_the_estimated_stroke_solves_the_task(whole):
    demonstration = Demonstration.load(whole / "demonstration.npz")
    assert demonstration.score >= 0.8
    shifted = Episodes.load(whole / "episodes/shifted.npz")
    assert shifted.success.mean() >= 0.5


def test_a_run_that_is_stopped_after_every_stage_ends_the_same(whole, hammering, tmp_path, monkeypatch):
    save, saved = Record.save, []

    def save_and_stop(record, path):
        new = not path.is_file() and path.parent == tmp_path / "run"
        save(record, path)
        if new:
            saved.append(path.stem)
            raise KeyboardInterrupt

    monkeypatch.setattr(Record, "save", save_and_stop)
    for stage in STAGES:
        with pytest.raises(SystemExit, match="130"):
            learn(hammering, tmp_path / "run")
        assert saved[-1] == stage
    learn(hammering, tmp_path / "run")
    assert contents(tmp_path / "run") == contents(whole)


def test_nothing_is_computed_twice_until_something_changes(whole, hammering, monkeypatch):
    before = {path: path.stat().st_mtime_ns for path in whole.glob("*.npz")}
    policy = (whole / "policy").stat().st_mtime_ns
    learn(hammering, whole)
    assert {path: path.stat().st_mtime_ns for path in whole.glob("*.npz")} == before
    assert (whole / "policy").stat().st_mtime_ns == policy


def test_verbs_one_by_one_do_what_learn_does(whole, hammering, tmp_path):
    run = str(tmp_path / "run")
    main(["estimate", *hammering.options, "--run", run])
    main(["align", "--run", run, "--seed", "1"])
    main(["retarget", run, "--seed", "1"])
    for name, kind in (("interaction", Interaction), ("demonstration", Demonstration), ("retargeted", Demonstration)):
        assert kind.load(tmp_path / f"run/{name}.npz") == kind.load(whole / f"{name}.npz")


def test_a_run_is_exported_for_scripts(whole, tmp_path):
    main(["export", str(whole), "--to", "csv", "--out", str(tmp_path / "csv")])
    joints = (tmp_path / "csv/joints.csv").read_text().splitlines()
    forces = (tmp_path / "csv/forces.csv").read_text().splitlines()
    assert joints[0] == "frame,t,name,x,y,z"
    assert forces[0] == "frame,t,contact,px,py,pz,fx,fy,fz,mx,my,mz"
    assert {line.split(",")[2] for line in forces[1:]} == {"l_ankle", "r_ankle", "l_fingers", "r_fingers"}
    names = {line.split(",")[2] for line in joints[1:]}
    wanted = ("hip", "knee", "ankle", "toes", "shoulder", "elbow", "wrist", "fingers")
    assert {f"{side}_{part}" for side in "lr" for part in wanted} <= names


def test_a_policy_is_learned_in_another_way_and_improved(whole, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    main(["train", str(run), "--learner", "dagger", "--base", "replay", "--steps", "600", "--turn", "3"])
    settings = json.loads((run / "policy/policy.json").read_text())
    assert settings["learner"] == "dagger"
    assert settings["spread"]["yaw"] == pytest.approx(np.radians(3))
    shutil.copytree(run / "policy", tmp_path / "cloned")
    again = ["--base", "replay", "--steps", "600", "--start-from", str(tmp_path / "cloned")]
    main(["train", str(run), *again])
    first, *_ = load_policy(run / "policy").layers
    began, *_ = load_policy(tmp_path / "cloned").layers
    assert 0 < np.abs(first[0] - began[0]).max() < 0.05
    main(["evaluate", str(run), "--episodes", "3"])
    judged = json.loads((run / "metrics.json").read_text())["evaluate"]
    assert set(judged["trials"]) == {"nominal", "shifted", "noisy"}
    assert judged["agents"] == judged["trials"]["nominal"]
    assert (run / "episodes/noisy/shifted.npz").is_file()
    assert "objects seen late and with errors" in (run / "report.html").read_text()
    main(["export", str(run), "--to", "minari", "--out", str(tmp_path / "minari")])
    assert (tmp_path / "minari/apprentice/hammer/policy-v0/data/main_data.hdf5").is_file()


def test_episodes_are_exported_for_learners(whole, tmp_path, capsys):
    main(["export", str(whole), "--to", "robomimic", "--agent", "replay", "--out", str(tmp_path)])
    with h5py.File(tmp_path / "demo.hdf5") as file:
        assert len(file["data"]) == 4
        arguments = json.loads(file["data"].attrs["env_args"])["env_kwargs"]
    noise = json.loads((whole / "metrics.json").read_text())["evaluate"]["noise"]
    assert (arguments["task"], arguments["spread"]["offset"]) == ("hammer", noise)
    for wrong, said in (
        (["minari", "--agent", "bystander"], "no episodes of 'bystander'"),
        (["csv", "--agent", "replay"], "unknown dataset format 'csv'"),
        (["lerobot", "--pictures"], "say whose with --agent"),
    ):
        with pytest.raises(SystemExit):
            main(["export", str(whole), "--to", *wrong])
        assert said in " ".join(capsys.readouterr().err.split())


def test_motion_of_another_program_gets_forces(whole, tmp_path):
    main(["export", str(whole), "--to", "amass", "--out", str(tmp_path)])
    main(["estimate", "--motion", str(tmp_path / "motion.npz"), "--mass", "60", "--run", str(tmp_path / "run")])
    ours, theirs = (Interaction.load(path / "interaction.npz") for path in (whole, tmp_path / "run"))
    assert len(theirs.observed) == len(ours.observed)
    assert theirs.forces.wrench[:, :, 2].sum(axis=1).mean() == pytest.approx(60 * 9.81, rel=0.1)
    assert (tmp_path / "run/report.html").is_file()
