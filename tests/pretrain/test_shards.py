"""Shards: written whole, read by seeking, resumed after any stop, and clear about what is damaged."""

import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import av
import numpy as np
import pytest
from films import LEVELS, numbers, write_film, write_srt, write_turned

from perception.video import write_video
from pretrain import prepare as preparing
from pretrain import staging
from pretrain.clips import NarratedClips, sentences_of
from pretrain.frames import read_moments
from pretrain.narration import NarrationError, find_narrated
from pretrain.prepare import PrepareError, prepare
from pretrain.sampling import Sampling
from pretrain.shards import ShardError, Shards, read_index
from pretrain.transcode import Encoding, transcode
from pretrain.workers import WorkerLost, in_order

SMALL = Encoding(short_side=32)
SENTENCES = [(0.0, 1.0, "take a cup"), (1.0, 2.0, "pour"), (90.0, 91.0, "after the end")]


def fill(folder, *names):
    for name in names:
        write_film(folder / f"{name}.mp4", seconds=2.5, fps=20.0)
        write_srt(folder / f"{name}.srt", SENTENCES)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of good and bad videos, and shards of one video each."""
    folder = tmp_path_factory.mktemp("videos")
    fill(folder, "a", "b.c", "d")
    (folder / "broken.mp4").write_bytes(b"no video")
    write_srt(folder / "broken.srt", SENTENCES)
    write_film(folder / "silent.mp4", seconds=0.5)
    (folder / "gone.mp4").symlink_to(folder / "nowhere.mp4")
    videos, skipped = find_narrated(folder)
    return folder, prepare(videos, folder / "out", skipped=skipped, encoding=SMALL, processes=1, shard_bytes=1)


def again(folder, out, **options):
    videos, skipped = find_narrated(folder)
    return prepare(videos, out, skipped=skipped, encoding=SMALL, processes=1, **options)


def test_what_was_made_and_what_was_left_out(made):
    folder, prepared = made
    assert (prepared.shards, prepared.videos, prepared.made) == (3, 3, 3)
    assert {Path(s.file).name: s.reason for s in prepared.skipped} == {
        "broken.mp4": "cannot be read as video (Invalid data found when processing input)",
        "silent.mp4": "no captions beside it, and none within it",
        "gone.mp4": "No such file or directory",
    }
    report = json.loads((folder / "out/report.json").read_text())
    assert report["videos"] == 3
    assert len(report["skipped"]) == 3
    assert sorted(p.name for p in (folder / "out").iterdir() if p.name.startswith(".")) == [".lock"]


def test_a_shard_is_a_tar_in_the_layout_of_webdataset(made):
    folder, _ = made
    with tarfile.open(folder / "out/shard-000001.tar") as tar:
        names = tar.getnames()
        assert names == [f"{staging.key_of('b.c')}.mp4", f"{staging.key_of('b.c')}.json"]
        said = json.load(tar.extractfile(names[1]))
    assert said["text"] == ["take a cup", "pour"]
    assert said["source"] == "b.c"


def test_frames_come_out_of_the_tar_at_their_moments(made):
    folder, _ = made
    shards = Shards(folder / "out")
    assert len(shards) == 3
    narration, duration = shards.narration(1)
    assert narration.labels == ("take a cup", "pour")
    assert duration == 2.5
    clip = shards.frames(1, np.array([0.0, 0.7, 1.55, 2.4]), 32)
    assert clip.shape == (4, 32, 42, 3)
    assert numbers(clip).tolist() == [n % LEVELS for n in (0, 14, 30, 48)]  # at 20 fps in the original
    assert list(shards.check()) == []


def test_clips_come_from_shards_as_from_the_folder(made):
    clips = NarratedClips(Shards(made[0] / "out"), Sampling(frames=4, size=28, candidates=2), seed=0)
    clip = clips[4]
    assert clip.frames.shape == (4, 28, 28, 3)
    assert set(clip.captions) == {"take a cup", "pour"}


def test_a_tar_without_an_index_is_read_by_its_headers(made, tmp_path):
    source = made[0] / "out/shard-000000.tar"
    (tmp_path / "their.tar").write_bytes(source.read_bytes())
    bare, indexed = read_index(tmp_path / "their.tar"), read_index(source)
    assert [s[:3] for s in bare] == [s[:3] for s in indexed]
    assert Shards(tmp_path).narration(0)[0].labels == ("take a cup", "pour")


@pytest.mark.parametrize("with_index", [True, False])
def test_a_truncated_shard_is_named_and_the_others_are_used(made, tmp_path, with_index):
    for name in ("shard-000000", "shard-000001"):
        for suffix in (".tar", ".json")[: 1 + with_index]:
            (tmp_path / f"{name}{suffix}").write_bytes((made[0] / f"out/{name}{suffix}").read_bytes())
    whole = tmp_path / "shard-000000.tar"
    os.truncate(whole, 3000)
    shards = Shards(tmp_path)
    assert len(shards) == 1
    assert [s.file for s in shards.skipped] == [str(whole)]
    assert ("3,000 of" if with_index else "cut short") in shards.skipped[0].reason
    with pytest.raises(ShardError, match=r"shard-000000\.tar"):
        read_index(whole)
    (tmp_path / "shard-000001.tar").unlink()
    with pytest.raises(NarrationError, match="no shard that can be used"):
        Shards(tmp_path)


def test_damage_within_a_shard_names_the_video(made, tmp_path):
    shard = tmp_path / "s.tar"
    content = bytearray((made[0] / "out/shard-000000.tar").read_bytes())
    sample = read_index(made[0] / "out/shard-000000.tar")[0]
    content[sample.video.offset : sample.video.offset + sample.video.size] = bytes(sample.video.size)
    shard.write_bytes(content)
    damaged = list(Shards(tmp_path).check())
    assert [s.file for s in damaged] == [f"{shard}/a"]
    with pytest.raises(NarrationError, match=r"a\.mp4"):
        NarratedClips(Shards(tmp_path), Sampling(size=28), seed=0)[0]


def test_damaged_captions_within_a_shard_cost_one_video_and_are_told_in_short(made, tmp_path):
    shards = []
    for number in range(2):
        content = bytearray((made[0] / "out/shard-000000.tar").read_bytes())
        sample = read_index(made[0] / "out/shard-000000.tar")[0]
        if not number:
            content[sample.text.offset : sample.text.offset + sample.text.size] = b"\xe5" * sample.text.size
        shards.append(tmp_path / f"{number}.tar")
        shards[-1].write_bytes(content)
    damaged, whole = list(Shards(tmp_path).check()), Shards(tmp_path)
    assert [s.file for s in damaged] == [f"{shards[0]}/a"]
    assert re.fullmatch(r"damaged \(UnicodeDecodeError: .{,100}\)", damaged[0].reason)
    assert list(sentences_of(whole)) == ["take a cup", "pour"]
    assert NarratedClips(whole, Sampling(size=28), seed=0)[0].video == f"{shards[1]}/a"


def test_what_is_there_is_not_made_again(tmp_path):
    fill(tmp_path, "a")
    assert again(tmp_path, tmp_path / "out").made == 1
    before = (tmp_path / "out/shard-000000.tar").read_bytes()
    fill(tmp_path, "b")
    grown = again(tmp_path, tmp_path / "out")
    assert (grown.made, grown.videos, grown.shards) == (1, 2, 2)
    assert (tmp_path / "out/shard-000000.tar").read_bytes() == before
    write_srt(tmp_path / "a.srt", SENTENCES[:1])
    changed = again(tmp_path, tmp_path / "out")
    assert changed.made == 0
    assert "delete that shard" in changed.skipped[0].reason
    os.truncate(tmp_path / "out/shard-000001.tar", 100)
    mended = again(tmp_path, tmp_path / "out")
    assert (mended.made, mended.videos) == (1, 2)
    assert (tmp_path / "out/shard-000001.tar.damaged").stat().st_size == 100
    assert len(Shards(tmp_path / "out")) == 2


def test_another_encoding_is_refused(tmp_path):
    fill(tmp_path, "a")
    again(tmp_path, tmp_path / "out")
    with pytest.raises(PrepareError, match="were made with"):
        prepare(find_narrated(tmp_path)[0], tmp_path / "out", encoding=Encoding(fps=5.0), processes=1)


def test_a_killed_run_leaves_no_half_shard_and_is_resumed(tmp_path):
    fill(tmp_path, "a", "b", "c", "d")
    code = (
        "import sys; from pretrain.narration import find_narrated; from pretrain.prepare import prepare, Encoding\n"
        "if __name__ == '__main__':\n"
        "    prepare(find_narrated(sys.argv[1])[0], sys.argv[2], encoding=Encoding(short_side=32), processes=1)"
    )
    (tmp_path / "run.py").write_text(code)
    out = tmp_path / "out"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.Popen([sys.executable, tmp_path / "run.py", tmp_path, out], env=environment)
    deadline = time.monotonic() + 60
    while not list(out.glob(".staging/?.json")) and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    run.send_signal(signal.SIGKILL)
    run.wait()
    finished = {path.stem: path.stat().st_mtime_ns for path in out.glob(".staging/?.json")}
    assert finished
    assert not list(out.glob("shard-*.tar"))
    (out / ".shard-000000.left.tar").write_bytes(b"half")
    prepared = again(tmp_path, out)
    assert (prepared.made, prepared.shards) == (4, 1)
    assert len(Shards(out)) == 4
    assert sorted(path.name for path in out.iterdir() if path.name.startswith(".")) == [".lock"]


def test_what_was_finished_before_a_stop_is_taken(tmp_path, monkeypatch):
    """The job's own function, in this process, so that a second transcoding would show."""
    fill(tmp_path, "a")
    video = find_narrated(tmp_path)[0][0]
    (tmp_path / "staging").mkdir()
    job = staging.Job(video, staging.identity_of(video), tmp_path / "staging", SMALL)
    first = staging.stage(job)
    monkeypatch.setattr(staging, "transcode", lambda *_: pytest.fail("made again"))
    assert staging.stage(job) == first


def test_a_full_disk_is_one_clear_error(tmp_path, monkeypatch):
    fill(tmp_path, "a")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "out/shard-000000.tar"))

    monkeypatch.setattr(preparing, "write_shard", full)
    with pytest.raises(PrepareError, match=r"shard-000000\.tar: no space left on the disk; what is done is kept"):
        again(tmp_path, tmp_path / "out")
    monkeypatch.undo()
    assert again(tmp_path, tmp_path / "out").made == 1


def test_transcoding_hands_on_the_error_of_a_full_disk(tmp_path):
    class Full(io.BytesIO):
        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    film = write_film(tmp_path / "a.mp4", seconds=0.5)
    with pytest.raises(OSError, match="No space left") as raised:
        transcode(film, Full(), SMALL)
    assert raised.value.errno == errno.ENOSPC


@pytest.mark.parametrize("content", ["{", "[]", '{"speed": 3}', '{"fps": 0}'])
def test_an_encoding_that_cannot_be_read_is_named(tmp_path, content):
    fill(tmp_path, "a")
    out = tmp_path / "out"
    out.mkdir()
    (out / "encoding.json").write_text(content)
    with pytest.raises(PrepareError, match=r"encoding\.json: damaged .*; delete it"):
        again(tmp_path, out)


def test_two_runs_do_not_write_to_one_folder(tmp_path):
    fill(tmp_path, "a")
    with preparing._alone(tmp_path / "out"), pytest.raises(PrepareError, match="another run"):
        again(tmp_path, tmp_path / "out")


def halve_or_die(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number / 2


def test_a_lost_worker_costs_its_own_job_alone():
    results = list(in_order(halve_or_die, range(8), 2))
    assert [job for job, _ in results] == list(range(8))
    assert [isinstance(result, WorkerLost) for _, result in results] == [job == 3 for job in range(8)]
    assert [result for job, result in results if job != 3] == [job / 2 for job in range(8) if job != 3]


def test_a_video_that_kills_its_worker_is_left_out(tmp_path, monkeypatch):
    """Named in the report, while the others are made; the death itself is tested above."""
    fill(tmp_path, "a", "b")

    def dying(function, jobs, _):
        return ((job, WorkerLost() if job.key == "a" else function(job)) for job in jobs)

    monkeypatch.setattr(preparing, "in_order", dying)
    prepared = again(tmp_path, tmp_path / "out")
    assert prepared.videos == 1
    assert [(Path(s.file).name, s.reason[:22]) for s in prepared.skipped] == [("a.mp4", "its process died twice")]


@pytest.mark.parametrize("fps", [10.0, 4.0, 24.0])
def test_transcoding_shows_the_original_at_a_fixed_rate(tmp_path, fps):
    film = write_film(tmp_path / "a.mp4", seconds=3.0, fps=20.0)
    file = io.BytesIO()
    encoded = transcode(film, file, Encoding(fps=fps, short_side=40, gop=5))
    file.seek(0)
    with av.open(file) as container:
        images = np.array([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
        file.seek(0)
    with av.open(file) as container:
        keys = [p.pts * p.time_base for p in container.demux(video=0) if p.is_keyframe]
    assert images.shape == (encoded.frames, 40, 52, 3)
    shown = np.floor(np.arange(encoded.frames) / fps * 20 + 1e-6)
    assert numbers(images).tolist() == (shown % LEVELS).tolist()
    assert encoded.frames == np.floor(59 / 20 * fps + 1e-6) + 1
    np.testing.assert_allclose(np.array(keys, float), np.arange(0, encoded.frames, 5) / fps, atol=1e-3)


def test_a_video_that_asks_to_be_turned_is_turned_raw_and_encoded(tmp_path):
    """What was at the top left is at the top right after a quarter turn clockwise."""
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32] = 255
    write_turned(tmp_path / "turned.mp4", image)
    with open(tmp_path / "encoded.mp4", "wb") as file:
        transcode(tmp_path / "turned.mp4", file, SMALL)
    for name in ("turned", "encoded"):
        frame = read_moments(tmp_path / f"{name}.mp4", np.zeros(1), short_side=24)[0]
        assert frame.shape == (32, 24, 3)
        assert frame[:14, 14:].mean() > 240
        assert frame[:, :10].mean() < 15


def test_a_damaged_stretch_costs_its_frames_alone(tmp_path):
    damaged = transcode(hurt(write_noise(tmp_path / "a.mp4")), io.BytesIO(), SMALL)
    assert (damaged.frames, damaged.missing) == (40, 0.0)
    assert 0 < damaged.damaged < 5


def test_a_video_that_is_cut_short_is_used_and_reported(tmp_path):
    """Matroska after a damaged stretch cannot be read on: the file just seems to end."""
    hurt(write_noise(tmp_path / "a.mkv"))
    write_srt(tmp_path / "a.srt", SENTENCES)
    prepared = again(tmp_path, tmp_path / "out")
    assert prepared.videos == 1
    assert "used, but its picture ends 2." in prepared.skipped[0].reason


def write_noise(path):
    """40 frames that need many bytes each."""
    rng = np.random.default_rng(0)
    return write_video(path, rng.integers(0, 255, (40, 64, 64, 3), dtype=np.uint8), 10.0)


def hurt(path):
    """Wipe out a stretch before the middle."""
    content = bytearray(path.read_bytes())
    content[2 * len(content) // 5 : 2 * len(content) // 5 + 2000] = bytes(2000)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["abc", "a/b", "a b", "a.b", "ü", "x" * 200])
def test_keys_are_those_of_webdataset_and_unique(name):
    key = staging.key_of(name)
    assert not set(key) & set("./ ")
    assert len(key) < 95
    assert (key == name) == (name in ("abc", "ü"))
