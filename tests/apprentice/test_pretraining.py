"""`apprentice pretrain`: what a user sees of shards that are made, resumed, interrupted and damaged."""

import functools
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from films import write_film, write_srt

from apprentice.cli import main
from pretrain.shards import Shards


def fill(folder, *names, seconds=0.6):
    for name in names:
        write_film(folder / f"{name}.mp4", seconds=seconds)
        write_srt(folder / f"{name}.srt", [(0.0, 0.5, "pour")])


def failed(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    assert end.value.code == 2
    return " ".join(capsys.readouterr().err.split())


def test_shards_are_made_checked_and_found_damaged(tmp_path, capsys):
    fill(tmp_path, "a", "b")
    (tmp_path / "c.mp4").write_bytes(b"no video")
    write_srt(tmp_path / "c.srt", [(0.0, 1.0, "cut")])
    shards = tmp_path / "shards"
    main(["pretrain", "prepare", str(tmp_path), "--out", str(shards), "--processes", "1"])
    said = " ".join(capsys.readouterr().err.split())
    assert "2 videos in 1 shard, 2 of them new; files with a remark: 1" in said
    assert "c.mp4: cannot be read as video" in said
    main(["pretrain", "check", str(shards)])
    assert "2 videos, all of them whole" in " ".join(capsys.readouterr().err.split())
    os.truncate(shards / "shard-000000.tar", 4000)
    assert f"{shards / 'shard-000000.tar'}: has 4,000 of" in failed(capsys, "pretrain", "check", shards)
    assert "choose another --out" in failed(capsys, "pretrain", "prepare", tmp_path, "--out", shards, "--gop", "5")


def test_the_layout_of_howto100m(tmp_path, capsys):
    fill(tmp_path, "a")
    (tmp_path / "a.srt").unlink()
    (tmp_path / "list.csv").write_text("video_id\na\nb\n")
    (tmp_path / "caption.json").write_text(json.dumps({"a": {"start": [0], "end": [0.5], "text": ["pour"]}}))
    told = ["pretrain", "prepare", tmp_path, "--out", tmp_path / "shards", "--table", tmp_path / "list.csv"]
    assert "--table and --captions go together" in failed(capsys, *told)
    main([str(part) for part in (*told, "--captions", tmp_path / "caption.json", "--processes", 1)])
    said = " ".join(capsys.readouterr().err.split())
    assert "1 videos in 1 shard" in said
    assert "b: no such video" in said


def test_a_corpus_can_be_prepared(tmp_path, capsys):
    videos = tmp_path / "videos"
    main(["pretrain", "corpus", str(videos), "--videos", "2", "--size", "32", "--fps", "4"])
    assert "2 videos with captions" in " ".join(capsys.readouterr().err.split())
    names = {path.name for path in videos.iterdir()}
    assert names == {"000000.mp4", "000000.vtt", "000001.mp4", "000001.vtt", "labels.csv", "sheet.png"}
    shards = tmp_path / "shards"
    main(["pretrain", "prepare", str(videos), "--out", str(shards), "--processes", "1", "--sound", "8000"])
    assert "2 videos in 1 shard, 2 of them new" in " ".join(capsys.readouterr().err.split())
    assert Shards(shards).sound(0, 2.0, 1.0, 8000).std() > 0.01
    for option, message in {
        ("--irrelevant", "1"): "shares lie between 0 and 1",
        ("--misalignment", "nan"): "expected finite deviations",
        ("--fps", "nan"): "expected at least 2 px and a positive rate",
        ("--videos", "0"): "expected at least one video",
    }.items():
        said = failed(capsys, "pretrain", "corpus", videos, *option)
        assert message in said
        assert "defect" not in said
    told = ("pretrain", "prepare", videos, "--out", tmp_path / "other", "--processes", "-1")
    assert "-1 processes: expected at least one" in failed(capsys, *told)


def test_an_interrupt_is_one_line_and_the_run_goes_on(tmp_path):
    """The interrupt goes to all processes, as a terminal sends it, however deaf to it the suite was started."""
    fill(tmp_path, *"abcdefgh", seconds=6.0)
    command = [sys.executable, "-m", "apprentice.cli", "pretrain", "prepare", str(tmp_path), "--out"]
    command += [str(tmp_path / "shards"), "--processes", "1"]
    hears = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=hears)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("shards/.staging/?.json")) and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    os.killpg(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=30)
    assert run.returncode == 130, said
    assert "interrupted; the same command goes on where it stopped" in " ".join(said.split())
    assert "Traceback" not in said
    assert not list(tmp_path.glob("shards/*.tar"))
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "8 videos in 1 shard" in " ".join(again.stderr.split())


def test_every_word_of_the_group_explains_itself(capsys):
    for words in (["pretrain"], ["pretrain", "prepare"], ["pretrain", "check"]):
        with pytest.raises(SystemExit) as end:
            main([*words, "--help"])
        assert end.value.code == 0
        assert "shards" in capsys.readouterr().out
