"""Model files in SMPL's format, with a skeleton of our own making: bones, places of joints, and meshes from them."""

from __future__ import annotations

import pickle
import sys
import types

import numpy as np
import pytest
from layouts import FRAMES, Y_UP, Person, bending, rotvec
from scipy.sparse import csc_matrix

from motion.body import body_of, build_body
from motion.exporters.exporter import ExportError, export
from motion.importers import MotionFileError, Track, import_motion
from motion.importers.interaction import interaction_of
from motion.local_derivative import differentiate
from motion.skeleton import SMPL_ORDER
from motion.smpl_body import load_body
from motion.smpl_fit import fitted_betas, fitted_bones, on_mesh, placed
from records import Motion

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


def model_arrays(joints=24):
    """A mesh of two points a joint, which the regressor takes it from, and crown and soles.

    With more joints than SMPL's there are no hands among them but fingers (and a jaw and eyes), all at the wrists.
    """
    rng, places, parents = np.random.default_rng(5), rest_joints(), list(PARENTS)
    if joints > 24:
        wrists = [20] * 15 + [21] * 15
        parents = [*PARENTS[:22], *([15] * (joints - 52)), *wrists]
        places = np.concatenate([places[:22], [places[parent] + [0, 0.01, 0.02] for parent in parents[22:]]])
    vertices = np.zeros((2 * joints + 12, 3))
    regressor = np.zeros((joints, len(vertices)))
    for j, p in enumerate(places):
        apart = 0.03 * rng.standard_normal(3)
        vertices[2 * j], vertices[2 * j + 1] = p + apart, p - apart
        regressor[j, 2 * j : 2 * j + 2] = 0.5
    vertices[-12:] = [0, 0.5, 0]
    vertices[-6:] = [0, -1.2, 0]
    directions = 0.001 * rng.standard_normal((len(vertices), 3, SHAPES))
    directions[..., 0] = STRETCH * vertices
    return {
        "v_template": vertices,
        "shapedirs": directions,
        "J_regressor": regressor,
        "posedirs": 0.001 * rng.standard_normal((len(vertices), 3, 9 * (joints - 1))),
        "weights": rng.dirichlet(np.full(joints, 0.1), len(vertices)),
        "kintree_table": np.array([[2**32 - 1, *parents[1:]], range(joints)], dtype=np.uint32),
        "f": np.arange(6, dtype=np.uint32).reshape(2, 3),
    }


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

    def write(kind, joints=24):
        arrays = model_arrays(joints)
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
    rest = load_body(model_file(kind)).rest(betas)
    vertices = arrays["v_template"] + arrays["shapedirs"] @ betas
    np.testing.assert_allclose(rest.joints, arrays["J_regressor"] @ vertices, atol=1e-12)
    assert rest.height == pytest.approx(np.ptp(vertices[:, 1]))


def test_joints_and_vertices_are_those_of_smplx(model_file):
    """Its own class for SMPL, given the same arrays, in double precision."""
    torch = pytest.importorskip("torch")
    smplx = pytest.importorskip("smplx")
    arrays = model_arrays()
    betas = np.array([1.5, 2.0, -0.5, *np.zeros(7)])
    turns, trans = bending().smpl()
    double = torch.float64
    layer = smplx.SMPLLayer(
        model_path="",
        data_struct=smplx.utils.Struct(**arrays),
        vertex_ids=dict.fromkeys(smplx.vertex_ids.vertex_ids["smplh"], 0),
        dtype=double,
    )
    pose = torch.tensor(turns, dtype=double)
    out = layer(
        betas=torch.tensor(np.tile(betas, (FRAMES, 1)), dtype=double),
        global_orient=pose[:, :1],
        body_pose=pose[:, 1:],
        transl=torch.tensor(trans, dtype=double),
    )
    for kind in ("npz", "pkl 2"):
        body = load_body(model_file(kind))
        mesh = body.posed(betas, turns, trans)
        np.testing.assert_allclose(mesh.joints, out.joints[:, :24].numpy(), atol=1e-6)
        np.testing.assert_allclose(mesh.vertices, out.vertices.numpy(), atol=1e-6)
        at_rest = body.posed(betas, np.tile(np.eye(3), (1, 24, 1, 1)), np.zeros((1, 3))).joints[0]
        np.testing.assert_allclose(body.rest(betas).joints, at_rest, atol=1e-9)
        np.testing.assert_array_equal(body.faces, arrays["f"])


def test_a_skeleton_without_a_skin_has_bones_but_no_mesh(model_file, tmp_path):
    arrays = model_arrays()
    bare = tmp_path / "bare.npz"
    np.savez(bare, **{name: arrays[name] for name in ("v_template", "shapedirs", "J_regressor")})
    body = load_body(bare)
    assert body.rest(np.zeros(10)).joints.shape == (24, 3)
    with pytest.raises(MotionFileError, match=r"bare\.npz: no posedirs; a mesh needs the whole model file"):
        body.posed(np.zeros(10), np.tile(np.eye(3), (1, 24, 1, 1)), np.zeros((1, 3)))


def test_without_smplx_the_message_says_what_to_install(model_file, monkeypatch):
    body = load_body(model_file("npz"))
    monkeypatch.setitem(sys.modules, "smplx", None)
    with pytest.raises(MotionFileError, match=r"pip install 'apprentice\[smpl\]'"):
        body.rest(np.zeros(10))


def written(path):
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


@pytest.mark.parametrize(("joints", "family"), [(24, "smpl"), (52, "smplh"), (55, "smplx")])
def test_an_export_with_a_body_model_has_our_joints_and_comes_back(model_file, tmp_path, joints, family):
    model = model_file("npz", joints)
    rest = load_body(model).rest(np.array([1.2]))
    shaped = build_body(height=rest.height, mass=70, bones=fitted_bones(rest, rest.height))
    track = Track(name="0", motion=motion_of(Person(shaped, bending().q)), observed=np.ones(FRAMES, bool))
    interaction = interaction_of(track)
    files = export(interaction, "amass", tmp_path / "out", body_model=model)
    assert [file.name for file in files] == ["motion.npz", "mesh.npz"]
    motion, mesh = map(written, files)
    assert motion["poses"].shape == (FRAMES, 3 * joints)
    assert str(motion["surface_model_type"]) == family
    assert mesh["vertices"].shape == (FRAMES, 2 * joints + 12, 3)
    assert mesh["faces"].shape == (2, 3)
    body = body_of(interaction.person)
    ours = dict(zip(body.joint_names, body.joint_poses(interaction.person.q)[1].swapaxes(0, 1), strict=True))
    error = {n: np.linalg.norm(mesh["joints"][:, j] - ours[n], axis=1).max() for j, n in enumerate(SMPL_ORDER[:22])}
    limits = {"hip": 0.01, "knee": 0.015, "ankle": 0.02, "elbow": 0.05, "wrist": 0.05}
    assert all(error[f"{side}_{joint}"] < limit for side in "lr" for joint, limit in limits.items()), error
    assert motion["betas"][0] == pytest.approx(1.2, abs=0.15)
    (again,) = import_motion(files[0], body_model=model, fit_ground=False)
    back = body_of(again.motion)
    found = dict(zip(back.joint_names, back.joint_poses(again.motion.q)[1].swapaxes(0, 1), strict=True))
    for side in "lr":
        for joint in limits:
            assert np.linalg.norm(found[f"{side}_{joint}"] - ours[f"{side}_{joint}"], axis=1).max() < 0.02


def motion_of(person):
    v, a = differentiate(person.q, 25.0, 0.04)
    return Motion(model="smpl_tree", parameters=person.body.parameters(), fps=25.0, q=person.q, v=v, a=a)


def test_the_shape_of_a_body_with_a_model_s_bones_is_found(model_file):
    model = load_body(model_file("npz"))
    betas = np.array([1.2, *np.zeros(9)])
    rest = model.rest(betas)
    body = build_body(height=rest.height, mass=70, bones=fitted_bones(rest, rest.height))
    assert fitted_betas(model, body)[0] == pytest.approx(1.2, abs=0.15)


def test_poses_of_the_mesh_are_found_again_from_ours(model_file):
    model = load_body(model_file("npz"))
    rest = model.rest(np.zeros(10))
    body = build_body(height=rest.height, mass=70, bones=fitted_bones(rest, rest.height))
    turns, root = bending().smpl()
    turns = turns[:, [SMPL_ORDER.index(name) for name in body.joint_names]]
    ours = placed(body, rest, turns, root)
    theirs = on_mesh(body, rest, *ours)
    np.testing.assert_allclose(theirs[0], turns, atol=1e-12)
    np.testing.assert_allclose(theirs[1], root, atol=1e-12)


def test_only_one_format_takes_a_body_model(model_file, tmp_path):
    interaction = interaction_of(Track(name="0", motion=motion_of(bending()), observed=np.ones(FRAMES, bool)))
    with pytest.raises(ExportError, match="a body model is of use for the format amass only, not for csv"):
        export(interaction, "csv", tmp_path, body_model=model_file("npz"))


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
    (track,) = import_motion(tmp_path / "m.npz", body_model=model_file("pkl 2"), fit_ground=False)
    body = body_of(track.motion)
    longer = 1 + STRETCH * shape
    assert body.bones["thigh"] == pytest.approx(np.linalg.norm(OFFSETS["l_knee"]) * longer, abs=1e-3)
    assert body.bones["upper_arm"] == pytest.approx(np.linalg.norm(OFFSETS["l_elbow"]) * longer, abs=1e-3)
    assert body.height == pytest.approx(1.7 * longer)
    assert set(track.assumed) == {"mass"}
    rest = load_body(model_file("pkl 2")).rest(betas).joints
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
        load_body(wrong).rest(np.zeros(10))
    np.savez(wrong, v_template=np.zeros((4, 3)), shapedirs=np.zeros((5, 3, 2)), J_regressor=np.zeros((24, 4)))
    with pytest.raises(MotionFileError, match="do not fit together"):
        load_body(wrong).rest(np.zeros(10))
    np.savez(wrong, v_template=np.zeros((4, 3)), shapedirs=np.zeros((4, 3, 2)), J_regressor=np.zeros((17, 4)))
    with pytest.raises(MotionFileError, match=r"\(17, 3\) joints"):
        load_body(wrong).rest(np.zeros(10))
    with pytest.raises(MotionFileError, match="no such file"):
        import_motion_with(tmp_path, tmp_path / "gone.pkl")


def import_motion_with(folder, model):
    turns, trans = bending().smpl(Y_UP)
    np.savez(folder / "m.npz", poses=rotvec(turns), trans=trans, mocap_framerate=60.0)
    return import_motion(folder / "m.npz", body_model=model)
