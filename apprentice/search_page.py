"""The page on which one asks for what is to be seen: a box, and the moments that were found, to be watched."""

from __future__ import annotations

import html
from pathlib import Path

from apprentice.page import Html, Part, page, tag
from apprentice.searching import length
from pretrain.search.clip_index import ClipIndex, Hit
from pretrain.search.searcher import Answer

STYLE = """
main{max-width:76rem}
form{display:flex;gap:.6rem;margin:1.4rem 0 .9rem}
input{flex:1;min-width:0;font:inherit;font-size:1.1rem;color:inherit;background:var(--card);padding:.7rem 1rem;
border:1px solid var(--line);border-radius:.6rem}
input:focus-visible,button:focus-visible{outline:2px solid var(--accent);outline-offset:1px}
button{font:inherit;font-weight:600;color:var(--paper);background:var(--accent);border:0;border-radius:.6rem;
padding:.7rem 1.4rem;cursor:pointer}
.told{color:var(--soft);font-size:.92rem;font-variant-numeric:tabular-nums}
.told.wrong{color:var(--warn)}
.found{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1rem;margin:1.2rem 0;
padding:0;list-style:none}
.found figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:.6rem;overflow:hidden;
height:100%}
.found video,.gone{width:100%;aspect-ratio:16/9;border-radius:0;background:#0f172a}
.gone{display:grid;place-content:center;color:#9aa4b2;font-size:.9rem}
.found figcaption{display:grid;grid-template-columns:1fr auto;gap:.1rem .8rem;margin:0;padding:.6rem .8rem;
font-variant-numeric:tabular-nums}
.found strong{color:var(--ink);overflow-wrap:anywhere}
.found figcaption span:nth-of-type(odd){text-align:right}
"""


def search_page(index: ClipIndex, asked: str, answer: Answer | None, problem: str | None) -> str:
    """The whole page.

    Args:
        index: what is searched.
        asked: what stands in the box.
        answer: what was found; None before anything is asked, and where nothing could be.
        problem: why not, in one line.
    """
    about = f"{len(index.clips):,} clips, {len(index):,} windows, by {index.encoder}"
    parts: list[Part] = [tag("h1", "Search the clips"), tag("p", about, class_="lead"), _box(asked)]
    if problem is not None:
        parts.append(tag("p", problem, class_="told wrong", role="alert"))
    elif answer is not None:
        parts.append(tag("p", _told(answer), class_="told", role="status"))
        parts.append(tag("ol", *(tag("li", _moment(index, hit)) for hit in answer.hits), class_="found"))
    return page(f"{asked} - search" if asked else "Search the clips", *parts, style=STYLE)


def _box(asked: str) -> Html:
    box = (
        f'<input name="q" type="search" value="{html.escape(asked)}" placeholder="pour the coffee"'
        ' aria-label="What is to be seen" autocomplete="off" autofocus>'
    )
    return tag("form", Html(box), tag("button", "Search", type="submit"), action="/", method="get", role="search")


def _told(answer: Answer) -> str:
    count = len(answer.hits)
    told = f"{count} {'moment' if count == 1 else 'moments'} in {1e3 * answer.seconds:.1f} ms"
    if answer.unknown:
        told += f"; left out, for the encoder does not know it: {', '.join(answer.unknown)}"
    return told


def _moment(index: ClipIndex, hit: Hit) -> Html:
    """A film that begins where the moment does, and stops at its end."""
    path = Path(index.clips[hit.clip].path)
    if path.is_file():
        # A browser shows the frame at the start of the fragment as the still, and plays to its end.
        place = f"/clips/{hit.clip}#t={hit.start:.3f},{hit.end:.3f}"
        label = html.escape(f"{hit.name}, {length(hit)}")
        film = Html(f'<video controls muted playsinline preload="metadata" src="{place}" aria-label="{label}"></video>')
    else:
        film = tag("div", f"{path.name} is no longer where it was indexed", class_="gone")
    score = tag("span", f"score {hit.score:.3f}")
    return tag("figure", film, tag("figcaption", tag("strong", hit.name), score, tag("span", length(hit))))
