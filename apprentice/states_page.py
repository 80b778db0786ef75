"""The report of discovered states: a contact sheet with three pictures of each clip, its timeline, and how sure."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from apprentice.page import Html, bullets, cards, image_uri, page, section, swatch, table, tag
from apprentice.searching import clock
from perception.states.discovery import LABELS
from perception.video import ClipError, open_clip, read_frame
from records.atomic import write_text

if TYPE_CHECKING:
    from apprentice.states import Shown

SHEET = 100
"""Clips that are pictured; the tables hold all."""
WIDE = 320
"""Width of a picture [px]."""
IRRELEVANT = 0.2
"""Relevance below which a clip is said perhaps not to show the change: well below that of the others."""
COLOURS = dict(zip(LABELS, ((59, 130, 246), (245, 158, 11), (22, 163, 74)), strict=True))
"""Of the labels, which can be told apart on white and on black."""

STYLE = """
main{max-width:72rem}
.clip{margin:1.6rem 0 2.2rem}
.clip h3{font-size:1rem;margin:0 0 .5rem;overflow-wrap:anywhere;font-weight:600}
.clip h3 span{font-weight:400;color:var(--soft);font-size:.87rem;margin-left:.6rem}
.three{display:grid;grid-template-columns:repeat(3,1fr);gap:.6rem}
.three figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:.6rem;overflow:hidden}
.three img,.absent{aspect-ratio:16/9;object-fit:contain;border-radius:0;background:#0f172a}
.absent{display:grid;place-content:center;color:#9aa4b2;font-size:.9rem}
.three figcaption{display:flex;justify-content:space-between;gap:.6rem;margin:0;padding:.45rem .7rem;
font-variant-numeric:tabular-nums}
.line{position:relative;height:.9rem;margin:.6rem 0 .2rem;border-radius:.3rem;background:var(--line);overflow:hidden}
.line i{position:absolute;top:0;height:100%;min-width:2px;opacity:.75}
.line b{position:absolute;top:0;width:2px;height:100%;margin-left:-1px;background:var(--ink)}
.said{color:var(--soft);font-size:.87rem;margin:.3rem 0}
"""


def write_page(
    folder: Path, task: str, shown: Sequence[Shown], *, encoder: str, method: str, cautions: Sequence[str] = ()
) -> Path:
    """Write `report.html`, one file with the pictures inside.

    Args:
        folder: of the run.
        task: what is done in the clips.
        shown: what was found.
        encoder: whose features.
        method: of discovery.
        cautions: what the clips cannot prove.
    """
    way = method.replace("_", " ")
    absent = sum(one.moments[LABELS[2]] is None for one in shown)
    sure = float(
        np.mean([one.confidence[label] for one in shown for label in LABELS if one.moments[label] is not None])
    )
    figures = [
        ("clips", str(len(shown)), f"of {encoder}"),
        ("mean confidence", f"{sure:.2f}", "of what was found"),
        ("no final state", str(absent), "clips that end before it, or do not prove it"),
        ("spoken of", str(sum(bool(one.sentences) for one in shown)), "clips whose narration names the task"),
    ]
    left = list(cautions)
    if len(shown) > SHEET:
        left.append(f"The first {SHEET} of {len(shown)} clips are pictured; the table has all.")
    doubtful = [one.name for one in shown if one.relevance < IRRELEVANT]
    if doubtful:
        left.append(f"May not show the change at all (relevance below {IRRELEVANT:g}): {', '.join(doubtful)}.")
    legend = tag("p", *(swatch(colour, label) for label, colour in COLOURS.items()))
    rows = [
        [one.name, *(_moment(one, label) for label in LABELS), f"{one.relevance:.2f}", clock(one.duration)]
        for one in shown
    ]
    document = page(
        f"{task}: states and action",
        tag("h1", task),
        tag("p", f"When each clip shows initial state, action and final state, by {way}.", class_="lead"),
        cards(figures),
        bullets(left, class_="cautions") if left else None,
        section("Contact sheet", legend, *(_clip(one) for one in shown[:SHEET])),
        section(
            "All clips", table("Moment (confidence)", ["clip", *LABELS, "relevance", "lasts"], rows),
            tag("p", "A confidence is what the classifiers say of the window that was chosen, not a measured share of"
                     " right ones. The relevance says how well a clip shows the change that the clips have in common."),
        ),
        section("Files", bullets([
            "timelines/NAME.timeline.npz: Timeline records", "states.json, states.csv: the same as tables",
            "elan/NAME.eaf: for ELAN (EAF 3.0)",
        ])),
        style=STYLE,
    )  # fmt: skip
    path = folder / "report.html"
    write_text(path, document)
    return path


def _clip(one: Shown) -> Html:
    """A row of the contact sheet."""
    about = tag("span", f"{clock(one.duration)} long, relevance {one.relevance:.2f}")
    said = f"Said: {'; '.join(one.sentences[:3])}" if one.sentences else ""
    return tag(
        "div",
        tag("h3", one.name, about),
        tag("div", *(_picture(one, label) for label in LABELS), class_="three"),
        _line(one),
        *([tag("p", said, class_="said")] if said else []),
        class_="clip",
    )


def _picture(one: Shown, label: str) -> Html:
    at = one.moments[label]
    caption = tag("figcaption", swatch(COLOURS[label], label), tag("span", _moment(one, label)))
    if at is None:
        return tag("figure", tag("div", f"no {label}", class_="absent"), caption)
    try:
        image = thumbnail(one.path, at / one.duration)
    except (ClipError, OSError):
        return tag("figure", tag("div", "the clip cannot be read", class_="absent"), caption)
    alt = html.escape(f"{one.name} at {clock(at)}: {label}")
    return tag("figure", Html(f'<img src="{image_uri(image, photo=True)}" alt="{alt}">'), caption)


def thumbnail(path: Path, share: float) -> np.ndarray:
    """The frame at a share of the clip's length, reduced.

    A share is the same whatever rate the header states.

    Raises:
        ClipError: the clip cannot be read.
    """
    clip = open_clip(path)
    image = read_frame(clip, min(int(share * clip.num_frames), clip.num_frames - 1))
    height = max(1, round(image.shape[0] * WIDE / image.shape[1]))
    return np.asarray(cv2.resize(image, (WIDE, height), interpolation=cv2.INTER_AREA))


def _line(one: Shown) -> Html:
    """The clip from its start to its end, what was found in colour, best moments as strokes."""
    marks = []
    for label, (start, end) in zip(one.timeline.labels, one.timeline.interval.tolist(), strict=True):
        r, g, b = COLOURS[label]
        left, width = 100 * start / one.duration, 100 * (end - start) / one.duration
        marks.append(f'<i style="left:{left:.2f}%;width:{width:.2f}%;background:rgb({r},{g},{b})"></i>')
    marks += [f'<b style="left:{100 * at / one.duration:.2f}%"></b>' for at in one.moments.values() if at is not None]
    return tag("div", Html("".join(marks)), class_="line")


def _moment(one: Shown, label: str) -> str:
    at = one.moments[label]
    return "none" if at is None else f"{clock(at)} ({one.confidence[label]:.2f})"
