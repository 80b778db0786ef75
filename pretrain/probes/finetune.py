"""Fine-tuning: the whole video encoder is trained with a linear classifier on its features."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from pretrain.narration import Skipped
from pretrain.probes.accuracy import majority, top_1
from pretrain.probes.classification import class_names
from pretrain.probes.encoding import Wanted, enough, read_clips
from pretrain.probes.probe import Encoder, Outcome, ProbeError, at_least_one, named
from pretrain.probes.splits import Labelled, Split, read_splits
from pretrain.probes.video_files import VideoFiles
from pretrain.probes.viewing import Viewing, stated
from records.progress import tell_progress

if TYPE_CHECKING:
    from pretrain.probes.video_classifier import VideoClassifier

WARM_UP = 0.1
"""Share of the steps in which the learning rate rises."""


@dataclass(frozen=True, kw_only=True)
class Finetune:
    """Top-1 accuracy after training the whole encoder, mean over splits.

    In training one window of a video is drawn, cropped and flipped at random in each epoch; in testing the
    probabilities of evenly spaced windows are summed. The encoder that is given stays as it is.
    """

    split: tuple[Path, ...]
    """HMDB's CLASS_test_splitN.txt or table, UCF's trainlistNN.txt and testlistNN.txt, or Kinetics' tables; or a folder
    of such lists."""
    epochs: int = 20
    batch: int = 16
    """Videos in a step."""
    learning_rate: float = 1e-4
    """Of the encoder; AdamW, a linear rise over a tenth of the steps, then half a cosine to zero."""
    classifier_rate: float = 1e-3
    """Of the classifier."""
    weight_decay: float = 0.01
    """Of both."""
    viewing: Viewing = field(default_factory=Viewing)
    processes: int = 0
    """Processes that read videos; by default as many as there are processors."""

    def __call__(self, encoder: Encoder, folder: Path, *, seed: int = 0) -> Outcome:
        """Train and test on each split; windows, order and the classifier's first weights depend on the seed.

        Raises:
            ProbeError: unreadable splits, an encoder that cannot be trained, videos that cannot be used, or a loss
                that is not finite.
        """
        at_least_one(epochs=self.epochs, batch=self.batch)
        splits, files = read_splits(self.split), VideoFiles(folder)
        skipped: dict[str, Skipped] = {}
        found, counts, curves, common = {}, {"training videos": 0, "test videos": 0}, {}, []
        for split in splits:
            classes = class_names(split)
            train = _wanted(split.train, files, skipped)
            test = _wanted(split.test, files, skipped)
            enough(len(train), len(split.train), list(skipped.values()), f"training videos of {split.name}", least=2)
            network, curves[split.name] = self._trained(encoder, train, classes, skipped, seed)
            score, labels = self._scores(network, encoder, test, classes, skipped)
            enough(len(labels), len(split.test), list(skipped.values()), f"test videos of {split.name}")
            found[split.name] = top_1(score, labels)
            counts["training videos"] += len(train)
            counts["test videos"] += len(labels)
            common.append(_majority(split, classes, labels))
        chance = float(np.mean([100 / len(class_names(split)) for split in splits]))
        return Outcome(
            probe="finetune",
            encoder=named(encoder),
            figures={"top-1": float(np.mean(list(found.values())))},
            costless={"chance": {"top-1": chance}, "commonest class": {"top-1": float(np.mean(common))}},
            counts=counts | {"splits": len(splits), "classes": max(len(class_names(split)) for split in splits)},
            preprocessing=stated(self.viewing, encoder.sampling)
            | {
                "training": "one random window, crop and flip a video and epoch",
                "windows of a video": "probabilities summed",
                "epochs": self.epochs,
                "batch": self.batch,
                "learning rate": self.learning_rate,
                "classifier rate": self.classifier_rate,
                "weight decay": self.weight_decay,
            },
            skipped=tuple(skipped.values()),
            detail={"top-1 by split": found, "loss by epoch": curves},
        )

    def _trained(
        self,
        encoder: Encoder,
        train: Sequence[tuple[Wanted, str]],
        classes: list[str],
        skipped: dict[str, Skipped],
        seed: int,
    ) -> tuple[VideoClassifier, list[float]]:
        """A copy of the encoder with a classifier, trained; and the mean loss of each epoch."""
        import torch

        from pretrain.probes.video_classifier import VideoClassifier
        from pretrain.training.descent import Descent

        network = VideoClassifier.of(encoder, len(classes), seed)
        groups = [
            {"params": list(network.body.parameters()), "lr": self.learning_rate},
            {"params": list(network.head.parameters()), "lr": self.classifier_rate},
        ]
        optimiser = torch.optim.AdamW(groups, weight_decay=self.weight_decay)
        steps = self.epochs * math.ceil(len(train) / self.batch)
        descent = Descent(optimiser, steps=steps, warm_up=WARM_UP)
        order = np.random.default_rng(seed)
        curve: list[float] = []
        for epoch in range(self.epochs):
            losses = []
            network.train()
            shuffled = [train[k] for k in order.permutation(len(train))]
            for frames, labels in self._batches(encoder, shuffled, skipped, (seed, epoch)):
                loss = network.loss(frames, [classes.index(label) for label in labels])
                if not torch.isfinite(loss):
                    raise ProbeError(f"the loss is not finite in epoch {epoch}; give a smaller --learning-rate")
                losses.append(descent.step(loss))
            if not losses:
                raise ProbeError("too few training videos can be read for a single step")
            curve.append(float(np.mean(losses)))
            tell_progress("fine-tuning", epoch + 1, self.epochs)
        return network, curve

    def _batches(
        self, encoder: Encoder, clips: Sequence[tuple[Wanted, str]], skipped: dict[str, Skipped], seed: tuple[int, int]
    ) -> Iterator[tuple[np.ndarray, list[str]]]:
        """Batches of one random window a video; a batch of one, which cannot be normalised, is left out."""
        view = Viewing(windows=1, frames=self.viewing.frames, fps=self.viewing.fps, crop=self.viewing.crop)
        wanted = [
            Wanted(name=clip.name, path=clip.path, seed=(*seed, number)) for number, (clip, _) in enumerate(clips)
        ]
        frames: list[np.ndarray] = []
        labels: list[str] = []
        windows = read_clips(wanted, view, view.of(encoder.sampling), processes=self.processes)
        for (clip, label), seen in zip(clips, windows, strict=True):
            if isinstance(seen, Skipped):
                skipped[clip.name] = seen
                continue
            frames.append(seen[0])
            labels.append(label)
            if len(frames) == self.batch:
                yield np.stack(frames), labels
                frames, labels = [], []
        if len(frames) > 1:
            yield np.stack(frames), labels

    def _scores(
        self,
        network: VideoClassifier,
        encoder: Encoder,
        test: Sequence[tuple[Wanted, str]],
        classes: list[str],
        skipped: dict[str, Skipped],
    ) -> tuple[Float[np.ndarray, "V K"], np.ndarray]:
        """Summed probabilities of the windows of each test video that can be read, and the videos' classes."""
        network.eval()
        rows, labels = [np.zeros((0, len(classes)))], []
        wanted = [clip for clip, _ in test]
        windows = read_clips(wanted, self.viewing, self.viewing.of(encoder.sampling), processes=self.processes)
        for (clip, label), seen in zip(test, windows, strict=True):
            if isinstance(seen, Skipped):
                skipped[clip.name] = seen
                continue
            rows.append(network.probabilities(seen).sum(axis=0, keepdims=True))
            labels.append(classes.index(label))
        return np.concatenate(rows), np.array(labels, np.int64)


def _majority(split: Split, classes: list[str], labels: np.ndarray) -> float:
    return majority(np.array([classes.index(v.label) for v in split.train]), labels)


def _wanted(videos: Sequence[Labelled], files: VideoFiles, skipped: dict[str, Skipped]) -> list[tuple[Wanted, str]]:
    found = []
    for video in videos:
        path = files.find(video.video)
        if isinstance(path, str):
            skipped[video.video] = Skipped(video.video, path)
        else:
            found.append((Wanted(name=video.video, path=path), video.label))
    return found
