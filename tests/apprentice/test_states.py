"""`apprentice states`: from films of a change to timelines, tables, ELAN files and a page with pictures."""

import csv
import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from films import write_srt
from small_model import model_of

from apprentice.cli import main
from apprentice.states import _slug
from perception.states.discovery import LABELS
from perception.video import write_video
from records import Features, Timeline

FPS = 10.0
STARTS = {"a": 2.0, "b": 4.0, "c": 3.0, "deep/<d>": 2.5}
"""When the change begins in each film [s]; it takes 2 s of 8."""


def write_change(path, start, *, seed):
    """A film in which a red square flickers, then is green; the background is its own."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(60, 120, 3)

    def frames():
        for n in range(80):
            image = np.empty((48, 64, 3), np.uint8)
            image[:] = ground
            t = n / FPS - start
            image[12:36, 20:44] = (220, 20, 20) if t < 0 else (20, 20, 220) if t < 2 else (20, 220, 20)
            yield image

    path.parent.mkdir(parents=True, exist_ok=True)
    return write_video(path, frames(), FPS, quality=10)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    for seed, (name, start) in enumerate(STARTS.items()):
        write_change(folder / f"{name}.mp4", start, seed=seed)
    write_srt(folder / "a.srt", [(0.5, 1.0, "hello"), (2.2, 3.5, "now we are pouring the coffee")])
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


@pytest.fixture(scope="module")
def made(films, tmp_path_factory):
    """A run on the films by their pixels."""
    run = tmp_path_factory.mktemp("run")
    say("states", films, "--task", "pour the coffee", "--pixels", "colour", "--run", run)
    return run


def say(*arguments):
    main([str(argument) for argument in arguments])


def failed(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        say(*arguments)
    assert end.value.code == 2
    return " ".join(capsys.readouterr().err.split())


def test_states_and_action_are_found_where_they_are(made):
    note = json.loads((made / "states.json").read_text())
    assert (note["task"], note["encoder"]) == ("pour the coffee", "pixels colour")
    found = {clip["clip"]: clip["found"] for clip in note["clips"]}
    assert set(found) == set(STARTS)
    for name, start in STARTS.items():
        initial, action, final = (found[name][label] for label in ("initial state", "action", "final state"))
        assert initial["at"] < start + 0.2
        assert start - 0.2 < action["at"] < start + 2.2
        assert final["at"] > start + 1.8
        for interval in (initial, action, final):
            assert 0 <= interval["start"] <= interval["at"] <= interval["end"] <= 8.0
            assert 0 <= interval["confidence"] <= 1


def test_all_files_tell_the_same(made):
    note = {clip["clip"]: clip for clip in json.loads((made / "states.json").read_text())["clips"]}
    with open(made / "states.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for name, clip in note.items():
        timeline = Timeline.load(made / "timelines" / f"{name}.timeline.npz")
        told = [row for row in rows if row["clip"] == name]
        shown = {label: clip["found"][label] for label in LABELS if clip["found"][label] is not None}
        assert list(timeline.labels) == [row["label"] for row in told] == list(shown)
        np.testing.assert_allclose(timeline.interval, [[w["start"], w["end"]] for w in shown.values()])
        np.testing.assert_allclose([float(row["at"]) for row in told], [w["at"] for w in shown.values()], atol=1e-3)
        document = ET.parse(made / "elan" / f"{name}.eaf").getroot()
        tiers = [tier.get("TIER_ID") for tier in document.iter("TIER")]
        assert tiers == ["pour the coffee"] + ["narration"] * (name == "a")
        values = [value.text.rpartition(" ")[0] for value in document.find("TIER").iter("ANNOTATION_VALUE")]
        assert values == list(shown)


def test_the_page_shows_three_pictures_of_each_clip_and_fetches_nothing(made):
    found = (made / "report.html").read_text()
    assert found.count('<div class="clip">') == 4
    assert found.count("<img src=") + found.count('class="absent"') == 12
    assert found.count("data:image/jpeg;base64,") >= 8
    assert "deep/&lt;d&gt;" in found
    assert "<d>" not in found
    assert "Said: now we are pouring the coffee" in found
    assert not re.search(r"(src|href)=\"?(https?:)?//", found)
    assert "3 recordings: whether they share a change at all is tested from 5 on, and was not tested here." in found
    assert "A final state is named from" not in found


def test_what_is_done_is_kept_and_broken_files_are_named(films, made, capsys):
    before = (made / "states.csv").read_text()
    kept = made / "features/a.npz"
    stamp = kept.stat().st_mtime_ns
    say("states", films, "--task", "pour the coffee", "--pixels", "colour", "--run", made)
    assert kept.stat().st_mtime_ns == stamp
    assert (made / "states.csv").read_text() == before
    assert "broken.mp4: cannot be read as video" in " ".join(capsys.readouterr().err.split())


def test_narration_can_be_left_aside(films, tmp_path):
    told = ("states", films, "--task", "pour the coffee", "--pixels", "colour", "--silent", "--run", tmp_path)
    say(*told)
    note = json.loads((tmp_path / "states.json").read_text())
    assert all(clip["said"] == [] for clip in note["clips"])


def test_elan_and_captions_go_by_the_clock_of_the_file(films, tmp_path, capsys):
    """The films state 10 frames a second; told that 20 are true, they last half as long, but play as they did."""
    both = [films / f"{name}.mp4" for name in "ab"]
    say("states", *both, "--task", "pour the coffee", "--pixels", "colour", "--fps", 20, "--run", tmp_path)
    assert "A final state is named from 3 recordings on: so there is none here." in " ".join(
        capsys.readouterr().err.split()
    )
    note = json.loads((tmp_path / "states.json").read_text())["clips"][0]
    assert note["duration"] == 4.0
    assert note["said"] == ["now we are pouring the coffee"]
    document = ET.parse(tmp_path / "elan/a.eaf").getroot()
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) for slot in document.iter("TIME_SLOT")}
    states, narration = (
        [slots[annotation.get("TIME_SLOT_REF1")] for annotation in tier.iter("ALIGNABLE_ANNOTATION")]
        for tier in document.iter("TIER")
    )
    starts = sorted(one["start"] for one in note["found"].values() if one is not None)
    assert states == [pytest.approx(2000 * start, abs=1) for start in starts]
    assert narration == [500, 2200]


def test_features_of_an_encoder_made_here_or_before(films, tmp_path, capsys):
    model = model_of()
    for parameter in model.model.video.parameters():
        parameter.data *= 3.0  # as they are drawn, what such a small encoder says hardly differs
    model.save(tmp_path / "model")
    task = ("--task", "pour")
    say("states", films, *task, "--model", tmp_path / "model", "--run", tmp_path / "one")
    assert json.loads((tmp_path / "one/states.json").read_text())["encoder"] == "test features"
    good = [films / f"{name}.mp4" for name in ("a", "b", "c")]
    say("states", *good, *task, "--features", tmp_path / "one/features", "--run", tmp_path / "two")
    capsys.readouterr()
    first, second = (json.loads((tmp_path / run / "states.json").read_text()) for run in ("one", "two"))
    assert {clip["clip"] for clip in first["clips"]} == set(STARTS)
    assert {clip["clip"] for clip in second["clips"]} == {"a", "b", "c"}


def test_bad_input_is_one_line(films, tmp_path, capsys):
    task = ("--task", "pour", "--run", tmp_path / "run")
    pixels = ("--pixels", "colour")
    one = films / "a.mp4"
    assert "give at least two" in failed(capsys, "states", one, *task, *pixels)
    told = failed(capsys, "states", one, films / "broken.mp4", *task, *pixels)
    assert "give at least two (1 files could not be used" in told
    assert "broken.mp4: cannot be read as video" in told
    assert "which features?" in failed(capsys, "states", films, *task)
    assert "which features?" in failed(capsys, "states", films, *task, *pixels, "--features", tmp_path)
    assert "--fps goes with --pixels" in failed(capsys, "states", films, *task, "--features", tmp_path, "--fps", 5)
    assert "no a.features.npz" in failed(capsys, "states", films, *task, "--features", tmp_path)
    assert "no video file there" in failed(capsys, "states", tmp_path / "gone", *task, *pixels)
    assert 'say what is done in the clips: --task "pour coffee"' in failed(
        capsys, "states", films, "--task", "the", *pixels
    )
    assert "choose from: " in failed(capsys, "states", films, *task, *pixels, "--method", "magic")
    for length in (0, "nan"):
        assert "a window must last some time" in failed(capsys, "states", films, *task, *pixels, "--every", length)
    assert "moments; at least 3 are needed" in failed(capsys, "states", films, *task, *pixels, "--every", 4)


def test_features_without_a_window_are_told(films, tmp_path, capsys):
    for name, windows in (("a", 5), ("b", 0)):
        start = np.arange(windows, dtype=float)
        Features(
            value=np.random.default_rng(0).normal(size=(windows, 2)),
            time=np.stack([start, start + 1], axis=1),
            encoder="any",
            encoder_hash="any",
            clip=name,
        ).save(tmp_path / f"{name}.features.npz")
    both = [films / f"{name}.mp4" for name in "ab"]
    told = failed(capsys, "states", *both, "--task", "pour", "--features", tmp_path, "--run", tmp_path / "run")
    assert "b: 0 moments; at least 3 are needed" in told


def test_tasks_of_any_script_have_runs_of_their_own():
    assert [_slug(task) for task in ("Pour, the coffee!", "浇水", "咖啡")] == [
        "states-pour-the-coffee",
        "states-浇水",
        "states-咖啡",
    ]


def test_clips_in_which_nothing_changes_are_told(tmp_path, capsys):
    for name in "ab":
        write_video(tmp_path / f"{name}.mp4", (np.full((48, 64, 3), 90, np.uint8) for _ in range(40)), FPS)
    told = failed(capsys, "states", tmp_path, "--task", "pour", "--pixels", "colour", "--run", tmp_path / "run")
    assert "no clip shows a change" in told
