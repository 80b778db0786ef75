"""A trained model as a folder: `model.json` says what it is and takes, `model.safetensors` holds its weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8

from pretrain.device import device_of
from pretrain.model import JointModel, ModelError, ModelSettings, pixels
from pretrain.published import WeightsError, differences, joint_of, load_s3dg
from pretrain.sampling import Sampling
from pretrain.vocabulary import WORDS, Vocabulary
from records import UnknownName
from records.atomic import atomic_path, write_json
from records.note import NoteError, read_note

VERSION = 1
"""Of the folder's layout."""
SETTINGS, WEIGHTS = "model.json", "model.safetensors"
_BATCH = 16
"""Clips, or blocks of 64 sentences, that are encoded at once."""


class ClipCodes(NamedTuple):
    """What clips are encoded as."""

    features: Float[np.ndarray, "B F"]
    """For other tasks."""
    embedding: Float[np.ndarray, "B D"]
    """To be compared with sentences by dot products."""


class Pretrained:
    """A model, the words it knows, and how the clips that it takes are sampled; in evaluation mode."""

    def __init__(
        self, model: JointModel, vocabulary: Vocabulary, sampling: Sampling, *, name: str, words: int = WORDS
    ) -> None:
        """Take a model as it is.

        Args:
            model: on whatever device.
            vocabulary: its words, in order of the rows of the word embedding.
            sampling: the clips that it was trained on.
            name: of the encoder, as records state it.
            words: that are read of a sentence.
        """
        self.model = model.eval()
        self.vocabulary = vocabulary
        self.sampling = sampling
        self.name = name
        self.words = words

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.model.parameters()).device

    @property
    def audio_rate(self) -> int | None:
        """Samples a second of the sounds that it takes; None if it takes none."""
        return None if self.model.audio is None else self.model.settings.audio_rate

    def knows(self, sentences: Sequence[str]) -> Bool[np.ndarray, "N"]:
        """Which sentences have a word that the model knows."""
        return np.any(self.vocabulary.encode(sentences, self.words), axis=1)

    def fingerprint(self) -> str:
        """SHA-256 of names, shapes and values of the weights."""
        return fingerprint_of(self.model.state_dict())

    @torch.inference_mode()
    def encode_clips(self, frames: UInt8[np.ndarray, "B T S S 3"], *, batch: int = _BATCH) -> ClipCodes:
        """Encode clips of frames sampled as `sampling` says, `batch` at once."""
        features, embedding = [], []
        for start in range(0, len(frames), batch):
            found = self.model.features(pixels(torch.from_numpy(frames[start : start + batch]).to(self.device)))
            features.append(found.float().cpu().numpy())
            embedding.append(self.model.embed_features(found).float().cpu().numpy())
        if not features:
            settings = self.model.settings
            return ClipCodes(np.zeros((0, 0), np.float32), np.zeros((0, settings.embedding), np.float32))
        return ClipCodes(np.concatenate(features), np.concatenate(embedding))

    @torch.inference_mode()
    def encode_sentences(self, sentences: Sequence[str]) -> Float[np.ndarray, "N D"]:
        """Encode sentences.

        Raises:
            ModelError: a sentence without a single word that the model knows; it names the sentence.
        """
        numbers = self.vocabulary.encode(sentences, self.words)
        unknown = np.flatnonzero(~self.knows(sentences))
        if unknown.size:
            raise ModelError(f"{sentences[int(unknown[0])]!r}: the model knows none of these words")
        found = [
            self.model.embed_text(torch.from_numpy(part).to(self.device)).float().cpu().numpy()
            for part in np.split(numbers, range(64 * _BATCH, len(numbers), 64 * _BATCH))
        ]
        return np.concatenate(found)

    @torch.inference_mode()
    def encode_sounds(self, waves: Float[np.ndarray, "B N"]) -> Float[np.ndarray, "B F"]:
        """Features of sounds in [-1, 1], sampled at the `audio_rate` of the model's settings.

        Raises:
            ModelError: the model was made without sound.
        """
        if self.model.audio is None:
            raise ModelError(f"{self.name}: this model was made without sound")
        wave = torch.from_numpy(np.asarray(waves, np.float32)).to(self.device)
        return self.model.audio.features(wave).float().cpu().numpy()

    def save(self, folder: Path | str) -> None:
        """Write both files; the settings come last: where they are, the model is whole.

        Raises:
            ModelError: a weight is not finite.
        """
        from safetensors.torch import save_file

        folder = Path(folder)
        state = {key: value.detach().cpu().contiguous() for key, value in self.model.state_dict().items()}
        for key, value in state.items():
            if value.is_floating_point() and not torch.isfinite(value).all():
                raise ModelError(f"{folder}: weight {key!r} is not finite; train with a smaller learning rate")
        with atomic_path(folder / WEIGHTS) as temporary:
            save_file(state, temporary)
        note = {
            "version": VERSION,
            "name": self.name,
            "model": asdict(self.model.settings),
            "sampling": asdict(self.sampling),
            "words": self.words,
            "vocabulary": list(self.vocabulary.words),
        }
        write_json(folder / SETTINGS, note)

    @classmethod
    def load(cls, folder: Path | str, *, device: str = "cpu") -> Pretrained:
        """Read a model from its folder.

        Raises:
            ModelError: a file is missing or damaged, or the two do not belong together; it says what to do.
            DeviceError: there is no such device.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        folder, place = Path(folder), device_of(device)
        note = _read_note(folder)
        try:
            settings, sampling = ModelSettings(**note["model"]), Sampling(**note["sampling"])
            vocabulary = Vocabulary(note["vocabulary"])
            model = JointModel(settings, len(vocabulary))
            name, words = str(note["name"]), int(note["words"])
        except (KeyError, TypeError, ValueError, UnknownName) as error:
            raise ModelError(f"{folder / SETTINGS}: not the settings of a model ({error})") from error
        if not (folder / WEIGHTS).is_file():
            raise ModelError(f"{folder / WEIGHTS}: no such file; copy the whole folder, or train again")
        try:
            state = load_file(folder / WEIGHTS)
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{folder / WEIGHTS}: damaged ({error})") from error
        if wrong := differences(model.state_dict(), state):
            raise ModelError(f"{folder / WEIGHTS}: of another model than {SETTINGS} states: {wrong}")
        model.load_state_dict(state)
        return cls(model.to(place), vocabulary, sampling, name=name, words=words)

    @classmethod
    def published(cls, weights: Path | str, dictionary: Path | str, *, device: str = "cpu") -> Pretrained:
        """The published S3D-G, from `s3d_howto100m.pth` and `s3d_dict.npy` or files of the same kind.

        It takes 32 frames at 10 per second, 224 px, and 16 words.

        Raises:
            WeightsError: unreadable, or of another network.
            VocabularyError: the dictionary cannot be read.
            DeviceError: there is no such device.
        """
        place = device_of(device)
        network, vocabulary = load_s3dg(weights, dictionary)
        assert vocabulary is not None
        if len(vocabulary) != network.text_module.word_embd.num_embeddings:
            rows = network.text_module.word_embd.num_embeddings
            raise WeightsError(f"{dictionary}: {len(vocabulary) - 1} words, but {weights} has vectors of {rows - 1}")
        sampling = Sampling(frames=32, fps=10.0, candidates=1, augment=False)
        model = joint_of(network)
        return cls(model.to(place), vocabulary, sampling, name=Path(weights).stem)


def fingerprint_of(state: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of names, shapes and values of weights."""
    digest = hashlib.sha256()
    for key, value in sorted(state.items()):
        digest.update(f"{key} {tuple(value.shape)} {value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _read_note(folder: Path) -> dict[str, Any]:
    path = folder / SETTINGS
    if not path.is_file():
        raise ModelError(f"{folder}: no model here ({SETTINGS} is missing); make one with `apprentice pretrain train`")
    try:
        return read_note(path, VERSION, remedy="copy the whole folder, or train again")
    except NoteError as error:
        raise ModelError(str(error)) from error
