"""A stroke placed in the spade's scene, and how much sand it would carry by kinematics alone."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from motion.tool import Tool, motion_of_poses
from records import Demonstration, Motion
from sim.placement import AlignError, Range
from sim.swing import Swing, swing_of
from sim.tasks.spade_path import Placement, Scoop, about_z, levelled, scoop
from sim.tasks.spade_scene import APART, BOX, NEEDED, SAND, SCENE, heap
from sim.tool_shape import BLADE_TILT, SIDE, blade_frame

LEVEL = np.radians(10.0)
"""The carrying blade may be inclined by this much [rad] before sand counts as lost: well before grains slide."""
SPILL = 0.15
"""Grains land within this distance of where the middle of the load does [m]."""
PASSES = 4
"""Passes that are searched, the lowest: a tracker that loses the tool for a moment may have it lower than it digs."""
ENOUGH = 4.0
"""How many times the sand that is needed a good stroke takes up."""
HUMAN_SCALE = 1.0
"""Size of the stroke that a search starts from."""


class SpadePlacer:
    """Placements of a stroke in a scene of deposit and box."""

    ranges = (
        Range(0.08),
        Range(0.20),
        Range(0.06),
        Range(0.05),
        Range(0.40),
        Range(0.08),
        Range(0.08),
        Range(0.08, 0.5, 1.35),
        Range(0.03, -0.15, 0.05),
        Range(0.06, 0.0, 0.25),
        Range(0.12),
        Range(0.15, -0.2, 0.8),
        Range(0.30, -2.6, 2.6),
    )

    def __init__(self, stroke: Motion, tool: Tool) -> None:
        """Smooth the stroke, and level the tool: its turn about the handle is not observed."""
        self._name, self._tool = stroke.model, tool
        swing = swing_of(stroke, tool)
        self._swing = Swing(levelled(swing.R[:, :, 0]), swing.head, swing.fps)

    def starts(self) -> list[Placement]:
        """Four for each pass along the ground: the observed axis is the blade's or the handle's; tipped either way.

        Raises:
            AlignError: nowhere does the head go low and far away afterwards.
        """
        head, fps = self._swing.head, self._swing.fps
        z = head[:, 2]
        low = np.flatnonzero((z <= np.median(z)) & _is_valley(z, round(0.5 * fps)))
        passes, furthest = [], 0.0
        for dig in low.tolist():
            away = np.linalg.norm(head[dig:, :2] - head[dig, :2], axis=1)
            furthest = max(furthest, float(away.max()))
            if away.max() * self.ranges[7].high > APART:
                # The first moment at which the head is nearly as far from the sand as it goes.
                passes.append((dig, dig + int(np.argmax(away > 0.85 * away.max()))))
        if not passes:
            raise AlignError(
                f"the tool's head moves {furthest:.2f} m away at most after it was low;"
                f" the box stands {APART} m from the sand"
            )
        passes = sorted(passes, key=lambda pair: z[pair[0]])[:PASSES]
        return [
            Placement(dig / fps, tip / fps, -0.02, 0.0, 0.0, 0.0, 0.0, HUMAN_SCALE, -0.02, 0.12, tilt, 0.2, over)
            for dig, tip in passes
            for tilt in (float(BLADE_TILT), 0.0)
            for over in (2.2, -2.2)
        ]

    def place(self, placement: Placement) -> Demonstration:
        """Cut the stroke, bend it as the placement says, and turn the scene so that the spade digs along +x.

        Where the stroke goes into the ground, into walls, or into the heap before it digs, it is held up: the real tool
        was above them.
        """
        made = scoop(self._swing, self._tool, placement)
        deposit = np.array([SCENE["sand_x"], SCENE["sand_y"], 0.0])
        back = about_z(-made.yaw)
        head = (made.head - made.sand) @ back.T + deposit
        box = back @ (made.box - made.sand) + deposit
        R = back @ made.R
        motion = motion_of_poses(
            self._name, self._tool.parameters(), R, head - self._tool.length * R[:, :, 0], made.fps
        )
        scene = dict(SCENE) | {"box_x": float(box[0]), "box_y": float(box[1])}
        return Demonstration(task="spade", scene=scene, tool=motion)

    def shortfall(self, placement: Placement) -> float:
        """Looks at the moving blade alone, in a heap that does not move before the blade reaches it.

        Sand shall come onto the blade over its toe; the blade shall be level while it carries; what leaves it when it
        tips shall land in the box.
        """
        last = len(self._swing.head) / self._swing.fps
        if not 0.2 < placement.dig < placement.tip < last - 0.3:
            return 50.0
        made = scoop(self._swing, self._tool, placement)
        caught = self._caught(made)
        carrying = slice(made.dig, max(made.tip, made.dig + 2))
        blade = made.R[carrying] @ blade_frame(self._tool).rotation
        inclined = np.arccos(np.clip(blade[:, 2, 2], -1, 1))
        lost = float(np.maximum(0.0, inclined - LEVEL).max(initial=0.0))
        beside = np.maximum(0.0, np.abs(made.landing - made.box)[:, :2].max(axis=1) - (BOX / 2 - SPILL))
        turned = abs(placement.over)
        return (
            max(0.0, ENOUGH - caught / NEEDED)
            + 8.0 * lost
            + 10.0 * float(beside.mean())
            + 3.0 * max(0.0, 1.9 - turned)
            + 5.0 * made.squeezed
        )

    def remarks(self, placement: Placement) -> tuple[str, ...]:
        """What tips the blade, which an axis does not show."""
        return (
            "The turn about the handle that tips the blade is not observed:"
            f" {np.degrees(abs(placement.over)):.0f} degrees were added.",
        )

    def guess(self, rng: np.random.Generator) -> Placement:
        """Scale, place of sand and box, yaw and roll at random, as in Zorina et al. (2021); the rest as observed."""
        starts = self.starts()
        start = starts[rng.integers(len(starts))]
        later = float(rng.uniform(start.dig, len(self._swing.head) / self._swing.fps))
        x, y, box_x, box_y = rng.normal(0, 0.1, 4).tolist()
        return start._replace(
            dig=start.dig + float(rng.normal(0, 0.1)),
            tip=later,
            along=x,
            across=y,
            heading=float(rng.uniform(-np.pi, np.pi)),
            box_x=box_x,
            box_y=box_y,
            scale=float(rng.choice([0.5, 0.75, 1.0])),
            height=float(rng.normal(0, 0.05)),
            push=0.0,
            tilt=start.tilt + float(rng.normal(0, 0.2)),
            lean=0.0,
            over=float(rng.uniform(-np.pi, np.pi)),
        )

    def _caught(self, made: Scoop) -> float:
        """Share of the heap's grains that come onto the blade."""
        digging = slice(made.begin, made.dig + 1)
        blade = blade_frame(self._tool)
        R = made.R[digging] @ blade.rotation
        grains = heap(SAND) @ about_z(made.yaw).T + made.sand
        local = np.einsum("tji,tnj->tni", R, grains[None] - made.head[digging, None])
        half = np.array(self._tool.head_size[:2]) / 2
        above = np.abs(local[..., :2]) < half
        inside = above.all(axis=-1)
        # A grain that the plate's underside or a side rim meets first is pushed away, not taken up.
        below = inside & (local[..., 2] < 0)
        beside = above[..., 0] & ~above[..., 1] & (np.abs(local[..., 1]) < half[1] + SAND.radius)
        rammed = below | (beside & (np.abs(local[..., 2]) < SIDE))
        taken = inside[-1] & (local[-1, :, 2] > 0) & (local[-1, :, 2] < 0.12) & ~below.any(axis=0)
        return float((taken * np.where(rammed.any(axis=0), 0.5, 1.0)).mean())


def _is_valley(values: Float[np.ndarray, "T"], reach: int) -> np.ndarray:
    """Where a value is the smallest of all within `reach` samples."""
    padded = np.pad(values, reach, constant_values=np.inf)
    return np.asarray(values == np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).min(axis=1))
