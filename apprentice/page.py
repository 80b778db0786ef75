"""One self-contained HTML page: text is escaped, pictures and films are inside, nothing is fetched."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from apprentice.page_style import STYLE

POLICY = "default-src 'none'; img-src data:; media-src data: 'self' file:; style-src 'unsafe-inline'"
"""Content security policy: the page may show what it holds and films beside it, and run and fetch nothing."""


class Html(str):
    """Text that is already HTML."""

    __slots__ = ()


Part = str | Html
"""A `str` is text and is escaped; an `Html` is taken as it is."""


def text(part: object) -> Html:
    """Escape what is not HTML yet."""
    return part if isinstance(part, Html) else Html(html.escape(str(part)))


def join(parts: Sequence[Part], between: str = "") -> Html:
    """All parts, one after the other."""
    return Html(between.join(text(part) for part in parts))


def tag(name: str, *parts: Part, **attributes: str) -> Html:
    """An element; `class_` stands for class, other underscores for hyphens."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{given}>{join(parts)}</{name}>")


def section(title: str, *parts: Part | None) -> Html | None:
    """A titled section of the parts that there are; None without any."""
    present = [part for part in parts if part is not None]
    if not present:
        return None
    anchor = title.lower().replace(" ", "-")
    return tag("section", tag("h2", title, id=anchor), *present)


def table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[Part]], *, words: int = 1) -> Html:
    """A table whose first `words` columns are text and whose others are figures, aligned to the right."""
    kinds = ["word" if k < words else "figure" for k in range(len(headings))]
    head = tag("tr", *(tag("th", name, scope="col", class_=kind) for name, kind in zip(headings, kinds, strict=True)))
    body = [tag("tr", *(tag("td", c, class_=kind) for c, kind in zip(row, kinds, strict=True))) for row in rows]
    inside = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    return tag("div", inside, class_="scroll")


def cards(figures: Sequence[tuple[str, str, str]]) -> Html:
    """The figures that matter most: what, value, remark."""
    return tag(
        "dl",
        *(
            tag("div", tag("dt", what), tag("dd", tag("strong", value), tag("span", remark)))
            for what, value, remark in figures
        ),
        class_="cards",
    )


def bullets(lines: Sequence[Part], **attributes: str) -> Html:
    """A list."""
    return tag("ul", *(tag("li", line) for line in lines), **attributes)


def picture(images: Sequence[tuple[str, str]], caption: Part, *, kind: str = "row") -> Html:
    """Images side by side over one caption; each is an address and what is to be seen, for those who cannot see it."""
    inside = Html("".join(f'<img src="{html.escape(src)}" alt="{html.escape(alt)}">' for src, alt in images))
    return tag("figure", tag("div", inside, class_=kind), tag("figcaption", caption))


def film(src: str, poster: str, alt: str, caption: Part, *, kind: str = "large") -> Html:
    """A film with controls, `large` or `small`."""
    inside = Html(
        f'<video controls loop muted playsinline preload="metadata" src="{html.escape(src)}"'
        f' poster="{html.escape(poster)}" aria-label="{html.escape(alt)}"></video>'
    )
    return tag("figure", inside, tag("figcaption", caption), class_=kind)


def percent(share: float, digits: int = 0) -> str:
    """A share in per cent, held together with its sign by a space that does not break."""
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def swatch(colour: tuple[int, int, int], what: str) -> Html:
    """A coloured square and what has that colour."""
    r, g, b = colour
    return Html(f'<span class="swatch"><i style="background:rgb({r},{g},{b})"></i>{html.escape(what)}</span>')


def page(title: str, *parts: Part | None, style: str = "") -> str:
    """The whole document, with rules of style beyond those of all pages."""
    body = join([part for part in parts if part is not None], "\n")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        "</body>\n</html>\n"
    )


def data_uri(content: bytes, media_type: str) -> str:
    """Content as an address."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def image_uri(image: UInt8[np.ndarray, "H W 3"], *, photo: bool = False) -> str:
    """An RGB image as an address: PNG for drawings, JPEG for photographs."""
    import cv2

    suffix, kind = (".jpg", "image/jpeg") if photo else (".png", "image/png")
    _, encoded = cv2.imencode(suffix, np.ascontiguousarray(image[..., ::-1]))
    return data_uri(encoded.tobytes(), kind)


def svg_uri(svg: str) -> str:
    """A plot as an address."""
    return data_uri(svg.encode(), "image/svg+xml")
