"""The tool's axis through the hands: exact for a tool that turns in space before a far camera."""

from __future__ import annotations

import numpy as np
import pytest

from perception.hands_axis import JOINT_ERROR, HandsAxisError, ToolReach, hands_axis
from records import Keypoints

PX_PER_M = 200.0
SPACING = 0.6
REACH = ToolReach(head=0.7, handle=0.2)


def turning_tool(num_frames: int = 90) -> tuple[Keypoints, np.ndarray]:
    """Hands on a tool that turns about the vertical, and is foreshortened; orthographic view."""
    turn = np.linspace(0, 2 * np.pi, num_frames)
    axis = np.stack([np.cos(turn), np.full_like(turn, 0.5), np.sin(turn)], axis=1)
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    centre = np.array([320.0, 200.0])

    def image(along_m: float) -> np.ndarray:
        return centre + PX_PER_M * along_m * axis[:, :2]

    trunk = 0.288 * 1.7 * PX_PER_M
    still = np.tile(centre, (num_frames, 1))
    points = {
        "l_wrist": image(SPACING / 2),
        "r_wrist": image(-SPACING / 2),
        "l_shoulder": still - [20, trunk],
        "r_shoulder": still - [-20, trunk],
        "l_hip": still - [20, 0],
        "r_hip": still - [-20, 0],
    }
    person = Keypoints(
        names=tuple(points),
        uv=np.stack(list(points.values()), axis=1),
        confidence=np.full((num_frames, len(points)), 0.9),
        fps=30.0,
        size_hw=(480, 640),
    )
    ends = np.stack([image(SPACING / 2 + REACH.head), image(-SPACING / 2 - REACH.handle)], axis=1)
    return person, ends


def test_endpoints_of_a_turning_tool() -> None:
    person, ends = turning_tool()
    tool = hands_axis(person, REACH)
    # The largest distance seen is cos(27 deg) = .89 of the true one, since the tool never lies in the image plane.
    assert np.linalg.norm(tool.uv - ends, axis=2).mean() < 0.15 * PX_PER_M
    along, true = tool.uv[:, 0] - tool.uv[:, 1], ends[:, 0] - ends[:, 1]
    cross = along[:, 0] * true[:, 1] - along[:, 1] * true[:, 0]
    assert cross == pytest.approx(np.zeros(len(cross)), abs=1e-6)


def test_lower_hand_leads_unless_told() -> None:
    person, ends = turning_tool()
    tool, other = hands_axis(person, REACH), hands_axis(person, REACH, leading="r")
    assert ends[:, 0, 1].mean() > ends[:, 1, 1].mean()
    assert tool.uv[:, 0, 1].mean() > tool.uv[:, 1, 1].mean()
    assert other.uv[:, 0, 1].mean() < other.uv[:, 1, 1].mean()


def test_gaps_stay_gaps() -> None:
    person, _ = turning_tool()
    confidence = person.confidence.copy()
    confidence[10:20, person.index("l_wrist")] = 0
    tool = hands_axis(person.replace(confidence=confidence), REACH)
    assert not tool.confidence[10:20].any()
    whole = hands_axis(person, REACH).confidence
    assert whole.min() > 0
    assert tool.confidence[30:] == pytest.approx(whole[30:], rel=0.01), "as if there were no gap"


def test_hands_close_together_lose_confidence() -> None:
    person, _ = turning_tool()
    uv = person.uv.copy()
    uv[40, person.index("l_wrist")] = uv[40, person.index("r_wrist")] + [2.0, 0.0]
    close, apart = (hands_axis(person.replace(uv=points), REACH).confidence[40] for points in (uv, person.uv))
    assert (close < 0.1 * apart).all()


def test_confidence_is_what_errors_of_the_hands_leave_of_it() -> None:
    """In a still pose seen many times over, endpoints scatter by the hands' errors, extrapolated."""
    moving, _ = turning_tool(4000)
    still = np.repeat(moving.uv[:1], 4000, axis=0)
    scatter = np.zeros(still.shape)
    scatter[:, :2] = np.random.default_rng(0).normal(0, 0.5, (4000, 2, 2))
    tool = hands_axis(moving.replace(uv=still + scatter), REACH)
    variance = tool.uv.var(axis=0).mean(axis=-1)
    followed = (0.5 / JOINT_ERROR) ** 2
    assert 0.9 * followed / variance == pytest.approx(tool.confidence[0], rel=0.1)


def test_hands_that_say_nothing_are_refused() -> None:
    person, _ = turning_tool()
    with pytest.raises(HandsAxisError, match="never seen together; give clicks"):
        hands_axis(person.replace(confidence=np.zeros_like(person.confidence)), REACH)
    uv = person.uv.copy()
    uv[:, 0] = uv[:, 1]
    with pytest.raises(HandsAxisError, match="always at one place"):
        hands_axis(person.replace(uv=uv), REACH)
