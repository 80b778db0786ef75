"""Tool endpoints through a clip: from early and late clicks, with gaps, and every refusal."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from perception.click import Click
from perception.tool_track import (
    PointTrack,
    ToolTrackError,
    blend,
    follow,
    frames_backwards,
    gray_frames,
    track_points,
    track_tool,
)
from perception.video import open_clip, write_video
from records import Clip, Keypoints

DATA = Path(__file__).parents[2].parent / "shared/data/clips/barbell_squat"
SIZE = (192, 256)
FRAMES = 40


def centre(t: int) -> np.ndarray:
    """Where the mark is in frame t [px]."""
    return np.array([60.0 + 3.2 * t, 96.0 + 40 * np.sin(t / 6)])


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """A ringed mark that swings over a textured wall."""
    rng = np.random.default_rng(4)
    wall = cv2.GaussianBlur(rng.uniform(0, 255, (*SIZE, 3)), (0, 0), 4)
    wall = np.clip(110 + 3 * (wall - wall.mean()), 0, 255).astype(np.uint8)

    def frame(t: int) -> np.ndarray:
        image = wall.copy()
        x, y = (16 * centre(t)).round().astype(int).tolist()
        for radius, gray in ((12, 30), (9, 230), (4, 90)):
            cv2.circle(image, (x, y), 16 * radius, (gray, gray, gray), -1, cv2.LINE_AA, shift=4)
        corner = (x + 16 * 5, y + 16 * 2)
        cv2.circle(image, corner, 16 * 3, (200, 60, 20), -1, cv2.LINE_AA, shift=4)
        return image

    path = tmp_path_factory.mktemp("clip") / "mark.mp4"
    write_video(path, (frame(t) for t in range(FRAMES)), 25.0, quality=12)
    return open_clip(path)


def nobody(clip: Clip) -> Keypoints:
    return Keypoints(
        names=("nose",),
        uv=np.zeros((clip.num_frames, 1, 2)),
        confidence=np.zeros((clip.num_frames, 1)),
        fps=clip.fps,
        size_hw=clip.size_hw,
    )


def click(frame: int) -> Click:
    return Click(*centre(frame).tolist(), frame)


@pytest.mark.parametrize("frames", [[0], [FRAMES - 1], [17], [0, 20, 39]])
def test_mark_is_followed_from_any_click(clip: Clip, frames: list[int]) -> None:
    tool = track_tool(clip, nobody(clip), head=[click(t) for t in frames], handle=[], radius=13)
    errors = np.linalg.norm(tool.uv[:, 0] - [centre(t) for t in range(FRAMES)], axis=1)
    assert tool.confidence[:, 0].min() > 0.4
    assert errors.mean() < 0.6
    assert tool.names == ("tool_head", "tool_handle")
    assert not tool.confidence[:, 1].any()


def test_click_is_met_exactly_with_full_confidence(clip: Clip) -> None:
    off = Click(centre(20)[0] + 1.5, centre(20)[1], 20)
    tool = track_tool(clip, nobody(clip), head=[click(0)], handle=[off], radius=13)
    assert tool.uv[20, 1].tolist() == [off.x, off.y]
    assert tool.confidence[20, 1] == 1.0
    assert tool.confidence[0, 0] == 1.0


def test_frames_come_backwards_in_small_pieces(clip: Clip) -> None:
    ahead = list(gray_frames(clip))
    back = list(frames_backwards(clip, 30, buffer_bytes=7 * SIZE[0] * SIZE[1]))
    assert [number for number, _ in back] == list(range(30, -1, -1))
    for number, gray in back:
        np.testing.assert_array_equal(gray, ahead[number])
    assert list(frames_backwards(clip, 0)) == []


class Scripted:
    """A tracker that goes one pixel a frame and says how by a script."""

    script = (
        "recognised", "carried", "carried", "recognised", "carried", "carried", "found", "carried", "lost", "carried",
    )  # fmt: skip

    def __init__(self, gray: np.ndarray, point: np.ndarray, radius: int) -> None:
        self.point = np.asarray(point, float)
        self.left = list(self.script)

    def step(self, gray: np.ndarray) -> tuple[np.ndarray, float]:
        self.how = self.left.pop(0)
        self.point = self.point + np.array([1, 0])
        return self.point, {"recognised": 0.9, "found": 0.9, "carried": 0.4, "lost": 0.0}[self.how]


def test_flow_that_went_off_with_something_else_leaves_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perception.tool_track.PointTracker", Scripted)
    frames = ((t, np.zeros(SIZE, np.uint8)) for t in range(len(Scripted.script) + 1))
    track = follow(frames, {"tool_head": {0: Click(50, 60, 0)}}, 10, len(Scripted.script) + 1)["tool_head"]
    seen = track.confidence > 0
    assert seen.tolist() == [True, True, True, True, True, False, False, True, False, False, True]
    assert track.uv[seen, 0].tolist() == [50, 51, 52, 53, 54, 57, 60]
    assert not track.uv[~seen].any()


def straight(offset: float) -> PointTrack:
    uv = np.stack([np.arange(11.0) + offset, np.zeros(11)], axis=1)
    return PointTrack(uv, np.full(11, 0.8))


def test_tracks_between_two_clicks_blend_from_one_to_the_other() -> None:
    joint = blend(straight(0.0), straight(2.0), [0, 10], radius=5)
    assert joint.uv[:10, 0] == pytest.approx(1.2 * np.arange(10.0))
    assert joint.confidence == pytest.approx(np.full(11, 0.8))


def test_tracks_that_contradict_each_other_lose_confidence() -> None:
    joint = blend(straight(0.0), straight(30.0), [0, 10], radius=5)
    assert joint.uv[2, 0] == pytest.approx(2.0)
    assert joint.uv[8, 0] == pytest.approx(38.0)
    assert joint.confidence[[2, 8]] == pytest.approx([0.4, 0.4])


def test_one_lost_track_leaves_the_other_and_two_leave_a_gap() -> None:
    ahead, back = straight(0.0), straight(2.0)
    ahead.confidence[3:7] = 0
    back.confidence[5:7] = 0
    joint = blend(ahead, back, [0, 10], radius=5)
    assert joint.uv[4, 0] == pytest.approx(6.0)
    assert joint.confidence[5:7].tolist() == [0.0, 0.0]
    assert joint.uv[5:7].tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_refusals_say_what_to_do(clip: Clip) -> None:
    person = nobody(clip)
    with pytest.raises(ToolTrackError, match="no click on the tool; give at least one as x,y@frame"):
        track_tool(clip, person, head=[], handle=[])
    with pytest.raises(ToolTrackError, match="outside the image of 256 x 192 px"):
        track_tool(clip, person, head=[Click(300, 10, 0)], handle=[])
    with pytest.raises(ToolTrackError, match=r"beyond the clip, which has 40 frames \(0 to 39\)"):
        track_tool(clip, person, head=[Click(10, 10, 40)], handle=[])
    with pytest.raises(ToolTrackError, match="two clicks on one endpoint in frame 3"):
        track_tool(clip, person, head=[Click(10, 10, 3), Click(20, 10, 3)], handle=[])
    with pytest.raises(ToolTrackError, match="the person has 12 frames and the clip 40"):
        track_tool(clip, nobody(clip.replace(num_frames=12)), head=[click(0)], handle=[])


def test_tool_that_is_never_seen_again(tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    frames = [np.full((*SIZE, 3), 128, np.uint8) for _ in range(8)]
    cv2.circle(frames[0], (60, 96), 5, (255, 255, 255), -1)
    write_video(path, iter(frames), 25.0)
    cut = open_clip(path)
    with pytest.raises(ToolTrackError, match=r"tool_head was not seen again after any click \(60,96@0\)"):
        track_tool(cut, nobody(cut), head=[Click(60, 96, 0)], handle=[])


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is absent")
def test_barbell_sleeve_within_three_pixels_of_the_hand_clicked_truth() -> None:
    clip = open_clip(DATA / "small-squat.mp4")
    truth = np.loadtxt(DATA / "small-squat_man_anno.txt", delimiter=",")
    tool = track_tool(clip, nobody(clip), head=[Click(*truth[0].tolist(), 0)], handle=[])
    assert tool.confidence[:, 0].min() > 0
    assert np.linalg.norm(tool.uv[:, 0] - truth, axis=1).mean() <= 3.0


def test_named_points_need_nobody(clip):
    seen = track_points(clip, {"spout": [click(5)], "lid": [click(30)]})
    assert seen.names == ("spout", "lid")
    truth = np.stack([centre(t) for t in range(FRAMES)])
    assert (seen.confidence > 0).mean() > 0.9
    off = np.linalg.norm(seen.uv - truth[:, None], axis=-1)[seen.confidence > 0]
    assert np.median(off) < 1.0
    with pytest.raises(ToolTrackError, match="no click on a point of the tool"):
        track_points(clip, {"spout": []})
