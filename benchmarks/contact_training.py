"""Train the contact classifier on the studio: benchmarks/contact_training.py make FOLDER; then: train FOLDER.

`make` lets people of the studio move, sees them as a detector does (or, with --drawn, draws them and runs it), and
estimates their motion as any clip's. `train` fits the networks that `motion/contact_classifier.py` reads to all
takes but the held-out seeds, and prints F1 of feet, hands, knees and hips on those: from the image alone (of knees and
hips it says nothing: never), from the network, and from always saying contact. No measured clip is among them. Each
take counts alike; all is set by seeds.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from motion.body import body_of
from motion.contact_classifier import WEIGHTS, Classifier, Network, save_classifier
from motion.contact_features import contact_features, inputs
from motion.contact_prior import probabilities
from motion.estimate import EstimateError, estimate
from motion.resting_features import resting_features, resting_inputs
from motion.skeleton import RESTING_SITES
from perception.track import observe_keypoints, track
from records import ContactStates, Interaction
from sim.studio_film import centred, film, seen_from
from sim.studio_moves import MOVES, index_of, perform
from sim.studio_seen import detected

SECONDS, SIZE_HW = 2.8, (480, 640)
"""Length of a take [s], and its image [px]."""
FIRST_VIEW = 50
"""Part of the seed of a simulated view, after those of the studio."""
HIDDEN, NETWORKS = 16, 3
EPOCHS, BATCH, RATE = 12, 512, 4e-3
DECAY, DROPOUT = 0.1, 0.3
BLIND = 0.2
"""Share of samples that are shown without what the image says, so that motions without one can be read, too."""
HELD_OUT = (100, 101, 102, 103, 104, 105)
"""Seeds that decide about the design."""


class Take(NamedTuple):
    """Inputs and truth of a clip: index 0 for feet, 1 for hands, 2 for knees, 3 for hips."""

    name: str
    seed: int
    inputs: tuple[np.ndarray, ...]
    blind: tuple[np.ndarray, ...]
    """The same without the image's contacts."""
    touch: np.ndarray
    image: np.ndarray


def main() -> None:
    """Make takes, or train on them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("make", "train"))
    parser.add_argument("folder", type=Path, help="folder of the takes")
    parser.add_argument("--first", type=int, default=120, help="first seed")
    parser.add_argument("--seeds", type=int, default=12, help="number of seeds, each with every movement")
    parser.add_argument("--views", type=int, default=2, help="cameras for each performance")
    parser.add_argument("--drawn", action="store_true", help="draw the takes and run the detector (slow)")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="file to write")
    options = parser.parse_args()
    if options.step == "make":
        options.folder.mkdir(parents=True, exist_ok=True)
        for seed in range(options.first, options.first + options.seeds):
            for move in MOVES:
                make(options.folder, move, seed, options.views, options.drawn)
        return
    takes = [read(path) for path in sorted(options.folder.glob("*.truth.npz"))]
    held = [take for take in takes if take.seed in HELD_OUT or take.name.startswith("drawn")]
    kept = [take for take in takes if take.seed not in HELD_OUT and not take.name.startswith("drawn")]
    if not kept:
        raise SystemExit(f"{options.folder}: no takes to train on; make some first")
    classifier = Classifier(*(trained(kept, part) for part in range(len(Classifier._fields))))
    save_classifier(classifier, options.weights)
    print(f"{len(kept)} takes to train on, {len(held)} held out")
    for part, name in enumerate(Classifier._fields):
        truth = np.concatenate([take.touch[:, 2 * part : 2 * part + 2].ravel() for take in held or kept])
        said = np.concatenate([take.image[:, 2 * part : 2 * part + 2].ravel() for take in held or kept])
        found = np.concatenate([classifier[part].log_odds(take.inputs[part]).ravel() for take in held or kept])
        scores = (f1(said >= 0.5, truth), f1(found >= 0, truth), f1(np.ones_like(truth, bool), truth))
        print(f"{name}: F1 image {scores[0]:.3f}, network {scores[1]:.3f}, all in contact {scores[2]:.3f}")


def make(folder: Path, move: str, seed: int, views: int, drawn: bool) -> None:
    """Write what is estimated of every view of a performance, what the image says of contacts, and what is true."""
    done = centred(perform(move, seed=seed, seconds=SECONDS))
    for view in range(1 if drawn else views):
        name = f"{'drawn_' if drawn else ''}{move}_{seed:03d}_{view}"
        if (folder / f"{name}.truth.npz").exists():
            continue
        if drawn:
            with tempfile.TemporaryDirectory() as work:
                seen = track(film(Path(work) / "clip.mp4", move, seed=seed, seconds=SECONDS, size_hw=SIZE_HW).clip)
        else:
            rng = np.random.default_rng([seed, index_of(move), FIRST_VIEW + view])
            seen = observe_keypoints(detected(done, seen_from(done, rng, SIZE_HW), rng))
        try:
            found = estimate(seen.person, seen.camera, seen.contacts)
        except EstimateError as error:
            print(f"{name}: left out ({error})")
            continue
        found.save(folder / f"{name}.estimate.npz")
        seen.contacts.save(folder / f"{name}.image.npz")
        done.contacts.save(folder / f"{name}.truth.npz")
        print(name, flush=True)


def read(path: Path) -> Take:
    """Features of a take."""
    stem = path.name.removesuffix(".truth.npz")
    truth = probabilities(ContactStates.load(path), tuple(RESTING_SITES)) > 0.5
    image = ContactStates.load(path.with_name(f"{stem}.image.npz"))
    found = Interaction.load(path.with_name(f"{stem}.estimate.npz"))
    body, q = body_of(found.person), np.asarray(found.person.q)
    unknown = image.replace(probability=np.full_like(image.probability, 0.5))
    seen, blind = (inputs(contact_features(body, q, contacts, found.camera)) for contacts in (image, unknown))
    resting = resting_inputs(resting_features(body, q, image.fps, found.camera))
    said = probabilities(image, tuple(RESTING_SITES))
    return Take(stem, int(stem.split("_")[-2]), (*seen, *resting), (*blind, *resting), truth[: len(q)], said)


def trained(takes: list[Take], part: int, seed: int = 0) -> Network:
    """Networks for a part of the body, by its index: a hidden layer, dropout, weight decay."""
    columns = slice(2 * part, 2 * part + 2)
    x, blind = (
        np.concatenate([values[part].reshape(-1, values[part].shape[-1]) for values in of_takes])
        for of_takes in ([take.inputs for take in takes], [take.blind for take in takes])
    )
    touch = np.concatenate([take.touch[:, columns].reshape(-1) for take in takes]).astype(np.float32)
    weight = np.concatenate([np.full(take.touch[:, columns].size, 1 / len(take.touch)) for take in takes])
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-3

    def tensor(values: np.ndarray) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32)

    seen, unseen = (tensor(((values - mean) / scale).clip(-4, 4)) for values in (x, blind))
    target, weights = tensor(touch), tensor(weight / weight.mean())
    layers = []
    for number in range(NETWORKS):
        torch.manual_seed(100 * seed + number)
        first, last = torch.nn.Linear(x.shape[1], HIDDEN), torch.nn.Linear(HIDDEN, 1)
        net = torch.nn.Sequential(torch.nn.Dropout(DROPOUT), first, torch.nn.Tanh(), torch.nn.Dropout(DROPOUT), last)
        optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(target)).split(BATCH):
                shown = torch.where(torch.rand(len(rows), 1) < BLIND, unseen[rows], seen[rows])
                losses = torch.nn.functional.binary_cross_entropy_with_logits(
                    net(shown)[:, 0], target[rows], reduction="none"
                )
                optimiser.zero_grad()
                (losses * weights[rows]).mean().backward()
                optimiser.step()
            schedule.step()
        layers.append(
            [value.detach().numpy().astype(float) for value in (first.weight, first.bias, last.weight[0], last.bias[0])]
        )
    W1, b1, W2, b2 = (np.array(values) for values in zip(*layers, strict=True))
    return Network(mean, scale, W1, b1, W2, b2)


def f1(said: np.ndarray, truth: np.ndarray) -> float:
    """Harmonic mean of precision and recall of contact."""
    hit = (said & truth.astype(bool)).sum()
    return float(2 * hit / max(int(said.sum() + truth.sum()), 1))


if __name__ == "__main__":
    main()
