"""An index over the embeddings of clips, as a folder: `index.json`, the vectors, and the times of the windows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from pretrain.narration import Skipped
from pretrain.search.vectors import EXACT_UP_TO, SearchError, Vectors
from records import Features
from records.atomic import atomic_path, write_json
from records.note import NoteError, read_note

VERSION = 1
"""Of the folder's layout."""
SETTINGS = "index.json"
_FETCHED = (4, 64)
"""Windows that are looked at for each one wanted, at first and at most: those that overlap a better one are dropped."""


@dataclass(frozen=True, kw_only=True)
class IndexedClip:
    """A clip in an index."""

    name: str
    path: str
    """Of the video."""
    source: str
    """What its record was made from."""
    first: int
    """Row of its first window."""
    windows: int


class Hit(NamedTuple):
    """A window that was found."""

    clip: int
    """Number of the clip in the index."""
    name: str
    start: float
    """[s], as `end`."""
    end: float
    score: float
    """Inner product with the query."""


class ClipIndex:
    """Windows of clips, all of one encoder."""

    def __init__(self, *, exact_up_to: int = EXACT_UP_TO) -> None:
        """Hold none yet; the first clip says which encoder.

        Args:
            exact_up_to: windows that are compared one by one; more are compressed.
        """
        self.exact_up_to = exact_up_to
        self.encoder = self.encoder_hash = ""
        self.model: dict[str, str] = {}
        """Where the encoder is that sentences are encoded with, as the command line names it."""
        self.clips: list[IndexedClip] = []
        self.vectors: Vectors | None = None
        self.time: Float[np.ndarray, "N 2"] = np.zeros((0, 2))
        self._generation = 0

    def __len__(self) -> int:
        """Count the windows."""
        return len(self.time)

    def add(self, records: Iterable[tuple[str, Features]]) -> list[Skipped]:
        """Append clips by name. Those which are there already are passed over.

        Returns:
            Clips that have changed since they were indexed: the index keeps what it had.

        Raises:
            SearchError: a clip of another encoder; nothing after it is added.
        """
        there = {clip.name: clip for clip in self.clips}
        changed: list[Skipped] = []
        value: list[np.ndarray] = []
        time: list[np.ndarray] = [self.time]
        rows = len(self)
        try:
            for name, record in records:
                self._check(name, record)
                if (before := there.get(name)) is not None:
                    if before.source != record.source:
                        changed.append(Skipped(name, "has changed since it was indexed; --force builds the index anew"))
                    continue
                path = record.clip or name
                self.clips.append(
                    IndexedClip(name=name, path=path, source=record.source, first=rows, windows=len(record.time))
                )
                there[name] = self.clips[-1]
                rows += len(record.time)
                value.append(record.value.astype(np.float32))
                time.append(record.time)
                if sum(map(len, value)) > self.exact_up_to:
                    self._append(value)
        finally:
            self._append(value)
            self.time = np.concatenate(time)
        return changed

    def search(self, query: Float[np.ndarray, "D"], count: int = 10) -> list[Hit]:
        """The best windows, best first. Of windows of a clip that overlap, the best alone is told.

        Raises:
            SearchError: a query of another size.
        """
        if self.vectors is None or count < 1:
            return []
        if query.shape != (self.vectors.size,):
            raise SearchError(f"a query of {len(query)} dimensions; the index holds {self.vectors.size}")
        firsts = np.array([clip.first for clip in self.clips])
        fetched, most = _FETCHED
        while True:
            row, score = self.vectors.nearest(query, fetched * count)
            owner = np.searchsorted(firsts, row, side="right") - 1
            chosen = self._apart(row, owner, count)
            if len(chosen) == count or len(row) == len(self) or fetched >= most:
                break
            fetched *= 4
        time = self.time[row].tolist()
        return [Hit(int(owner[k]), self.clips[owner[k]].name, time[k][0], time[k][1], float(score[k])) for k in chosen]

    def save(self, folder: Path | str) -> None:
        """Write it; until `index.json` is renamed into its place, the index that was there before stays whole.

        Raises:
            SearchError: there is nothing in it.
        """
        folder = Path(folder)
        if self.vectors is None:
            raise SearchError(f"{folder}: no clips to index; make features first: apprentice features CLIPS --out DIR")
        number = self._generation + 1
        while (folder / f"vectors-{number}.faiss").exists():
            number += 1
        self.vectors.save(folder / f"vectors-{number}.faiss")
        with atomic_path(folder / f"time-{number}.npy") as temporary, open(temporary, "wb") as file:
            np.save(file, self.time)
        note = {
            "version": VERSION,
            "generation": number,
            "encoder": self.encoder,
            "encoder_hash": self.encoder_hash,
            "dimensions": self.vectors.size,
            "exact_up_to": self.exact_up_to,
            "model": self.model,
            "clips": [asdict(clip) for clip in self.clips],
        }
        write_json(folder / SETTINGS, note)
        self._generation = number
        for old in (*folder.glob("vectors-*.faiss"), *folder.glob("time-*.npy")):
            if old.stem.rpartition("-")[2] != str(number):
                old.unlink()

    @classmethod
    def load(cls, folder: Path | str) -> ClipIndex:
        """Read an index.

        Raises:
            SearchError: no index, or a damaged one; it says what to do.
        """
        folder = Path(folder)
        note = _note(folder)
        try:
            index = cls(exact_up_to=int(note["exact_up_to"]))
            index.encoder, index.encoder_hash = str(note["encoder"]), str(note["encoder_hash"])
            index.model = {str(key): str(value) for key, value in note["model"].items()}
            index.clips = [IndexedClip(**clip) for clip in note["clips"]]
            index._generation = int(note["generation"])
            index.vectors = Vectors.load(folder / f"vectors-{index._generation}.faiss", int(note["dimensions"]))
            index.time = np.load(folder / f"time-{index._generation}.npy", allow_pickle=False)
        except SearchError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
            raise SearchError(f"{folder}: damaged index ({error}); build it again with --force") from error
        index.vectors.exact_up_to = index.exact_up_to
        rows = sum(clip.windows for clip in index.clips)
        if not rows == len(index.time) == len(index.vectors):
            raise SearchError(f"{folder}: damaged index (its files do not fit); build it again with --force")
        return index

    def _check(self, name: str, record: Features) -> None:
        """Keep one encoder; the first record says which."""
        if self.vectors is None:
            self.encoder, self.encoder_hash = record.encoder, record.encoder_hash
            self.vectors = Vectors(record.value.shape[1], exact_up_to=self.exact_up_to)
        same = (record.encoder, record.encoder_hash) == (self.encoder, self.encoder_hash)
        if not same or record.value.shape[1] != self.vectors.size:
            raise SearchError(
                f"{name}: is of {_called(record.encoder, record.encoder_hash)}, but the index of"
                f" {_called(self.encoder, self.encoder_hash)}; encode all clips alike, or make another index"
            )

    def _append(self, value: list[np.ndarray]) -> None:
        if value and self.vectors is not None:
            self.vectors.add(np.concatenate(value))
        value.clear()

    def _apart(self, row: np.ndarray, owner: np.ndarray, count: int) -> list[int]:
        """Places of the first `count` windows that do not overlap an earlier one of their clip."""
        kept: dict[int, list[np.ndarray]] = {}
        chosen: list[int] = []
        for k, (clip, time) in enumerate(zip(owner.tolist(), self.time[row], strict=True)):
            if len(chosen) == count:
                break
            if all(time[1] <= other[0] or other[1] <= time[0] for other in kept.get(clip, ())):
                kept.setdefault(clip, []).append(time)
                chosen.append(k)
        return chosen


def _called(encoder: str, fingerprint: str) -> str:
    return f"{encoder!r} ({fingerprint[:8]})"


def _note(folder: Path) -> Mapping[str, Any]:
    path = folder / SETTINGS
    if not path.is_file():
        raise SearchError(f"{folder}: no index here; make one: apprentice index FEATURES --out {folder}")
    try:
        return read_note(path, VERSION, remedy="build it again with --force")
    except NoteError as error:
        raise SearchError(str(error)) from error
