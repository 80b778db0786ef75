"""Discovery in real clips with measured truth: kong and safety vaults of the Parkour set.

Before / hands loaded (over 30 N) / after, from keypoints: of posture (`perception.states.pose`) and of what is held
(`perception.states.holding`); frames whose plate missed the hand are unknown. Since the three labels tile a clip, its
first frame is right for the initial state and its last one for the final state wherever any frame is: fixed times
cannot be passed by choosing, unless by saying that a clip shows no final state. Two clips end loaded; `absence` counts
to say so as right. Even and odd clips apart, too, and means over seeds.

Without labels features are compared by what they let be predicted from clip to clip: `evidence` is the mean advantage
of the right order of time over the opposite one in clips left out, with the chance of it
(`perception.states.evidence`).

Last, what is said of clips that are cut off before the hands are free: half of those that show it, in turn.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.states_rows import PRESENT, run, told
from perception.camera import estimate_camera
from perception.contact import estimate_contacts
from perception.detectors.detector import load_detector
from perception.person import choose_person
from perception.states.discovery import DISCOVERERS, Discovery, with_final_proved
from perception.states.evidence import evidence
from perception.states.floors import at_times, best_times, random_ordered
from perception.states.holding import holding_features
from perception.states.pose import pose_features
from perception.states.precision import FINAL, chosen_of, hits, hits_with_absence, precision
from perception.states.stack import stacked
from perception.states.tempo import tempo
from perception.video import open_clip, pixel_aspect
from records import Features, Keypoints

LOADED = 30.0
"""Force from which a hand is loaded [N]."""
VAULTS = ("kv", "sv")
SEEDS = 5
DOUBT = 0.2
"""Default of `discover`."""
USUAL = "pseudo_labels"


def parkour(options: argparse.Namespace) -> str:
    """All rows; tells the figures of the discoverer that is used by default."""
    videos = sorted(v for kind in VAULTS for v in (options.data / "parkour").glob(f"{kind}*.mp4"))
    people = [_person(video, options) for video in videos]
    labels = [_loaded(video, person.num_frames) for video, person in zip(videos, people, strict=True)]
    print(f"parkour, {len(videos)} clips, {SEEDS} seeds{'':<27}state/action, state with absence: all, even, odd clips")
    low = _floors(labels)
    kinds = {
        "posture": [pose_features(person) for person in people],
        "held": [_held(video, person) for video, person in zip(videos, people, strict=True)],
    }
    figures = []
    for kind, features in kinds.items():
        for name in DISCOVERERS:
            found = [run(name, features, seed=seed) for seed in range(SEEDS)]
            always = [hits(labels, chosen_of(one)) for one in found]
            may_lack = [hits_with_absence(labels, _proved(features, one)) for one in found]
            cells = _row(f"{kind}, {name}", always, may_lack)
            stems = (video.stem[:4] for video in videos)
            windows = (f"{stem} {'/'.join(map(str, w))}" for stem, w in zip(stems, chosen_of(found[0]).tolist()))  # noqa: B905 - a generator
            print(f"    {', '.join(windows)}\n    {_evidence(name, features)}\n    {_cut(name, features, labels)}")
            if name == USUAL:
                figures.append(f"{kind} {cells}")
    return f"parkour {USUAL}: {', '.join(figures)}, floors {low}"


def _floors(labels: list[np.ndarray]) -> str:
    """What looks at no clip, and so never lacks anything: where a clip shows no final state, it is wrong."""
    drawn = random_ordered(labels)
    times = best_times(labels)
    fixed = at_times([len(label) for label in labels], times)
    shares = "/".join(f"{100 * share:.0f}" for share in times)
    rows = {
        "random ordered triple": (drawn, drawn),
        f"best fixed times, {shares} %": (hits(labels, fixed), hits_with_absence(labels, fixed)),
    }
    return " and ".join(_row(name, [always], [may_lack]) for name, (always, may_lack) in rows.items())


def _row(name: str, always: list[np.ndarray], may_lack: list[np.ndarray]) -> str:
    """Print mean precision of all clips and of both halves; tell that of all.

    Args:
        name: of the row.
        always: for each seed marks (C, 3) where something is always chosen.
        may_lack: where there may be no final state.
    """
    cells = []
    for half in (slice(None), slice(None, None, 2), slice(1, None, 2)):
        plain, absence = (precision(np.mean(marks, axis=0)[half]) for marks in (always, may_lack))
        cells.append(f"{told(plain)}, {100 * absence.state:.1f}")
    print(f"  {name:<40} {'   '.join(cells)}", flush=True)
    return cells[0]


def _proved(features: list[Features], found: Discovery) -> np.ndarray:
    return chosen_of(with_final_proved(stacked(features), found, DOUBT))


def _evidence(name: str, features: list[Features]) -> str:
    discoverer: Callable = DISCOVERERS.load(name)(**(PRESENT | tempo(name, features)))
    found = [
        evidence(stacked(features), lambda part, _: discoverer(part, seed=seed).scores, seed)  # noqa: B023 - called at once
        for seed in range(SEEDS)
    ]
    chances = [one.chance for one in found]
    return (
        f"evidence without labels: advantage {np.mean([one.advantage.mean() for one in found]):.2f},"
        f" chance {min(chances):.3f} to {max(chances):.3f}"
    )


def _cut(name: str, features: list[Features], labels: list[np.ndarray]) -> str:
    """How often no final state is said of clips that are cut before it, and of those that are not."""
    shows = [bool((label == FINAL).any()) for label in labels]
    none: dict[bool, list[bool]] = {True: [], False: []}
    for seed in range(SEEDS):
        for half in (0, 1):
            cut = [c % 2 == half and shows[c] for c in range(len(labels))]
            ends = [int(np.argmax(l == FINAL)) if c else len(l) for l, c in zip(labels, cut, strict=True)]  # noqa: E741
            parts = [f.replace(value=f.value[:e], time=f.time[:e]) for f, e in zip(features, ends, strict=True)]
            chosen = _proved(parts, run(name, parts, seed=seed))[:, 2]
            for c in np.flatnonzero(shows).tolist():
                none[cut[c]].append(chosen[c] < 0)
    told_of = [f"{np.mean(none[cut]):.0%}" for cut in (True, False)]
    return f"no final state said of {told_of[0]} of the clips cut before it, of {told_of[1]} of others"


def _held(video: Path, person: Keypoints) -> Features:
    camera = estimate_camera(person, pixel_aspect=pixel_aspect(open_clip(video, fps=25.0)))
    return holding_features(person, estimate_contacts(person, camera))


def _person(video: Path, options: argparse.Namespace) -> Keypoints:
    kept = None if options.keypoints is None else options.keypoints / f"{video.stem}.npz"
    if kept is not None and kept.exists():
        return Keypoints.load(kept)
    person = choose_person(load_detector("mediapipe").detect(open_clip(video, fps=25.0)))
    if kept is not None:
        person.save(kept)
    return person


def _loaded(video: Path, frames: int) -> np.ndarray:
    """1 before the hands are first loaded, 2 while one is, 3 after they last were, -1 where the plate missed a hand."""
    with np.load(video.with_suffix(".npz"), allow_pickle=False) as file:
        force, missed = np.linalg.norm(file["forces"][:, 2:, :3], axis=2), file["uncaptured"][:, 2:].astype(bool)
    loaded = ((force > LOADED) & ~missed).any(axis=1)
    first, last = np.flatnonzero(loaded)[[0, -1]]
    frame = np.arange(len(loaded))
    label = np.where(loaded, 2, np.where(frame < first, 1, np.where(frame > last, 3, 0)))
    label[missed.any(axis=1) & ~loaded] = -1
    return label[:frames]
