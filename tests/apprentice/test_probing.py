"""`apprentice probe`: figures beside what costs nothing, what is kept, and what is said of missing files."""

import json
import math
import wave

import numpy as np
import pytest
import torch
from films import write_film

from apprentice.cli import main
from pretrain.model import JointModel, ModelSettings
from pretrain.pretrained import Pretrained
from pretrain.probes.probe import PROBES
from pretrain.sampling import Sampling
from pretrain.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch.manual_seed(0)
    words = ("dark", "bright")
    options = {"widths": (8, 8, 8, 12), "stem": 4}
    settings = ModelSettings(video="small", video_options=options, embedding=6, word_size=5, hidden=7)
    made = Pretrained(JointModel(settings, 3), Vocabulary(words), Sampling(frames=2, fps=4.0, size=32), name="small")
    folder = tmp_path_factory.mktemp("model")
    made.save(folder)
    return folder


def failed(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    assert end.value.code == 2
    return " ".join(capsys.readouterr().err.split())


def test_retrieval_is_kept_and_shown(tmp_path, capsys, model):
    (tmp_path / "v").mkdir()
    for name in "ab":
        write_film(tmp_path / "v" / f"{name}.mp4", seconds=1.0)
    (tmp_path / "t.csv").write_text("video_id,sentence\na,dark\nb,bright\nc,dark\n")
    told = ["probe", "retrieval", tmp_path / "v", "--captions", tmp_path / "t.csv", "--model", model, "--run", tmp_path]
    main([str(part) for part in (*told, "--windows", 2, "--processes", 1)])
    shown = capsys.readouterr()
    assert "R@1 [%]" in shown.out
    assert "chance" in shown.out
    said = " ".join(shown.err.split())
    assert "c: no such file" in said
    assert "clips 2, clips listed 3" in said
    assert "files that could not be used: 1" in said
    note = json.loads((tmp_path / "probe_retrieval.json").read_text())
    assert note["figures"]["R@5"] == 100.0
    assert note["costless"]["chance"]["MedR"] == 1.5
    assert note["preprocessing"]["frames"] == 2
    assert note["encoder"].startswith("small@")
    assert note["skipped"] == [{"file": "c", "reason": f"no such file in {tmp_path / 'v'}"}]
    for option, value in (("--windows", 0), ("--crop", 3), ("--fps", "nan"), ("--frames", 0), ("--processes", -1)):
        said = failed(capsys, *told, option, value, "--force")
        assert "at least" in said or "must be positive" in said
        assert "defect" not in said


def test_sounds_need_no_encoder(tmp_path, capsys):
    for fold in (1, 2, 3):
        for label, hertz in (("low", 300), ("high", 3000)):
            path = tmp_path / "s" / label / f"{fold}-{fold}{hertz}-A.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            tone = 0.5 * np.sin(2 * math.pi * (hertz + fold) * np.arange(8000) / 16_000)
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(16_000)
                file.writeframes((tone * 32767).astype("<i2").tobytes())
    main(["probe", "esc", str(tmp_path / "s"), "--run", str(tmp_path), "--seconds", "1"])
    assert "log-mel statistics 100.0" in " ".join(capsys.readouterr().out.split())
    assert json.loads((tmp_path / "probe_esc.json").read_text())["encoder"] == "none"


def test_what_is_wrong_is_one_line(tmp_path, capsys, model):
    probe = ["probe", "knn", tmp_path, "--split", tmp_path / "s.csv"]
    assert "which encoder? say --model FOLDER" in failed(capsys, *probe)
    assert "k 0: expected at least 1" in failed(capsys, *probe, "--model", model, "--k", 0, "--run", tmp_path / "r")
    assert "give one of them" in failed(capsys, *probe, "--model", model, "--weights", "w.pth")
    assert "--weights and --dictionary go together" in failed(capsys, *probe, "--weights", "w.pth")
    assert "w.pth: weights cannot be read" in failed(capsys, *probe, "--weights", "w.pth", "--dict", "d.npy")
    assert f"{tmp_path}: no model here" in failed(capsys, *probe, "--model", tmp_path)
    assert f"{tmp_path / 's.csv'}: cannot be read" in failed(capsys, *probe, "--model", model, "--run", tmp_path / "r")
    (tmp_path / "s.csv").write_text("video_id,label,split1\na,x,1\nb,x,2\nc,y,1\n")
    assert "no file in it that ends with" in failed(capsys, *probe, "--model", model, "--run", tmp_path / "r")


@pytest.mark.parametrize("name", list(PROBES))
def test_every_probe_is_a_verb_that_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as end:
        main(["probe", name, "--help"])
    assert end.value.code == 0
    assert PROBES.load(name).__doc__.split()[0] in capsys.readouterr().out
