"""OpenSim joint angles (.mot, .sto) of the full-body models (Rajagopal et al. 2016; gait2392), y up.

A joint turns about fixed axes in the order of its coordinates: flexion about z (to the right), adduction about x
(forward), rotation about y (up), mirrored on the left. The neutral pose stands with arms hanging. The body has the
given height; the proportions of the .osim model are not read.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from motion.body import Body, build_body
from motion.exporters.opensim_axes import R_OPENSIM_WORLD
from motion.importers.container import Content
from motion.importers.ground import ground_height
from motion.importers.importer import BODY_MASS_INDEX, DEFAULT_HEIGHT, ImportOptions, Track
from motion.importers.motion_file_error import MotionFileError
from motion.importers.opensim_table import ColumnTable, parse_columns
from motion.local_derivative import differentiate
from records import Motion

R_BODY_OPENSIM = np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]])
"""From OpenSim's segment axes (x forward, y up, z right) to those of the body (x left, y up, z forward)."""

HIP_FROM_PELVIS = np.array([-0.056, -0.079, 0.0])
"""Middle of the hips in OpenSim's pelvis frame [m], whose origin is between the anterior spines (Rajagopal et al.)."""

MODEL_HEIGHT = 1.70
"""Height of that model [m]."""

ROOT = ("pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz")

SMOOTHING = 0.04
"""Width of the Gaussian behind the velocities and accelerations of the record [s]."""

ELBOW_AXIS = np.array([0.226047, 0.022269, 0.973862])
"""Axis of the right elbow in the humerus (Rajagopal et al. 2016); x and y change sign on the left."""


class Mot:
    """Columns pelvis_tilt, ..., hip_flexion_r, ..., with or without the path of the joint before them."""

    def recognises(self, content: Content) -> bool:
        """A table with a pelvis in it."""
        if content.kind != "text" or not any(line.strip().lower() == "endheader" for line in content.value[:200]):
            return False
        return any("pelvis_tilt" in line for line in content.value[:201])

    def read(self, content: Content, options: ImportOptions) -> list[Track]:
        """The one person of the file."""
        table = parse_columns(content.value)
        columns = {_short(name): values for name, values in table.columns.items()}
        missing = [name for name in ROOT if name not in columns]
        if missing:
            raise MotionFileError(f"no column {missing[0]!r}; expected joint angles of a full-body model")
        fps = options.rate(table.fps, content.path)
        assumed: dict[str, float] = {}
        if options.height is None:
            assumed["height"] = DEFAULT_HEIGHT
        height = options.height or DEFAULT_HEIGHT
        if options.mass is None:
            assumed["mass"] = BODY_MASS_INDEX * height**2
        body = build_body(height=height, mass=options.mass or assumed["mass"])
        q = configurations(body, ColumnTable(columns, table.degrees))
        if options.fit_ground:
            q[:, 2] -= ground_height(body, q, fps)
        v, a = differentiate(q, fps, SMOOTHING)
        motion = Motion(model="smpl_tree", parameters=body.parameters(), fps=fps, q=q, v=v, a=a)
        return [Track(name="0", motion=motion, observed=np.ones(len(q), bool), measured=True, assumed=assumed)]


def configurations(body: Body, table: ColumnTable) -> Float[np.ndarray, "T 99"]:
    """Configurations of the body from OpenSim's coordinates; the world keeps OpenSim's x."""
    frames = len(table.columns["time"])
    factor = np.pi / 180 if table.degrees else 1.0

    def angle(name: str) -> np.ndarray:
        return factor * table.columns.get(name, np.zeros(frames))

    def joint(names: tuple[str, str, str], mirror: float = 1.0) -> Rotation:
        flexion, adduction, rotation = (angle(name) for name in names)
        return Rotation.from_euler("ZXY", np.stack([flexion, mirror * adduction, mirror * rotation], axis=1))

    turns = {name: Rotation.identity(frames) for name in body.joint_names}
    pelvis = joint(("pelvis_tilt", "pelvis_list", "pelvis_rotation"))
    # OpenSim's trunk is rigid above its one lumbar joint.
    turns["spine1"] = _in_body(joint(("lumbar_extension", "lumbar_bending", "lumbar_rotation")))
    for side, mirror in (("r", 1.0), ("l", -1.0)):
        hip = joint((f"hip_flexion_{side}", f"hip_adduction_{side}", f"hip_rotation_{side}"), mirror)
        turns[f"{side}_hip"] = _in_body(hip)
        # Knees only bend backwards, but models differ in the sign that they give it.
        knee = angle(f"knee_angle_{side}")
        backwards = -1.0 if knee.mean() > 0 else 1.0
        turns[f"{side}_knee"] = _in_body(_about([0, 0, 1], backwards * knee))
        turns[f"{side}_ankle"] = _in_body(_about([0, 0, 1], angle(f"ankle_angle_{side}")))
        turns[f"{side}_foot"] = _in_body(_about([0, 0, 1], angle(f"mtp_angle_{side}")))
        # From the T-pose to arms that hang: about the forward axis, left arm down to the right.
        hang = Rotation.from_euler("z", mirror * np.pi / 2)
        arm = joint((f"arm_flex_{side}", f"arm_add_{side}", f"arm_rot_{side}"), mirror)
        turns[f"{side}_shoulder"] = _in_body(arm) * hang
        axis = ELBOW_AXIS * [mirror, mirror, 1.0]
        elbow = _about(axis / np.linalg.norm(axis), angle(f"elbow_flex_{side}"))
        turns[f"{side}_elbow"] = hang.inv() * _in_body(elbow) * hang
    to_world = Rotation.from_matrix(R_OPENSIM_WORLD.T)
    upright = to_world * pelvis * Rotation.from_matrix(R_BODY_OPENSIM.T)
    turns["pelvis"] = upright
    origin = np.stack([table.columns[name] for name in ROOT[3:]], axis=1)
    hips = to_world.apply(origin + pelvis.apply(HIP_FROM_PELVIS * body.height / MODEL_HEIGHT))
    ours = np.mean([body.offsets[body.joint_names.index(f"{side}_hip")] for side in "lr"], axis=0)
    quaternions = [turns[name].as_quat() for name in body.joint_names]
    return np.concatenate([hips - upright.apply(ours), *quaternions], axis=1)


def _in_body(turn: Rotation) -> Rotation:
    """The same rotation in the body's axes."""
    R = Rotation.from_matrix(R_BODY_OPENSIM)
    return R * turn * R.inv()


def _about(axis: list[float] | np.ndarray, angle: np.ndarray) -> Rotation:
    return Rotation.from_rotvec(angle[:, None] * np.asarray(axis, float))


def _short(name: str) -> str:
    """`/jointset/hip_r/hip_flexion_r/value` is `hip_flexion_r`."""
    parts = name.split("/")
    if len(parts) == 1:
        return name
    return parts[-2] if parts[-1] == "value" else name
