"""One known motion written in every published layout: it comes back in our world, with the camera that saw it."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import FRAMES, Y_UP, orbit, rotvec
from published import K, amass, gvhmr, phalp, prompthmr, tram, wham
from scipy.spatial.transform import Rotation

from motion.body import body_of
from motion.importers import IMPORTERS, MotionFileError, import_motion
from motion.skeleton import SMPL_ORDER
from records import UnknownName


def joints(track, count=24):
    _, p = body_of(track.motion).joint_poses(track.motion.q)
    return p[:, [body_of(track.motion).joint_names.index(name) for name in SMPL_ORDER[:count]]]


def assert_same(track, person, count=24, atol=1e-3):
    np.testing.assert_allclose(joints(track, count), person.joints[:, :count], atol=atol)


def pixels(p_world, R_world_camera, t, K):
    """Points seen by a moving camera, from the definition of a perspective camera."""
    p = np.einsum("tji,tnj->tni", R_world_camera, p_world - t[:, None])
    return p[..., :2] / p[..., 2:] * np.diag(K)[:2] + K[:2, 2]


def assert_sees(camera, person):
    R, t = orbit()
    seen = camera.project(person.joints)
    np.testing.assert_allclose(seen, pixels(person.joints, R, t, K), atol=0.2)
    assert camera.size_hw == (540, 960)


def test_wham(person, joblib_dump, tmp_path):
    path = wham(person, joblib_dump, tmp_path / "wham_output.pkl")
    (track,) = import_motion(path, fps=25, height=1.70, mass=64)
    assert_same(track, person)
    assert track.camera is None
    assert track.motion.fps == 25
    assert track.assumed == {}
    focal = float(np.hypot(540, 960))
    (seen,) = import_motion(path, fps=25, height=1.70, size_hw=(540, 960))
    assert seen.camera.K[0, 0] == pytest.approx(focal)
    R, t = orbit()
    np.testing.assert_allclose(seen.camera.T_world_camera[:, :3, 3], t, atol=1e-3)
    np.testing.assert_allclose(seen.camera.T_world_camera[:, :3, :3], R, atol=1e-4)


def test_gvhmr(person, tmp_path):
    pytest.importorskip("torch")
    path = gvhmr(person, tmp_path / "hmr4d_results.pt")
    (track,) = import_motion(path, height=1.70)
    assert_same(track, person, count=22)
    assert track.motion.fps == 30
    assert set(track.assumed) == {"mass"}
    assert track.motion.parameters["mass"] == pytest.approx(22 * 1.70**2)
    assert_sees(track.camera, person)


def test_a_floating_world_comes_down_to_the_ground_with_its_camera(person, tmp_path):
    pytest.importorskip("torch")
    path = gvhmr(person, tmp_path / "hmr4d_results.pt", lift=0.7)
    (track,) = import_motion(path, height=1.70)
    assert_same(track, person, count=22)
    assert_sees(track.camera, person)
    (left,) = import_motion(path, height=1.70, fit_ground=False)
    np.testing.assert_allclose(joints(left, 22)[..., 2] - joints(track, 22)[..., 2], 0.7, atol=1e-3)


@pytest.mark.parametrize("names", ["world_cam", "pred_cam"])
def test_tram(person, tmp_path, names):
    pytest.importorskip("torch")
    tram(person, tmp_path, names)
    for path in (tmp_path, tmp_path / "hps/hps_track_3.npy"):
        (track,) = import_motion(path, fps=30, height=1.70)
        assert_same(track, person)
        assert track.name == "3"
        assert_sees(track.camera, person)
    (tmp_path / "camera.npy").unlink()
    with pytest.raises(MotionFileError, match=r"hps_track_3\.npy: no camera\.npy"):
        import_motion(tmp_path, fps=30)


def test_prompthmr(person, joblib_dump, tmp_path):
    path = prompthmr(person, joblib_dump, tmp_path / "results.pkl")
    (track,) = import_motion(path, fps=30, height=1.70)
    assert_same(track, person, count=24)
    assert track.name == "1"
    assert_sees(track.camera, person)


def test_phalp_depth_follows_the_focal_length_and_gaps_are_bridged(person, joblib_dump, tmp_path):
    path = phalp(person, joblib_dump, tmp_path / "demo.pkl", focal=900)
    (track,) = import_motion(path, fps=30, height=1.70, focal=900)
    # The camera stands at the origin of this format.
    moved = joints(track) + np.array([-4.0, 0, 0])
    np.testing.assert_allclose(moved, person.joints, atol=2e-3)
    np.testing.assert_array_equal(track.observed, np.arange(FRAMES) != 5)
    assert track.name == "4"
    assert track.camera.static
    np.testing.assert_allclose(track.camera.T_world_camera[0, :3, 3], [0, 0, 1.0], atol=2e-3)
    (guessed,) = import_motion(path, fps=30, height=1.70)
    assert guessed.assumed["focal"] == pytest.approx(np.hypot(540, 960))


def test_phalp_leaves_out_who_is_lost_and_counts_nobody_twice(person, joblib_dump, tmp_path):
    from motion.importers.container import read_content
    from motion.importers.phalp import _people

    frames = read_content(phalp(person, joblib_dump, tmp_path / "demo.pkl", focal=900)).value
    first, second, *_ = frames.values()
    first["tracked_time"] = [3]
    for key in ("tid", "tracked_time", "smpl", "camera"):
        second[key] = 2 * second[key]
    people = _people(frames)
    assert [frame for frame, _, _ in people["4"]] == [1, 2, 3, 4, *range(6, FRAMES)]


def test_amass(person, tmp_path):
    (track,) = import_motion(amass(person, tmp_path / "motion.npz"), height=1.70)
    assert_same(track, person, count=22)
    assert track.motion.fps == 120
    assert track.measured
    (slower,) = import_motion(tmp_path / "motion.npz", height=1.70, fps=60)
    assert slower.motion.fps == 60


def test_velocities_are_those_of_the_motion(person, tmp_path):
    (track,) = import_motion(amass(person, tmp_path / "motion.npz"), height=1.70)
    forward = Rotation.from_quat(track.motion.q[:, 3:7].copy()).apply(track.motion.v[:, :3].copy())
    np.testing.assert_allclose(forward, np.tile([0.05 / (FRAMES - 1) * 120, 0, 0], (FRAMES, 1)), atol=0.01)


def test_own_amass_export_comes_back(person, tmp_path):
    from motion.exporters.amass import export_amass
    from motion.importers.interaction import interaction_of

    (first,) = import_motion(amass(person, tmp_path / "motion.npz"), height=1.70, mass=64)
    export_amass(interaction_of(first), tmp_path / "out")
    (again,) = import_motion(tmp_path / "out/motion.npz", height=1.70, mass=64)
    np.testing.assert_allclose(joints(again), joints(first), atol=1e-3)
    np.testing.assert_allclose(again.motion.q, first.motion.q, atol=1e-6)


def test_people_by_name_the_longest_first(person, joblib_dump, tmp_path):
    turns, trans = person.smpl(Y_UP)

    def one(frames):
        ids = np.asarray(frames)
        return {"pose_world": rotvec(turns[: len(ids)]), "trans_world": trans[: len(ids)], "frame_ids": ids}

    path = joblib_dump({7: one(range(20, 24)), 9: one(range(8))}, tmp_path / "two.pkl")
    tracks = import_motion(path, fps=25)
    assert [(track.name, track.first_frame) for track in tracks] == [("9", 0), ("7", 20)]
    assert [track.name for track in import_motion(path, fps=25, person="7")] == ["7"]
    with pytest.raises(MotionFileError, match=r"two\.pkl: no person '8'; there are: 7, 9"):
        import_motion(path, fps=25, person="8")


def test_every_format_of_the_table_can_be_loaded_and_says_what_it_is():
    from motion.importers.importer import Importer

    for name, entry in IMPORTERS.items():
        assert isinstance(IMPORTERS.load(name)(), Importer)
        assert entry.summary


def nothing(person, dump, path):
    return dump({"some": np.ones(3)}, path)


def without_positions(person, dump, path):
    return wham(person, dump, path, trans_world=np.zeros((FRAMES - 1, 3)))


def not_finite(person, dump, path):
    return wham(person, dump, path, trans_world=np.full((FRAMES, 3), np.nan))


def short_poses(person, dump, path):
    return wham(person, dump, path, pose_world=np.zeros((FRAMES, 30)))


def flat_poses(person, dump, path):
    return wham(person, dump, path, pose_world=np.zeros(FRAMES))


def backwards(person, dump, path):
    return wham(person, dump, path, frame_ids=np.arange(FRAMES)[::-1])


def far_apart(person, dump, path):
    return wham(person, dump, path, frame_ids=10**9 * np.arange(FRAMES))


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (nothing, "not a motion file; expected one of: amass, wham"),
        (without_positions, r"positions of shape \(11, 3\); expected \(12, 3\)"),
        (not_finite, "positions holds values that are not finite"),
        (short_poses, r"rotations of shape .*; expected \(12, at least 22, 3, 3\)"),
        (flat_poses, r"pose_world has shape \(12,\); expected"),
        (backwards, "frame numbers do not increase"),
        (far_apart, "12 poses in"),
    ],
)
def test_wrong_files_give_one_line(person, joblib_dump, tmp_path, write, message):
    path = write(person, joblib_dump, tmp_path / "wrong.pkl")
    with pytest.raises(MotionFileError, match=r"wrong\.pkl: .*" + message) as error:
        import_motion(path, fps=25)
    assert "\n" not in str(error.value)


def test_what_only_the_user_can_say(person, joblib_dump, tmp_path):
    path = wham(person, joblib_dump, tmp_path / "w.pkl")
    with pytest.raises(MotionFileError, match="does not say the frame rate; give the video's fps"):
        import_motion(path)
    with pytest.raises(MotionFileError, match="a frame rate of 0 1/s"):
        import_motion(path, fps=0)
    with pytest.raises(MotionFileError, match="mass -3; expected a positive number"):
        import_motion(path, fps=25, mass=-3)
    with pytest.raises(MotionFileError, match="not the layout of gvhmr"):
        import_motion(path, fps=25, format="gvhmr")
    with pytest.raises(UnknownName, match="unknown import format 'bvh'; choose from: amass, wham"):
        import_motion(path, fps=25, format="bvh")


def test_missing_empty_and_foreign_files(tmp_path):
    with pytest.raises(MotionFileError, match=r"gone\.pkl: no such file"):
        import_motion(tmp_path / "gone.pkl")
    for data, message in (
        (b"", "empty"),
        (b"hello\n", "not a motion file"),
        (b"\xff\xfe\x00", "nor text"),
        (b"PK\x03", "damaged"),
    ):
        (tmp_path / "x").write_bytes(data)
        with pytest.raises(MotionFileError, match=message):
            import_motion(tmp_path / "x")
    with pytest.raises(MotionFileError, match="a folder without hps"):
        import_motion(tmp_path)
