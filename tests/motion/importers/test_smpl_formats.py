"""One known motion written in every published layout: it comes back in our world, with the camera that saw it."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import CAMERA_AXES, FRAMES, Y_UP, orbit, rotvec
from scipy.spatial.transform import Rotation

from motion.body import body_of
from motion.exporters.amass import PELVIS_REST
from motion.importers import IMPORTERS, MotionFileError, import_motion
from motion.importers.smpl import PELVIS
from motion.skeleton import SMPL_ORDER
from records import UnknownName

K = np.array([[900.0, 0, 480], [0, 900.0, 270], [0, 0, 1]])
BETAS = np.zeros(10)


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


def in_camera(person, pelvis):
    """SMPL parameters as the moving camera sees them."""
    R, t = orbit()
    R_camera = R.swapaxes(1, 2)
    return person.smpl(R_camera, -np.einsum("tij,tj->ti", R_camera, t), pelvis)


def wham(person, dump, path, **changes):
    turns, trans = person.smpl(Y_UP)
    seen, place = in_camera(person, PELVIS_REST)
    one = {
        "pose": rotvec(seen).astype("f4"),
        "trans": place[:, None].astype("f4"),
        "pose_world": rotvec(turns).astype("f4"),
        "trans_world": trans.astype("f4"),
        "betas": np.tile(BETAS, (FRAMES, 1)),
        "verts": np.zeros((FRAMES, 5, 3), "f4"),
        "frame_ids": np.arange(FRAMES),
    }
    return dump({0: {**one, **changes}}, path)


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


def gvhmr(person, path, lift=0.0):
    import torch

    turns, trans = person.smpl(Y_UP, pelvis=PELVIS["smplx"])
    seen, place = in_camera(person, PELVIS["smplx"])

    def parameters(turns, trans):
        poses = torch.tensor(rotvec(turns[:, :22]), dtype=torch.float32)
        return {
            "body_pose": poses[:, 3:],
            "betas": torch.zeros(1, 10).expand(FRAMES, 10),
            "global_orient": poses[:, :3],
            "transl": torch.tensor(trans, dtype=torch.float32),
        }

    results = {
        "smpl_params_global": parameters(turns, trans + np.array([0, lift, 0])),
        "smpl_params_incam": parameters(seen, place),
        "K_fullimg": torch.tensor(K, dtype=torch.float32).repeat(FRAMES, 1, 1),
        "net_outputs": {"static_conf_logits": torch.zeros(1, FRAMES, 6)},
    }
    torch.save(results, path)
    return path


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
    torch = pytest.importorskip("torch")
    seen, place = in_camera(person, PELVIS_REST)
    (tmp_path / "hps").mkdir()
    values = {
        "pred_cam": torch.zeros(FRAMES, 3),
        "pred_rotmat": torch.tensor(seen, dtype=torch.float32),
        "pred_shape": torch.zeros(FRAMES, 10),
        "pred_trans": torch.tensor(place, dtype=torch.float32)[:, None],
        "frame": torch.arange(FRAMES),
    }
    np.save(tmp_path / "hps/hps_track_3.npy", values)
    R, t = orbit()
    # `pred_cam` has y down and looks along z: a level camera's own axes.
    A = Y_UP if names == "world_cam" else CAMERA_AXES
    camera = {
        f"{names}_R": A @ R,
        f"{names}_T": t @ A.T,
        "img_focal": np.float64(900),
        "img_center": np.array([480, 270]),
    }
    np.save(tmp_path / "camera.npy", camera)
    for path in (tmp_path, tmp_path / "hps/hps_track_3.npy"):
        (track,) = import_motion(path, fps=30, height=1.70)
        assert_same(track, person)
        assert track.name == "3"
        assert_sees(track.camera, person)
    (tmp_path / "camera.npy").unlink()
    with pytest.raises(MotionFileError, match=r"hps_track_3\.npy: no camera\.npy"):
        import_motion(tmp_path, fps=30)


def test_prompthmr(person, joblib_dump, tmp_path):
    turns, trans = person.smpl(Y_UP, pelvis=PELVIS["smplx"])
    expressive = np.tile(np.eye(3), (FRAMES, 55, 1, 1))
    expressive[:, :22] = turns[:, :22]
    for start, hand in ((25, 22), (40, 23)):
        expressive[:, start : start + 15 : 3] = turns[:, hand][:, None]
    R, t = orbit()
    people = {
        1: {
            "frames": np.arange(FRAMES),
            "track_id": 1,
            "smplx_world": {"pose": rotvec(expressive), "shape": np.tile(BETAS, (FRAMES, 1)), "trans": trans},
        },
        2: {"frames": np.arange(3), "smplx_cam": {}},
    }
    camera = {
        "pred_cam_R": Y_UP @ R,
        "pred_cam_T": t @ Y_UP.T,
        "img_focal": 900.0,
        "img_center": np.array([480.0, 270]),
    }
    results = {"people": people, "camera_world": camera, "has_slam": True, "timings": {}, "masks": None}
    (track,) = import_motion(joblib_dump(results, tmp_path / "results.pkl", compress=True), fps=30, height=1.70)
    assert_same(track, person, count=24)
    assert track.name == "1"
    assert_sees(track.camera, person)


def phalp(person, dump, path, focal):
    """As 4DHumans writes it: a level camera 4 m away, depth for a focal length of 5000 px at 256 px."""
    R, t = CAMERA_AXES, np.array([-4.0, 0, 1.0])
    turns, trans = person.smpl(R, -R @ t)
    depth = (5000 / 256 * 960) / focal
    frames = {}
    for n in range(FRAMES):
        body = {"global_orient": turns[n, :1], "body_pose": turns[n, 1:], "betas": BETAS}
        there = [0] if n != 5 else []
        frames[f"_DEMO/img/{n:06d}.jpg"] = {
            "time": n,
            "shot": 0,
            "tid": [4 for _ in there],
            "tracked_time": [0 for _ in there],
            "smpl": [body for _ in there],
            "camera": [(trans[n] * [1, 1, depth]).astype("f4") for _ in there],
            "size": [[540, 960] for _ in there],
        }
    return dump(frames, path)


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


def write_amass(person, path, **changes):
    turns, trans = person.smpl()
    poses = np.tile(np.eye(3), (FRAMES, 52, 1, 1))
    poses[:, :22] = turns[:, :22]
    arrays = {"poses": rotvec(poses), "trans": trans, "betas": np.zeros(16), "gender": "male", "mocap_framerate": 120.0}
    np.savez(path, **{**arrays, **changes})
    return path


def test_amass(person, tmp_path):
    (track,) = import_motion(write_amass(person, tmp_path / "motion.npz"), height=1.70)
    assert_same(track, person, count=22)
    assert track.motion.fps == 120
    assert track.measured
    (slower,) = import_motion(tmp_path / "motion.npz", height=1.70, fps=60)
    assert slower.motion.fps == 60


def test_velocities_are_those_of_the_motion(person, tmp_path):
    (track,) = import_motion(write_amass(person, tmp_path / "motion.npz"), height=1.70)
    forward = Rotation.from_quat(track.motion.q[:, 3:7].copy()).apply(track.motion.v[:, :3].copy())
    np.testing.assert_allclose(forward, np.tile([0.05 / (FRAMES - 1) * 120, 0, 0], (FRAMES, 1)), atol=0.01)


def test_own_amass_export_comes_back(person, tmp_path):
    from motion.exporters.amass import export_amass
    from motion.importers.interaction import interaction_of

    (first,) = import_motion(write_amass(person, tmp_path / "motion.npz"), height=1.70, mass=64)
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
