"""Environmental sounds: a linear support vector machine on features of sound, one fold left out at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from pretrain.narration import Skipped
from pretrain.probes.accuracy import summed, top_1
from pretrain.probes.encoding import enough
from pretrain.probes.probe import Named, Outcome, ProbeError, at_least_one, named
from pretrain.probes.scaling import Standardiser
from pretrain.probes.sound_files import SoundFile, find_sounds
from pretrain.probes.svm import fit_svm
from pretrain.sound import SoundError, looped, read_sound
from records.progress import tell_progress

COSTS = (1e-3, 1e-2, 1e-1)
"""Costs that the training folds choose among."""
_RATE = 16_000
"""Of the costless statistics [1/s]."""
_BANDS, _WINDOW, _HOP = 64, 0.04, 0.02
"""Of their spectrogram: number, and lengths [s]."""


@runtime_checkable
class Hearer(Named, Protocol):
    """What turns sounds into features: `Pretrained` with sound, or anybody's model in this shape."""

    @property
    def audio_rate(self) -> int | None:
        """Samples a second that it takes; None if it takes no sound."""

    def encode_sounds(self, waves: np.ndarray) -> np.ndarray:
        """Features (B, F) of sounds in [-1, 1] (B, N)."""


@dataclass(frozen=True, kw_only=True)
class Sounds:
    """Accuracy over the folds of ESC-10 or ESC-50, beside that of the statistics of a log-mel spectrogram.

    Silence at the ends of a recording is cut, and what is left is repeated to its length. Every window is an example;
    features are standardised; the scores of the windows of a recording are summed.
    """

    seconds: float = 5.0
    """Length of a recording [s]."""
    windows: int = 5
    """Windows of a recording."""
    window: float = 2.0
    """Length of a window [s]."""
    needs_encoder: ClassVar[bool] = False

    def __call__(self, encoder: Hearer | None, folder: Path, *, seed: int = 0) -> Outcome:
        """Leave out each fold; nothing is random. Without an encoder there are the costless figures alone.

        Raises:
            ProbeError: no such sounds, or an encoder without sound.
        """
        at_least_one(windows=self.windows)
        if encoder is not None and encoder.audio_rate is None:
            raise ProbeError(f"{encoder.name}: this model was made without sound")
        listed = find_sounds(folder)
        sounds, kept, skipped = read_sounds(listed, (encoder and encoder.audio_rate) or _RATE, self.seconds)
        enough(len(kept), len(listed), skipped, "sounds", least=2)
        classes = sorted({sound.label for sound in kept})
        label = np.array([classes.index(sound.label) for sound in kept])
        fold = np.array([sound.fold for sound in kept])
        if len(set(fold.tolist())) < 3:
            raise ProbeError(f"{folder}: sounds of three folds at least are needed; some folds choose the cost")
        bare = mel_statistics(kept, self.seconds)[:, None]
        statistics = fold_accuracies(bare, label, fold)
        figures: dict[str, float] = {}
        detail: dict[str, dict[str, float]] = {"log-mel statistics by fold": _said(statistics)}
        if encoder is not None:
            length = round(self.window * (encoder.audio_rate or _RATE))
            features = window_features(encoder.encode_sounds, sounds, length, self.windows)
            found = fold_accuracies(features, label, fold)
            figures = {"accuracy": float(np.mean(list(found.values())))}
            detail = {"accuracy by fold": _said(found)} | detail
        return Outcome(
            probe="esc",
            encoder="none" if encoder is None else named(encoder),
            figures=figures,
            costless={
                "chance": {"accuracy": 100 / len(classes)},
                "log-mel statistics": {"accuracy": float(np.mean(list(statistics.values())))},
            },
            counts={
                "sounds": len(kept), "sounds listed": len(listed), "classes": len(classes), "folds": len(statistics)
            },
            preprocessing={
                "seconds": self.seconds,
                "windows": self.windows,
                "window": self.window,
                "silence": "cut at the ends, the rest repeated",
                "features": "standardised",
                "classifier": f"linear SVM, its cost chosen within the training folds among {list(COSTS)}",
                "log-mel statistics": "mean and deviation of 64 bands, and deviation of their change",
            },
            skipped=tuple(skipped),
            detail=detail,
        )  # fmt: skip


def window_features(
    encode: Callable[[np.ndarray], np.ndarray], sounds: Float[np.ndarray, "N L"], length: int, windows: int
) -> Float[np.ndarray, "N W F"]:
    """Features of evenly spaced windows of `length` samples of each sound."""
    length = min(length, sounds.shape[1])
    starts = np.linspace(0, sounds.shape[1] - length, windows).astype(int)
    found = []
    for k, sound in enumerate(sounds, 1):
        cut = np.stack([sound[start : start + length] for start in starts])
        found.append(np.asarray(encode(cut), np.float64))
        tell_progress("encoding sounds", k, len(sounds))
    return np.array(found)


def fold_accuracies(
    windows: Float[np.ndarray, "N W F"], label: Int[np.ndarray, "N"], fold: Int[np.ndarray, "N"]
) -> dict[int, float]:
    """Accuracy [%] on each fold of a machine that was fitted to the others."""
    return {part: accuracy_without(windows, label, fold, part) for part in np.unique(fold).tolist()}


def accuracy_without(
    windows: Float[np.ndarray, "N W F"], label: Int[np.ndarray, "N"], fold: Int[np.ndarray, "N"], left_out: int
) -> float:
    """Accuracy [%] on one fold of a machine that was fitted to the others, which also chose its cost."""
    training = fold != left_out
    C = best_cost(windows[training], label[training], fold[training])
    return _accuracies(windows, label, training, [C])[0]


def best_cost(windows: Float[np.ndarray, "N W F"], label: Int[np.ndarray, "N"], fold: Int[np.ndarray, "N"]) -> float:
    """The cost of the best mean accuracy when each of the given folds is left out; of equal ones the lowest."""
    reached = np.zeros(len(COSTS))
    for part in np.unique(fold):
        reached += _accuracies(windows, label, fold != part, COSTS)
    return COSTS[int(reached.argmax())]


def mel_statistics(sounds: Sequence[SoundFile], seconds: float) -> Float[np.ndarray, "N 192"]:
    """Mean and deviation over time of each band of a log-mel spectrogram, and deviation of its change."""
    import torch

    from pretrain.audio_encoder import LogMel

    mel = LogMel(_RATE, bands=_BANDS, window=_WINDOW, hop=_HOP)
    found = []
    for sound in sounds:
        wave = looped(read_sound(sound.path, _RATE), round(seconds * _RATE))
        bands = mel(torch.from_numpy(wave)[None])[0].double()
        found.append(torch.cat([bands.mean(1), bands.std(1), bands.diff(dim=1).std(1)]).numpy())
    return np.array(found)


def _accuracies(
    windows: Float[np.ndarray, "N W F"],
    label: Int[np.ndarray, "N"],
    training: Bool[np.ndarray, "N"],
    costs: Sequence[float],
) -> list[float]:
    """Accuracy [%] on the examples that are not for training, at each of some rising costs."""
    W, F = windows.shape[1:]
    examples = windows[training].reshape(-1, F)
    scale = Standardiser.of(examples)
    examples, tested = scale(examples), scale(windows[~training].reshape(-1, F))
    videos = np.arange(len(tested) // W).repeat(W)
    found: list[float] = []
    machine = None
    for C in costs:
        machine = fit_svm(examples, label[training].repeat(W), int(label.max()) + 1, C=C, start=machine)
        found.append(top_1(summed(machine.scores(tested), videos, len(tested) // W), label[~training]))
    return found


def read_sounds(
    listed: Sequence[SoundFile], rate: int, seconds: float
) -> tuple[Float[np.ndarray, "N L"], list[SoundFile], list[Skipped]]:
    """Sounds of a common length, silence at their ends cut and the rest repeated; and the files they are of."""
    waves, kept, skipped = [], [], []
    for k, sound in enumerate(listed, 1):
        try:
            waves.append(looped(read_sound(sound.path, rate), round(seconds * rate)))
            kept.append(sound)
        except SoundError as error:
            skipped.append(Skipped(str(sound.path), str(error).removeprefix(f"{sound.path}: ")))
        tell_progress("reading sounds", k, len(listed))
    return np.array(waves).reshape(len(kept), -1), kept, skipped


def _said(folds: dict[int, float]) -> dict[str, float]:
    return {str(fold): value for fold, value in folds.items()}
