"""Tools: a handle and a head with inertia, as free-flyer bodies whose pose follows from their two endpoints.

Tool frame: origin at the free end of the handle, x along the handle to the centre of the head, z away from the working
face (a hammer lying level with its face down has z up).
"""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from records import Entry, Motion, Registry

TOOLS = Registry(
    "tool",
    {
        "hammer": Entry("motion.tool:HAMMER", "club hammer, 1.2 kg, handle 0.4 m; drives with one face"),
        "spade": Entry("motion.tool:SPADE", "digging spade, 2.3 kg, 1.0 m"),
        "scythe": Entry("motion.tool:SCYTHE", "scythe, 2.4 kg, 1.4 m"),
        "jug": Entry("motion.tool:JUG", "open jug of 1.2 l with a spout in front and a straight handle behind, 0.5 kg"),
        "barbell": Entry("motion.tool:BARBELL", "Olympic bar, 20 kg, held by both hands; endpoints are its sleeves"),
    },
)


SPOUT = "spout"
"""Point of a jug that it pours over."""


class ToolError(ValueError):
    """A tool whose description or motion makes no sense."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A rigid tool: a cylinder (handle) that carries a box (head)."""

    name: str
    length: float
    """From the free end of the handle to the centre of the head [m]."""
    length_bounds: tuple[float, float]
    """Shortest and longest such tool [m]: what an estimate may find."""
    handle_radius: float
    """[m]."""
    handle_mass: float
    """[kg]."""
    head_size: tuple[float, float, float]
    """Extent of the head along tool x, y, z [m]."""
    head_mass: float
    """[kg]."""
    grip: float = 0.12
    """Where a hand or gripper holds the handle, from its free end [m]."""
    grip_roll: float = 0.0
    """How far the hand is turned about the handle from its usual side, away from the working face [rad]."""
    two_handed: bool = field(default=False, compare=False)
    """Whether people usually hold it in both hands, so that the line through them is its axis. A motion does not carry
    it."""
    anchor: str = field(default="", compare=False)
    """Its point whose place follows from its shape, of a tool that stands level when it is put down: such a one can be
    followed without who holds it. None: it cannot. A motion, which carries numbers, does not carry it."""

    def __post_init__(self) -> None:
        """Refuse sizes and masses that are not positive."""
        sizes = (self.length, self.handle_radius, self.handle_mass, *self.head_size, self.head_mass)
        if min(sizes) <= 0 or not 0 <= self.grip <= self.length:
            raise ToolError(f"tool {self.name!r}: sizes and masses must be positive and the grip on the handle")
        if not 0 < self.length_bounds[0] <= self.length <= self.length_bounds[1]:
            raise ToolError(
                f"tool {self.name!r}: length {self.length} m lies outside its bounds {self.length_bounds} m"
            )
        if self.anchor not in ("", SPOUT):
            raise ToolError(f"tool {self.name!r}: its anchor is {self.anchor!r}; only the {SPOUT}'s place is known")

    @property
    def mass(self) -> float:
        """Total mass [kg]."""
        return self.handle_mass + self.head_mass

    @property
    def p_head(self) -> Float[np.ndarray, "3"]:
        """Centre of the head in the tool frame [m]."""
        return np.array([self.length, 0.0, 0.0])

    @property
    def T_grip_tool(self) -> pin.SE3:
        """Pose of the tool frame where it is gripped: x along the handle, z away from the hand's palm."""
        R = pin.rpy.rpyToMatrix(-self.grip_roll, 0.0, 0.0)
        return pin.SE3(R, np.array([-self.grip, 0.0, 0.0]))

    def inertia(self) -> pin.Inertia:
        """Spatial inertia in the tool frame: a solid cylinder along x and a solid box."""
        cylinder = pin.Inertia.FromCylinder(self.handle_mass, self.handle_radius, self.length)
        x_along_z = pin.SE3(np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]), np.array([self.length / 2, 0, 0]))
        box = pin.Inertia.FromBox(self.head_mass, *self.head_size)
        return x_along_z.act(cylinder) + pin.SE3(np.eye(3), self.p_head).act(box)

    def model(self) -> pin.Model:
        """Pinocchio model: one free-flyer, with frames `tool_handle` and `tool_head`."""
        model = pin.Model()
        model.name = self.name
        joint = model.addJoint(0, pin.JointModelFreeFlyer(), pin.SE3.Identity(), "tool")
        model.appendBodyToJoint(joint, self.inertia(), pin.SE3.Identity())
        for frame, point in (("tool_handle", np.zeros(3)), ("tool_head", self.p_head)):
            model.addFrame(pin.Frame(frame, joint, pin.SE3(np.eye(3), point), pin.FrameType.OP_FRAME))
        return model

    def parameters(self) -> dict[str, float]:
        """What a `Motion` of this tool carries along: all that `tool_of` rebuilds it from."""
        return {
            "length": self.length,
            "shortest": self.length_bounds[0],
            "longest": self.length_bounds[1],
            "handle_radius": self.handle_radius,
            "handle_mass": self.handle_mass,
            "head_x": self.head_size[0],
            "head_y": self.head_size[1],
            "head_z": self.head_size[2],
            "head_mass": self.head_mass,
            "grip": self.grip,
            "grip_roll": self.grip_roll,
        }


HAMMER = Tool(
    name="hammer",
    length=0.40,
    length_bounds=(0.25, 0.90),
    handle_radius=0.015,
    handle_mass=0.3,
    head_size=(0.10, 0.10, 0.20),
    head_mass=0.9,
)
"""Geometry of Zorina et al. 2021 (head .2 x .1 x .1 m, handle .4 m); masses of a club hammer."""

SPADE = Tool(
    name="spade",
    length=1.00,
    length_bounds=(0.80, 1.40),
    handle_radius=0.018,
    handle_mass=0.9,
    head_size=(0.28, 0.18, 0.01),
    head_mass=1.4,
    grip=0.45,
    two_handed=True,
)
SCYTHE = Tool(
    name="scythe",
    length=1.40,
    length_bounds=(0.70, 1.70),
    handle_radius=0.018,
    handle_mass=1.6,
    head_size=(0.05, 0.65, 0.02),
    head_mass=0.8,
    grip=0.6,
    two_handed=True,
)
JUG = Tool(
    name="jug",
    length=0.20,
    length_bounds=(0.12, 0.30),
    handle_radius=0.012,
    handle_mass=0.1,
    head_size=(0.11, 0.11, 0.14),
    head_mass=0.4,
    grip=0.05,
    anchor=SPOUT,
)
"""An Italian coffee pot, or a small kettle, by its handle and its body."""
BARBELL = Tool(
    name="barbell",
    length=2.00,
    length_bounds=(1.20, 2.20),
    handle_radius=0.014,
    handle_mass=18.0,
    head_size=(0.10, 0.05, 0.05),
    head_mass=2.0,
    grip=1.0,
)


def tool_of(motion: Motion) -> Tool:
    """Rebuild the tool that a `Motion` was made with.

    Raises:
        UnknownName: the motion describes no tool, and its name is not in the table.
    """
    values = motion.parameters
    if not set(HAMMER.parameters()) - {"grip_roll"} <= set(values):
        return TOOLS.load(motion.model)
    return Tool(
        name=motion.model,
        length=values["length"],
        length_bounds=(values["shortest"], values["longest"]),
        handle_radius=values["handle_radius"],
        handle_mass=values["handle_mass"],
        head_size=(values["head_x"], values["head_y"], values["head_z"]),
        head_mass=values["head_mass"],
        grip=values["grip"],
        grip_roll=values.get("grip_roll", 0.0),
    )


def load_tool(path: Path | str) -> Tool:
    """Read one's own tool from YAML: the fields of `Tool` by name, lengths in metres, masses in kilograms.

    Raises:
        ToolError: missing, unknown or impossible fields.
    """
    import yaml

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ToolError(f"{path}: cannot be read as YAML ({str(error).splitlines()[0]})") from error
    if not isinstance(content, dict):
        raise ToolError(f"{path}: expected the fields of a tool by name, not {type(content).__name__}")
    known = set(Tool.__dataclass_fields__)
    if set(content) - known:
        raise ToolError(
            f"{path}: unknown field {sorted(set(content) - known)[0]!r}; there are: {', '.join(sorted(known))}"
        )
    try:
        return Tool(**{key: _field(key, value) for key, value in content.items()})
    except (TypeError, ValueError) as error:
        raise ToolError(f"{path}: {error}") from error


_NUMBERS = {"head_size": 3, "length_bounds": 2}
"""Fields of a tool that are lists, and how many numbers they hold; all others but words and flags are one number."""
_WORDS = ("name", "anchor")
"""Fields of a tool that are words."""
_FLAGS = ("two_handed",)
"""Fields of a tool that are true or false."""


def _field(key: str, value: Any) -> Any:
    if key in _WORDS:
        return str(value)
    if key in _FLAGS:
        if not isinstance(value, bool):
            raise ToolError(f"{key} is {value}; expected true or false")
        return value
    many = key in _NUMBERS
    numbers = tuple(float(number) for number in (value if isinstance(value, list) else [value]))
    expected = _NUMBERS.get(key, 1)
    if len(numbers) != expected or isinstance(value, list) != many or not np.isfinite(numbers).all():
        raise ToolError(f"{key} is {value}; expected {expected} finite number{'s in a list' if many else ''}")
    return numbers if many else numbers[0]


def tool_motion(tool: Tool, p_head: Float[np.ndarray, "T 3"], p_handle: Float[np.ndarray, "T 3"], fps: float) -> Motion:
    """Motion of a tool whose endpoints are known in the world.

    The roll about the handle is not observed: the face is taken to lie in the plane of the swing (y is the part of the
    swing's mean normal that is perpendicular to the handle), looking down where the head is lowest.

    Raises:
        ToolError: the endpoints coincide somewhere.
    """
    along = p_head - p_handle
    reach = np.linalg.norm(along, axis=1, keepdims=True)
    if reach.min() < 1e-6:
        raise ToolError(f"head and handle coincide in frame {int(reach.argmin())}; a tool needs two endpoints")
    x = along / reach
    normal = _swing_normal(x)
    y = normal - (x @ normal)[:, None] * x
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    z = np.cross(x, y)
    if z[int(p_head[:, 2].argmin()), 2] < 0:
        y, z = -y, -z
    rotation = np.stack([x, y, z], axis=-1)
    return motion_of_poses(tool.name, tool.parameters(), rotation, p_head - tool.length * x, fps)


def motion_of_poses(
    name: str,
    parameters: dict[str, float],
    rotation: Float[np.ndarray, "T 3 3"],
    position: Float[np.ndarray, "T 3"],
    fps: float,
) -> Motion:
    """Motion of one free-flyer from its poses in the world, velocities by central differences on SE(3)."""
    q = np.array([pin.SE3ToXYZQUAT(pin.SE3(R, p)) for R, p in zip(rotation, position, strict=True)])
    v, a = differentiate(_FREE_FLYER, q, fps)
    return Motion(model=name, parameters=parameters, fps=fps, q=q, v=v, a=a)


def differentiate(model: pin.Model, q: Float[np.ndarray, "T Q"], fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Velocity and acceleration (T, nv) of a trajectory by central differences on the configuration manifold."""
    if len(q) < 2:
        return np.zeros((len(q), model.nv)), np.zeros((len(q), model.nv))
    step = np.array([pin.difference(model, a, b) for a, b in itertools.pairwise(q)]) * fps
    v = np.concatenate([step[:1], (step[:-1] + step[1:]) / 2, step[-1:]])
    inner = np.diff(step, axis=0) * fps
    a = np.concatenate([inner[:1], inner, inner[-1:]]) if len(inner) else np.zeros_like(v)
    return v, a


def head_positions(tool: Tool, motion: Motion) -> Float[np.ndarray, "T 3"]:
    """World positions of the centre of the head [m]."""
    return motion.q[:, :3] + np.array([pin.Quaternion(q[3:7]).toRotationMatrix() @ tool.p_head for q in motion.q])


def read_stroke(path: Path | str, tool: Tool) -> Motion:
    """Read a stroke of a tool from a file.

    `.npz` with `head_position (T, 3)` m and `fps`, and `head_to_handle_axis (T, 3)` where it was observed; or `.csv`
    with columns `t,hx,hy,hz` (head [m]) and `gx,gy,gz` (handle end [m]). Where only the head is known, the handle
    points from the centre of the sphere that its path fits best, as an arm swings it.

    Raises:
        ToolError: unknown layout, too few frames, or values that are not numbers.
    """
    path = Path(path)
    if path.suffix == ".csv":
        head, handle, fps = _stroke_csv(path)
    else:
        head, handle, fps = _stroke_npz(path, tool)
    if len(head) < 3 or not np.isfinite(head).all() or not np.isfinite(handle).all() or not fps > 0:
        raise ToolError(f"{path}: a stroke needs at least 3 frames of finite positions and a positive fps")
    return tool_motion(tool, head, handle, fps)


def _stroke_npz(path: Path, tool: Tool) -> tuple[np.ndarray, np.ndarray, float]:
    try:
        with np.load(path, allow_pickle=False) as file:
            content = {key: file[key] for key in file.files}
        head, fps = np.asarray(content["head_position"], float), float(content["fps"])
        axis = content.get("head_to_handle_axis")
    except Exception as error:  # a damaged archive raises errors of zipfile, zlib and struct
        raise ToolError(f"{path}: not a stroke with head_position and fps ({error})") from error
    if head.ndim != 2 or head.shape[1] != 3:
        raise ToolError(f"{path}: head_position has shape {head.shape}, expected (T, 3)")
    if axis is None:
        towards = _sphere_centre(head) - head
        axis = towards / np.linalg.norm(towards, axis=1, keepdims=True)
    return head, head + tool.length * np.asarray(axis, float), fps


def _stroke_csv(path: Path) -> tuple[np.ndarray, np.ndarray, float]:
    columns = ("t", "hx", "hy", "hz", "gx", "gy", "gz")
    try:
        with open(path, newline="", encoding="utf-8") as file:
            table = np.array([[float(row[c]) for c in columns] for row in csv.DictReader(file)])
        return table[:, 1:4], table[:, 4:7], 1 / float(np.diff(table[:, 0]).mean())
    except (OSError, KeyError, ValueError, TypeError, IndexError, ZeroDivisionError) as error:
        raise ToolError(f"{path}: not a stroke table with columns {','.join(columns)} ({error})") from error


def _sphere_centre(points: np.ndarray) -> np.ndarray:
    """Centre of the sphere of least squares through points (T, 3), drawn weakly to their mean where ill-determined."""
    mean = points.mean(axis=0)
    relative = points - mean
    A = np.column_stack([2 * relative, np.ones(len(points))])
    b = (relative**2).sum(axis=1)
    weak = 1e-2 * len(points) * float((relative**2).mean()) * np.diag([1.0, 1, 1, 0])
    return mean + np.linalg.solve(A.T @ A + weak, A.T @ b)[:3]


def _swing_normal(x: np.ndarray) -> np.ndarray:
    """Unit normal of the plane that the handle's direction (T, 3) swings in: the axis that it turns about most."""
    turn = np.cross(x[:-1], x[1:])
    scatter = turn.T @ turn
    if np.trace(scatter) < 1e-12:
        sideways = np.cross([0.0, 0.0, 1.0], x[0])
        return sideways / np.linalg.norm(sideways) if np.linalg.norm(sideways) > 1e-6 else np.array([0.0, 1.0, 0.0])
    return np.linalg.eigh(scatter)[1][:, -1]


def _free_flyer() -> pin.Model:
    model = pin.Model()
    model.addJoint(0, pin.JointModelFreeFlyer(), pin.SE3.Identity(), "body")
    return model


_FREE_FLYER = _free_flyer()
