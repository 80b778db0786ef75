"""What the verbs `features`, `index` and `search` do: clips to vectors, vectors to an index, sentences to moments."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from apprentice.options import Encoding
from apprentice.probing import load_encoder
from apprentice.showing import console, log_to, name_skipped
from apprentice.stages import UsageError
from records import Features, RecordError
from records.atomic import write_json
from records.progress import tell_progress

if TYPE_CHECKING:
    from apprentice import commands
    from pretrain.narration import Skipped
    from pretrain.search.clip_index import Hit
    from pretrain.search.searcher import Searcher

ENCODER = "encoder.json"
"""Beside features: where their encoder is."""


def features(verb: commands.Features) -> None:
    """Records of clips."""
    from pretrain.clip_files import find_clips
    from pretrain.extract import extract

    if verb.batch < 1 or verb.readers < 1:
        raise UsageError("--batch and --readers must be at least 1")
    clips, skipped = find_clips(verb.clips)
    model = load_encoder(verb.encoder)
    assert model is not None
    verb.out.mkdir(parents=True, exist_ok=True)
    log_to(verb.out / "log.txt")
    write_json(verb.out / ENCODER, place_of(verb.encoder))
    found = extract(
        clips,
        model,
        verb.out,
        skipped=skipped,
        every=verb.every,
        batch=verb.batch,
        readers=verb.readers,
        force=verb.common.force,
    )
    name_skipped(found.skipped)
    if not found.made and not found.there:
        raise UsageError(f"none of the {len(clips)} clips can be used; why not is in {verb.out / 'report.json'}")
    outcome = f"{verb.out}: {found.made} clips encoded, {found.windows:,} windows; {found.there} were there before"
    if found.skipped:
        outcome += f"; files with a remark: {len(found.skipped)}, all named in {verb.out / 'report.json'}"
    console.print(outcome, soft_wrap=True)


def index(verb: commands.Index) -> None:
    """An index of records."""
    from pretrain.extract import EMBEDDING
    from pretrain.search.clip_index import SETTINGS, ClipIndex

    files = [(name, path) for folder in verb.features for name, path in _records(folder, EMBEDDING)]
    goes_on = (verb.out / SETTINGS).is_file() and not verb.common.force
    made = ClipIndex.load(verb.out) if goes_on else ClipIndex()
    if verb.exact:
        made.exact_up_to = sys.maxsize
        if made.vectors is not None and not made.vectors.is_exact:
            raise UsageError(f"{verb.out}: is compressed already; build it anew with --exact --force")
        if made.vectors is not None:
            made.vectors.exact_up_to = sys.maxsize
    before = len(made.clips)
    damaged: list[Skipped] = []
    changed = made.add(_loaded(files, damaged))
    name_skipped([*damaged, *changed])
    made.model = place_of(verb.encoder) or _place_beside(verb.features) or made.model
    made.save(verb.out)
    new = len(made.clips) - before
    kind = "compared one by one" if made.vectors is not None and made.vectors.is_exact else "compressed"
    console.print(
        f"{verb.out}: {len(made.clips)} clips, {new} of them new; {len(made):,} windows, {kind}", soft_wrap=True
    )


def search(verb: commands.Search) -> None:
    """Moments that fit a sentence, in a table or on a page."""
    if (verb.query is None) != verb.serve:
        raise UsageError('ask for something: apprentice search INDEX "pour the coffee"; or let others ask with --serve')
    if verb.count < 1:
        raise UsageError("-k must be at least 1")
    searcher = open_searcher(verb.index, verb.encoder)
    if verb.query is None:
        try:
            from apprentice.search_app import serve
        except ImportError as error:
            missing = f"the search page needs {error.name}: pip install 'apprentice[search]'"
            raise UsageError(missing) from error
        serve(searcher, verb.host, verb.port, verb.count)
        return
    answer = searcher.ask(verb.query, verb.count)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("clip", "from", "to", "score"):
        table.add_column(heading, justify="left" if heading == "clip" else "right")
    for hit in answer.hits:
        table.add_row(hit.name, clock(hit.start), clock(hit.end), f"{hit.score:.3f}")
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)
    if answer.unknown:
        console.print(f"left out, for the encoder does not know it: {', '.join(answer.unknown)}", style="yellow")
    windows, took = len(searcher.index), 1e3 * answer.seconds
    console.print(f"{windows:,} windows of {len(searcher.index.clips)} clips searched in {took:.1f} ms")


def open_searcher(folder: Path, encoding: Encoding) -> Searcher:
    """An index with its encoder: the one that is named, else the one whose place the index states.

    Raises:
        UsageError: no encoder is named, and the index states none.
    """
    from pretrain.search.clip_index import ClipIndex
    from pretrain.search.searcher import Searcher

    found = ClipIndex.load(folder)
    if not place_of(encoding):
        if not found.model:
            raise UsageError(f"{folder}: does not say where its encoder {found.encoder!r} is; name it with --model")
        place = {key: Path(value) for key, value in found.model.items()}
        encoding = Encoding(**place, device=encoding.device)
    model = load_encoder(encoding)
    assert model is not None
    return Searcher(found, model)


def place_of(encoding: Encoding) -> dict[str, str]:
    """Where an encoder is, by the names of the options."""
    named = {"model": encoding.model, "weights": encoding.weights, "dictionary": encoding.dictionary}
    return {key: str(path.resolve()) for key, path in named.items() if path is not None}


def clock(seconds: float) -> str:
    """A moment as minutes and seconds, with hours where there are any."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}:{minutes:02}" if hours else f"{minutes}") + f":{rest / 10:04.1f}"


def length(hit: Hit) -> str:
    """When a moment begins and ends."""
    return f"{clock(hit.start)} to {clock(hit.end)}"


def _records(folder: Path, ending: str) -> Iterator[tuple[str, Path]]:
    """Records below a folder by name, in order."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; make one: apprentice features CLIPS --out {folder}")
    found = sorted(folder.rglob(f"*{ending}"))
    if not found:
        raise UsageError(
            f"{folder}: no features in it (*{ending}); make them: apprentice features CLIPS --out {folder}"
        )
    for path in found:
        yield path.relative_to(folder).as_posix().removesuffix(ending), path


def _loaded(files: Sequence[tuple[str, Path]], damaged: list[Skipped]) -> Iterator[tuple[str, Features]]:
    """Records by name; those that cannot be read are added to `damaged`."""
    from pretrain.narration import Skipped

    for number, (name, path) in enumerate(files, 1):
        try:
            yield name, Features.load(path)
        except RecordError as error:
            damaged.append(Skipped(str(path), str(error).removeprefix(f"{path}: ")))
        tell_progress("indexing clips", number, len(files))


def _place_beside(folders: Sequence[Path]) -> dict[str, str]:
    """Where the encoder of the first features is."""
    try:
        note = json.loads((folders[0] / ENCODER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in note.items()} if isinstance(note, dict) else {}
