"""A small network that reads contacts off the features of a 3D motion: trained on clips of the studio.

`benchmarks/contact_training.py` makes the weights. One network reads both feet, one both hands, one both knees and one
both hips, so that a mirrored motion has mirrored contacts. Each is the mean of a few networks with one hidden layer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from motion.contact_features import FOOT, HAND, WHOLE, ContactFeatures, inputs
from motion.resting_features import HIP, KNEE, RESTING_WHOLE, RestingFeatures, resting_inputs

WEIGHTS = Path(__file__).with_name("contact_classifier.safetensors")
FARTHEST = 4.0
"""Features count as no further than this from their mean over the training clips [standard deviations]."""
LAYERS = ("mean", "scale", "W1", "b1", "W2", "b2")


class ClassifierError(ValueError):
    """Weights that do not fit the features."""


class Network(NamedTuple):
    """Networks with one hidden layer whose outputs are averaged."""

    mean: Float[np.ndarray, "N"]
    scale: Float[np.ndarray, "N"]
    """Of each input over the training clips."""
    W1: Float[np.ndarray, "E H N"]
    b1: Float[np.ndarray, "E H"]
    W2: Float[np.ndarray, "E H"]
    b2: Float[np.ndarray, "E"]

    def log_odds(self, x: Float[np.ndarray, "*S N"]) -> Float[np.ndarray, "*S"]:
        """Logarithm of the odds of contact."""
        z = ((x - self.mean) / self.scale).clip(-FARTHEST, FARTHEST)
        hidden = np.tanh(np.einsum("ehn,...n->...eh", self.W1, z) + self.b1)
        return np.asarray(((hidden * self.W2).sum(-1) + self.b2).mean(-1))


class Classifier(NamedTuple):
    """Networks for feet, hands, knees and hips."""

    feet: Network
    hands: Network
    knees: Network
    hips: Network

    def log_odds(self, features: ContactFeatures) -> Float[np.ndarray, "T 4"]:
        """Logarithm of the odds of contact of both feet, then both hands, left before right."""
        of_feet, of_hands = inputs(features)
        return np.concatenate([self.feet.log_odds(of_feet), self.hands.log_odds(of_hands)], axis=1)

    def resting_log_odds(self, features: RestingFeatures) -> Float[np.ndarray, "T 4"]:
        """The same of both knees, then both hips."""
        of_knees, of_hips = resting_inputs(features)
        return np.concatenate([self.knees.log_odds(of_knees), self.hips.log_odds(of_hips)], axis=1)


@cache
def load_classifier(path: Path = WEIGHTS) -> Classifier:
    """Read the networks; once per file.

    Raises:
        ClassifierError: the file is missing or damaged, or was made for other features.
    """
    from safetensors import SafetensorError, safe_open

    again = "make it again by benchmarks/contact_training.py"
    try:
        with safe_open(path, framework="numpy") as file:
            described = json.loads((file.metadata() or {}).get("features", "null"))
            tensors = {name: file.get_tensor(name).astype(float) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ClassifierError(f"{path.name}: cannot be read ({error}); {again}") from error
    if described != description():
        raise ClassifierError(f"{path.name}: made for other features than this program computes; {again}")
    return Classifier(*(_network(tensors, part, path.name) for part in Classifier._fields))


def save_classifier(classifier: Classifier, path: Path) -> None:
    """Write the networks, with the names of the features that they were made for."""
    from safetensors.numpy import save_file

    tensors = {
        f"{part}.{layer}": np.ascontiguousarray(getattr(getattr(classifier, part), layer), np.float32)
        for part in Classifier._fields
        for layer in LAYERS
    }
    save_file(tensors, path, metadata={"features": json.dumps(description())})


def description() -> list[list[str]]:
    """What the inputs are."""
    return [list(names) for names in (FOOT, HAND, WHOLE, KNEE, HIP, RESTING_WHOLE)]


def _network(tensors: Mapping[str, np.ndarray], part: str, name: str) -> Network:
    missing = [layer for layer in LAYERS if f"{part}.{layer}" not in tensors]
    if missing:
        raise ClassifierError(f"{name}: has no {part}.{missing[0]}; expected {', '.join(LAYERS)} of each part")
    network = Network(*(tensors[f"{part}.{layer}"] for layer in LAYERS))
    both, whole = ((FOOT, HAND), WHOLE) if part in ("feet", "hands") else ((KNEE, HIP), RESTING_WHOLE)
    size = 2 * sum(map(len, both)) + len(whole)
    if network.W1.shape[-1] != size or not all(np.isfinite(values).all() for values in network):
        raise ClassifierError(f"{name}: {part} take {network.W1.shape[-1]} inputs, all finite; expected {size}")
    return network
