"""What the verb `states` does: clips of one task to when each shows the initial state, the action and the end state."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console
from rich.table import Table

from apprentice.options import Encoding
from apprentice.probing import load_encoder
from apprentice.searching import clock
from apprentice.showing import console, log_to, name_skipped
from apprentice.stages import UsageError
from records import Features, Run, Timeline, digest
from records.atomic import write_json, write_text
from records.progress import tell_progress

if TYPE_CHECKING:
    from apprentice import commands
    from perception.states.discovery import Discovery
    from pretrain.clip_files import NamedClip
    from pretrain.narration import Skipped

COLUMNS = ("clip", "label", "start", "end", "at", "confidence", "relevance")
"""Of the table: an interval, the middle of the window that is the best example, how sure, how well the clip fits."""


class Shown(NamedTuple):
    """What was found in a clip."""

    name: str
    path: Path
    timeline: Timeline
    moments: dict[str, float | None]
    """Middle of the window of each label [s]; None where the clip does not show it."""
    confidence: dict[str, float]
    relevance: float
    duration: float
    """End of the last window [s]."""
    narration: Timeline | None
    sentences: tuple[str, ...]
    """Those that name the task."""
    pace: float
    """Seconds of the file's own clock, which players go by, in a true second."""


def states(verb: commands.States) -> None:
    """Timelines, tables, ELAN files and a report."""
    from apprentice.states_page import write_page
    from perception.states.discovery import DiscoveryError, discover, timelines
    from perception.states.narration import has_words, priors
    from perception.states.recordings import one_of_each
    from perception.states.stack import stacked
    from perception.states.tempo import tempo
    from pretrain.clip_files import find_clips

    if not has_words(verb.task):
        raise UsageError('say what is done in the clips: --task "pour coffee"')
    if verb.every is not None and not 0 < verb.every < math.inf:
        raise UsageError(f"--every {verb.every}: a window must last some time")
    clips, skipped = find_clips(verb.clips)
    run = Run(
        verb.common.run or Path("runs") / _slug(verb.task), config={"states": _plain(verb)}, force=verb.common.force
    )
    log_to(run.path / "log.txt")
    pairs = _features(verb, run, clips, skipped)
    features = [features for _, features in pairs]
    try:
        stack = stacked(features)
        paces = [_pace(clip.path, verb.fps) for clip, _ in pairs]
        narrations = [
            None if verb.silent else _narration(clip.path, features, pace, skipped)
            for (clip, features), pace in zip(pairs, paces, strict=True)
        ]
        prior, sentences = priors(narrations, verb.task, [features.time for _, features in pairs])
        settings = tempo(verb.method, features)
        found = discover(features, verb.method, settings=settings, seed=verb.common.seed, prior=prior)
    except DiscoveryError as error:
        left = f" ({len(skipped)} files could not be used: {'; '.join(map(': '.join, skipped[:3]))})" if skipped else ""
        raise DiscoveryError(f"{error}{left}") from error
    shown = [
        _shown(c, clip, one, found, timeline, narrations[c], sentences[c], paces[c])
        for c, ((clip, one), timeline) in enumerate(zip(pairs, timelines(features, found), strict=True))
    ]
    _write(run.path, verb.task, shown, features[0].encoder, verb.method)
    cautions = _unproved(len(one_of_each(stack)))
    write_page(run.path, verb.task, shown, encoder=features[0].encoder, method=verb.method, cautions=cautions)
    name_skipped(skipped)
    _print(shown)
    for caution in cautions:
        console.print(caution, soft_wrap=True, style="yellow")
    console.print(f"{run.path}: timelines of {len(shown)} clips (records, states.json, states.csv, ELAN in elan/)")
    console.print(f"report: {run.path / 'report.html'}", soft_wrap=True)


def _features(
    verb: commands.States, run: Run, clips: Sequence[NamedClip], skipped: list[Skipped]
) -> list[tuple[NamedClip, Features]]:
    """Features of each clip that can be used, from the source that the user named."""
    from perception.states.pixels import PIXELS

    encoder = verb.encoder.model is not None or verb.encoder.weights is not None
    if sum((encoder, verb.features is not None, verb.pixels is not None)) != 1:
        raise UsageError(
            "which features? say one of: --model FOLDER (a trained encoder), --features FOLDER (of `apprentice"
            f" features`), --pixels {'|'.join(PIXELS)} (no training; a control)"
        )
    if verb.fps is not None and verb.pixels is None:
        raise UsageError("--fps goes with --pixels: an encoder reads its clips by the file's own clock")
    if verb.features is not None:
        return _given(verb.features, clips)
    if verb.pixels is not None:
        return _of_pixels(verb, run, clips, skipped)
    return _encoded(verb.encoder, verb.every, run, clips, skipped, force=verb.common.force)


def _given(folder: Path, clips: Sequence[NamedClip]) -> list[tuple[NamedClip, Features]]:
    from pretrain.extract import FEATURES

    missing = [clip.name for clip in clips if not (folder / f"{clip.name}{FEATURES}").is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UsageError(
            f"{folder}: no {missing[0]}{FEATURES}{more}; make them: apprentice features CLIPS --out {folder}"
        )
    return [(clip, Features.load(folder / f"{clip.name}{FEATURES}")) for clip in clips]


def _of_pixels(
    verb: commands.States, run: Run, clips: Sequence[NamedClip], skipped: list[Skipped]
) -> list[tuple[NamedClip, Features]]:
    from perception.states.pixels import EVERY, pixel_features
    from perception.video import ClipError, open_clip
    from pretrain.narration import Skipped

    every = EVERY if verb.every is None else verb.every
    found = []
    for number, clip in enumerate(clips, 1):
        try:
            opened = open_clip(clip.path, fps=verb.fps)
            about = clip.path.stat()
            stamp = [str(clip.path.resolve()), about.st_size, about.st_mtime_ns]
            key = digest("pixels", verb.pixels, every, opened.fps, stamp)
            name = f"features/{clip.name}"
            one = run.stage(name, key, Features, lambda: pixel_features(opened, str(verb.pixels), every=every))  # noqa: B023 - called at once
        except ClipError as error:
            skipped.append(Skipped(str(clip.path), str(error).removeprefix(f"{clip.path}: ")))
        else:
            found.append((clip, one))
        tell_progress("looking at clips", number, len(clips))
    return found


def _encoded(
    encoding: Encoding,
    every: float | None,
    run: Run,
    clips: Sequence[NamedClip],
    skipped: list[Skipped],
    *,
    force: bool,
) -> list[tuple[NamedClip, Features]]:
    from pretrain.extract import FEATURES, extract

    model = load_encoder(encoding)
    assert model is not None
    folder = run.path / "features"
    skipped += extract(clips, model, folder, every=every, force=force).skipped
    unusable = {file for file, reason in skipped if not reason.startswith("used, ")}
    return [
        (clip, Features.load(folder / f"{clip.name}{FEATURES}")) for clip in clips if str(clip.path) not in unusable
    ]


def _pace(path: Path, fps: float | None) -> float:
    """Seconds of the file's own clock in a true second: 1 unless the header's rate is not the true one."""
    from perception.video import open_clip

    return 1.0 if fps is None else fps / open_clip(path).fps


def _narration(path: Path, features: Features, pace: float, skipped: list[Skipped]) -> Timeline | None:
    """Captions beside or within the video, if there are any, in true seconds; those that are broken are named."""
    from perception.video import ClipError
    from pretrain.captions import FORMATS, CaptionError
    from pretrain.narration import NarratedVideo

    beside = [file for suffix in FORMATS for file in sorted(path.parent.glob("*" + suffix)) if _captions(file, path)]
    try:
        said, broken = NarratedVideo(name=path.stem, path=path, captions=tuple(beside)).narration(
            pace * float(features.time[-1, 1])
        )
    except (CaptionError, ClipError):
        return None
    skipped += broken
    return None if said is None else said.replace(interval=said.interval / pace)


def _captions(file: Path, video: Path) -> bool:
    """`NAME.vtt` or `NAME.en.vtt` beside `NAME.mp4`."""
    return video.stem in (file.stem, file.stem.rpartition(".")[0])


def _shown(
    c: int,
    clip: NamedClip,
    features: Features,
    found: Discovery,
    timeline: Timeline,
    narration: Timeline | None,
    sentences: tuple[str, ...],
    pace: float,
) -> Shown:
    from perception.states.discovery import LABELS

    windows = (int(found.initial[c]), int(found.action[c]), int(found.final[c]))
    moments = [None if window < 0 else float(features.time[window].mean()) for window in windows]
    return Shown(
        name=clip.name,
        path=clip.path,
        timeline=timeline,
        moments=dict(zip(LABELS, moments, strict=True)),
        confidence=dict(zip(LABELS, found.confidence[c].tolist(), strict=True)),
        relevance=float(found.relevance[c]),
        duration=float(features.time[-1, 1]),
        narration=narration,
        sentences=sentences,
        pace=pace,
    )


def _unproved(recordings: int) -> list[str]:
    """What so few recordings cannot prove."""
    from perception.states import absence, evidence

    told = []
    if recordings < evidence.PROVABLE:
        told.append(
            f"{recordings} recording{'s' * (recordings > 1)}: whether they share a change at all is tested from"
            f" {evidence.PROVABLE} on, and was not tested here."
        )
    if recordings < absence.PROVABLE:
        told.append(f"A final state is named from {absence.PROVABLE} recordings on: so there is none here.")
    return told


def _write(folder: Path, task: str, shown: Sequence[Shown], encoder: str, method: str) -> None:
    """Records, one JSON, one table, and an ELAN file for each clip."""
    from perception.states.elan import write_eaf

    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(COLUMNS)
    note = []
    for one in shown:
        one.timeline.save(folder / "timelines" / f"{one.name}.timeline.npz")
        intervals = dict(zip(one.timeline.labels, one.timeline.interval.tolist(), strict=True))
        found: dict[str, Any] = {}
        for label, at in one.moments.items():
            if at is None:
                found[label] = None
                continue
            start, end = intervals[label]
            found[label] = {"start": start, "end": end, "at": at, "confidence": one.confidence[label]}
            numbers = (start, end, at, one.confidence[label], one.relevance)
            rows.writerow([one.name, label, *(f"{number:.3f}" for number in numbers)])
        about = {"clip": one.name, "path": str(one.path), "duration": one.duration, "relevance": one.relevance}
        note.append(about | {"found": found, "said": list(one.sentences)})
        tiers = {task: one.timeline}
        if one.narration is not None:
            tiers["narration"] = one.narration
        in_file = {name: tier.replace(interval=one.pace * tier.interval) for name, tier in tiers.items()}
        write_eaf(folder / "elan" / f"{one.name}.eaf", in_file, one.path)
    write_text(folder / "states.csv", table.getvalue())
    write_json(folder / "states.json", {"task": task, "encoder": encoder, "method": method, "clips": note})


def _print(shown: Sequence[Shown]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("clip")
    for heading in (*shown[0].moments, "relevance"):
        table.add_column(heading, justify="right")
    for one in shown:
        moments = ((at, one.confidence[label]) for label, at in one.moments.items())
        told = ("none" if at is None else f"{clock(at)} ({confidence:.2f})" for at, confidence in moments)
        table.add_row(one.name, *told, f"{one.relevance:.2f}")
    Console(highlight=False, width=None if console.is_terminal else 200).print(table)


def _slug(task: str) -> str:
    return "states-" + re.sub(r"[^\w]+", "-", task.lower()).strip("-")


def _plain(verb: Any) -> Any:
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        return str(value) if isinstance(value, Path) else value

    return plain(asdict(verb))
