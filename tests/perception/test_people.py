"""Several people in a clip: tiles, the target, and the right one on real clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.click import Click
from perception.detectors.blazepose import NAMES, Body, swapped
from perception.detectors.mediapipe_pose import MediaPipePose, single_view
from perception.detectors.pose_models import packaged_task
from perception.detectors.scout import Scouted, distinct, look, scout, tiles_of
from perception.detectors.target import Target, apart_from, joined
from perception.person import NoPersonError, choose_person
from perception.video import open_clip
from records import Keypoints

CLIPS = Path(__file__).parents[2].parent / "shared/data/clips"
needs_data = pytest.mark.skipif(not CLIPS.is_dir(), reason=f"{CLIPS} is absent")
RNG = np.random.default_rng(0)
SHAPE = RNG.uniform([-40, -100], [40, 100], (len(NAMES), 2))


def body(x: float, y: float = 240.0, confidence: float = 0.9) -> Body:
    return Body(SHAPE + np.array([x, y]), np.zeros((len(NAMES), 3)), np.full(len(NAMES), confidence))


def person(places: list[float | None]) -> Keypoints:
    """Somebody at some places, one a sampled frame; None where they are not seen."""
    seen = np.array([place is not None for place in places])
    uv = np.stack([body(place or 0.0).uv * (place is not None) for place in places])
    confidence = np.tile(0.9 * seen[:, None], (1, len(NAMES)))
    return Keypoints(names=NAMES, uv=uv, confidence=confidence, fps=10, size_hw=(480, 640))


@pytest.mark.parametrize("size_hw", [(480, 480), (480, 640), (994, 1768), (1920, 1080), (100, 1000)])
def test_tiles_cover_the_image_and_anybody_of_half_their_side_is_whole_in_one(size_hw):
    height, width = size_hw
    tiles = tiles_of(size_hw)
    assert tiles[0] == (0, 0, width, height)
    for t in tiles:
        assert 0 <= t.x <= t.x + t.width <= width
        assert 0 <= t.y <= t.y + t.height <= height
    side = min(size_hw)
    if len(tiles) > 1:
        for low in np.linspace(0, max(size_hw) - side / 2, 50):
            starts = [max(t.x, t.y) for t in tiles[1:]]
            assert any(start <= low + 1 and low + side / 2 <= start + side + 1 for start in starts)


def test_sightings_of_one_person_in_several_tiles_count_once_the_best_one():
    kept = distinct([body(100, confidence=0.5), body(110, confidence=0.8), body(300, confidence=0.6)])
    assert [float(one.confidence[0]) for one in kept] == [0.8, 0.6]


def test_a_person_whose_left_one_tile_takes_for_right_counts_once():
    facing = body(100, confidence=0.8)
    sides = np.array([int(name.startswith("l_")) - int(name.startswith("r_")) for name in NAMES])
    wide = facing._replace(uv=facing.uv + sides[:, None] * [120.0, 0.0])
    turned = wide._replace(uv=wide.uv * [-1, 1] + [2 * wide.uv[:, 0].mean(), 0], confidence=wide.confidence / 2)
    assert np.linalg.norm(wide.uv - turned.uv, axis=1).mean() > 100
    assert [float(one.confidence[0]) for one in distinct([turned, wide])] == [0.8]


def test_the_look_is_the_colour_of_the_trunk():
    image = np.zeros((480, 640, 3), np.uint8)
    image[:, 320:] = 255
    assert look(image, body(500))[0] == pytest.approx(100, abs=1)
    assert look(image, body(100))[0] == pytest.approx(0, abs=1)


def test_what_a_mirror_calls_left_is_right():
    once = swapped(body(100))
    assert once.uv[NAMES.index("l_wrist")] == pytest.approx(body(100).uv[NAMES.index("r_wrist")])
    np.testing.assert_array_equal(swapped(once).uv, body(100).uv)


def test_another_person_is_refused_and_so_is_a_body_where_the_target_is_not():
    scouted = Scouted(np.array([0, 3, 6, 9]), [])
    target = Target(person([100, 130, 150, None]), [person([400, 400, 400, 400])], scouted)
    assert target.is_it(0, body(102))
    assert not target.is_it(1, body(399)), "somebody else"
    assert not target.is_it(3, body(250)), "the scout saw the target elsewhere in this frame"
    assert target.is_it(10, body(250)), "nobody knows better"
    assert target.is_it(7, body(180))
    assert target.start(20).centre == pytest.approx(target.start(6).centre), "where they were seen last"


def test_a_person_whom_a_fast_move_renamed_goes_on_and_a_passer_by_is_nobody():
    lost = person([100.0] * 5 + [None] * 5)
    again, elsewhere = person([None] * 5 + [110.0] * 5), person([None] * 5 + [500.0] * 5)
    assert joined(lost, again).seen.all()
    assert joined(again, lost).seen.all()
    assert joined(lost, elsewhere) == lost
    assert joined(lost, lost) == lost
    late = person([100.0] * 5 + [None] * 15)
    assert joined(late, person([None] * 17 + [110.0] * 3)) == late, "more than a second later"


def test_a_person_under_a_second_name_is_nobody_else():
    target = person([100.0] * 9 + [None] * 2 + [100.0] * 9)
    again = person([None] * 9 + [100.0] * 2 + [None] * 9)
    beside = person([None] * 4 + [300.0] * 3 + [None] * 13)
    after = person([None] * 9 + [300.0] * 11)
    assert apart_from(target, [again, beside, after]) == [beside, after]
    alone = person([100.0] * 5 + [None] * 15)
    assert apart_from(alone, [person([None] * 5 + [100.0] * 15)]) == [], "never beside the target"


@needs_data
def test_of_two_people_the_walking_one_by_default_and_the_other_one_by_a_click(monkeypatch):
    clip = open_clip(CLIPS / "walk/sports2d_demo.mp4", start=2.8, end=3.1)
    scouted = scout(clip, packaged_task())
    assert scouted.frames.tolist() == [0, 4, 8]
    monkeypatch.setattr("perception.detectors.mediapipe_pose.scout", lambda *_, **__: scouted)
    hips = [NAMES.index("l_hip"), NAMES.index("r_hip")]
    walker = choose_person(single_view().detect(clip))
    assert walker.seen.any(axis=1).mean() > 0.9
    assert np.median(walker.uv[:, hips, 1]) > 600
    pick = Click(650, 200, 4)
    standing = choose_person(single_view().detect(clip, pick=pick), pick=pick)
    assert standing.seen.any(axis=1).mean() > 0.9
    assert np.median(standing.uv[:, hips], axis=(0, 1)) == pytest.approx([640, 230], abs=60)
    with pytest.raises(NoPersonError, match="nobody was found at 1600,100@4"):
        single_view().detect(clip, pick=Click(1600, 100, 4))


@needs_data
def test_a_click_on_the_batter_keeps_the_larger_boy_in_front_out():
    clip = open_clip(CLIPS / "baseball/aa_hitting_baseball.mp4", start=7, end=7.6)
    pick = Click(253, 116, 6)
    batter = choose_person(single_view().detect(clip, pick=pick), pick=pick)
    seen = batter.seen.any(axis=1)
    assert seen.mean() > 0.8
    assert np.ptp(batter.uv[seen][..., 1], axis=1).max() < 220, "the boy's legs reach far below the image"


@needs_data
@pytest.mark.slow
def test_the_batter_through_the_whole_clip_past_the_boy_and_the_turning_camera():
    batter = choose_person(MediaPipePose().detect(open_clip(CLIPS / "baseball/aa_hitting_baseball.mp4")))
    seen = batter.seen.any(axis=1)
    assert seen.mean() > 0.9
    assert np.ptp(batter.uv[seen][..., 1], axis=1).max() < 260
