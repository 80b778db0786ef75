"""The square around a person, and the network that looks into it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.detectors.blazepose import NAMES
from perception.detectors.detector import DetectionError
from perception.detectors.pose_models import packaged_task
from perception.detectors.pose_network import PoseNetwork, located
from perception.detectors.region import SIDE_PX, Region
from perception.detectors.scout import Finder, tiles_of
from perception.video import open_clip, read_frames

CLIP = Path(__file__).parents[2].parent / "shared/data/parkour/kv02_PKLP.mp4"
needs_data = pytest.mark.skipif(not CLIP.is_file(), reason=f"{CLIP} is absent")


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize(("side", "turn"), [(256.0, 0.0), (180.0, 0.7), (400.0, -2.0)])
def test_a_spot_in_the_square_is_found_in_the_image(side, turn, mirror):
    image = np.zeros((480, 640, 3), np.uint8)
    image[230:238, 350:358] = 255
    region = Region(np.array([330.0, 250.0]), side, turn)
    square = region.cut(image, mirror=mirror)
    assert square.shape == (SIDE_PX, SIDE_PX, 3)
    rows, columns = np.nonzero(square[..., 0] > 0.5)
    corner = np.array([[columns.mean() + 0.5, rows.mean() + 0.5]])
    assert region.to_image(corner, mirror=mirror)[0] == pytest.approx([353.5, 233.5], abs=0.6)


@given(st.floats(-np.pi + 0.01, np.pi - 0.01), st.floats(10, 300))
def test_the_person_is_upright_in_the_square_and_has_room(angle, reach):
    hips = np.array([100.0, 200.0])
    rim = hips + reach * np.array([np.sin(angle), -np.cos(angle)])
    region = Region.around(hips, rim)
    assert region.turn == pytest.approx(angle)
    top = region.to_image(np.array([[SIDE_PX / 2, SIDE_PX / 2 - SIDE_PX / 2 / 1.25]]), mirror=False)[0]
    assert top == pytest.approx(rim, abs=1e-6 * reach)


def test_a_square_around_known_points_holds_them():
    uv = np.random.default_rng(0).uniform([200, 100], [260, 300], (len(NAMES), 2))
    region = Region.of_body(uv)
    assert np.linalg.norm(uv - region.centre, axis=1).max() <= region.side / 2
    edge = region._replace(centre=np.zeros(2)).cut(np.full((480, 640, 3), 255, np.uint8), mirror=False)
    assert (edge.min(), edge.max()) == (0, 1), "black beyond the image"
    assert Region.of_body(np.zeros((len(NAMES), 2))).side > 0, "a collapsed body"


def test_the_heat_moves_a_point_to_its_middle_and_cold_leaves_it():
    heat = np.full((64, 64, 39), -20.0, np.float32)
    heat[30:33, 40:43, 0] = 5.0
    points = np.full((39, 2), 0.5)
    points[0] = [42.5 / 64, 29.5 / 64]
    points[1] = [1.5, -0.2]
    found = located(points, heat)
    assert found[0] == pytest.approx([41 / 64, 31 / 64], abs=1e-3)
    np.testing.assert_array_equal(found[1:], points[1:])


def test_another_network_is_refused_in_one_line():
    with pytest.raises(DetectionError, match=r"palm\.tflite: LiteRT cannot run this model") as caught:
        PoseNetwork(b"weights", "palm.tflite")
    assert "\n" not in str(caught.value)


@needs_data
def test_the_network_sees_the_same_person_in_a_mirror_and_in_a_turned_square():
    image = next(iter(read_frames(open_clip(CLIP, fps=25, start=0.4, end=0.8))))
    network = PoseNetwork(packaged_task().landmarks, "packaged")
    (known,) = Finder(packaged_task()).find(image, tiles_of((image.shape[0], image.shape[1]))[0])
    sight = network.look(image, network.look(image, Region.of_body(known.uv)).around)
    size = np.ptp(known.uv[:, 1])
    assert sight.presence > 0.9
    assert np.median(np.linalg.norm(sight.body.uv - known.uv, axis=1)) < 0.05 * size
    turned = sight.around._replace(turn=sight.around.turn + 0.2)
    for other in (network.look(image, sight.around, mirror=True), network.look(image, turned)):
        assert np.median(np.linalg.norm(sight.body.uv - other.body.uv, axis=1)) < 0.05 * size
        assert np.median(np.linalg.norm(sight.body.xyz - other.body.xyz, axis=1)) < 0.12
        assert other.around.centre == pytest.approx(sight.around.centre, abs=0.05 * size)
