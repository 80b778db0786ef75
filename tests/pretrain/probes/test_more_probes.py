"""Localisation, RareAct, fine-tuning and sounds on small data, some of it missing or broken."""

import json
import math
import wave

import numpy as np
import pytest
import torch

from pretrain.model import JointModel, ModelSettings
from pretrain.pretrained import Pretrained
from pretrain.probes.esc import COSTS, Sounds, best_cost
from pretrain.probes.finetune import Finetune
from pretrain.probes.localisation import Localisation
from pretrain.probes.probe import PROBES, ProbeError
from pretrain.probes.rareact import RareAct
from pretrain.probes.viewing import Viewing
from pretrain.sampling import Sampling
from pretrain.vocabulary import Vocabulary


@pytest.mark.parametrize("name", list(PROBES))
def test_every_probe_says_what_it_is(name):
    probe = PROBES.load(name)
    assert callable(probe.__call__)
    assert len(probe.__doc__.splitlines()[0]) > 30


TASKS = "7\nPaint\nhttp://x\n2\nmake it red,make it blue\n\n8\nDry\nhttp://y\n1\nlook at green\n\n"


def test_steps_are_located(tmp_path, eye, paint):
    """Task 7: both steps are found; task 8: its step is annotated where the video is grey."""
    videos, annotations = tmp_path / "v", tmp_path / "annotations"
    annotations.mkdir()
    paint(videos / "a.mp4", ("grey", 3), ("red", 2), ("grey", 1), ("blue", 2))
    paint(videos / "b.mp4", ("grey", 3), ("green", 3))
    paint(videos / "short.mp4", ("grey", 1.0))
    (annotations / "7_a.csv").write_text("1,3.0,5.0\n2,6.1,7.9\n")
    (annotations / "8_b.csv").write_text("1,0.0,2.5\n")
    (annotations / "7_b.csv").write_text("9,0.0,2.5\n")
    (annotations / "7_short.csv").write_text("1,0.0,1\n")
    (tmp_path / "tasks.txt").write_text(TASKS)
    (tmp_path / "videos.csv").write_text("7,a,u\n8,b,u\n7,gone,u\n7,b,u\n7,short,u\n99,a,u\n")
    probe = Localisation(
        tasks=tmp_path / "tasks.txt", videos=tmp_path / "videos.csv", annotations=annotations,
        viewing=Viewing(windows=1, fps=10.0),
    )  # fmt: skip
    outcome = probe(eye, videos)
    assert outcome.detail["recall by task"] == {"7 Paint": 100.0, "8 Dry": 0.0}
    assert outcome.figures == {"recall": 50.0}
    assert outcome.counts == {"tasks": 2, "videos": 2, "videos listed": 5, "annotated steps": 3}
    # Evenly spaced over 8 s: seconds 2 and 6, of which the second is blue; over 6 s: second 3, not annotated.
    assert outcome.costless["even spacing"] == {"recall": 25.0}
    assert 0 < outcome.costless["chance"]["recall"] < 60
    reasons = " ".join(reason for _, reason in outcome.skipped)
    assert [file for file, _ in outcome.skipped] == ["gone", "b", "short"]
    assert "step 9 of a task with 2 steps" in reasons
    assert "1 s are too short for 2 steps" in reasons


def test_localisation_of_nothing(tmp_path, eye, paint):
    paint(tmp_path / "v" / "a.mp4", ("grey", 1))
    (tmp_path / "tasks.txt").write_text(TASKS)
    (tmp_path / "videos.csv").write_text("7,gone,u\n")
    probe = Localisation(tasks=tmp_path / "tasks.txt", videos=tmp_path / "videos.csv", annotations=tmp_path)
    with pytest.raises(ProbeError, match="0 of 1 videos can be used; the first: gone: no such file"):
        probe(eye, tmp_path / "v")


def test_unusual_actions(tmp_path, eye, paint):
    """The eye knows colours alone: it tells (peel, red) from (peel, blue)."""
    rows = ["id,video_id,start,end,class_id,verb,noun,annotation"]
    clips = [
        ("red", 0, "peel,red", 1), ("red", 0, "peel,red", 1), ("blue", 1, "peel,blue", 1), ("grey", 0, "peel,red", 0),
        ("blue", 0, "peel,red", 2), ("gone", 0, "peel,red", 1), ("red", 1, "peel,blue", 3),
    ]  # fmt: skip
    for k, (video, number, action, annotation) in enumerate(clips):
        rows.append(f"{k},{video},{0.1 * (k % 2)},1.0,{number},{action},{annotation}")
    (tmp_path / "r.csv").write_text("\n".join(rows) + "\n")
    for name in ("red", "blue", "grey"):
        paint(tmp_path / "v" / f"{name}.mp4", (name, 1.0))
    probe = RareAct(annotations=tmp_path / "r.csv", viewing=Viewing(windows=1), draws=10, processes=1)
    outcome = probe(eye, tmp_path / "v", seed=1)
    assert outcome.figures == {"mWAP": 100.0, "mSAP": 100.0}
    assert outcome.costless["chance"]["mWAP"] < 95
    assert outcome.counts == {
        "clips": 6, "clips listed": 7, "classes with positives": 2, "class names without a known word": 0
    }  # fmt: skip
    assert outcome.skipped[0].file == "gone"
    json.dumps(outcome.note(), allow_nan=False)


WORDS = ("red", "green", "turns")


def small_model():
    torch.manual_seed(0)
    settings = ModelSettings(
        video="small", video_options={"widths": (8, 8, 8, 12), "stem": 4}, embedding=6, word_size=5, hidden=7
    )
    model = JointModel(settings, len(WORDS) + 1)
    return Pretrained(model, Vocabulary(WORDS), Sampling(frames=4, fps=4.0, size=32), name="small")


@pytest.fixture
def coloured(tmp_path, paint):
    rows = ["video_id,label,split1"]
    for n in range(8):
        for label in ("red", "green"):
            paint(tmp_path / "v" / label / f"{label}{n}.mp4", (label, 0.6), size_hw=(32, 40))
            rows.append(f"{label}{n},{label},{1 if n < 6 else 2}")
    (tmp_path / "v" / "broken.mp4").write_bytes(b"no video")
    rows += ["broken,red,1", "gone,red,2"]
    (tmp_path / "split.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_the_whole_encoder_is_trained_and_the_one_given_is_not(coloured):
    encoder = small_model()
    before = encoder.fingerprint()
    probe = Finetune(
        split=(coloured / "split.csv",), epochs=30, batch=6, learning_rate=3e-3, classifier_rate=3e-2,
        viewing=Viewing(windows=2, frames=2), processes=1,
    )  # fmt: skip
    outcome = probe(encoder, coloured / "v", seed=3)
    assert outcome.figures == {"top-1": 100.0}
    assert outcome.costless == {"chance": {"top-1": 50.0}, "commonest class": {"top-1": 50.0}}
    curve = outcome.detail["loss by epoch"]["split1"]
    assert curve[-1] < 0.5 * curve[0]
    assert encoder.fingerprint() == before
    assert sorted(file for file, _ in outcome.skipped) == ["broken", "gone"]
    assert outcome.counts["test videos"] == 4


def test_what_cannot_be_fine_tuned_is_said(coloured, eye):
    probe = Finetune(split=(coloured / "split.csv",), epochs=1, processes=1)
    with pytest.raises(ProbeError, match="eye: only a model of `apprentice pretrain` can be fine-tuned"):
        probe(eye, coloured / "v")


def write_tone(path, hertz, *, seconds=0.6, rate=16_000):
    path.parent.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(hertz)
    tone = 0.4 * np.sin(2 * math.pi * hertz * np.arange(round(seconds * rate)) / rate) + chance.normal(
        0, 0.02, round(seconds * rate)
    )
    silent = np.zeros(rate // 5)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.r_[silent, tone, silent] * 32767).astype("<i2").tobytes())
    return path


class Ear:
    """Hears how often a sound crosses zero."""

    name, audio_rate = "ear", 8000

    def __init__(self):
        self.lengths = set()

    def fingerprint(self):
        return "0" * 64

    def encode_sounds(self, waves):
        self.lengths.add(waves.shape)
        return np.abs(np.diff(np.sign(waves), axis=1)).mean(axis=1, keepdims=True)


@pytest.fixture
def tones(tmp_path):
    for fold in (1, 2, 3):
        for n in range(2):
            write_tone(tmp_path / "001 - Low" / f"{fold}-{10 * fold + n}-A.wav", 300 + 40 * n + fold)
            write_tone(tmp_path / "002 - High" / f"{fold}-{50 * fold + n}-A.wav", 2000 + 200 * n + fold)
    (tmp_path / "002 - High" / "3-999-A.ogg").write_bytes(b"no sound")
    return tmp_path


def test_sounds_by_folds(tones):
    ear = Ear()
    outcome = Sounds(seconds=1.0, windows=3, window=0.25)(ear, tones)
    assert outcome.figures == {"accuracy": 100.0}
    assert outcome.costless["log-mel statistics"] == {"accuracy": 100.0}
    assert outcome.costless["chance"] == {"accuracy": 50.0}
    assert sorted(outcome.detail["accuracy by fold"]) == ["1", "2", "3"]
    assert outcome.counts["sounds"] == 12
    assert [file.rpartition("/")[2] for file, _ in outcome.skipped] == ["3-999-A.ogg"]
    assert ear.lengths == {(3, 2000)}


def test_without_an_encoder_there_are_the_costless_figures(tones):
    outcome = Sounds(seconds=1.0)(None, tones)
    assert outcome.figures == {}
    assert set(outcome.costless) == {"chance", "log-mel statistics"}
    deaf = small_model()
    with pytest.raises(ProbeError, match="small: this model was made without sound"):
        Sounds()(deaf, tones)


def test_the_training_folds_choose_the_cost():
    """Where every cost does as well, the lowest is taken; the fold that is left out is never seen."""
    label, fold = np.tile([0, 1], 6), np.repeat([1, 2, 3], 4)
    windows = (label * 2.0 - 1)[:, None, None] * np.ones((1, 2, 1))
    assert best_cost(windows, label, fold) == COSTS[0]
