"""Clips of the generated corpus that show one change among other things, with a label for every moment of them.

A clip is three shots or more of a script, one of which shows the action that is asked for; in it the thing is in its
initial state before the action and in its final state after it. Everything else is background.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8

from pretrain.corpus.canvas import whole
from pretrain.corpus.options import CorpusOptions
from pretrain.corpus.script import Script, write_script
from records import Timeline

CHANGES = 2
"""First number of the seeds: clips to train on and clips to evaluate with have others."""


class ChangingClip(NamedTuple):
    """A clip that is painted when it is asked for."""

    script: Script
    step: int
    """Number of the shot that shows the change."""

    def labels(self, moments: Float[np.ndarray, "N"]) -> Int[np.ndarray, "N"]:
        """0 background, 1 initial state, 2 action, 3 final state at some moments [s]."""
        middle, half = self.script.middle[self.step], self.script.lasting[self.step] / 2
        label = np.where(moments < middle - half, 1, np.where(moments <= middle + half, 2, 3))
        found: np.ndarray = np.where(self.script.showing(moments) == self.step, label, 0)
        return found

    def frames(self, moments: Float[np.ndarray, "T"], side: int) -> UInt8[np.ndarray, "T S S 3"]:
        """What is seen at some ascending moments [s]."""
        return self.script.frames(moments, whole((side, side)))

    def narration(self) -> Timeline:
        """What is said."""
        return self.script.narration()


def changing_clips(options: CorpusOptions, action: str, count: int, *, seed: int, shots: int = 4) -> list[ChangingClip]:
    """Clips of `shots` shots, one of them of `action`, on any thing; the others are of other kinds of change.

    Args:
        options: of the videos; `steps` is replaced.
        action: of `options.actions`.
        count: how many clips.
        seed: clips of different seeds share nothing.
        shots: of a clip.
    """
    from pretrain.corpus.actions import ACTIONS

    others = tuple(name for name in options.actions if ACTIONS[name].change != ACTIONS[action].change)
    made = []
    for number in range(count):
        chance = (CHANGES, seed, number)
        script = write_script(replace(options, steps=shots), chance)
        rng = np.random.default_rng((*chance, 9))
        step = int(rng.integers(shots))
        actions = [others[k] for k in rng.integers(len(others), size=shots)]
        actions[step] = action
        made.append(ChangingClip(script._replace(actions=tuple(actions)), step))
    return made
