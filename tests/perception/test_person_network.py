"""The network that finds people, and what is made of its guesses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.detectors.detector import DetectionError
from perception.detectors.person_network import GUESSES, SIDE_PX, VALUES, PersonNetwork, middles, settled
from perception.detectors.pose_models import packaged_task
from perception.video import open_clip, read_frames

CLIP = Path(__file__).parents[2].parent / "shared/data/parkour/kv02_PKLP.mp4"
needs_data = pytest.mark.skipif(not CLIP.is_file(), reason=f"{CLIP} is absent")


def guess(box: tuple[float, float, float, float], hips: tuple[float, float], rim: tuple[float, float]) -> np.ndarray:
    values = np.zeros(VALUES)
    values[:8] = *box, *hips, *rim
    return values


def test_every_guess_has_a_cell_and_the_grids_cover_the_square():
    cells = middles()
    assert cells.shape == (GUESSES, 2) == (2254, 2)
    assert cells[0].tolist() == [4, 4] == cells[1].tolist()
    assert cells[2].tolist() == [12, 4], "along the row first"
    assert cells[-1].tolist() == [208, 208]
    assert cells.mean(axis=0) == pytest.approx([SIDE_PX / 2, SIDE_PX / 2])


def test_guesses_of_one_person_are_averaged_by_score_and_two_people_stay_two():
    cells = np.array([[50.0, 50.0], [54.0, 50.0], [150.0, 50.0]])
    guesses = np.stack(
        [
            guess((0, 0, 40, 40), (0, 10), (0, -30)),
            guess((0, 0, 40, 40), (0, 10), (0, -30)),
            guess((0, 0, 40, 40), (5, 0), (5, -20)),
        ]
    )
    people = settled(guesses, cells, np.array([0.6, 0.9, 0.7]))
    assert people[0, 0] == pytest.approx([(0.6 * 50 + 0.9 * 54) / 1.5, 60])
    assert people[1] == pytest.approx(np.array([[155, 50], [155, 30]]))
    assert settled(guesses[:0], cells[:0], np.zeros(0)).shape == (0, 2, 2)


@given(st.lists(st.tuples(st.floats(0, 224), st.floats(0, 224), st.floats(1, 90), st.floats(0.5, 1)), max_size=20))
def test_nobody_is_found_twice_or_lost(found):
    boxes = np.stack([guess((0, 0, size, size), (0, 0), (0, -size)) for *_, size, _ in found] or [np.zeros(VALUES)])
    cells = np.array([[x, y] for x, y, *_ in found] or [[0.0, 0.0]])
    people = settled(boxes, cells, np.array([score for *_, score in found] or [1.0]))
    assert 1 <= len(people) <= len(boxes)
    apart = np.abs(cells[:, None] - cells).max(axis=2) > np.maximum(boxes[:, None, 2], boxes[:, 2])
    if apart[~np.eye(len(cells), dtype=bool)].all():
        assert len(people) == len(boxes)


def test_another_network_is_refused_in_one_line():
    with pytest.raises(DetectionError, match=r"a\.task: LiteRT cannot run this model") as caught:
        PersonNetwork(b"weights", "a.task")
    assert "\n" not in str(caught.value)
    with pytest.raises(DetectionError, match="not a person detection network"):
        PersonNetwork(packaged_task().landmarks, "landmarks")


@needs_data
def test_a_person_is_found_where_the_image_is_moved_to_and_nobody_in_black():
    image = next(iter(read_frames(open_clip(CLIP, fps=25, start=0.4, end=0.8))))
    network = PersonNetwork(packaged_task().people, "packaged")
    (here,) = network.find(image, least=0.5, most=4)
    assert np.all(here.centre > 0)
    assert np.all(here.centre < image.shape[1::-1])
    assert abs(here.turn) < np.pi / 2
    moved = np.zeros((image.shape[0] + 60, image.shape[1] + 40, 3), np.uint8)
    moved[60:, 40:] = image
    (there,) = network.find(moved, least=0.5, most=4)
    assert there.centre - here.centre == pytest.approx([40, 60], abs=0.1 * here.side)
    assert there.side == pytest.approx(here.side, rel=0.15)
    tall = np.ascontiguousarray(image[:, int(here.centre[0]) - 150 : int(here.centre[0]) + 150])
    (narrow,) = network.find(tall, least=0.5, most=4)
    assert narrow.centre[1] == pytest.approx(here.centre[1], abs=0.1 * here.side)
    assert network.find(np.zeros_like(image), least=0.5, most=4) == []
