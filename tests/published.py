"""Writers of other people's formats, in the layouts that their programs write: one known motion, seen by one camera."""

from __future__ import annotations

import numpy as np
from layouts import CAMERA_AXES, FRAMES, Y_UP, orbit, rotvec

from motion.exporters.amass import PELVIS_REST
from motion.importers.smpl import PELVIS

K = np.array([[900.0, 0, 480], [0, 900.0, 270], [0, 0, 1]])
BETAS = np.zeros(10)


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


def tram(person, folder, names="world_cam"):
    """A folder; `pred_cam` has y down and looks along z: a level camera's own axes."""
    import torch

    seen, place = in_camera(person, PELVIS_REST)
    (folder / "hps").mkdir()
    values = {
        "pred_cam": torch.zeros(FRAMES, 3),
        "pred_rotmat": torch.tensor(seen, dtype=torch.float32),
        "pred_shape": torch.zeros(FRAMES, 10),
        "pred_trans": torch.tensor(place, dtype=torch.float32)[:, None],
        "frame": torch.arange(FRAMES),
    }
    np.save(folder / "hps/hps_track_3.npy", values)
    R, t = orbit()
    A = Y_UP if names == "world_cam" else CAMERA_AXES
    camera = {
        f"{names}_R": A @ R,
        f"{names}_T": t @ A.T,
        "img_focal": np.float64(900),
        "img_center": np.array([480, 270]),
    }
    np.save(folder / "camera.npy", camera)
    return folder


def prompthmr(person, dump, path):
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
    return dump(results, path, compress=True)


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


def amass(person, path, **changes):
    turns, trans = person.smpl()
    poses = np.tile(np.eye(3), (FRAMES, 52, 1, 1))
    poses[:, :22] = turns[:, :22]
    arrays = {"poses": rotvec(poses), "trans": trans, "betas": np.zeros(16), "gender": "male", "mocap_framerate": 120.0}
    np.savez(path, **{**arrays, **changes})
    return path
