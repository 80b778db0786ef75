"""`apprentice pretrain train`: what a user sees of a training, from generated videos and from files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from apprentice.cli import main
from apprentice.commands import PretrainTrain
from apprentice.joint_training import REPORT, _changed, _going_on
from apprentice.stages import UsageError
from pretrain.pretrained import Pretrained
from pretrain.recipes import mmv_fac, tiny_milnce, tiny_ranking
from pretrain.training.curve import read_curve
from pretrain.training.train import CHECKPOINT, CURVE, EVENTS

SMALL = ("--recipe", "tiny_milnce", "--batch", "4", "--workers", "0", "--device", "cpu", "--warm-up", "1")


def failed(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in arguments])
    assert end.value.code == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("error: ")
    return said


def test_a_training_on_generated_videos_goes_on_and_is_not_mixed_up(tmp_path, capsys):
    out = tmp_path / "model"
    command = ["pretrain", "train", "corpus", "--out", str(out), *SMALL]
    main([*command, "--steps", "3", "--tensorboard"])
    assert "words after 3 steps of 4 clips" in " ".join(capsys.readouterr().err.split())
    model = Pretrained.load(out)
    assert model.name == "tiny_milnce-model"
    assert model.encode_sentences(["open the jar"]).shape == (1, 128)
    assert [row["step"] for row in read_curve(out / CURVE) if "loss" in row] == [0, 1, 2]
    assert any((out / EVENTS).iterdir())
    said = failed(capsys, *command, "--steps", "5")
    assert "is of another training (recipe.steps was 3, is 5); take another folder" in said
    (out / CHECKPOINT).write_bytes(b"nothing")
    assert "delete it to start over" in failed(capsys, *command, "--steps", "3")


def test_a_training_on_files_learns_the_words_that_are_said(tmp_path, capsys):
    videos = tmp_path / "videos"
    main(["pretrain", "corpus", str(videos), "--videos", "2", "--size", "64", "--fps", "4"])
    broken = [videos / f"broken{number:02}.mp4" for number in range(12)]
    for path in broken:
        path.write_bytes(b"")
    command = ["pretrain", "train", str(videos), *SMALL, "--steps", "1", "--held", str(videos)]
    main([*command, "--out", str(tmp_path / "model")])
    assert "and 14 more" in capsys.readouterr().err, "of both folders"
    listed = json.loads((tmp_path / "model" / REPORT).read_text())["skipped"]
    assert [one["file"] for one in listed] == 2 * [str(path) for path in broken]
    assert all("cannot be read as video" in one["reason"] for one in listed)
    for path in broken:
        path.unlink()
    said = {word for path in videos.glob("*.vtt") for word in path.read_text().lower().split()}
    known = set(json.loads((tmp_path / "model" / "model.json").read_text())["vocabulary"])
    assert known
    assert known <= {word.strip(".,!?'") for word in said} | said
    main([*command, "--out", str(tmp_path / "next"), "--start-from", str(tmp_path / "model"), "--rate", "1e-12"])
    first, second = Pretrained.load(tmp_path / "model"), Pretrained.load(tmp_path / "next")
    assert second.vocabulary.words == first.vocabulary.words
    assert abs(second.model.text.fc1.weight - first.model.text.fc1.weight).max() < 1e-6
    other = [*command, "--out", str(tmp_path / "other"), "--start-from", str(tmp_path / "model")]
    other[other.index("tiny_milnce")] = "tiny_ranking"
    capsys.readouterr()
    assert "another model" in failed(capsys, *other)


@pytest.mark.slow
def test_single_frames_first_as_one_command(tmp_path, capsys):
    out = tmp_path / "model"
    command = ["pretrain", "train", "corpus", "--out", str(out), *SMALL, "--steps", "1", "--curriculum", "2"]
    command[command.index("tiny_milnce")] = "tiny_frozen"
    main(command)
    assert f"{out / 'clips'}: model of" in " ".join(capsys.readouterr().err.split())
    assert [len(read_curve(out / stage / CURVE)) for stage in ("stills", "clips")] == [3, 2], "losses, and a look"
    assert not Pretrained.load(out / "stills").model.video.temporal_embed.any()
    assert Pretrained.load(out / "clips").model.video.temporal_embed.any()


def test_word_vectors_of_others_are_kept_as_they_are(tmp_path):
    table = {"open": [1.0, 2.0], "close": [0.0, 1.0], "unsaid": [9.0, 9.0]}
    (tmp_path / "words.vec").write_text("".join(f"{word} {a} {b}\n" for word, (a, b) in table.items()))
    command = ["pretrain", "train", "corpus", "--out", str(tmp_path / "model"), *SMALL, "--steps", "2"]
    main([*command, "--vectors", str(tmp_path / "words.vec")])
    model = Pretrained.load(tmp_path / "model")
    assert set(model.vocabulary.words) == {"open", "close"}
    expected = [[0.0, 0.0], *(table[word] for word in model.vocabulary.words)]
    assert model.model.text.word_embd.weight.tolist() == expected
    following = _going_on(tiny_milnce(), model, "here").model
    assert (following.word_size, following.train_words) == (2, False)
    with pytest.raises(UsageError, match=r"^here: another model than the recipe's: missing: text_head"):
        _going_on(tiny_ranking(), model, "here")


def test_what_only_gpus_can_do_is_left_out_without_one(monkeypatch):
    for there in (True, False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        verb = PretrainTrain(data=Path("corpus"), out=Path("model"), recipe="mmv_fac")
        assert _changed(mmv_fac(), verb).sync_norm == there


def test_what_cannot_be_trained_is_said_in_one_line(tmp_path, capsys):
    out = ("--out", tmp_path / "model")
    assert "no such folder" in failed(capsys, "pretrain", "train", tmp_path / "nowhere", *out, *SMALL)
    assert "unknown recipe 'magic'; choose from: milnce" in failed(
        capsys, "pretrain", "train", "corpus", *out, "--recipe", "magic"
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    assert str(empty) in failed(capsys, "pretrain", "train", empty, *out, *SMALL)
    command = ("pretrain", "train", "corpus", *out, *SMALL)
    for rate in ("-1", "nan", "inf"):
        assert "the rate must be positive and finite" in failed(capsys, *command, "--rate", rate)
    assert "the warm-up at least 0" in failed(capsys, *command, "--warm-up", "-1")
    assert "'small' is for clips alone" in failed(capsys, *command, "--curriculum", "2")
    assert "--workers must be at least 0" in failed(capsys, *command, "--workers", "-1")
    assert "--save-every at least 1" in failed(capsys, *command, "--save-every", "0")
    (tmp_path / "words.txt").write_text("zzz\nqqq\n")
    words = ("--dictionary", tmp_path / "words.txt")
    said = " ".join(failed(capsys, *command, *words).split())
    assert f"{tmp_path / 'words.txt'}: none of its words is said in corpus" in said
    assert "a model to start from brings its own words" in failed(capsys, *command, *words, "--start-from", empty)
    if not torch.cuda.is_available():
        assert "device 'cuda:0': torch finds 0 GPUs here" in failed(capsys, *command, "--device", "cuda")
    assert "sync_norm" in failed(capsys, *command, "--steps", "1", "--sync-norm")


@pytest.mark.slow
def test_torchrun_shares_a_training(tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "apprentice.cli", "pretrain", "train", "corpus", "--out", str(tmp_path / "two"), *SMALL]
    subprocess.run([*command, "--steps", "2"], check=True, capture_output=True, timeout=300)
    main(["pretrain", "train", "corpus", "--out", str(tmp_path / "one"), *SMALL, "--steps", "2"])
    one, two = ([row["loss"] for row in read_curve(tmp_path / n / CURVE) if "loss" in row] for n in ("one", "two"))
    assert two[0] == pytest.approx(one[0], rel=0.05), "batch normalisation sees half of the batch"
