"""Movements of the studio whose contacts are known: a table, and the casting of a person who does one of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from motion.body import Body
from motion.skeleton import CONTACT_SITES, RESTING_SITES
from records import ContactStates, Entry, Registry
from sim.studio_goals import Act, Move, Prop, mirrored
from sim.studio_perform import performed
from sim.studio_script import planned
from sim.studio_stroke import draw_body

MOVES = Registry(
    "movement",
    {
        "stand": Entry("sim.studio_moves_floor:stand", "standing, shifting weight, lifting a foot"),
        "walk": Entry("sim.studio_moves_floor:walk", "walking"),
        "run": Entry("sim.studio_moves_floor:run", "running"),
        "squat": Entry("sim.studio_moves_floor:squat", "squats"),
        "lean": Entry("sim.studio_moves_floor:lean", "leaning on a table or a wall with one hand or both"),
        "jump": Entry("sim.studio_moves_air:jump", "jumps on the spot and forwards"),
        "drop": Entry("sim.studio_moves_air:drop", "a jump down from a box"),
        "box": Entry("sim.studio_moves_air:box", "steps onto a box and down"),
        "hang": Entry("sim.studio_moves_bar:hang", "hanging from a bar and pulling up"),
        "muscle_up": Entry("sim.studio_moves_bar:muscle_up", "from hanging to propping on a bar"),
        "kong": Entry("sim.studio_moves_vault:kong", "a vault with both hands, legs between them"),
        "safety": Entry("sim.studio_moves_vault:safety", "a vault with a hand and a foot"),
        "speed_vault": Entry("sim.studio_moves_vault:speed_vault", "a vault with one hand"),
        "kneel": Entry("sim.studio_moves_low:kneel", "kneeling on one knee or both, and rising"),
        "crawl": Entry("sim.studio_moves_low:crawl", "crawling on hands and knees"),
        "sit_down": Entry("sim.studio_moves_low:sit_down", "sitting down on the ground, and rising"),
        "sit_box": Entry("sim.studio_moves_low:sit_box", "sitting down on a box, and rising"),
    },
)


class Performance(NamedTuple):
    """A person who does a movement, and what touches."""

    body: Body
    q: Float[np.ndarray, "T 99"]
    touch: Bool[np.ndarray, "T 4"]
    """In the order of `CONTACT_SITES`."""
    props: tuple[Prop, ...]
    fps: float
    resting: Bool[np.ndarray, "T 4"]
    """In the order of `RESTING_SITES`."""

    @property
    def contacts(self) -> ContactStates:
        """True contacts; those of knees and hips where there are any."""
        names, touch = CONTACT_SITES, self.touch
        if self.resting.any():
            names, touch = (*names, *RESTING_SITES), np.concatenate([touch, self.resting], axis=1)
        return ContactStates(names=names, probability=touch.astype(float), fps=self.fps)


def perform(move: str, *, seed: int, seconds: float = 3.0, fps: float = 25.0) -> Performance:
    """Draw a person and a way of doing a movement, and do a piece of it.

    Args:
        move: name in `MOVES`.
        seed: of the person, of the movement and of the piece.
        seconds: length of the piece [s]; the whole movement where that is shorter.
        fps: frame rate [1/s].

    Raises:
        UnknownName: no such movement.
    """
    make: Move = MOVES.load(move)
    people, ways, pieces = (np.random.default_rng([seed, index_of(move), part]) for part in range(3))
    body = draw_body(people)
    act: Act = make(ways, body)
    if ways.uniform() < 0.5:
        act = mirrored(act)
    length = act.beats[-1].time
    start = float(pieces.uniform(0, max(length - seconds, 0)))
    times = start + np.arange(round(min(seconds, length) * fps)) / fps
    plan = planned(act.beats, body, times)
    return Performance(body, performed(body, plan, fps), plan.touch, act.props, fps, plan.resting)


def index_of(move: str) -> int:
    """Number of a movement, which keeps the draws of one apart from those of another."""
    return list(MOVES).index(move)
