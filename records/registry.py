"""Tables of pluggable parts: a name, where its code lives, and one line on what it is; code is loaded on first use."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class UnknownName(KeyError):
    """A name that is not in the table; the message lists the choices."""

    def __str__(self) -> str:
        """Return the message without the quotes that `KeyError` adds."""
        return str(self.args[0])


class Entry(NamedTuple):
    """Where a part lives (`module:attribute`) and what it is, in one line."""

    target: str
    summary: str


class Registry(Mapping[str, Entry]):
    """A literal table of parts of one kind.

    Example: `DETECTORS = Registry("detector", {"mediapipe": Entry("perception.detectors.mediapipe:MediaPipe", "...")})`
    """

    def __init__(self, kind: str, entries: Mapping[str, Entry]) -> None:
        """Hold `entries`; nothing is imported."""
        self.kind = kind
        self._entries = dict(entries)

    def load(self, name: str) -> Any:
        """Import and return the named part.

        Raises:
            UnknownName: not in the table.
        """
        module, _, attribute = self[name].target.partition(":")
        return getattr(importlib.import_module(module), attribute)

    def __getitem__(self, name: str) -> Entry:
        """Return the entry of `name`; an unknown name is answered by the list of choices."""
        try:
            return self._entries[name]
        except KeyError:
            choices = ", ".join(self._entries) or "none"
            raise UnknownName(f"unknown {self.kind} {name!r}; choose from: {choices}") from None

    def __iter__(self) -> Iterator[str]:
        """Names in order of declaration."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Count the parts."""
        return len(self._entries)
