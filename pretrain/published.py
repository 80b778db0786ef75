"""Weights that others have published, by path: nothing is downloaded, and nothing in a file is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from pretrain.model import JointModel, ModelError, ModelSettings
from pretrain.torch_file import TorchFileError, read_torch
from pretrain.video_encoder import S3DG
from pretrain.vocabulary import Vocabulary

_NAMES = {"fc.": "video_head.", "text_module.": "text."}
"""Beginnings of the published names, and of ours in a joint model."""


class WeightsError(ValueError):
    """A file of weights that cannot be read, or is of another network."""


def load_s3dg(weights: Path | str, dictionary: Path | str | None = None) -> tuple[S3DG, Vocabulary | None]:
    """S3D-G from `s3d_howto100m.pth`, or any checkpoint of the same names, and its dictionary `s3d_dict.npy`.

    The stem (space to depth or plain), the size of the embedding and the number of words follow from the shapes.

    Raises:
        WeightsError: unreadable, or of another network; it says which tensors are missing, too many or misshapen.
        VocabularyError: the dictionary cannot be read.
    """
    path = Path(weights)
    state = read_state(path)
    stem, fc, words = (state.get(key) for key in ("conv1.conv1.weight", "fc.weight", "text_module.word_embd.weight"))
    if stem is None or fc is None or words is None or stem.ndim != 5:
        raise WeightsError(f"{path}: not an S3D-G with its text module; it holds {_some(sorted(state))}")
    with torch.device("meta"):
        model = S3DG(fc.shape[0], space_to_depth=stem.shape[1] == 24, words=words.shape[0])
    if wrong := differences(model.state_dict(), state):
        raise WeightsError(f"{path}: {wrong}")
    model.load_state_dict(state, assign=True)
    model.text_module.word_embd.weight.requires_grad_(False)
    if dictionary is None:
        return model.eval(), None
    vocabulary = Vocabulary.load(dictionary)
    if len(vocabulary) > words.shape[0]:
        raise WeightsError(f"{dictionary}: {len(vocabulary) - 1} words, but {path} has vectors of {words.shape[0] - 1}")
    return model.eval(), vocabulary


def joint_of(network: S3DG) -> JointModel:
    """A joint model that shares the weights of an S3D-G with its text module."""
    text = network.text_module
    settings = ModelSettings(
        video_options={"space_to_depth": network.space_to_depth},
        embedding=network.fc.out_features,
        word_size=text.word_embd.embedding_dim,
        hidden=text.fc1.out_features,
    )
    with torch.device("meta"):
        model = JointModel(settings, text.word_embd.num_embeddings)
    model.load_state_dict({_joint_key(key): value for key, value in network.state_dict().items()}, assign=True)
    return model


def published_state(model: JointModel) -> dict[str, torch.Tensor]:
    """The weights of a model under the names of the published S3D-G, for programs that read those.

    Raises:
        ModelError: the model is no S3D-G with a linear head.
    """
    if model.settings.video != "s3dg" or model.settings.head != "linear":
        raise ModelError(
            f"a {model.settings.video} with a {model.settings.head} head: only S3D-G with a linear one has"
            " published names"
        )
    return {_published_key(key): value for key, value in model.state_dict().items()}


def _joint_key(key: str) -> str:
    for theirs, ours in _NAMES.items():
        if key.startswith(theirs):
            return ours + key.removeprefix(theirs)
    return f"video.{key}"


def _published_key(key: str) -> str:
    for theirs, ours in _NAMES.items():
        if key.startswith(ours):
            return theirs + key.removeprefix(ours)
    return key.removeprefix("video.")


def differences(expected: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor]) -> str:
    """Which tensors of a state dict are missing, too many or misshapen; empty where all are as expected."""
    wrong = {
        "missing": sorted(set(expected) - set(given)),
        "not of this network": sorted(set(given) - set(expected)),
        "of another shape": sorted(
            key for key in set(given) & set(expected) if given[key].shape != expected[key].shape
        ),
    }
    return "; ".join(f"{what}: {_some(keys)}" for what, keys in wrong.items() if keys)


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """A state dict, plain or within a checkpoint under `state_dict` or `model`, without a data-parallel prefix.

    Raises:
        WeightsError: not there, damaged, or it holds something else than tensors.
    """
    try:
        content = read_torch(path)
    except TorchFileError as error:
        raise WeightsError(f"{path}: weights cannot be read ({error})") from error
    for key in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise WeightsError(f"{path}: not a state dict of tensors")
    return {str(key).removeprefix("module."): value for key, value in content.items()}


def _some(keys: list[str]) -> str:
    shown = ", ".join(keys[:3]) or "nothing"
    return f"{shown} and {len(keys) - 3} more" if len(keys) > 3 else shown
