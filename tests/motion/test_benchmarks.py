"""The protocols that the motion benchmarks score by, on cases whose score is known; and on real data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from benchmarks.handtool import measure
from benchmarks.parkour import g_mpjpe, pa_mpjpe, report, score_clip, wrench_errors, yaw_aligned
from motion.body import rotations
from motion.tool import head_positions, tool_of
from perception.detectors.detector import read_keypoints

DATA = Path(__file__).parents[2].parent / "shared/data"
HANDTOOL = DATA / "handtool/openpose18.npz"


def random_joints(frames=6, seed=0):
    return np.random.default_rng(seed).standard_normal((frames, 16, 3))


def test_a_similarity_costs_nothing_and_a_mirror_does():
    target, turn = random_joints(), Rotation.from_rotvec([0.3, -1.0, 2.0])
    moved = 1.7 * turn.apply(target.reshape(-1, 3)).reshape(target.shape) + [1.0, 2.0, 3.0]
    assert pa_mpjpe(moved, target) == pytest.approx(0, abs=1e-6)
    assert g_mpjpe(moved, target) == pytest.approx(0, abs=1e-6)
    assert pa_mpjpe(target * [1, 1, -1], target) > 100
    drifting = moved + np.linspace(0, 2, 6)[:, None, None]
    assert pa_mpjpe(drifting, target) == pytest.approx(0, abs=1e-6)
    assert g_mpjpe(drifting, target) > 100, "translation counts"


def test_a_known_displacement_is_its_distance():
    """Half of the joints up, half down by 10 mm: no similarity of a large body explains it away."""
    target = np.zeros((1, 4, 3))
    target[0, :, :2] = [[1, 1], [-1, -1], [1, -1], [-1, 1]]
    shifted = target + np.array([0.01, 0.01, -0.01, -0.01])[None, :, None] * [0, 0, 1]
    assert pa_mpjpe(shifted, target) == pytest.approx(10, rel=1e-3)


def test_forces_are_turned_by_the_yaw_of_the_joints_only():
    target = random_joints()
    yaw = Rotation.from_euler("z", 130, degrees=True)
    p = yaw.inv().apply(target.reshape(-1, 3)).reshape(target.shape) + np.array([3.0, 1.0, 0.5])
    forces = random_joints(seed=1)
    back = yaw_aligned(p, target, yaw.inv().apply(forces.reshape(-1, 3)).reshape(forces.shape))
    np.testing.assert_allclose(back, forces, atol=1e-9)
    tilted = Rotation.from_euler("x", 20, degrees=True).apply(p.reshape(-1, 3)).reshape(p.shape)
    up = yaw_aligned(tilted, target, np.tile([0.0, 0, 1], (6, 4, 1)))
    np.testing.assert_allclose(up, np.tile([0.0, 0, 1], (6, 4, 1)), atol=1e-9)


def test_contacts_that_their_plate_missed_count_in_no_figure():
    truth = np.zeros((3, 4, 6))
    truth[:, 0, 2], truth[0, 1, 0], truth[:, 2, 5] = 700, 30, 7
    uncaptured = np.zeros((3, 4), bool)
    uncaptured[1:, 0] = uncaptured[:, 3] = True
    estimate = truth.copy()
    estimate[1:, 0, 2] = 0
    force, moment = wrench_errors(estimate, truth, uncaptured)
    np.testing.assert_allclose(force[:3], 0)
    assert np.isnan(force[3])
    zero, zero_moment = wrench_errors(np.zeros_like(truth), truth, uncaptured)
    np.testing.assert_allclose(zero[:3], [700, 10, 0])
    np.testing.assert_allclose(zero_moment[:3], [0, 0, 7])
    np.testing.assert_allclose(moment[:3], 0)


@pytest.mark.skipif(not HANDTOOL.exists(), reason="no ../shared/data: OpenPose keypoints, and others' stroke")
def test_a_hammer_that_was_never_seen_makes_a_stroke():
    person = read_keypoints(HANDTOOL, sequence="hammer_1")[0]
    blow = person.replace(uv=person.uv[:40], confidence=person.confidence[:40])
    figures, found = measure(blow, "hammer")
    assert found.status == "converged"
    assert figures.pixels < 8
    assert figures.pixels < figures.start_pixels
    assert figures.lean < 0.3
    assert figures.stature == pytest.approx(1, abs=0.1)
    assert figures.hand < 0.03
    assert figures.hand < figures.fixed_hand
    assert figures.moment < 60
    head = head_positions(tool_of(found.tool), found.tool)
    assert 1.0 < figures.speed < 8.0
    with np.load(DATA / "tools/hammer_1.npz") as file:
        others = file["head_position"][:40]
    assert np.corrcoef(head[:, 2], others[:, 2])[0, 1] > 0.8, "Zorina et al. found the same blow"
    face = rotations(found.tool.q[:, 3:])[:, :, 2]
    assert (np.einsum("ti,ti->t", face[1:], face[:-1]) > 0.7).all(), "the face does not flip"


@pytest.mark.slow
@pytest.mark.skipif(not HANDTOOL.exists(), reason="no ../shared/data/handtool: OpenPose keypoints without video")
@pytest.mark.parametrize(
    "name", [f"{tool}_{n}" for tool in ("barbell", "hammer", "scythe", "spade") for n in (1, 2, 3)]
)
def test_people_with_tools_are_plausible(name):
    figures, found = measure(read_keypoints(HANDTOOL, sequence=name)[0], name.split("_")[0])
    assert found.status in ("converged", "iteration limit")
    assert figures.pixels < 8
    assert figures.lean < 0.4
    assert figures.hand < 0.03
    assert figures.hand < figures.fixed_hand
    assert figures.residual < 10
    mass = found.person.parameters["mass"]
    assert found.forces.wrench[..., 2].sum(axis=1).mean() == pytest.approx(9.81 * mass, rel=0.05)


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "parkour").exists(), reason="no ../shared/data/parkour: motion capture to compare with")
def test_a_real_vault_beats_the_smoothed_detector():
    score = score_clip(DATA / "parkour/kv01_PKFC.mp4")
    assert score.pa["ours"] < min(80.0, score.pa["raw detector, smoothed"])
    assert np.isfinite(score.force).all()
    assert report([score]).splitlines()[-1].startswith(f"PA-MPJPE {score.pa['ours']:.1f} mm")
