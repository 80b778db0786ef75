"""Captions: each format, markup, rolling repetitions, clamping, and what cannot be read."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretrain.captions import CaptionError, Sentence, narration, read_captions
from pretrain.captions.rolling import unrolled
from pretrain.captions.sentence import clean

SAID = [(0.5, 2.25, "Pour the coffee."), (3600.0, 3602.5, "Stir it twice")]

VTT = """WEBVTT - a title
Kind: captions

STYLE
::cue { color: lime }

NOTE a remark

intro
00:00.500 --> 00:02.250 align:start position:0%
<v Ann>Pour the <c.green>coffee</c>.</v>

1:00:00.000 --> 01:00:02.500
<i>Stir</i> it
&lrm;twice
"""
SRT = """\ufeff1\r
00:00:00,500 --> 00:00:02,250\r
{\\an8}<font color="#fff">Pour the coffee.</font>\r
\r
2\r
01:00:00,000 --> 01:00:02,500\r
Stir it\r
twice\r
"""
SEGMENTS = {
    "text": "...",
    "segments": [
        {
            "start": 0.0,
            "end": 2.5,
            "text": " Pour the coffee.",
            "words": [
                {"word": " Pour", "start": 0.5, "end": 1.0},
                {"word": "the"},
                {"word": "c", "end": 2.25, "start": 2},
            ],
        },
        {"start": 3600.0, "end": 3602.5, "text": " Stir it twice"},
    ],
}
WORDS = {
    "words": [
        {"word": word, "start": start, "end": end}
        for word, start, end in [
            ("Pour", 0.5, 1),
            ("the", 1, 1.5),
            ("coffee.", 1.5, 2.25),
            ("Stir", 3600, 3601),
            ("it", 3601, 3602),
            ("twice", 3602, 3602.5),
        ]
    ]
}
CPP = {"transcription": [{"offsets": {"from": round(1000 * a), "to": round(1000 * b)}, "text": t} for a, b, t in SAID]}
CHUNKS = {"chunks": [*({"timestamp": [a, b], "text": t} for a, b, t in SAID), {"timestamp": [3700, None], "text": "x"}]}
COLUMNS = {"start": [a for a, _, _ in SAID], "end": [b for _, b, _ in SAID], "text": [t for _, _, t in SAID]}
CSV = "start,end,text\n0.5,2.25,Pour the coffee.\n3600,3602.5,Stir it twice\n"

FILES = {
    "a.vtt": VTT,
    "a.srt": SRT,
    "segments.json": json.dumps(SEGMENTS),
    "list.json": json.dumps(SEGMENTS["segments"]),
    "words.json": json.dumps(WORDS),
    "cpp.json": json.dumps(CPP),
    "chunks.json": json.dumps(CHUNKS),
    "columns.json": json.dumps(COLUMNS),
    "a.csv": CSV,
}

ROLLING = """WEBVTT
Kind: captions
Language: en

00:00:00.000 --> 00:00:02.000 align:start position:0%
~
pour<00:00:00.500><c> the</c><00:00:01.000><c> coffee</c>

00:00:02.000 --> 00:00:02.010 align:start position:0%
pour the coffee
~

00:00:02.010 --> 00:00:04.000 align:start position:0%
pour the coffee
and<00:00:02.500><c> stir</c><00:00:03.000><c> it</c>

00:00:04.000 --> 00:00:04.010 align:start position:0%
and stir it
~

00:00:04.010 --> 00:00:06.000 align:start position:0%
and stir it
[Music]

00:00:09.000 --> 00:00:10.000 align:start position:0%
~
it<00:00:09.500><c> is</c><00:00:09.700><c> done</c>
""".replace("~", " ")


@pytest.mark.parametrize("name", FILES)
def test_every_format_says_the_same(tmp_path, name):
    path = tmp_path / name
    path.write_text(FILES[name], encoding="utf-8", newline="")
    said = narration(read_captions(path))
    assert said.labels == tuple(text for _, _, text in SAID)
    np.testing.assert_allclose(said.interval, [[a, b] for a, b, _ in SAID], atol=1e-9)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nun café\n"),
        ("a.csv", "start,end,text\n1,2,un café\n"),
        ("a.json", '{"segments": [{"start": 1, "end": 2, "text": "un café"}]}'),
    ],
)
def test_encodings(tmp_path, name, content, encoding):
    (tmp_path / name).write_bytes(content.encode(encoding))
    assert narration(read_captions(tmp_path / name)).labels == ("un café",)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "start,end,text\n1,2\n3,4,on\n5,6,\n"),
        ("a.json", '{"start": [1, 3, NaN, 7], "end": [2, 4, 6, NaN], "text": [null, "on", "off", NaN]}'),
        ("a.json", '{"start": [NaN, 3, 8], "end": [2, 4, Infinity], "text": ["never", "on", "for ever"]}'),
        ("a.json", '{"segments": [{"start": 1, "end": 2, "text": null}, {"start": 3, "end": 4, "text": "on"}]}'),
        (
            "a.json",
            '{"segments": [{"start": 3, "end": 4, "text": "on", "avg_logprob": null, "words": [{"start": null}]}]}',
        ),
        (
            "a.json",
            '{"words": [{"word": "x", "start": null, "end": null}, {"word": "on", "start": 3, "end": 4}]}',
        ),
    ],
)
def test_gaps_say_nothing(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    said = narration(read_captions(tmp_path / name))
    assert (said.labels, said.interval.tolist()) == (("on",), [[3, 4]])


def test_gaps_leave_the_order_of_time():
    said = narration([Sentence(3, 4, "c"), Sentence(float("nan"), 5, "x"), Sentence(1, 2, "a")])
    assert said.labels == ("a", "c")


def test_rolling_captions_say_every_word_once(tmp_path):
    (tmp_path / "a.vtt").write_text(ROLLING)
    said = read_captions(tmp_path / "a.vtt")
    assert [(s.start, s.end, s.text) for s in said] == [
        (0.0, 2.01, "pour the coffee"),
        (2.01, 4.01, "and stir it"),
        (4.01, 6.0, "[Music]"),
        (9.0, 10.0, "it is done"),
    ]
    assert narration(said).labels == ("pour the coffee", "and stir it", "it is done")


def test_sounds_roll_like_words():
    cues = [
        Sentence(0, 2, "[Music]"),
        Sentence(2, 2.01, "[Music]"),
        Sentence(2.01, 4, "[Music] pour the coffee"),
        Sentence(4, 4.01, "pour the coffee"),
        Sentence(4.01, 6, "pour the coffee and stir"),
    ]
    assert narration(unrolled(cues)).labels == ("pour the coffee", "and stir")


def test_what_is_said_twice_in_captions_that_do_not_roll_stays():
    cues = [
        Sentence(k, k + 1, text) for k, text in enumerate(["Stir it.", "Stir it.", "Add salt.", "Taste.", "Serve."])
    ]
    assert unrolled(cues) == cues


@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4), min_size=2, max_size=8))
def test_rolling_is_undone_for_any_lines(lines):
    """Each line is unlike the one before, as a word carries the number of its line."""
    texts = [" ".join(f"{word}{k}" for word in line) for k, line in enumerate(lines)]
    cues = [Sentence(0, 1, texts[0])]
    for k in range(1, len(texts)):
        cues += [Sentence(k, k + 0.01, texts[k - 1]), Sentence(k + 0.01, k + 1, f"{texts[k - 1]} {texts[k]}")]
    assert [s.text for s in unrolled(cues)] == texts


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("<00:00:01.000><c.colorE5E5E5> rock</c> &amp; roll", "rock & roll"),
        ("{\\i1}one{\\i0}\\Ntwo", "one two"),
        ("[Music]", ""),
        ("♪ ♪", ""),
        (">> (applause)", ""),
        ("cut (slowly) now", "cut (slowly) now"),
        ("3 < 4, 5 > 2", "3 < 4, 5 > 2"),
        ("\u200bhi\u00a0 there", "hi there"),
    ],
)
def test_markup_is_removed(raw, said):
    assert clean(raw) == said


def test_times_are_clamped_to_the_video_and_sorted():
    said = narration(
        [Sentence(8, 12, "end"), Sentence(-1, 2, "start"), Sentence(10, 11, "after"), Sentence(3, 3, "never")], 10.0
    )
    assert said.labels == ("start", "end")
    np.testing.assert_array_equal(said.interval, [[0, 2], [8, 10]])


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.vtt", b"WEBVTT\n\nnothing", "no cue"),
        ("a.srt", bytes(range(256)), "not a text file"),
        ("a.json", b"{", "not JSON"),
        ("a.json", b'{"a": 1}', "no transcript"),
        ("a.json", b'{"segments": [{"text": "x"}]}', "lacks its times"),
        ("a.json", b"3", "no transcript"),
        ("a.csv", b"begin,text\n1,x\n", "expected the columns start, end, text"),
        ("a.csv", b"start,end,text\n1,two,x\n", "two"),
        ("a.json", b'{"start": [1], "end": [2, 3], "text": ["x"]}', "1 starts, 2 ends"),
        ("a.txt", b"", "not a format of captions"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_reason(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CaptionError, match=reason) as raised:
        narration(read_captions(tmp_path / name))
    assert str(tmp_path / name) in str(raised.value)


def test_a_cue_without_sense_is_left_out_and_reported(tmp_path, caplog):
    (tmp_path / "a.srt").write_text("1\n00:00:05,000 --> 00:00:01,000\nback\n\n2\n00:00:06,000 --> 00:00:07,000\non\n")
    assert narration(read_captions(tmp_path / "a.srt")).labels == ("on",)
    assert "line 2" in caplog.text


def test_words_without_segments_end_at_pauses_and_after_as_many_as_are_read(tmp_path):
    words = [{"word": f"w{k}", "start": k + 2.0 * (k >= 3), "end": k + 1.0 + 2.0 * (k >= 3)} for k in range(40)]
    (tmp_path / "a.json").write_text(json.dumps({"words": words}))
    assert [len(s.text.split()) for s in read_captions(tmp_path / "a.json")] == [3, 16, 16, 5]


def test_captions_outside_the_video_say_so():
    with pytest.raises(CaptionError, match=r"from 20.0 s on, lie outside the video, which lasts 10.0 s"):
        narration([Sentence(20, 21, "late")], 10.0)


def test_captions_that_last_no_time_say_so():
    with pytest.raises(CaptionError, match="none of its sentences lasts any time"):
        narration([Sentence(1, 1, "now")], 10.0)
