"""A shot: one action on one thing, before a background of its own, by a camera of its own, as a function of time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, UInt8

from pretrain.corpus.actions import ACTIONS, CHANGES, Prop, partner
from pretrain.corpus.canvas import Canvas, Similarity, Tint, View
from pretrain.corpus.patterns import pattern
from pretrain.corpus.shapes import shape_of

_COLOURS = 6
"""Of a shot: one of the background, three of the thing and what takes part, two of what distracts."""
_APART = 0.33
"""Least distance of two colours of a shot in the unit cube."""
_TONES = 0.2
"""Most by which a channel differs between the two tones of the background, in the unit cube."""
_NOISE = 6.0
"""Standard deviation of the noise [grey levels]."""
_NOISE_TILE = np.random.default_rng(0).standard_normal((256, 256), np.float32) * np.float32(_NOISE)
"""Repeats in both directions."""
_AT_ONCE = 64_000
"""Pixels that are painted at a time."""
_FIRST, _SECOND = np.triu_indices(_COLOURS, 1)


@dataclass(frozen=True, kw_only=True)
class Shot:
    """All that is seen follows from these; times count from the middle of the action [s]."""

    action: str
    thing: str
    lasting: float
    """How long the action takes [s]."""
    look: tuple[int, ...]
    """Seed of everything that does not matter: colours, background, camera, pose."""
    distractors: int = 2
    """Things that move beside it and are never spoken of."""

    def reversed(self) -> Shot:
        """The same shot, shown backwards: the partner of its action."""
        return replace(self, action=partner(self.action))

    def done(self, time: Float[np.ndarray, "T"]) -> Float[np.ndarray, "T"]:
        """Share of the change that is done at some times: 0 before and 1 after it, or the other way round."""
        return self._done(self._forwards(time), np.random.default_rng(self.look))

    def frames(
        self, time: Float[np.ndarray, "T"], view: View, tint: Tint | None = None
    ) -> UInt8[np.ndarray, "T H W 3"]:
        """The shot at some times; a few at a time, so that they stay in the processor's cache."""
        shown = np.empty((len(time), len(view.y), len(view.x), 3), np.uint8)
        together = max(1, _AT_ONCE // (len(view.y) * len(view.x)))
        for first in range(0, len(time), together):
            part = slice(first, first + together)
            canvas = self._painted(time[part], view)
            if tint is not None:
                canvas.recolour(tint)
            shown[part] = canvas.frames()
        return shown

    def _painted(self, time: np.ndarray, view: View) -> Canvas:
        generator = np.random.default_rng(self.look)
        forwards = self._forwards(time)
        done = self._done(forwards, generator)
        colours = _colours(generator)
        camera = _camera(forwards, generator)
        canvas = Canvas(view, len(time))
        tile = generator.uniform(1.2, 2.4) * np.exp(2j * np.pi * generator.random())
        still = np.ones(len(time), complex)
        canvas.carpet(
            pattern(generator), camera.after(Similarity(tile * still, 0 * still)), _tones(colours[0], generator)
        )
        for colour in colours[4:][: self.distractors]:
            _distract(canvas, camera, forwards, colour, generator)
        turn = generator.uniform(0.42, 0.54) * np.exp(1j * generator.uniform(-0.3, 0.3))
        shift = complex(*generator.uniform(-0.12, 0.12, 2))
        prop = Prop(
            shape=shape_of(self.thing, bool(generator.random() < 0.5)),
            place=camera.after(Similarity(turn * still, shift * still)),
            fill=colours[1],
            edge=colours[2],
            other=colours[3],
            slant=float(generator.uniform(-1, 1)),
        )
        CHANGES[ACTIONS[self.action].change](canvas, prop, done)
        canvas.light(complex(*generator.uniform(-0.15, 0.15, 2)), _noise(forwards, view))
        return canvas

    def _forwards(self, time: np.ndarray) -> np.ndarray:
        """Times of the change shown forwards; everything that moves is a function of them."""
        return -time if ACTIONS[self.action].backwards else time

    def _done(self, forwards: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Between a uniform speed and a smooth start and end, by chance; symmetric about the middle."""
        share = np.clip(forwards / self.lasting + 0.5, 0, 1)
        return share - generator.random() * np.sin(2 * np.pi * share) / (2 * np.pi)


def _colours(generator: np.random.Generator) -> Float[np.ndarray, "C 3"]:
    """Colours that differ from each other; each is as likely as any other to be any of them."""
    while True:
        sets = generator.random((16, _COLOURS, 3))
        apart = ((sets[:, _FIRST] - sets[:, _SECOND]) ** 2).sum(-1).min(1) > _APART**2
        if apart.any():
            return sets[int(apart.argmax())] * 255


def _tones(colour: np.ndarray, generator: np.random.Generator) -> Float[np.ndarray, "2 3"]:
    """A colour and one beside it; thrown back at the ends of the scale, so that all remain equally likely."""
    other = np.abs(colour + generator.uniform(-_TONES, _TONES, 3) * 255)
    return np.stack([colour, 255 - np.abs(255 - other)])


def _camera(time: np.ndarray, generator: np.random.Generator) -> Similarity:
    """From the scene to the screen: scale, roll and shift, a slow pan, and the shaking of a hand."""
    scale, roll = np.exp(generator.uniform(-0.12, 0.15)), generator.uniform(-0.2, 0.2)
    shift, pan = (complex(*generator.uniform(-most, most, 2)) for most in (0.1, 0.03))
    phase, rate = generator.uniform(0, 2 * np.pi, 3), generator.uniform(2, 12, 3)
    shake = generator.uniform(0, 0.025) * np.sin(time[:, None] * rate + phase)
    turn = scale * np.exp(1j * (roll + shake[:, 2]))
    return Similarity(turn, shift + pan * time + shake[:, 0] + 1j * shake[:, 1])


def _distract(
    canvas: Canvas, camera: Similarity, time: np.ndarray, colour: np.ndarray, generator: np.random.Generator
) -> None:
    """A disc or a bar that moves about, near the border."""
    size, speed = generator.uniform(0.08, 0.18), generator.uniform(0.5, 4)
    home = generator.uniform(0.75, 1.0) * np.exp(2j * np.pi * generator.random())
    path = generator.uniform(0, 0.25) * np.exp(2j * np.pi * generator.random())
    place = home + path * np.sin(speed * time + generator.uniform(0, 2 * np.pi))
    spin = np.exp(1j * generator.uniform(-1, 1) * time)
    patch = canvas.patch(camera.after(Similarity(size * spin, place)), 1.5)
    if generator.random() < 0.5:
        patch.paint((patch.u**2 + patch.v**2 - np.float32(1)) / np.float32(2), colour)
    else:
        patch.paint(np.maximum(np.abs(patch.u) - np.float32(1.3), np.abs(patch.v) - np.float32(0.5)), colour)


def _noise(time: np.ndarray, view: View) -> Float[np.ndarray, "T H W"]:
    """Noise of the camera: elsewhere on the same tile at every time."""
    side = len(_NOISE_TILE)
    column, row = (np.rint(axis / view.pixel + side).astype(np.intp) for axis in (view.x, view.y))
    start = np.abs(np.sin(12.9898 * time + 1.0)) * 43758.5453
    right, down = ((start * factor % 1 * side).astype(np.intp)[:, None] for factor in (1.0, 7.0))
    rows, columns = (row + down) % side * side, (column + right) % side
    return _NOISE_TILE.ravel().take(rows[:, :, None] + columns[:, None, :])
