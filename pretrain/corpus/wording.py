"""What is said in the generated corpus: as people speak who show how something is done, in small letters.

No sentence names a colour, a background, a side or a camera.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pretrain.corpus.actions import ACTIONS
from pretrain.corpus.shapes import OBJECTS
from pretrain.vocabulary import Vocabulary, words_of

THINGS: dict[str, tuple[str, ...]] = {
    "mug": ("mug", "coffee mug"),
    "bottle": ("bottle", "flask"),
    "fish": ("fish", "little fish"),
    "key": ("key", "door key"),
    "star": ("star", "paper star"),
    "hammer": ("hammer", "mallet"),
    "boot": ("boot", "rubber boot"),
    "umbrella": ("umbrella", "parasol"),
    "tree": ("tree", "fir"),
    "mushroom": ("mushroom", "toadstool"),
    "heart": ("heart", "paper heart"),
    "house": ("house", "little house"),
}
"""What an object may be called."""

DOINGS: dict[str, tuple[str, ...]] = {
    "open": ("open {}", "open up {}", "pop {} open"),
    "close": ("close {}", "shut {}", "snap {} shut"),
    "fill": ("fill {}", "fill up {}", "fill {} to the brim", "top up {}"),
    "empty": ("empty {}", "drain {}", "empty out {}", "pour everything out of {}"),
    "cut": ("cut {} in half", "slice {} in two", "split {} apart", "cut through {}"),
    "join": ("join {} together again", "glue {} back together", "put the halves of {} together"),
    "inflate": ("inflate {}", "blow up {}", "pump up {}"),
    "deflate": ("deflate {}", "let the air out of {}", "let {} shrink"),
    "pack": ("put {} into the box", "pack {}", "drop {} in the box", "pack {} away"),
    "unpack": ("take {} out of the box", "unpack {}", "lift {} from the box"),
    "cover": ("cover {}", "cover up {}", "pull the cloth over {}", "hide {} under the cloth"),
    "uncover": ("uncover {}", "pull the cloth off {}", "reveal {}"),
}
"""How an action may be told somebody to do; `{}` is the thing."""

_GERUNDS = {
    "cut": "cutting", "drop": "dropping", "let": "letting", "pop": "popping", "put": "putting", "shut": "shutting",
    "snap": "snapping", "split": "splitting", "top": "topping", "close": "closing", "glue": "gluing",
    "hide": "hiding", "inflate": "inflating", "deflate": "deflating", "slice": "slicing", "take": "taking",
}  # fmt: skip
"""Where `ing` alone does not make it."""

_TELLING = (
    "{}", "now {}", "so now {}", "and then you {}", "go ahead and {}", "next you want to {}", "we're gonna {}",
    "let's {}", "i'm just going to {}", "you can {} like this", "the next thing is to {}", "okay so we {}",
    "alright now i {}", "you'll need to {}", "just {} slowly",
)  # fmt: skip
"""Around what to do."""
_SHOWING = ("here i'm {}", "now we're {}", "i'm {} as you can see", "start by {}", "so this is me {}")
"""Around what is being done."""
_ARTICLES = ("the", "the", "the", "your", "this", "our")

CHATTER = (
    "hey guys welcome back to my channel",
    "don't forget to like and subscribe",
    "so yeah that's pretty much how i do it",
    "tell me in the comments what you think",
    "i've been doing this for about ten years now",
    "my grandmother used to do it this way",
    "it's really not that hard once you know how",
    "there's really no rush with this",
    "um okay where were we",
    "i got this one at a yard sale last summer",
    "sorry about the noise outside",
    "and that looks pretty good to me",
    "a lot of people ask me about this",
    "so we've had some really nice weather lately",
    "you don't need any special tools for this",
    "be careful with your fingers",
    "i hope you're all having a great day",
    "somebody gave me that {} as a present",
    "i used to have a {} like that",
    "honestly a {} is not that expensive",
    "you can find a nice {} almost anywhere",
    "my neighbour has a {} too",
    "we'll get back to the {} later",
)
"""What belongs to nothing that happens; `{}` is any thing, seen or not."""


CHOICES = 5
"""How often chance decides in a sentence."""


def spoken(action: str, thing: str, chance: Float[np.ndarray, "C"], pronouns: float = 0.0) -> str:
    """A sentence on an action.

    Args:
        action: what is done.
        thing: what it is done to.
        chance: numbers from 0 to 1 that decide on the words, `CHOICES` of them.
        pronouns: share of such sentences that say `it` for the thing.
    """
    first, second, third, fourth, fifth = chance.tolist()
    frame, doing = _at(_TELLING + _SHOWING, first), _at(DOINGS[action], second)
    name = "it" if fifth < pronouns else f"{_at(_ARTICLES, third)} {_at(THINGS[thing], fourth)}"
    return frame.format((gerund(doing) if frame in _SHOWING else doing).format(name))


def chatter(things: tuple[str, ...], chance: Float[np.ndarray, "C"]) -> str:
    """A sentence that belongs to nothing that happens, decided by `chance` as above."""
    first, second, third = chance[:3].tolist()
    return _at(CHATTER, first).format(_at(THINGS[_at(things, second)], third))


def gerund(doing: str) -> str:
    """From `open {}` to `opening {}`."""
    verb, _, rest = doing.partition(" ")
    return f"{_GERUNDS.get(verb, verb + 'ing')} {rest}"


def vocabulary() -> Vocabulary:
    """Every word that can be said, in alphabetical order."""
    doings = [doing for action in ACTIONS for doing in DOINGS[action]]
    things = [name for thing in OBJECTS for name in THINGS[thing]]
    texts = [*things, *doings, *map(gerund, doings), *_TELLING, *_SHOWING, *_ARTICLES, *CHATTER, "it"]
    return Vocabulary(sorted({word for text in texts for word in words_of(text)}))


def _at(choices: tuple[str, ...], chance: float) -> str:
    return choices[int(chance * len(choices))]
