"""What an encoder is worth on the generated corpus, beside what costs nothing.

- `pair`: of an action and its time-reverse, told apart by the sentence that scores higher (see `pair_accuracy`), and
  `pair error`, its standard error over pairs;
- `R@1`, `R@5`: a clip found by its sentence among one of each action and thing;
- `action`, `thing`: a linear machine on frozen features, fitted to other clips (standardised, as in MMV).

The rows beside: `still`, the same encoder that sees each clip's middle frame alone; `colours`, a linear machine on
histograms of colours, which are the same for both of a pair; `chance`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from pretrain.corpus.labelled import LabelledClip, pair_accuracy
from pretrain.corpus.options import CorpusError
from pretrain.corpus.still import still
from pretrain.probes.accuracy import top_1
from pretrain.probes.colours import colours
from pretrain.probes.probe import Encoder
from pretrain.probes.ranks import chance_of_retrieval, ranks, retrieval_figures
from pretrain.probes.scaling import Standardiser
from pretrain.probes.svm import fit_svm

Row = dict[str, float]
"""Figures by name, in percent."""
PLACES = (1, 5)
"""Of R@1 and R@5."""
_COST = 1e-3
"""C of the linear machines."""
_TOGETHER = 48
"""Clips that are encoded at once."""


@runtime_checkable
class Clips(Protocol):
    """`LabelledClips`, or `ShownClips`."""

    @property
    def classes(self) -> int:
        """How many combinations of action and thing there are; so many clips in a row have each once."""

    def __len__(self) -> int:
        """Count the clips."""

    def __getitem__(self, number: int) -> LabelledClip:
        """A clip."""


class _Codes(NamedTuple):
    """What N clips are to an encoder, and what they are."""

    features: Float[np.ndarray, "N F"]
    still_features: Float[np.ndarray, "N F"]
    colours: Float[np.ndarray, "N 64"]
    embedding: Float[np.ndarray, "N D"]
    still_embedding: Float[np.ndarray, "N D"]
    sentence: Float[np.ndarray, "N D"]
    reverse: Float[np.ndarray, "N D"]
    action: Int[np.ndarray, "N"]
    thing: Int[np.ndarray, "N"]


def judge(encoder: Encoder, clips: Clips, fit: Clips) -> dict[str, Row]:
    """Figures of an encoder on some clips, and the rows beside.

    Args:
        encoder: what is judged.
        clips: what it is judged by, a multiple of twice their classes.
        fit: what linear machines are fitted to, likewise.

    Raises:
        CorpusError: another number of clips.
    """
    names: dict[str, int] = {}
    known, asked = (_codes(encoder, some, names) for some in (fit, clips))
    rows = {
        "encoder": _told(asked.embedding, asked, clips.classes)
        | _recognised(known.features, known, asked.features, asked),
        "still": _told(asked.still_embedding, asked, clips.classes)
        | _recognised(known.still_features, known, asked.still_features, asked),
        "colours": _recognised(known.colours, known, asked.colours, asked),
    }
    chances = chance_of_retrieval(clips.classes, PLACES)
    rows["chance"] = {"pair": 50.0} | {f"R@{k}": chances[f"R@{k}"] for k in PLACES}
    rows["chance"] |= {of: 100 / len(np.unique(getattr(asked, of))) for of in ("action", "thing")}
    return rows


def retrieval(encoder: Encoder, clips: Clips) -> Row:
    """`pair`, `R@1` and `R@5` alone: of clips that a training showed, to be compared with those of a test."""
    return _told((asked := _codes(encoder, clips, {})).embedding, asked, clips.classes)


def _codes(encoder: Encoder, clips: Clips, names: dict[str, int]) -> _Codes:
    """Encode clips; `names` numbers actions and things, and grows.

    Raises:
        CorpusError: the clips are no pairs of rounds.
    """
    if len(clips) % (2 * clips.classes):
        raise CorpusError(
            f"{len(clips)} clips: expected a multiple of {2 * clips.classes}, two of each action and thing"
        )
    parts = [_encoded(encoder, batch, names) for batch in _batches(clips)]
    return _Codes(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _encoded(encoder: Encoder, batch: list[LabelledClip], names: dict[str, int]) -> _Codes:
    frames, stills = (np.stack([seen(clip.frames) for clip in batch]) for seen in (np.asarray, still))
    moving, standing = encoder.encode_clips(frames), encoder.encode_clips(stills)
    return _Codes(
        features=np.asarray(moving.features),
        still_features=np.asarray(standing.features),
        colours=colours(frames),
        embedding=np.asarray(moving.embedding),
        still_embedding=np.asarray(standing.embedding),
        sentence=encoder.encode_sentences([clip.sentence for clip in batch]),
        reverse=encoder.encode_sentences([clip.reverse for clip in batch]),
        action=np.array([names.setdefault(clip.action, len(names)) for clip in batch]),
        thing=np.array([names.setdefault(clip.thing, len(names)) for clip in batch]),
    )


def _batches(clips: Clips) -> Iterator[list[LabelledClip]]:
    for first in range(0, len(clips), _TOGETHER):
        yield [clips[k] for k in range(first, min(first + _TOGETHER, len(clips)))]


def _told(embedding: np.ndarray, asked: _Codes, classes: int) -> Row:
    """What sentences tell of clips."""
    right, reverse = ((embedding * text).sum(1) for text in (asked.sentence, asked.reverse))
    each = (right > reverse) + 0.5 * (right == reverse)
    pairs = each.reshape(-1, 2).mean(1)
    places = np.concatenate(
        [
            ranks(asked.sentence[gallery] @ embedding[gallery].T, np.arange(classes))
            for gallery in _galleries(len(embedding), classes)
        ]
    )
    found = retrieval_figures(places, PLACES)
    error = 100 * float(pairs.std(ddof=1) / np.sqrt(len(pairs)))
    row = {"pair": 100 * pair_accuracy(right, reverse), "pair error": error}
    return row | {f"R@{k}": found[f"R@{k}"] for k in PLACES}


def _galleries(count: int, classes: int) -> Int[np.ndarray, "G K"]:
    """Clips among which one is looked for, of each action and thing one; none is another one backwards.

    Two rounds exchange every second of their clips, so the two of a pair part.
    """
    rounds = np.arange(count).reshape(-1, 2, classes)
    rounds[:, :, 1::2] = rounds[:, ::-1, 1::2].copy()
    return rounds.reshape(-1, classes)


def _recognised(given: np.ndarray, known: _Codes, asked_of: np.ndarray, asked: _Codes) -> Row:
    """Accuracy of linear machines."""
    scale = Standardiser.of(given)
    row = {}
    for of in ("action", "thing"):
        names, label = np.unique(getattr(known, of), return_inverse=True)
        machine = fit_svm(scale(given), label, len(names), C=_COST)
        row[of] = top_1(machine.scores(scale(asked_of)), np.searchsorted(names, getattr(asked, of)))
    return row
