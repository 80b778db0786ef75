"""Grains: the same sand in other numbers, heaps that stand, vessels that hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from motion.tool import JUG
from sim.bullet import Bullet
from sim.grains import Grains, settle
from sim.tasks.pour_scene import GRAINS, filling
from sim.tasks.spade_scene import DEPOSIT, HEIGHT, SAND, heap
from sim.urdf import box_urdf, write_urdf


@pytest.mark.parametrize("count", [30, 60, 200])
def test_division_keeps_volume_and_mass(count):
    other = SAND.divided(count)
    assert other.count == count
    assert other.volume == pytest.approx(SAND.volume)
    assert other.count * other.mass == pytest.approx(SAND.count * SAND.mass)


def test_sand_is_that_of_the_paper():
    """200 grains of 2 cm and 1 g."""
    assert SAND.divided(200).radius == pytest.approx(0.02)
    assert SAND.divided(200).mass == pytest.approx(0.001)


def test_the_heap_lies_in_the_deposit_and_stands_above_its_walls():
    points = heap(SAND)
    assert (np.abs(points[:, :2]) < DEPOSIT / 2).mean() > 0.95
    assert points[:, 2].min() > 0.9 * SAND.radius
    assert points[:, 2].max() + SAND.radius > HEIGHT
    gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)[np.triu_indices(len(points), 1)]
    assert gaps.min() > 1.8 * SAND.radius


def test_the_jug_holds_all_of_its_filling():
    local = filling(GRAINS, JUG) - JUG.p_head
    assert (np.abs(local) < np.array(JUG.head_size) / 2).all()
    assert local[:, 2].max() < 0.02


def test_a_falling_grain_obeys_free_fall():
    with Bullet(time_step=1 / 240) as bullet:
        grains = Grains(bullet, SAND.divided(1))
        grains.place(np.array([[0.0, 0.0, 5.0]]), asleep=False)
        for _ in range(120):
            bullet.step()
        # The engine integrates by symplectic Euler: v_k = g k h, z = -g h^2 k (k + 1) / 2; damping takes 4 %/s.
        assert 5.0 - grains.positions()[0, 2] == pytest.approx(9.81 * 120 * 121 / 2 / 240**2, rel=0.02)


@pytest.mark.parametrize(("degrees", "slides"), [(10.0, False), (35.0, True)])
def test_grains_slide_where_friction_says(degrees, slides):
    """A grain that cannot turn slides where the slope exceeds its friction times the ground's: from 24 degrees on."""
    kind = SAND.divided(1)
    with Bullet(time_step=1 / 240) as bullet:
        with TemporaryDirectory() as folder:
            slope = bullet.load_urdf(write_urdf(Path(folder), "slope", box_urdf("slope", (4.0, 4.0, 0.2), "1 1 1 1")))
        bullet.set_friction(slope, -1, lateral=0.5)
        half = np.radians(degrees) / 2
        bullet.place(slope, [0, 0, 0], [0.0, np.sin(half), 0.0, np.cos(half)])
        grains = Grains(bullet, kind)
        normal = np.array([np.sin(2 * half), 0.0, np.cos(2 * half)])
        grains.place(kind.radius * normal[None], asleep=False)
        for _ in range(240):
            bullet.step()
        moved = np.linalg.norm(grains.positions()[0] - kind.radius * normal)
    assert (moved > 0.2) == slides
    assert slides or moved < 0.02


def test_settling_repeats_itself():
    kind = SAND.divided(12)

    def ground(bullet, folder):
        bullet.load_urdf(write_urdf(folder, "ground", box_urdf("ground", (6.0, 6.0, 0.5), "1 1 1 1")))
        return []

    first, second = (settle(kind, ground, centre=(0.0, 0.0), half=(0.15, 0.15), floor=0.0) for _ in range(2))
    assert np.array_equal(first, second)


def test_disorder_makes_other_heaps_of_the_same_sand():
    first, other = heap(SAND), heap(replace(SAND, disorder=1))
    assert np.abs(first - other).max() > 0.1 * SAND.radius
    assert (np.abs(other[:, :2]) < DEPOSIT / 2).mean() > 0.95
