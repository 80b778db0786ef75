"""What a training achieved step by step: lines of JSON that are appended, and cut back where it resumes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from records.atomic import write_text


class Curve:
    """Figures by step, in a file and, if wanted, for TensorBoard."""

    def __init__(self, path: Path, *, board: Path | None = None) -> None:
        """Write to `path`, and events to the folder `board` (needs the package tensorboard)."""
        self._path = path
        self._board: Any = None
        self._folder = board

    def resume(self, step: int) -> None:
        """Drop what is of `step` and later, as it will come again."""
        if self._path.is_file():
            lines = read_curve(self._path)
            write_text(self._path, "".join(_line(line) for line in lines if line["step"] < step))
        if self._folder is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(self._folder), purge_step=step)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append figures; each row states its `step`."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(self._path, "a", encoding="utf-8") as file:
            file.writelines(_line(row) for row in rows)
        if self._board is not None:
            for row in rows:
                for name, value in row.items():
                    if name != "step" and value is not None:
                        self._board.add_scalar(name, value, row["step"])

    def __enter__(self) -> Curve:
        """Nothing happens yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close what was opened."""
        if self._board is not None:
            self._board.close()


def read_curve(path: Path) -> list[dict[str, Any]]:
    """All whole lines of a curve; the last one may be cut short by a kill."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return found


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(dict(row), allow_nan=False) + "\n"
