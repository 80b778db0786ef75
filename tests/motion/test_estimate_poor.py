"""Observations that are poor or useless: numbers that make sense, or one clear line; never NaN."""

from __future__ import annotations

import numpy as np
import pytest
from squatting import FPS, OPENPOSE, SEEN, level_camera, observe, squatting, standing_contacts

from motion.estimate import EstimateError, estimate
from records import Keypoints


def finite(interaction):
    parts = (interaction.person, interaction.forces, *([interaction.tool] if interaction.tool else []))
    names = ("q", "v", "a", "point", "wrench", "tau", "residual")
    return all(np.isfinite(getattr(part, n)).all() for part in parts for n in names if hasattr(part, n))


def altered(person, **changes):
    confidence, uv, xyz = person.confidence.copy(), person.uv.copy(), person.xyz
    if "seen" in changes:
        confidence[~np.isin(np.arange(len(uv)), changes["seen"])] = 0
    if "uv" in changes:
        uv = changes["uv"](uv)
    if changes.get("flat") and xyz is not None:
        xyz = np.zeros_like(xyz)
    return person.replace(confidence=confidence, uv=uv, xyz=xyz)


SOUND = {
    "three frames in all": {"frames": 3},
    "seen in five frames only": {"seen": [6, 7, 8, 9, 10]},
    "a huge gap": {"seen": [0, 1, 14, 15]},
    "half outside the image": {"uv": lambda uv: uv + np.array([330, 0])},
}
UNUSABLE = {
    "seen in one frame": {"seen": [10]},
    "all points are one": {"uv": lambda uv: np.full_like(uv, 100.0)},
    "far outside the image": {"uv": lambda uv: uv + 1e6},
}


@pytest.mark.parametrize("lifted", [True, False])
@pytest.mark.parametrize("case", SOUND)
def test_poor_observations_give_numbers_or_a_clear_error(case, lifted):
    body, q = squatting(frames=SOUND[case].get("frames", 16))
    camera = level_camera()
    names = SEEN if lifted else OPENPOSE
    person = altered(observe(body, q, camera, names=names, lifted=lifted), **SOUND[case])
    assert finite(estimate(person, camera, standing_contacts(len(q)), tool_name="spade"))


def test_noise_for_keypoints_gives_numbers_or_a_clear_error():
    body, q = squatting(frames=16)
    camera = level_camera()
    for names, lifted in ((SEEN, True), (OPENPOSE, False)):
        person = observe(body, q, camera, names=names, lifted=lifted)
        noise = person.replace(uv=np.random.default_rng(0).uniform(0, 576, person.uv.shape))
        message = ""
        try:
            assert finite(estimate(noise, camera, standing_contacts(16)))
        except EstimateError as error:
            message = str(error)
        assert "\n" not in message


@pytest.mark.parametrize("lifted", [True, False])
@pytest.mark.parametrize("case", UNUSABLE)
def test_hopeless_observations_are_refused(case, lifted):
    body, q = squatting(frames=12)
    camera = level_camera()
    person = altered(
        observe(body, q, camera, names=SEEN if lifted else OPENPOSE, lifted=lifted), flat=True, **UNUSABLE[case]
    )
    with pytest.raises(EstimateError, match=r"[01] of 12 frames show enough of the person .* motion needs at least 3"):
        estimate(person, camera, standing_contacts(12))


def test_unusable_observations_are_refused_in_one_line():
    body, q = squatting(frames=6)
    camera = level_camera()
    person = observe(body, q, camera)
    one, two = (person.replace(uv=person.uv[:n], confidence=person.confidence[:n], xyz=person.xyz[:n]) for n in (1, 2))
    with pytest.raises(EstimateError, match="1 frame; motion needs at least 3"):
        estimate(one, camera, standing_contacts(1))
    with pytest.raises(EstimateError, match="2 frames; motion needs at least 3"):
        estimate(two, camera, standing_contacts(2))
    with pytest.raises(EstimateError, match="not seen in any frame"):
        estimate(person.replace(confidence=np.zeros_like(person.confidence)), camera, standing_contacts(6))
    with pytest.raises(EstimateError, match="contacts: 5 frames"):
        estimate(person, camera, standing_contacts(5))
    with pytest.raises(EstimateError, match="name one of: hammer"):
        estimate(
            person,
            camera,
            standing_contacts(6),
            tool=Keypoints(
                names=("tool_head", "tool_handle"),
                uv=np.zeros((6, 2, 2)),
                confidence=np.zeros((6, 2)),
                xyz=None,
                fps=FPS,
                size_hw=camera.size_hw,
            ),
        )
