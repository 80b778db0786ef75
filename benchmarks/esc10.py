"""What an encoder of sound learns from recordings without labels: benchmarks/esc10.py FOLDER [--steps N].

ESC-10, each of its five folds left out in turn. On the recordings of the other four, without their labels, a ResNet-18
on log-mel spectrograms learns to find the other view of the same original recording among a batch. Then a linear
support vector machine is fitted to its features, with the labels of the same four folds, which also choose the cost.
Nothing of the fold that is left out is heard before it is classified.

Beside it, with the same classifier: chance; mean, deviation and deviation of the change of the log-mel bands; the same
network with its random weights; and the features of both networks together with those statistics. Published with the
set (Piczak, ACM Multimedia 2015): k nearest neighbours 66.7 %, SVM 67.5 %, random forest 72.7 %, people 95.7 %.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from pretrain.audio_encoder import AudioEncoder, LogMel
from pretrain.audio_pretraining import AudioTraining, pretrain_audio, spectrograms
from pretrain.probes.esc import accuracy_without, mel_statistics, read_sounds, window_features
from pretrain.probes.sound_files import find_sounds
from pretrain.spectrogram_views import Views

RATE = 16_000
"""Of the sounds [1/s]."""
SECONDS = 5.0
"""Of a recording."""
WINDOW, WINDOWS = 2.0, 5
"""Length of a window [s], and how many of a recording are classified."""
FRONT_END = {"bands": 40, "window": 0.06, "hop": 0.03}
"""Coarse, so that a processor trains on it in minutes."""
STEM = 32
"""Channels of the network's first convolution, half the usual ones: a quarter of the work."""
VIEWS = Views(frames=64, stretch=0.2, shift=0.05, mixing=0.1, mask=0.2)
"""1.9 s long; little of other recordings, which are the ones to be told apart."""
BATCH = 32
ROWS = ("log-mel", "untrained", "untrained + log-mel", "pretrained", "pretrained + log-mel")
PUBLISHED = 72.7
"""Random forest [%]."""


def main() -> None:
    """Print one row per fold, then means, then the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    waves, sounds, skipped = read_sounds(find_sounds(arguments.folder), RATE, SECONDS)
    for file, reason in skipped:
        print(f"skipped {file}: {reason}")
    classes = sorted({sound.label for sound in sounds})
    label = np.array([classes.index(sound.label) for sound in sounds])
    fold = np.array([sound.fold for sound in sounds])
    recording = np.array([sound.recording for sound in sounds])
    statistics = mel_statistics(sounds, SECONDS)[:, None]
    training = AudioTraining(steps=arguments.steps, batch=BATCH, views=VIEWS)
    print(f"{len(sounds)} sounds of {len(classes)} classes, {len(set(recording.tolist()))} originals; {training}")
    found: dict[str, list[float]] = {name: [] for name in ROWS}
    seconds = []
    for left_out in np.unique(fold).tolist():
        torch.manual_seed(arguments.seed)
        encoder = AudioEncoder(mel=LogMel(RATE, **FRONT_END), stem=STEM).eval()
        heard = fold != left_out
        bands = spectrograms(encoder, list(waves[heard]))
        with torch.no_grad():
            encoder.normalise.running_mean.copy_(bands.mean(dim=(0, 2)))
            encoder.normalise.running_var.copy_(bands.var(dim=(0, 2)))
        untrained = features_of(encoder, waves)
        before = time.process_time()
        losses = pretrain_audio(encoder, bands, training, source=recording[heard].tolist(), seed=arguments.seed)
        seconds.append(time.process_time() - before)
        features = features_of(encoder, waves)
        rows = zip(
            ROWS,
            (statistics, untrained, beside(untrained, statistics), features, beside(features, statistics)),
            strict=True,
        )
        for name, windows in rows:
            found[name].append(accuracy_without(windows, label, fold, left_out))
        said = ", ".join(f"{name} {values[-1]:.1f}" for name, values in found.items())
        change = f"loss {np.mean(losses[:20]):.2f} to {np.mean(losses[-20:]):.2f}, " if losses else ""
        print(f"fold {left_out}: {said} % ({change}{seconds[-1]:.0f} s of a core)", flush=True)
    for name, values in found.items():
        print(f"{name:<22}{np.mean(values):6.1f} % (folds {min(values):.1f} to {max(values):.1f})")
    mean = {name: float(np.mean(values)) for name, values in found.items()}
    print(
        f"esc10: {mean['pretrained']:.1f} % with an encoder trained without labels"
        f" ({mean['pretrained + log-mel']:.1f} % with log-mel statistics beside its features); untrained"
        f" {mean['untrained']:.1f} % ({mean['untrained + log-mel']:.1f} %), log-mel statistics"
        f" {mean['log-mel']:.1f} %, random forest {PUBLISHED} %, chance {100 / len(classes):.0f} %;"
        f" {np.mean(seconds):.0f} s of a core a fold"
    )


def beside(features: np.ndarray, statistics: np.ndarray) -> np.ndarray:
    """Features (N, W, F) and, in each window, the statistics of the recording (N, 1, G)."""
    return np.concatenate([features, np.broadcast_to(statistics, (*features.shape[:2], statistics.shape[2]))], axis=2)


def features_of(encoder: AudioEncoder, waves: np.ndarray) -> np.ndarray:
    """Features (N, W, F) of the windows of all sounds."""

    def encode(cut: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return encoder.features(torch.from_numpy(cut)).numpy()

    return window_features(encode, waves, round(WINDOW * RATE), WINDOWS)


if __name__ == "__main__":
    main()
