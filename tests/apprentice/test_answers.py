from __future__ import annotations

import numpy as np
import pytest
from examples import example

from apprentice.cli import VERBS, main, spoken
from perception.video import write_video


def answer(capsys, *arguments):
    """Exit status and what was said on the standard error."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("estimate x.mp4 --fsp 3", "Unrecognized options: --fsp, 3; perhaps --fps was meant; see apprentice --help"),
        (
            "export r --to bvh",
            "invalid choice 'bvh' for argument '--to'."
            " Expected one of ('csv', 'trc', 'mot', 'amass', 'lerobot', 'robomimic', 'minari');"
            " see apprentice export --help",
        ),
        ("estimate", "nothing to watch: give a CLIP, or --keypoints FILE"),
        ("estimate no.mp4", "no.mp4: no such file"),
        ("estimate --keypoints no.npz", "no.npz: no such file or folder of keypoints"),
        ("estimate a.mp4 --keypoints b.npz", "give either a CLIP or --keypoints, not both"),
        ("learn a.mp4", "say which tool the person uses with --tool; `apprentice list` names them"),
        ("align", "nothing to align: give a STROKE file, or --run DIR with an estimate"),
        ("align a.npz --tool axe", "unknown tool 'axe'; choose from: hammer, spade, scythe, jug, barbell"),
        ("retarget", "say which run: its folder, or --run DIR"),
        ("train nowhere", "nowhere: not a run folder; runs are made by estimate, align, learn or demo"),
        ("export nowhere", "nowhere: not a run folder; runs are made by estimate, align, learn or demo"),
    ],
)  # fmt: skip
def test_mistakes_are_answered_in_one_line(arguments, line, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, said = answer(capsys, *arguments.split())
    assert status == 2
    assert said == f"error: {line}\n"


def test_a_stage_that_has_not_been_run_names_the_verb_that_makes_it(capsys, tmp_path):
    status, said = answer(capsys, "train", tmp_path)
    assert status == 2
    assert said == f"error: {tmp_path} has no retargeted: run `apprentice retarget --run {tmp_path}` first\n"
    status, said = answer(capsys, "export", tmp_path, "--to", "csv")
    assert said == f"error: {tmp_path} has no interaction: run `apprentice estimate --run {tmp_path}` first\n"


def test_a_clip_without_a_person_is_answered_in_one_line(capsys, tmp_path):
    clip = write_video(tmp_path / "grey.mp4", [np.full((96, 128, 3), 90, np.uint8)] * 5, fps=25)
    status, said = answer(capsys, "estimate", clip, "--run", tmp_path / "run", "--detector", "mediapipe_single")
    assert status == 2
    assert said.splitlines()[-1].startswith("error: no person")


def test_a_defect_says_that_it_is_one_and_debug_shows_where(capsys, monkeypatch):
    def broken(_):
        raise ZeroDivisionError("by zero")

    (kind,) = (kind for kind in VERBS if kind.__name__ == "List")
    monkeypatch.setitem(VERBS, kind, broken)
    status, said = answer(capsys, "list")
    assert (status, said) == (2, "error: ZeroDivisionError: by zero (this is a defect; --debug shows where)\n")
    status, said = answer(capsys, "list", "--debug")
    assert status == 2
    assert "Traceback" in said


def test_an_interrupt_says_how_to_go_on(capsys, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    (kind,) = (kind for kind in VERBS if kind.__name__ == "List")
    monkeypatch.setitem(VERBS, kind, interrupted)
    assert answer(capsys, "list") == (130, "interrupted; the same command goes on where it stopped\n")


@pytest.mark.parametrize("verb", [spoken(kind) for kind in VERBS], ids=" ".join)
def test_every_verb_explains_itself_and_takes_a_run_and_a_seed(verb, capsys):
    with pytest.raises(SystemExit) as end:
        main([*verb, "--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert "--run PATH" in said
    assert "--seed INT" in said
    assert "None|" not in said


def test_the_list_names_every_part_of_every_table(capsys):
    from apprentice.tables import tables

    main(["list"])
    said = capsys.readouterr().out
    for table in tables():
        for name, entry in table.items():
            assert name in said
            assert entry.summary in said


def test_every_entry_of_every_table_can_be_loaded():
    from apprentice.tables import tables

    for table in tables():
        for name in table:
            assert table.load(name) is not None


def test_what_was_asked_is_kept_for_every_verb_of_a_run(tmp_path):
    import json

    example("Interaction").save(tmp_path / "interaction.npz")
    for verb in ("train", "retarget"):
        with pytest.raises(SystemExit):
            main([verb, str(tmp_path), "--seed", "3"])
    kept = json.loads((tmp_path / "config.json").read_text())
    assert set(kept) == {"train", "retarget"}
    assert kept["train"]["common"]["seed"] == 3
