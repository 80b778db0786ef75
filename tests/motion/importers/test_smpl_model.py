"""Model files in SMPL's format, with a skeleton of our own making: bones and places of the joints follow from them."""

from __future__ import annotations

import pickle
import sys
import types

import numpy as np
import pytest
from layouts import FRAMES, Y_UP, bending, rotvec
from scipy.sparse import csc_matrix

from motion.body import body_of
from motion.importers import MotionFileError, import_motion
from motion.importers.smpl_model import load_rest
from motion.skeleton import SMPL_ORDER

PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]
OFFSETS = {
    "pelvis": (0, -0.2, 0.03), "l_hip": (0.07, -0.09, -0.01), "l_knee": (0.03, -0.39, 0.01),
    "l_ankle": (-0.01, -0.41, -0.03), "l_foot": (0.03, -0.06, 0.12), "spine1": (0, 0.11, -0.03),
    "spine2": (0, 0.13, 0.02), "spine3": (0, 0.06, 0.01), "neck": (0, 0.21, -0.04), "head": (0, 0.08, 0.05),
    "l_collar": (0.08, 0.12, -0.02), "l_shoulder": (0.11, 0.04, -0.01), "l_elbow": (0.26, -0.01, -0.02),
    "l_wrist": (0.25, 0.01, 0.0), "l_hand": (0.08, -0.01, -0.01),
}  # fmt: skip
"""A skeleton with bent limbs, as meshes of people in T-pose have."""
STRETCH = 0.03
"""How much longer the first shape makes everything, per unit."""
SHAPES = 10


def rest_joints():
    p = np.zeros((24, 3))
    for j, name in enumerate(SMPL_ORDER):
        own = OFFSETS.get(name)
        offset = np.array(own if own is not None else OFFSETS["l" + name[1:]] * np.array([-1, 1, 1]))
        p[j] = offset + (p[PARENTS[j]] if j else 0)
    return p


def model_arrays():
    """A mesh of 60 points: the regressor takes joint j from points 2 j and 2 j + 1; the rest are crown and soles."""
    rng, joints = np.random.default_rng(5), rest_joints()
    vertices = np.zeros((60, 3))
    regressor = np.zeros((24, 60))
    for j, p in enumerate(joints):
        apart = 0.03 * rng.standard_normal(3)
        vertices[2 * j], vertices[2 * j + 1] = p + apart, p - apart
        regressor[j, 2 * j : 2 * j + 2] = 0.5
    vertices[48:] = [0, 0.5, 0]
    vertices[54:] = [0, -1.2, 0]
    directions = 0.001 * rng.standard_normal((60, 3, SHAPES))
    directions[..., 0] = STRETCH * vertices
    return {"v_template": vertices, "shapedirs": directions, "J_regressor": regressor}


class Ch:
    """What is left of a chumpy array in a pickle: an object whose attribute `x` is the array."""

    def __init__(self, x):
        self.x = x


@pytest.fixture
def model_file(monkeypatch, tmp_path):
    """Model files as they are published: .npz, .pkl with sparse and chumpy arrays, old protocols or new."""
    module = types.ModuleType("chumpy.ch")
    module.Ch = Ch
    monkeypatch.setattr(Ch, "__module__", "chumpy.ch")
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)

    def write(kind):
        arrays = model_arrays()
        path = tmp_path / f"model.{kind[:3]}"
        if kind == "npz":
            np.savez(path, **arrays, part2num=np.array({"head": 15}, dtype=object))
            return path
        arrays["J_regressor"] = csc_matrix(arrays["J_regressor"])
        arrays["shapedirs"] = Ch(arrays["shapedirs"])
        path.write_bytes(pickle.dumps({**arrays, "bs_style": "lbs"}, protocol=int(kind[-1])))
        return path

    return write


@pytest.mark.parametrize("kind", ["npz", "pkl 0", "pkl 2", "pkl 4"])
def test_rest_joints_and_height(model_file, kind):
    arrays = model_arrays()
    betas = np.array([0.5, -1.0, *np.zeros(8)])
    rest = load_rest(model_file(kind), betas)
    vertices = arrays["v_template"] + arrays["shapedirs"] @ betas
    np.testing.assert_allclose(rest.joints, arrays["J_regressor"] @ vertices, atol=1e-12)
    assert rest.height == pytest.approx(np.ptp(vertices[:, 1]))


def test_the_same_joints_as_smplx(model_file):
    torch = pytest.importorskip("torch")
    smplx = pytest.importorskip("smplx")
    arrays = model_arrays()
    betas = np.array([1.5, 2.0, -0.5, *np.zeros(7)])
    data = smplx.utils.Struct(
        **arrays,
        f=np.array([[0, 1, 2]]),
        posedirs=np.zeros((60, 3, 207)),
        weights=np.full((60, 24), 1 / 24),
        kintree_table=np.array([PARENTS, range(24)]),
    )
    model = smplx.SMPLLayer(
        model_path="", data_struct=data, vertex_ids=dict.fromkeys(smplx.vertex_ids.vertex_ids["smplh"], 0)
    )
    pose = torch.eye(3).expand(1, 24, 3, 3)
    out = model(betas=torch.tensor(betas[None], dtype=torch.float32), global_orient=pose[:, :1], body_pose=pose[:, 1:])
    np.testing.assert_allclose(load_rest(model_file("npz"), betas).joints, out.joints[0, :24].numpy(), atol=1e-5)


def smpl_joints(turns, trans, rest):
    """Forward kinematics of SMPL: the root turns about the pelvis, which `trans` moves with the mesh."""
    R, p = [turns[:, 0]], [trans + rest[0]]
    for j in range(1, 24):
        R.append(R[PARENTS[j]] @ turns[:, j])
        p.append(p[PARENTS[j]] + R[PARENTS[j]] @ (rest[j] - rest[PARENTS[j]]))
    return np.stack(p, axis=1)


@pytest.mark.parametrize("shape", [0.0, 2.0, -2.0])
def test_joints_of_the_mesh_are_where_ours_are(model_file, tmp_path, shape):
    turns, trans = bending().smpl()
    betas = np.array([shape, *np.zeros(15)])
    poses = np.tile(np.eye(3), (FRAMES, 52, 1, 1))
    poses[:, :22] = turns[:, :22]
    poses[:, 22], poses[:, 37] = turns[:, 22], turns[:, 23]
    np.savez(tmp_path / "m.npz", poses=rotvec(poses), trans=trans, betas=betas, mocap_framerate=60.0)
    (track,) = import_motion(tmp_path / "m.npz", smpl_model=model_file("pkl 2"), fit_ground=False)
    body = body_of(track.motion)
    longer = 1 + STRETCH * shape
    assert body.bones["thigh"] == pytest.approx(np.linalg.norm(OFFSETS["l_knee"]) * longer, abs=1e-3)
    assert body.bones["upper_arm"] == pytest.approx(np.linalg.norm(OFFSETS["l_elbow"]) * longer, abs=1e-3)
    assert body.height == pytest.approx(1.7 * longer)
    assert set(track.assumed) == {"mass"}
    rest = load_rest(model_file("pkl 2"), betas).joints
    expected = smpl_joints(turns, trans, rest)
    _, p = body.joint_poses(track.motion.q)
    error = np.linalg.norm(p[:, [body.joint_names.index(name) for name in SMPL_ORDER]] - expected, axis=-1).mean(axis=0)
    errors = dict(zip(SMPL_ORDER, error, strict=True))
    for side in "lr":
        for joint in ("hip", "knee", "ankle", "foot"):
            assert errors[f"{side}_{joint}"] < 0.01, errors
        for joint in ("shoulder", "elbow", "wrist"):
            assert errors[f"{side}_{joint}"] < 0.05, errors


def test_without_the_model_limbs_keep_the_angles_but_not_the_places(tmp_path):
    turns, trans = bending().smpl()
    np.savez(tmp_path / "m.npz", poses=rotvec(turns), trans=trans, mocap_framerate=60.0)
    (track,) = import_motion(tmp_path / "m.npz")
    assert track.assumed["height"] == 1.70


def test_files_that_are_no_model(model_file, tmp_path):
    wrong = tmp_path / "wrong.npz"
    np.savez(wrong, v_template=np.zeros((4, 3)))
    with pytest.raises(MotionFileError, match=r"wrong\.npz: no shapedirs; expected an SMPL"):
        load_rest(wrong, np.zeros(10))
    np.savez(wrong, v_template=np.zeros((4, 3)), shapedirs=np.zeros((5, 3, 2)), J_regressor=np.zeros((24, 4)))
    with pytest.raises(MotionFileError, match="do not fit together"):
        load_rest(wrong, np.zeros(10))
    np.savez(wrong, v_template=np.zeros((4, 3)), shapedirs=np.zeros((4, 3, 2)), J_regressor=np.zeros((17, 4)))
    with pytest.raises(MotionFileError, match=r"\(17, 3\) joints"):
        load_rest(wrong, np.zeros(10))
    with pytest.raises(MotionFileError, match="no such file"):
        import_motion_with(tmp_path, tmp_path / "gone.pkl")


def import_motion_with(folder, model):
    turns, trans = bending().smpl(Y_UP)
    np.savez(folder / "m.npz", poses=rotvec(turns), trans=trans, mocap_framerate=60.0)
    return import_motion(folder / "m.npz", smpl_model=model)
