from __future__ import annotations

import csv
import json
from xml.etree import ElementTree

import numpy as np
import pinocchio as pin
import pytest
from pyarrow import parquet
from scipy.spatial.transform import Rotation

from motion.body import build_body
from motion.exporters import EXPORTERS, ExportError, export
from motion.exporters.lerobot import export_lerobot
from motion.exporters.lerobot_dataset import DatasetError, LeRobotEpisode, write_dataset
from motion.markers import LIMB_MARKERS, MARKERS, marker_positions
from motion.skeleton import CONTACT_SITES, SMPL_ORDER
from records import (
    Camera,
    ContactForces,
    ContactStates,
    Demonstration,
    Interaction,
    Motion,
    Uncertainty,
    UnknownName,
)

FPS, FRAMES = 25.0, 6
BODY = build_body(height=1.75, mass=65)


def person_motion():
    """Someone who turns, steps and waves: every joint bent, no two frames alike."""
    rng = np.random.default_rng(3)
    start, drift = 0.3 * rng.standard_normal(75), 0.05 * rng.standard_normal(75)
    q = np.array([pin.integrate(BODY.model, BODY.neutral(), start + t * drift) for t in range(FRAMES)])
    still = np.zeros((FRAMES, 75))
    return Motion(model="smpl_tree", parameters=BODY.parameters(), fps=FPS, q=q, v=still, a=still)


def tool_motion():
    q = np.tile([0.4, 0.1, 1.2, 0, 0, 0, 1.0], (FRAMES, 1))
    q[:, 0] += 0.1 * np.arange(FRAMES)
    return Motion(model="hammer", fps=FPS, q=q, v=np.zeros((FRAMES, 6)), a=np.zeros((FRAMES, 6)))


@pytest.fixture(scope="module")
def interaction():
    person = person_motion()
    rng = np.random.default_rng(4)
    wrench = np.concatenate([100 * rng.standard_normal((FRAMES, 4, 3)), rng.standard_normal((FRAMES, 4, 3))], axis=-1)
    wrench[:, :2, 2] = [[300, 0]]
    forces = ContactForces(
        names=CONTACT_SITES,
        fps=FPS,
        point=BODY.site_positions(person.q, CONTACT_SITES),
        wrench=wrench,
        tau=np.zeros((FRAMES, 75)),
        residual=np.zeros((FRAMES, 6)),
    )
    return Interaction(
        person=person,
        tool=tool_motion(),
        contacts=ContactStates(names=CONTACT_SITES, probability=np.ones((FRAMES, 4)), fps=FPS),
        forces=forces,
        camera=Camera(
            K=np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]]), T_world_camera=np.eye(4)[None], size_hw=(480, 640)
        ),
        observed=np.ones(FRAMES, bool),
        status="converged",
    )


def read_csv(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def read_trc(path):
    """Names, times and points (T, N, 3) in metres, by the rules of OpenSim's documentation."""
    lines = path.read_text().split("\n")
    header = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    names = [name for name in lines[3].split("\t")[2:] if name]
    rows = np.array([[float(x) for x in line.split("\t")] for line in lines[5:] if line.strip()])
    assert len(rows) == int(header["NumFrames"])
    assert len(names) == int(header["NumMarkers"])
    assert rows[:, 0].tolist() == list(range(1, len(rows) + 1))
    scale = {"m": 1.0, "mm": 1e-3}[header["Units"]]
    return names, rows[:, 1], scale * rows[:, 2:].reshape(len(rows), len(names), 3), float(header["DataRate"])


def read_mot(path):
    head, _, table = path.read_text().partition("endheader\n")
    sizes = dict(line.split("=") for line in head.split("\n") if "=" in line)
    columns, *rows = table.strip().split("\n")
    values = np.array([[float(x) for x in row.split("\t")] for row in rows])
    columns = columns.split("\t")
    assert values.shape == (int(sizes["nRows"]), int(sizes["nColumns"])) == (len(rows), len(columns))
    return {column: values[:, c] for c, column in enumerate(columns)}


def to_z_up(points):
    """Back from OpenSim: turn +90 degrees about x."""
    return points @ Rotation.from_euler("x", 90, degrees=True).as_matrix().T


def test_every_format_writes_the_files_that_it_names_and_nothing_else(interaction, tmp_path):
    for format in EXPORTERS:
        files = export(interaction, format, tmp_path / format)
        found = {path for path in (tmp_path / format).rglob("*") if path.is_file()}
        assert set(files) == found
        assert EXPORTERS[format].summary
        export(interaction, format, tmp_path / format)
        assert {path for path in (tmp_path / format).rglob("*") if path.is_file()} == found


def test_deviations_have_files_of_their_own_with_the_same_keys(interaction, tmp_path):
    plain = {path.name: path.read_text() for path in export(interaction, "csv", tmp_path)}
    variances = np.random.default_rng(5).uniform(0.01, 0.02, (FRAMES, len(MARKERS), 3))
    known = Uncertainty(
        joint_names=MARKERS,
        joints=variances[..., None] * np.eye(3),
        contact_names=CONTACT_SITES,
        forces=np.tile(400 * np.eye(3), (FRAMES, 4, 1, 1)),
    )
    export(interaction.replace(uncertainty=known), "csv", tmp_path)
    assert {name: (tmp_path / name).read_text() for name in plain} == plain
    for table, columns in (("joints", ("name", "sx", "sy", "sz")), ("forces", ("contact", "sfx", "sfy", "sfz"))):
        rows, sigma = read_csv(tmp_path / f"{table}.csv"), read_csv(tmp_path / f"{table}_sigma.csv")
        assert tuple(sigma[0]) == ("frame", "t", *columns)
        keys = ("frame", "t", columns[0])
        assert [[r[k] for k in keys] for r in rows] == [[r[k] for k in keys] for r in sigma]
        found = np.array([[float(r[c]) for c in columns[1:]] for r in sigma])
        expected = np.sqrt(variances).reshape(-1, 3) if table == "joints" else np.full((4 * FRAMES, 3), 20.0)
        np.testing.assert_allclose(found, expected, atol=1e-6)
    export(interaction, "csv", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(plain), "deviations of an earlier export are gone"


def test_unknown_format_lists_the_choices(interaction, tmp_path):
    with pytest.raises(UnknownName, match="unknown export format 'bvh'; choose from: csv, trc, mot, amass, lerobot"):
        export(interaction, "bvh", tmp_path)


def test_a_folder_that_cannot_be_made_gives_one_line(interaction, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ExportError, match=r"cannot write csv into .*file"):
        export(interaction, "csv", tmp_path / "file")


def test_csv_joints_are_markers_in_metres_z_up(interaction, tmp_path):
    rows = read_csv(export(interaction, "csv", tmp_path)[0])
    assert list(rows[0]) == ["frame", "t", "name", "x", "y", "z"]
    expected = marker_positions(BODY, interaction.person.q)
    for row in rows:
        t = int(row["frame"])
        assert float(row["t"]) == pytest.approx(t / FPS)
        point = [float(row[axis]) for axis in "xyz"]
        np.testing.assert_allclose(point, expected[t, MARKERS.index(row["name"])], atol=1e-6)
    assert len(rows) == FRAMES * len(MARKERS)
    assert {row["name"] for row in rows} >= set(LIMB_MARKERS)


def test_csv_forces_are_the_wrenches_on_the_person(interaction, tmp_path):
    rows = read_csv(export(interaction, "csv", tmp_path)[1])
    assert list(rows[0]) == ["frame", "t", "contact", "px", "py", "pz", "fx", "fy", "fz", "mx", "my", "mz"]
    assert len(rows) == FRAMES * 4
    for row in rows:
        t, c = int(row["frame"]), CONTACT_SITES.index(row["contact"])
        values = [float(row[a + b]) for a in "pfm" for b in "xyz"]
        expected = [*interaction.forces.point[t, c], *interaction.forces.wrench[t, c]]
        np.testing.assert_allclose(values, expected, atol=1e-6)


def test_trc_round_trip(interaction, tmp_path):
    names, time, points, rate = read_trc(export(interaction, "trc", tmp_path)[0])
    assert tuple(names) == MARKERS
    assert rate == FPS
    np.testing.assert_allclose(time, np.arange(FRAMES) / FPS, atol=1e-6)
    np.testing.assert_allclose(to_z_up(points), marker_positions(BODY, interaction.person.q), atol=2e-6)


def test_trc_has_gravity_along_minus_y(tmp_path, interaction):
    still = interaction.person.replace(q=np.repeat(BODY.neutral()[None], FRAMES, axis=0))
    names, _, points, _ = read_trc(export(interaction.replace(person=still), "trc", tmp_path)[0])
    at = {name: points[0, n] for n, name in enumerate(names)}
    assert at["head"][1] == pytest.approx(1.75, abs=0.03), "y is up, in metres"
    assert at["nose"][0] > at["neck"][0] + 0.03, "the person faces x"
    assert at["r_shoulder"][2] > at["l_shoulder"][2], "z is to the right"


def test_mot_is_the_same_wrench_in_y_up_axes(interaction, tmp_path):
    columns = read_mot(export(interaction, "mot", tmp_path)[0])
    np.testing.assert_allclose(columns["time"], np.arange(FRAMES) / FPS, atol=1e-6)
    forces = interaction.forces
    np.testing.assert_allclose(columns["l_ankle_ground_force_vy"], 300, atol=1e-6)
    for c, name in enumerate(CONTACT_SITES):
        force, point, torque = (
            to_z_up(np.stack([columns[f"{name}_{quantity}{axis}"] for axis in "xyz"], axis=1))
            for quantity in ("ground_force_v", "ground_force_p", "ground_torque_")
        )
        about_site = torque + np.cross(point - forces.point[:, c], force)
        np.testing.assert_allclose(force, forces.wrench[:, c, :3], atol=1e-5)
        np.testing.assert_allclose(about_site, forces.wrench[:, c, 3:], atol=2e-3)


def test_mot_gives_a_loaded_foot_its_centre_of_pressure(interaction, tmp_path):
    columns = read_mot(export(interaction, "mot", tmp_path)[0])
    soles = BODY.site_positions(interaction.person.q, ["l_heel", "l_ball", "l_toes"])[..., 2].min(axis=1)
    np.testing.assert_allclose(columns["l_ankle_ground_force_py"], soles, atol=1e-5)
    np.testing.assert_allclose(columns["l_ankle_ground_torque_x"], 0, atol=1e-4)
    np.testing.assert_allclose(columns["l_ankle_ground_torque_z"], 0, atol=1e-4)
    unloaded = interaction.forces.point[:, CONTACT_SITES.index("r_ankle"), 2]
    np.testing.assert_allclose(columns["r_ankle_ground_force_py"], unloaded, atol=1e-5)


def test_mot_comes_with_loads_that_name_its_columns(interaction, tmp_path):
    mot, loads = export(interaction, "mot", tmp_path)
    columns, document = read_mot(mot), ElementTree.parse(loads)
    assert document.findtext(".//datafile") == mot.name
    for tag in ("force_identifier", "point_identifier", "torque_identifier"):
        for element in document.iter(tag):
            assert all(element.text + axis in columns for axis in "xyz")
    assert [e.text for e in document.iter("applied_to_body")] == ["calcn_l", "calcn_r", "hand_l", "hand_r"]


def test_amass_poses_rebuild_the_joints(interaction, tmp_path):
    """Forward kinematics of SMPL's tree from axis-angle, with our own rest joints, gives our joint positions."""
    with np.load(export(interaction, "amass", tmp_path)[0], allow_pickle=False) as file:
        motion = {key: file[key] for key in file.files}
    assert motion["poses"].shape == (FRAMES, 156)
    assert float(motion["mocap_framerate"]) == FPS
    assert str(motion["gender"]) == "neutral"
    assert not motion["betas"].any()
    smpl_parents = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19]
    order = [BODY.joint_names.index(name) for name in SMPL_ORDER]
    turns = Rotation.from_rotvec(motion["poses"].reshape(-1, 3)).as_matrix().reshape(FRAMES, 52, 3, 3)
    _, expected = BODY.joint_poses(interaction.person.q)
    mesh_pelvis = np.array([-0.0018, -0.2233, 0.0282])
    R, p = [turns[:, 0]], [motion["trans"] + mesh_pelvis]
    for j in range(1, 22):
        parent = smpl_parents[j]
        p.append(p[parent] + R[parent] @ BODY.offsets[order[j]])
        R.append(R[parent] @ turns[:, j])
    np.testing.assert_allclose(np.stack(p, axis=1), expected[:, order[:22]], atol=1e-3)
    fingertip = p[20] + (R[20] @ BODY.offsets[BODY.joint_names.index("l_hand")])
    np.testing.assert_allclose(fingertip, expected[:, BODY.joint_names.index("l_hand")], atol=1e-3)
    knuckle = Rotation.from_quat(
        interaction.person.q[:, 3:].reshape(FRAMES, 24, 4)[:, BODY.joint_names.index("l_hand")]
    )
    np.testing.assert_allclose(motion["poses"].reshape(FRAMES, 52, 3)[:, 22], knuckle.as_rotvec(), atol=1e-12)


def read_lerobot(folder):
    info = json.loads((folder / "meta/info.json").read_text())
    data = parquet.read_table(folder / info["data_path"].format(chunk_index=0, file_index=0)).to_pydict()
    for key, feature in info["features"].items():
        values = np.array(data[key])
        shape = () if feature["shape"] == [1] else tuple(feature["shape"])
        assert values.shape == (info["total_frames"], *shape), key
        assert feature["names"] is None or len(feature["names"]) == feature["shape"][0]
        data[key] = values
    assert set(data) == set(info["features"])
    return info, data


def test_lerobot_interaction(interaction, tmp_path):
    export(interaction, "lerobot", tmp_path)
    info, data = read_lerobot(tmp_path)
    assert info["codebase_version"] == "v3.0"
    assert (info["fps"], type(info["fps"])) == (25, int)
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (1, FRAMES, 1)
    np.testing.assert_allclose(data["observation.state"], interaction.person.q, atol=1e-6)
    np.testing.assert_allclose(data["action"][:-1], interaction.person.q[1:], atol=1e-6)
    np.testing.assert_allclose(data["observation.environment_state"], interaction.tool.q, atol=1e-6)
    np.testing.assert_allclose(data["timestamp"], np.arange(FRAMES) / FPS, atol=1e-6)
    assert info["features"]["observation.state"]["names"][7] == "l_hip_qx"
    assert info["features"]["observation.environment_state"]["names"][0] == "hammer_x"
    stats = json.loads((tmp_path / "meta/stats.json").read_text())
    np.testing.assert_allclose(stats["observation.state"]["mean"], interaction.person.q.mean(0), atol=1e-6)
    tasks = parquet.read_table(tmp_path / "meta/tasks.parquet")
    assert tasks.to_pydict() == {"task_index": [0], "task": ["move the hammer"]}
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["task"]


def test_lerobot_demonstration_holds_the_robot(tmp_path):
    q = np.linspace(0, 1, FRAMES * 9).reshape(FRAMES, 9)
    robot = Motion(model="panda", fps=FPS, q=q, v=q, a=q)
    export_lerobot(Demonstration(task="hammer", tool=tool_motion(), robot=robot), tmp_path)
    info, data = read_lerobot(tmp_path)
    assert info["robot_type"] == "panda"
    np.testing.assert_allclose(data["observation.state"], q, atol=1e-6)
    np.testing.assert_allclose(data["observation.environment_state"], tool_motion().q, atol=1e-6)


def test_lerobot_refuses_episodes_that_do_not_match(tmp_path):
    with pytest.raises(DatasetError, match="no episodes"):
        write_dataset([], tmp_path, fps=25, names={}, robot_type=None)
    one, two = (LeRobotEpisode("move", {"action": np.zeros((2, width))}) for width in (3, 4))
    with pytest.raises(DatasetError, match="episode 1"):
        write_dataset([one, two], tmp_path, fps=25, names={}, robot_type=None)


def test_markers_sit_above_the_joints_of_hip_and_shoulder():
    q = BODY.neutral()[None]
    joints, markers = BODY.site_positions(q, LIMB_MARKERS)[0], marker_positions(BODY, q, LIMB_MARKERS)[0]
    raised = dict(zip(LIMB_MARKERS, markers - joints, strict=True))
    np.testing.assert_allclose(raised["l_hip"], [0, 0, 0.4 * 0.25 * BODY.bones["trunk"]], atol=1e-9)
    np.testing.assert_allclose(raised["r_shoulder"], [0, 0, 0.03], atol=1e-9)
    np.testing.assert_allclose(raised["l_knee"], 0, atol=1e-9)
