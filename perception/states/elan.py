"""Timelines for ELAN, the annotation program of the Max Planck Institute for Psycholinguistics: EAF 3.0.

Format: https://www.mpi.nl/tools/elan/EAFv3.0.xsd. Annotations of one tier must not
overlap; times are whole milliseconds.
"""

from __future__ import annotations

import mimetypes
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from records import Timeline
from records.atomic import write_text

_DOCUMENT = {
    "AUTHOR": "apprentice",
    "FORMAT": "3.0",
    "VERSION": "3.0",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
}
_TYPE = "interval"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not have, such as control characters of captions."""


def write_eaf(path: Path | str, tiers: Mapping[str, Timeline], video: Path | str = "") -> Path:
    """Write one file of annotations, atomically.

    Args:
        path: `.eaf`.
        tiers: timelines by the name of their tier. What overlaps the annotation before it begins at the end of that;
            what is shorter than a millisecond then is left out. A value is the label, with the confidence where it is
            below 1.
        video: what is annotated; ELAN finds it there, or beside the file.
    """
    path = Path(path)
    document = ET.Element("ANNOTATION_DOCUMENT", _DOCUMENT | {"DATE": datetime.now(UTC).isoformat(timespec="seconds")})
    header = ET.SubElement(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    if str(video):
        ET.SubElement(header, "MEDIA_DESCRIPTOR", _media(Path(video)))
    rows = {name: _rows(timeline) for name, timeline in tiers.items()}
    count = ET.SubElement(header, "PROPERTY", NAME="lastUsedAnnotationId")
    count.text = str(sum(map(len, rows.values())))
    moments = sorted({moment for row in rows.values() for start, end, _ in row for moment in (start, end)})
    slots = {moment: f"ts{k}" for k, moment in enumerate(moments, 1)}
    order = ET.SubElement(document, "TIME_ORDER")
    for moment, slot in slots.items():
        ET.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(moment))
    number = 0
    for name, row in rows.items():
        tier = ET.SubElement(document, "TIER", TIER_ID=name, LINGUISTIC_TYPE_REF=_TYPE)
        for start, end, value in row:
            number += 1
            place = {"TIME_SLOT_REF1": slots[start], "TIME_SLOT_REF2": slots[end]}
            within = ET.SubElement(tier, "ANNOTATION")
            annotation = ET.SubElement(within, "ALIGNABLE_ANNOTATION", {"ANNOTATION_ID": f"a{number}"} | place)
            ET.SubElement(annotation, "ANNOTATION_VALUE").text = value
    kind = {"LINGUISTIC_TYPE_ID": _TYPE, "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"}
    ET.SubElement(document, "LINGUISTIC_TYPE", kind)
    ET.indent(document)
    text = _NO_XML.sub(" ", ET.tostring(document, encoding="unicode"))
    write_text(path, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')
    return path


def _media(video: Path) -> dict[str, str]:
    kind = mimetypes.guess_type(video.name)[0] or "video/mp4"
    return {"MEDIA_URL": video.resolve().as_uri(), "MIME_TYPE": kind, "RELATIVE_MEDIA_URL": f"./{video.name}"}


def _rows(timeline: Timeline) -> list[tuple[int, int, str]]:
    """Start and end [ms] and value of what is annotated, in order, without overlaps."""
    found: list[tuple[int, int, str]] = []
    reached = 0
    for k in np.argsort(timeline.interval[:, 0], kind="stable").tolist():
        start, end = (round(1000 * moment) for moment in timeline.interval[k].tolist())
        start = max(start, reached)
        if end <= start:
            continue
        confidence = float(timeline.confidence[k])
        value = timeline.labels[k] if confidence >= 1 else f"{timeline.labels[k]} {confidence:.2f}"
        found.append((start, end, value))
        reached = end
    return found
