"""OpenSim external forces: a motion file of forces on the person, and the XML that tells OpenSim where they act."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from motion.body import body_of
from motion.exporters.opensim_axes import to_opensim
from motion.skeleton import RESTING_SITES, SOLE_SITES
from records import Interaction
from records.atomic import atomic_path, write_text

OPENSIM_BODIES = {
    "l_ankle": "calcn_l", "r_ankle": "calcn_r", "l_fingers": "hand_l", "r_fingers": "hand_r",
    "l_knee": "tibia_l", "r_knee": "tibia_r", "l_hip": "pelvis", "r_hip": "pelvis",
}  # fmt: skip
"""Bodies of OpenSim's full-body models (Rajagopal et al. 2016) that carry each contact."""

PRESSURE_THRESHOLD = 20.0
"""Vertical force [N] below which a centre of pressure is not defined; the point of contact is given instead."""


def export_mot(interaction: Interaction, folder: Path) -> list[Path]:
    """Write `forces.mot` and `external_loads.xml` (newtons, metres, y up).

    For each contact: force, point, and the torque about that point. The point of a loaded foot is its centre of
    pressure on the plane through the lowest point of the sole; that of a knee or a hip is where it touches.
    """
    forces = interaction.forces
    point, torque = _centres_of_pressure(interaction)
    values = [to_opensim(forces.wrench[..., :3]), to_opensim(point), to_opensim(torque)]
    names = [
        f"{contact}_{quantity}{axis}"
        for contact in forces.names
        for quantity in ("ground_force_v", "ground_force_p", "ground_torque_")
        for axis in "xyz"
    ]
    table = np.stack(values, axis=2).reshape(len(point), -1)
    header = [
        "forces.mot",
        "version=1",
        f"nRows={len(table)}",
        f"nColumns={1 + len(names)}",
        "inDegrees=yes",
        "endheader",
        "time\t" + "\t".join(names),
    ]
    rows = [f"{t / forces.fps:.6f}\t" + "\t".join(f"{value:.6f}" for value in row) for t, row in enumerate(table)]
    write_text(folder / "forces.mot", "\n".join([*header, *rows]) + "\n")
    _write_loads(forces.names, folder / "external_loads.xml")
    return [folder / "forces.mot", folder / "external_loads.xml"]


def _centres_of_pressure(interaction: Interaction) -> tuple[np.ndarray, np.ndarray]:
    """Points (T, C, 3) [m] and the torques (T, C, 3) about them [N m], world axes."""
    forces, person = interaction.forces, interaction.person
    force, point, torque = forces.wrench[..., :3], forces.point.copy(), forces.wrench[..., 3:]
    body = body_of(person)
    for c, name in enumerate(forces.names):
        if name in RESTING_SITES:
            point[:, c] = body.site_positions(person.q, [RESTING_SITES[name]])[:, 0]
        if name not in SOLE_SITES:
            continue
        drop = body.site_positions(person.q, SOLE_SITES[name])[..., 2].min(axis=1) - point[:, c, 2]
        loaded = force[:, c, 2] > PRESSURE_THRESHOLD
        f, m, h = force[loaded, c], torque[loaded, c], drop[loaded]
        point[loaded, c, 0] += (h * f[:, 0] - m[:, 1]) / f[:, 2]
        point[loaded, c, 1] += (h * f[:, 1] + m[:, 0]) / f[:, 2]
        point[loaded, c, 2] += h
    return point, torque - np.cross(point - forces.point, force)


def _write_loads(contacts: tuple[str, ...], path: Path) -> None:
    document = ElementTree.Element("OpenSimDocument", Version="40000")
    loads = ElementTree.SubElement(document, "ExternalLoads", name="external_loads")
    objects = ElementTree.SubElement(loads, "objects")
    for contact in contacts:
        force = ElementTree.SubElement(objects, "ExternalForce", name=contact)
        for tag, text in (
            ("applied_to_body", OPENSIM_BODIES.get(contact, contact)),
            ("force_expressed_in_body", "ground"),
            ("point_expressed_in_body", "ground"),
            ("force_identifier", f"{contact}_ground_force_v"),
            ("point_identifier", f"{contact}_ground_force_p"),
            ("torque_identifier", f"{contact}_ground_torque_"),
        ):
            ElementTree.SubElement(force, tag).text = text
    ElementTree.SubElement(loads, "datafile").text = "forces.mot"
    ElementTree.indent(document)
    with atomic_path(path) as temporary:
        ElementTree.ElementTree(document).write(temporary, encoding="utf-8", xml_declaration=True)
