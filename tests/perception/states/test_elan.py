"""What ELAN reads: slots in order, annotations that refer to them, no overlaps in a tier, any text."""

import xml.etree.ElementTree as ET
from itertools import pairwise
from urllib.parse import unquote, urlparse

import numpy as np

from perception.states.elan import write_eaf
from records import Timeline


def timeline(*rows):
    labels, intervals, confidence = zip(*rows, strict=True)
    return Timeline(labels=labels, interval=np.array(intervals, float), confidence=np.array(confidence, float))


def intervals(tier, slots):
    found = []
    for annotation in tier.iter("ALIGNABLE_ANNOTATION"):
        start, end = (slots[annotation.get(f"TIME_SLOT_REF{k}")] for k in (1, 2))
        found.append((start, end, annotation.findtext("ANNOTATION_VALUE")))
    return found


def test_annotations_are_valid_and_keep_times_and_text(tmp_path):
    states = timeline(("initial state", (0.0, 1.2345), 0.5), ('<action> & "more"', (1.0, 2.0), 1.0))
    said = timeline(("b", (3.0, 5.0), 1.0), ("a", (1.0, 4.0), 1.0), ("within", (3.5, 3.9), 1.0))
    film = tmp_path / "a film#1.mp4"
    path = write_eaf(tmp_path / "film.eaf", {"states": states, "narration": said}, film)
    document = ET.parse(path).getroot()
    # The order that the schema prescribes.
    assert [part.tag for part in document] == ["HEADER", "TIME_ORDER", "TIER", "TIER", "LINGUISTIC_TYPE"]
    assert (document.get("FORMAT"), document.get("VERSION")) == ("3.0", "3.0")
    slots = {s.get("TIME_SLOT_ID"): int(s.get("TIME_VALUE")) for s in document.iter("TIME_SLOT")}
    assert list(slots.values()) == sorted(set(slots.values()))
    numbers = [a.get("ANNOTATION_ID") for a in document.iter("ALIGNABLE_ANNOTATION")]
    assert numbers == ["a1", "a2", "a3", "a4"]
    assert document.findtext("HEADER/PROPERTY") == "4"
    tiers = {t.get("TIER_ID"): intervals(t, slots) for t in document.iter("TIER")}
    assert tiers["states"] == [(0, 1234, "initial state 0.50"), (1234, 2000, '<action> & "more"')]
    assert tiers["narration"] == [(1000, 4000, "a"), (4000, 5000, "b")]
    for rows in tiers.values():
        assert all(before[1] <= after[0] for before, after in pairwise(rows))
    types = {kind.get("LINGUISTIC_TYPE_ID") for kind in document.iter("LINGUISTIC_TYPE")}
    assert {t.get("LINGUISTIC_TYPE_REF") for t in document.iter("TIER")} <= types
    media = document.find("HEADER/MEDIA_DESCRIPTOR")
    assert unquote(urlparse(media.get("MEDIA_URL")).path) == str(film)
    assert media.get("MIME_TYPE") == "video/mp4"


def test_characters_that_xml_does_not_have_are_blanks(tmp_path):
    said = timeline(("pour\x0cit\x00", (0.0, 1.0), 1.0))
    document = ET.parse(write_eaf(tmp_path / "said.eaf", {"a\x01b": said})).getroot()
    assert document.find("TIER").get("TIER_ID") == "a b"
    assert document.findtext(".//ANNOTATION_VALUE") == "pour it "


def test_nothing_found_is_a_file_without_annotations(tmp_path):
    nothing = Timeline(labels=(), interval=np.zeros((0, 2)), confidence=np.zeros(0))
    document = ET.parse(write_eaf(tmp_path / "none.eaf", {"states": nothing})).getroot()
    assert document.find("TIME_ORDER") is not None
    assert not list(document.iter("ANNOTATION"))
    assert document.find("HEADER/MEDIA_DESCRIPTOR") is None
