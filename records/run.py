"""Run folders: one file per stage, stamped with the hash of what it was made from, so that a killed run resumes."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from records.atomic import write_json
from records.record import Record, RecordError

R = TypeVar("R", bound=Record)


class RunError(RuntimeError):
    """A run folder lacks a stage that is needed, or cannot be used."""


def digest(*parts: Any) -> str:
    """SHA-256 over records, existing files (their content) and JSON-able values: equal inputs have equal digests."""
    total = hashlib.sha256()
    for part in parts:
        total.update(_digest_one(part).encode())
    return total.hexdigest()


def _digest_one(part: Any) -> str:
    if isinstance(part, Record):
        return f"record:{part.fingerprint()}"
    if isinstance(part, Path):
        if part.is_dir():
            return "dir:" + digest(*[[f.relative_to(part).as_posix(), digest(f)] for f in _files(part)])
        with open(part, "rb") as file:
            return "file:" + hashlib.file_digest(file, "sha256").hexdigest()
    return "json:" + json.dumps(part, sort_keys=True, default=_jsonable)


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (Record, Path)):
        return _digest_one(value)
    if hasattr(value, "__dict__"):
        return vars(value)
    return str(value)


def _files(folder: Path) -> Iterable[Path]:
    return sorted(f for f in folder.rglob("*") if f.is_file())


class Run:
    """A folder `runs/<name>/` with `config.json`, `log.txt`, one record per stage, and `metrics.json`.

    `stages.json` maps each finished stage to the digest of its inputs. A stage whose digest and output are both
    unchanged is not computed again unless `force` is set.
    """

    def __init__(self, path: Path | str, *, config: Mapping[str, Any] | None = None, force: bool = False) -> None:
        """Open or create the folder; `config` is written before any work starts.

        Raises:
            RunError: the folder cannot be made, or is not a folder.
        """
        self.path = Path(path)
        self.force = force
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if config is not None:
                write_json(self.path / "config.json", dict(config))
        except OSError as error:
            raise RunError(f"cannot use {self.path} as a run folder: {error.strerror or error}") from error
        self._log = logging.getLogger("apprentice")

    def stage(self, name: str, key: str, kind: type[R], compute: Callable[[], R]) -> R:
        """Return the record of a stage: loaded when it was made with the same `key`, else computed and saved.

        Args:
            name: file stem in the run folder.
            key: `digest` of the inputs and options of the stage.
            kind: type of the record.
            compute: makes the record; called only when needed.
        """
        path = self.file(name)
        if not self.force and path.is_file():
            try:
                record = kind.load(path)
            except RecordError as error:
                self._log.warning("%s is computed again: %s", name, error)
            else:
                if record.source == key:
                    self._log.info("%s: unchanged, read from %s", name, path)
                    return record
        self._log.info("%s: computing", name)
        record = compute().replace(source=key)
        record.save(path)
        return record

    def folder_stage(self, name: str, key: str, make: Callable[[Path], None]) -> Path:
        """Return a folder made by a stage; `make` fills a temporary folder, which then takes its place.

        The folder holds `stage.json` with the key that it was made with.
        """
        path, stamp = self.path / name, self.path / name / "stage.json"
        if not self.force and stamp.is_file() and json.loads(stamp.read_text()).get("key") == key:
            self._log.info("%s: unchanged, read from %s", name, path)
            return path
        self._log.info("%s: computing", name)
        partial = self.path / f".{name}.partial"
        if self.force or not _same_key(partial / "partial.json", key):
            shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(exist_ok=True)
        write_json(partial / "partial.json", {"key": key})
        make(partial)
        (partial / "partial.json").unlink(missing_ok=True)
        write_json(partial / "stage.json", {"key": key})
        shutil.rmtree(path, ignore_errors=True)
        partial.rename(path)
        return path

    def file(self, name: str) -> Path:
        """Path of a stage's record."""
        return self.path / f"{name}.npz"

    def has(self, name: str) -> bool:
        """Whether the stage has left a record."""
        return self.file(name).is_file()

    def load(self, name: str, kind: type[R]) -> R:
        """Read the record of an earlier stage.

        Raises:
            RunError: the stage has not been run.
        """
        if not self.has(name):
            raise RunError(f"{self.path} has no {name!r}: run the stage that makes it first")
        return kind.load(self.file(name))

    def add_metrics(self, stage: str, values: Mapping[str, Any]) -> None:
        """Merge figures of a stage into `metrics.json`."""
        path = self.path / "metrics.json"
        metrics = self.metrics()
        metrics[stage] = dict(values)
        write_json(path, metrics)

    def metrics(self) -> dict[str, Any]:
        """All figures so far, by stage."""
        path = self.path / "metrics.json"
        return json.loads(path.read_text()) if path.is_file() else {}


def _same_key(path: Path, key: str) -> bool:
    return path.is_file() and json.loads(path.read_text()).get("key") == key
