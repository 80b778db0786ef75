"""What the verbs of `apprentice probe` do: what a trained encoder is worth, by published protocols."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from apprentice.options import Encoding
from apprentice.showing import console, log_to, name_skipped
from apprentice.stages import UsageError
from records.atomic import write_json

if TYPE_CHECKING:
    from pretrain.pretrained import Pretrained


def probe(verb: Any) -> None:
    """Run a probe, keep its outcome, and show it beside what costs nothing."""
    name = type(verb).__name__.lower()
    run = verb.common.run or Path("runs") / verb.folder.resolve().name
    encoder = load_encoder(verb.encoder, needed=getattr(verb.probe, "needs_encoder", True))
    run.mkdir(parents=True, exist_ok=True)
    log_to(run / "log.txt")
    outcome = verb.probe(encoder, verb.folder, seed=verb.common.seed)
    kept = run / f"probe_{name}.json"
    write_json(kept, outcome.note() | {"seed": verb.common.seed})
    name_skipped(outcome.skipped)
    rows = {outcome.encoder: outcome.figures} if outcome.figures else {}
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(_table(rows | dict(outcome.costless)))
    said = ", ".join(f"{what} {count:,}" for what, count in outcome.counts.items())
    if outcome.skipped:
        said += f"; files that could not be used: {len(outcome.skipped)}"
    console.print(f"{said}; preprocessing and all else in {kept}", soft_wrap=True)


def load_encoder(encoding: Encoding, *, needed: bool = True) -> Pretrained | None:
    """The encoder that the user named; None where none is named and none is needed.

    Raises:
        UsageError: none or two are named, or half of the published one.
    """
    published = encoding.weights is not None or encoding.dictionary is not None
    if not published and encoding.model is None:
        if needed:
            raise UsageError("which encoder? say --model FOLDER, or --weights FILE and --dictionary FILE")
        return None
    if published and encoding.model is not None:
        raise UsageError("--model and --weights name two encoders; give one of them")
    from pretrain.pretrained import Pretrained

    if encoding.model is not None:
        return Pretrained.load(encoding.model, device=encoding.device)
    if encoding.weights is None or encoding.dictionary is None:
        raise UsageError("--weights and --dictionary go together: published weights, and their words")
    return Pretrained.published(encoding.weights, encoding.dictionary, device=encoding.device)


def _table(rows: Mapping[str, Mapping[str, float]]) -> Table:
    """Figures by who reached them."""
    names = list(dict.fromkeys(name for figures in rows.values() for name in figures))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for name in names:
        table.add_column(name if name == "MedR" else f"{name} [%]", justify="right")
    for who, figures in rows.items():
        table.add_row(who, *(f"{figures[name]:.1f}" if name in figures else "" for name in names))
    return table
