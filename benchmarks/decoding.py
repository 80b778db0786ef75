"""How fast clips are read for pretraining, on one core: benchmarks/decoding.py [--seconds S].

A video of 848x480 px at 30 fps is generated (a key frame every 8.3 s, as files from the web have them) and made into a
shard as by `apprentice pretrain prepare`. Then clips of 32 frames at 10 fps and of 16 at 5 fps, 256 px short side, are
read at random moments in each way, in turn, round by round:

- raw: the original file, by PyAV's seeking;
- shard: the shard, within the tar;
- torchcodec, and torchcodec, shard: the same two by that reader (it needs the shared libraries of FFmpeg);
- process: one ffmpeg process for each clip, as in the public code of MIL-NCE, on the original;
- process, encoded: the same on the encoded file.

Time is that of the processor, of this process and of the processes it starts, so that other work does not count.
What the ways show is compared, too. A way whose tool is absent is left out, and that is said.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from pretrain.frames import VIDEO_READERS, ReaderError, read_moments
from pretrain.narration import NarratedVideo
from pretrain.prepare import prepare
from pretrain.sampling import Sampling
from pretrain.shards import Shards
from pretrain.transcode import Encoding, transcode

SIZE_HW, FPS, GOP = (480, 848), 30, 250
SHORT_SIDE = 256
SAMPLINGS = (Sampling(frames=16, fps=5.0), Sampling(frames=32, fps=10.0))
SENTENCES = [{"start": 10.0 * k, "end": 10.0 * k + 4, "text": f"sentence {k}"} for k in range(6)]

Way = Callable[[np.ndarray], np.ndarray]
"""From moments (T,) s to frames (T, H, W, 3)."""


class Reading(NamedTuple):
    """Clips per second of processor time, one a round."""

    rates: list[float]

    def __str__(self) -> str:
        """Median, least and most."""
        return f"{np.median(self.rates):7.1f} ({min(self.rates):.1f} to {max(self.rates):.1f})"


def main() -> None:
    """Print one row per way and kind of clip, then the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the video")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clips", type=int, default=6, help="clips per way and round")
    arguments = parser.parse_args()
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.mp4"
        write_scene(raw, arguments.seconds)
        columns = {name: [sentence[name] for sentence in SENTENCES] for name in ("start", "end", "text")}
        encoded = Path(folder) / "encoded.mp4"
        before = processor_seconds()
        with open(encoded, "wb") as file:
            transcode(raw, file, Encoding(short_side=SHORT_SIDE))
        took = processor_seconds() - before
        prepare([NarratedVideo(name="raw", path=raw, columns=columns)], Path(folder) / "shards", processes=1)
        shards = Shards(Path(folder) / "shards")
        sizes = f"raw {raw.stat().st_size / 1e6:.1f} MB, encoded {encoded.stat().st_size / 1e6:.1f} MB"
        speed = f"{took:.1f} s of one core ({arguments.seconds / took:.0f} times real time)"
        print(f"video of {arguments.seconds:.0f} s: {sizes}, transcoded in {speed}")
        ways: dict[str, Way] = {
            "raw": lambda moments: read_moments(raw, moments, short_side=SHORT_SIDE),
            "shard": lambda moments: shards.frames(0, moments, SHORT_SIDE),
        }
        try:
            ways |= by_torchcodec(raw, Path(folder) / "shards")
        except ReaderError as error:
            print(f"torchcodec: left out; {error}")
        if shutil.which("ffmpeg"):
            ways["process"] = lambda moments: by_process(raw, moments)
            ways["process, encoded"] = lambda moments: by_process(encoded, moments)
        else:
            print("process: left out, there is no ffmpeg on this machine")
        for sampling in SAMPLINGS:
            rates = measured(ways, sampling, arguments.seconds, arguments.rounds, arguments.clips)
            apart = {way: compared(ways["raw"], ways[way], sampling, arguments.seconds) for way in ways if way != "raw"}
            print(
                f"{sampling.frames} frames at {sampling.fps:.0f} fps: clips/s on one core, median (least to most);"
                f" and by how much of 255 a way differs from raw on average"
            )
            for name, reading in rates.items():
                ratio = np.median(np.array(reading.rates) / np.array(rates["raw"].rates))
                differs = f"   differs by {apart[name]:.1f}" if name in apart else ""
                print(f"  {name:<18}{reading}   {ratio:.2f} x raw{differs}")
            figures.append((sampling, rates))
    said = []
    for sampling, rates in figures:
        medians = {name: float(np.median(reading.rates)) for name, reading in rates.items()}
        others = ", ".join(f"{name} {rate:.1f}" for name, rate in medians.items() if name != "shard")
        said.append(f"{sampling.frames} frames {medians['shard']:.1f} clips/s a core from shards ({others})")
    left_out = [way for way in ("torchcodec", "process") if way not in figures[0][1]]
    absent = f"; left out: {', '.join(left_out)}" if left_out else ""
    print(f"decoding: {'; '.join(said)}{absent}")


def write_scene(path: Path, seconds: float) -> None:
    """A video with texture, noise and motion, compressed as usual."""
    rng = np.random.default_rng(0)
    height, width = SIZE_HW
    y, x = np.mgrid[:height, :width].astype(np.float32)
    texture = rng.normal(0, 12, (height, width * 2, 3)).astype(np.float32)
    noise = rng.normal(0, 2, (8, height, width, 1)).astype(np.float32)
    hue = np.array([0.5, 0.8, 1.0], np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.height, stream.width, stream.pix_fmt, stream.gop_size = height, width, "yuv420p", GOP
        stream.options = {"preset": "veryfast", "threads": "1"}
        for n in range(round(seconds * FPS)):
            t = n / FPS
            wave = 60 * np.sin(x / 60 + t) * np.cos(y / 45 - 0.7 * t)
            shift = int(40 * t) % width
            image = 120 + wave[..., None] * hue + texture[:, shift : shift + width] + noise[n % len(noise)]
            frame = av.VideoFrame.from_ndarray(np.clip(image, 0, 255).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def by_torchcodec(raw: Path, folder: Path) -> dict[str, Way]:
    """The original and the shard by torchcodec.

    Raises:
        ReaderError: it cannot be loaded here.
    """
    read, shards = VIDEO_READERS.load("torchcodec"), Shards(folder, reader="torchcodec")
    read(raw, np.zeros(1), short_side=SHORT_SIDE)
    return {
        "torchcodec": lambda moments: read(raw, moments, short_side=SHORT_SIDE),
        "torchcodec, shard": lambda moments: shards.frames(0, moments, SHORT_SIDE),
    }


def by_process(path: Path, moments: np.ndarray) -> np.ndarray:
    """One ffmpeg process a clip."""
    height, width = SHORT_SIDE, round(SIZE_HW[1] * SHORT_SIDE / SIZE_HW[0])
    rate = (len(moments) - 1) / (moments[-1] - moments[0])
    command = ["ffmpeg", "-v", "error", "-threads", "1", "-ss", f"{moments[0]:.3f}", "-i", str(path)]
    command += ["-t", f"{len(moments) / rate + 0.1:.3f}", "-vf", f"fps={rate:.6f},scale={width}:{height}"]
    command += ["-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    content = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(content, np.uint8).reshape(-1, height, width, 3)[: len(moments)]


def measured(ways: dict[str, Way], sampling: Sampling, seconds: float, rounds: int, clips: int) -> dict[str, Reading]:
    """Rate of each way; in a round all ways read the same moments, in an order that turns."""
    rates: dict[str, Reading] = {name: Reading([]) for name in ways}
    for turn in range(rounds):
        moments = list(drawn(sampling, seconds, clips, turn))
        names = list(ways)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            before = processor_seconds()
            for clip in moments:
                ways[name](clip)
            rates[name].rates.append(clips / (processor_seconds() - before))
    return rates


def compared(one: Way, other: Way, sampling: Sampling, seconds: float) -> float:
    """Mean difference of what two ways show, in grey levels."""
    pairs = [(one(moments), other(moments)) for moments in drawn(sampling, seconds, 2, 99)]
    return float(np.mean([np.abs(a.astype(float) - b).mean() for a, b in pairs]))


def drawn(sampling: Sampling, seconds: float, clips: int, seed: int) -> Iterator[np.ndarray]:
    """Moments of clips on the grid of the encoded video, so that all ways can show the same."""
    starts = np.random.default_rng(seed).integers(0, int(10 * (seconds - sampling.seconds - 0.2)), clips)
    for start in starts:
        yield start / 10 + np.arange(sampling.frames) / sampling.fps


def processor_seconds() -> float:
    """Time that this process, and those that it started and that ended, have used the processor [s]."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    main()
