"""URDF texts: a tool on its own, and an arm with the tool welded to its hand."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pinocchio as pin

from motion.robot import RobotSpec, mesh_path
from motion.tool import Tool
from sim.tool_shape import Part, tool_parts

LINK_GYRATION = 0.065
"""Radius of gyration of an arm's link [m]: a solid cylinder of 6 cm radius and 20 cm length."""


def tool_urdf(tool: Tool) -> str:
    """A URDF with one link `tool` whose origin is the tool frame."""
    robot = ET.Element("robot", name=tool.name)
    robot.extend(_tool_links(tool))
    return ET.tostring(robot, encoding="unicode")


def arm_urdf(spec: RobotSpec, tool: Tool, *, meshes: bool, pedestal: float = 0.0) -> str:
    """The robot's URDF without collision shapes of the arm, the tool welded to the hand, its fingers on the handle.

    Joints that the arm does not use are fixed, which also makes the simulation faster.
    Link inertias are set from the masses: PyBullet's Panda states 0.1 kg m^2 for each link, which gives a wrist of
    0.2 kg the inertia of a man's forearm and takes all its torque.

    Args:
        spec: the robot.
        tool: what it holds.
        meshes: keep the arm's visual meshes (for pictures); without them it loads and runs faster.
        pedestal: height of the column below the base [m], which is seen only.
    """
    root = ET.parse(spec.urdf).getroot()
    for link in root.findall("link"):
        for kind in ("collision", "visual"):
            for shape in link.findall(kind):
                if kind == "collision" or not meshes:
                    link.remove(shape)
    for inertial in root.iter("inertial"):
        mass = float(inertial.find("mass").get("value"))  # type: ignore[union-attr,arg-type]
        moment = {axis: repr(mass * LINK_GYRATION**2) for axis in ("ixx", "iyy", "izz")}
        inertial.find("inertia").attrib.update({**moment, "ixy": "0", "ixz": "0", "iyz": "0"})  # type: ignore[union-attr]
    for joint in root.findall("joint"):
        if joint.get("name") not in spec.joints:
            _fix(joint, tool.handle_radius if joint.get("name") in spec.fingers else 0.0)
    for mesh in root.iter("mesh"):
        mesh.set("filename", str(mesh_path(spec.urdf, mesh.get("filename", ""))))
    if meshes and pedestal > 0:
        carried = {joint.find("child").get("link") for joint in root.findall("joint")}  # type: ignore[union-attr]
        base = next(link for link in root.findall("link") if link.get("name") not in carried)
        column = ("cylinder", {"radius": repr(spec.link_radius), "length": repr(pedestal)})
        _shape(base, column, (0, 0, -pedestal / 2), (0, 0, 0), "0.4 0.42 0.45 1", kinds=("visual",))
    grip = pin.SE3(spec.T_hand_grip) * tool.T_grip_tool
    weld = ET.SubElement(root, "joint", name="weld", type="fixed")
    ET.SubElement(weld, "parent", link=spec.hand)
    ET.SubElement(weld, "child", link="tool")
    ET.SubElement(weld, "origin", xyz=_text(grip.translation), rpy=_text(pin.rpy.matrixToRpy(grip.rotation)))
    root.extend(_tool_links(tool))
    return ET.tostring(root, encoding="unicode")


def write_urdf(folder: Path, name: str, text: str) -> str:
    """Write a URDF into a folder (PyBullet reads files only) and return its path."""
    path = folder / f"{name}.urdf"
    path.write_text(text, encoding="utf-8")
    return str(path)


def box_urdf(name: str, size: tuple[float, float, float], rgba: str) -> str:
    """A fixed box whose top face is centred on the origin."""
    robot = ET.Element("robot", name=name)
    link = ET.SubElement(robot, "link", name=name)
    _inertial(link, pin.Inertia(1.0, np.zeros(3), np.eye(3)))
    _shape(link, ("box", {"size": _text(size)}), (0, 0, -size[2] / 2), (0, 0, 0), rgba)
    return ET.tostring(robot, encoding="unicode")


def stalk_urdf(*, height: float, radius: float) -> str:
    """A stalk of grass that stands on the origin; it is seen, but nothing collides with it."""
    robot = ET.Element("robot", name="stalk")
    link = ET.SubElement(robot, "link", name="stalk")
    _inertial(link, pin.Inertia(0.01, np.zeros(3), 1e-4 * np.eye(3)))
    straw = ("cylinder", {"radius": repr(radius), "length": repr(height)})
    _shape(link, straw, (0, 0, height / 2), (0, 0, 0), "0.36 0.6 0.22 1", kinds=("visual",))
    return ET.tostring(robot, encoding="unicode")


def nail_urdf(
    *,
    stroke: float,
    head_radius: float,
    head_height: float,
    mass: float,
    block: tuple[float, float, float] | None = None,
) -> str:
    """A nail on a vertical prismatic joint: joint position 0 is fully out, `stroke` [m] fully driven.

    The origin of the base is the top centre of the undriven nail. The shank collides as the head does. A block of size
    `block` [m] stands below, its top where the driven nail's head rests.
    """
    robot = ET.Element("robot", name="nail")
    base = ET.SubElement(robot, "link", name="block")
    _inertial(base, pin.Inertia(1.0, np.zeros(3), np.eye(3)))
    if block is not None:
        under = -stroke - head_height - block[2] / 2
        _shape(base, ("box", {"size": _text(block)}), (0, 0, under), (0, 0, 0), "0.62 0.47 0.3 1")
    joint = ET.SubElement(robot, "joint", name="driven", type="prismatic")
    ET.SubElement(joint, "parent", link="block")
    ET.SubElement(joint, "child", link="nail")
    ET.SubElement(joint, "axis", xyz="0 0 -1")
    ET.SubElement(joint, "limit", lower="0", upper=repr(stroke), effort="1000", velocity="100")
    nail = ET.SubElement(robot, "link", name="nail")
    _inertial(nail, pin.Inertia(mass, np.array([0, 0, -head_height / 2]), 1e-4 * np.eye(3)))
    plate = ("cylinder", {"radius": repr(head_radius), "length": repr(head_height)})
    _shape(nail, plate, (0, 0, -head_height / 2), (0, 0, 0), "0.75 0.75 0.8 1")
    shank = ("cylinder", {"radius": repr(head_radius / 4), "length": repr(stroke)})
    _shape(nail, shank, (0, 0, -head_height - stroke / 2), (0, 0, 0), "0.6 0.6 0.65 1")
    return ET.tostring(robot, encoding="unicode")


def body_urdf(name: str, parts: Sequence[Part], inertia: pin.Inertia) -> str:
    """A URDF of a base that has the inertia, and of convex parts fixed to it, each a link of its own.

    PyBullet restores the contacts of a body exactly where each of its links has one convex shape; those of a link of
    several shapes it mixes up.
    """
    robot = ET.Element("robot", name=name)
    robot.extend(_linked(name, parts, inertia))
    return ET.tostring(robot, encoding="unicode")


def sliding_urdf(name: str, parts: Sequence[Part], inertia: pin.Inertia) -> str:
    """A URDF of a body that slides and turns on the ground, joints `x`, `y` and `yaw`, and does nothing else.

    Its weight rests on the ground by the joints, not by contacts; let the joints brake.
    """
    robot = ET.Element("robot", name=name)
    below = ET.SubElement(robot, "link", name="ground")
    _inertial(below, pin.Inertia(1.0, np.zeros(3), np.eye(3)))
    parent = "ground"
    for joint, kind, axis in (("x", "prismatic", "1 0 0"), ("y", "prismatic", "0 1 0"), ("yaw", "continuous", "0 0 1")):
        child = name if joint == "yaw" else f"{name}_{joint}"
        if joint != "yaw":
            _inertial(ET.SubElement(robot, "link", name=child), pin.Inertia.Zero())
        element = ET.SubElement(robot, "joint", name=joint, type=kind)
        ET.SubElement(element, "parent", link=parent)
        ET.SubElement(element, "child", link=child)
        ET.SubElement(element, "axis", xyz=axis)
        if kind == "prismatic":
            ET.SubElement(element, "limit", lower="-10", upper="10", effort="1000", velocity="100")
        parent = child
    robot.extend(_linked(name, parts, inertia))
    return ET.tostring(robot, encoding="unicode")


def _tool_links(tool: Tool) -> list[ET.Element]:
    """The link `tool`; what its head is made of, if it is of several parts, are links fixed to it."""
    parts = tool_parts(tool)
    if len(parts) > 2:
        return _linked("tool", parts, tool.inertia())
    link = ET.Element("link", name="tool")
    _inertial(link, tool.inertia())
    for part in parts:
        _part(link, part)
    return [link]


def _linked(name: str, parts: Sequence[Part], inertia: pin.Inertia) -> list[ET.Element]:
    base = ET.Element("link", name=name)
    _inertial(base, inertia)
    elements = [base]
    for k, part in enumerate(parts):
        link = ET.Element("link", name=f"{name}_part{k}")
        _inertial(link, pin.Inertia.Zero())
        _part(link, part)
        joint = ET.Element("joint", name=f"{name}_joint{k}", type="fixed")
        ET.SubElement(joint, "parent", link=name)
        ET.SubElement(joint, "child", link=f"{name}_part{k}")
        elements += [link, joint]
    return elements


def _part(link: ET.Element, part: Part) -> None:
    if part.kind == "box":
        shape = {"size": _text(part.size)}
    else:
        shape = {"radius": repr(float(part.size[0])), "length": repr(float(part.size[1]))}
    xyz, rpy = part.pose.translation, pin.rpy.matrixToRpy(part.pose.rotation)
    _shape(link, (part.kind, shape), xyz.tolist(), rpy.tolist(), part.rgba)


def _fix(joint: ET.Element, position: float) -> None:
    """Turn a joint into a fixed one that stands at a position along its axis [m]."""
    joint.set("type", "fixed")
    axis, origin = joint.find("axis"), joint.find("origin")
    if position and axis is not None and origin is not None:
        along = np.array([float(v) for v in axis.get("xyz", "1 0 0").split()])
        turn = pin.rpy.rpyToMatrix(np.array([float(v) for v in origin.get("rpy", "0 0 0").split()]))
        start = np.array([float(v) for v in origin.get("xyz", "0 0 0").split()])
        origin.set("xyz", _text(start + position * turn @ along))
    for name in ("axis", "limit", "mimic", "dynamics"):
        for element in joint.findall(name):
            joint.remove(element)


def _inertial(link: ET.Element, inertia: pin.Inertia) -> None:
    element = ET.SubElement(link, "inertial")
    moments, axes = np.linalg.eigh(inertia.inertia)
    axes[:, 0] *= np.sign(np.linalg.det(axes))
    ET.SubElement(element, "origin", xyz=_text(inertia.lever), rpy=_text(pin.rpy.matrixToRpy(axes)))
    ET.SubElement(element, "mass", value=repr(float(inertia.mass)))
    names = ("ixx", "iyy", "izz")
    values = {name: repr(float(value)) for name, value in zip(names, moments, strict=True)}
    ET.SubElement(element, "inertia", {**values, "ixy": "0", "ixz": "0", "iyz": "0"})


def _shape(
    link: ET.Element,
    geometry: tuple[str, dict[str, str]],
    xyz: Sequence[float],
    rpy: Sequence[float],
    rgba: str,
    kinds: Sequence[str] = ("visual", "collision"),
) -> None:
    for kind in kinds:
        element = ET.SubElement(link, kind)
        ET.SubElement(element, "origin", xyz=_text(xyz), rpy=_text(rpy))
        ET.SubElement(ET.SubElement(element, "geometry"), geometry[0], geometry[1])
        if kind == "visual":
            material = ET.SubElement(element, "material", name=rgba)
            ET.SubElement(material, "color", rgba=rgba)


def _text(values: object) -> str:
    return " ".join(repr(float(v)) for v in np.ravel(np.asarray(values, float)))
