"""A stroke placed in the pour's scene, and how much would fall into the cup by kinematics alone."""

from __future__ import annotations

import numpy as np

from motion.tool import Tool, motion_of_poses
from records import Demonstration, Motion
from sim.placement import AlignError, Range
from sim.swing import swing_of
from sim.tasks.pour_path import EMPTY, FLOWS, Placement, pouring
from sim.tasks.pour_scene import CUP, SCENE, place_of
from sim.tasks.spade_path import about_z
from sim.tool_shape import spout_tip

TILTED = np.radians(20.0)
"""A tilt below this is no pouring [rad]."""
CARRIED = 5.0
"""Percentile of the tilt over time at which a jug counts as level: one that is full is, if only as it is taken up."""
SPREAD = 0.03
"""Grains land within this distance of where the stream does [m]."""
POURS = (0.5, 0.7, 0.9)
"""Shares of the steepest tilt: where they are first reached, tilt that is missing may be added."""


class PourPlacer:
    """Placements of a stroke over the cup."""

    ranges = (
        Range(0.15),
        Range(0.015),
        Range(0.015),
        Range(0.10, 0.4, 1.2),
        Range(0.02, 0.02, 0.20),
        Range(0.15, -0.8, 0.8),
        Range(0.10, -0.5, 0.5),
        Range(0.25, 0.0, 2.2),
    )

    def __init__(self, stroke: Motion, tool: Tool) -> None:
        """Smooth the stroke."""
        self._name, self._tool = stroke.model, tool
        self._swing = swing_of(stroke, tool)

    def starts(self) -> list[Placement]:
        """Where the nose of the jug goes down most, the steepest first, with what tilt is missing added.

        Raises:
            AlignError: it never goes down.
        """
        fps = self._swing.fps
        level, tilt = self._tilt()
        if tilt.max() < TILTED:
            raise AlignError(
                f"the jug is never tilted: its nose goes down by {np.degrees(max(0.0, float(tilt.max()))):.0f} degrees"
                f" at most, {np.degrees(TILTED):.0f} are needed"
            )
        found: list[Placement] = []
        for share in POURS:
            begin = int(np.argmax(tilt > share * tilt.max()))
            missing = float(np.clip(EMPTY + 0.2 - tilt[begin:].max(), 0.0, 2.0))
            found.append(Placement(begin / fps, 0.0, 0.0, 1.0, 0.06, -level, 0.0, missing))
        return found

    def place(self, placement: Placement) -> Demonstration:
        """Cut the stroke, bend it as the placement says, and turn the scene so that it pours along +x."""
        made = pouring(self._swing, self._tool, placement)
        y = made.R[made.flow > 0][:, :2, 1] if made.flow.any() else made.R[:, :2, 1]
        facing = float(np.arctan2(-y.mean(axis=0)[0], y.mean(axis=0)[1]))
        back = about_z(-facing)
        tip = (made.tip - made.cup) @ back.T + place_of(SCENE)
        R = back @ made.R
        motion = motion_of_poses(self._name, self._tool.parameters(), R, tip - R @ spout_tip(self._tool), made.fps)
        return Demonstration(task="pour", scene=dict(SCENE), tool=motion)

    def shortfall(self, placement: Placement) -> float:
        """Looks at the spout alone.

        The jug shall be emptied, what leaves it shall land in the cup, and its other axis shall be level.
        """
        last = len(self._swing.head) / self._swing.fps
        if not 0.1 < placement.pour < last - 0.3:
            return 50.0
        made = pouring(self._swing, self._tool, placement)
        share = float(made.flow.sum())
        beside = np.abs(made.landing - made.cup[:2]).max(axis=1)
        lost = float(made.flow @ np.maximum(0.0, beside - (CUP / 2 - SPREAD)))
        askew = float(np.abs(made.R[made.flow > 0, 2, 1]).max(initial=0.0))
        return 4.0 * (1 - share) + 40.0 * lost + 2.0 * askew

    def remarks(self, placement: Placement) -> tuple[str, ...]:
        """How much of the tilt was not observed, and whether the jug is never seen put back."""
        _, tilt = self._tilt()
        found = []
        if placement.more > TILTED:
            found.append(
                f"The jug was seen to tilt by {np.degrees(tilt.max()):.0f} degrees; grains stay in this one until"
                f" {np.degrees(FLOWS):.0f}, and {np.degrees(placement.more):.0f} degrees were added."
            )
        if tilt[-1] > TILTED:
            found.append(
                "The recording ends while the jug is pouring, tilted by"
                f" {np.degrees(tilt[-1]):.0f} degrees: how it is put back is not seen."
            )
        return tuple(found)

    def _tilt(self) -> tuple[float, np.ndarray]:
        """Nose down, where the jug is level, and in every frame beyond that [rad]."""
        R = self._swing.R
        down = np.arctan2(-R[:, 2, 0], R[:, 2, 2])
        level = float(np.percentile(down, CARRIED))
        return level, down - level

    def guess(self, rng: np.random.Generator) -> Placement:
        """Scale, place of the cup, height and roll at random; the tilt as observed."""
        starts = self.starts()
        start = starts[rng.integers(len(starts))]
        x, y = rng.normal(0, 0.1, 2).tolist()
        return start._replace(
            pour=start.pour + float(rng.normal(0, 0.2)),
            ahead=x,
            aside=y,
            scale=float(rng.choice([0.5, 0.75, 1.0])),
            height=abs(float(rng.normal(0, 0.15))),
            roll=float(rng.normal(0, 0.5)),
            more=abs(float(rng.normal(0, 1.0))),
        )
