"""Writers of a laboratory's files: markers on the skin as .trc and .c3d, joint angles as .mot."""

from __future__ import annotations

import numpy as np

from motion.body import body_of

SURFACE = {
    "ASIS": ("pelvis", (0.12, 0.02, 0.10)), "PSIS": ("pelvis", (0.05, 0.03, -0.10)), "knee": ("knee", (0.055, 0, 0)),
    "ankle": ("ankle", (0.04, 0, 0)), "calc": ("heel", (0, 0, 0)), "toe": ("toes", (0, 0, 0)),
    "elbow_lat": ("elbow", (0, 0.03, 0)), "elbow_med": ("elbow", (0, -0.03, 0)), "wrist": ("wrist", (0, 0, 0)),
}  # fmt: skip
"""Where a laboratory's markers sit on the left side: joint, and place in the axes of the pelvis or of the limb [m]."""

COLUMNS = (
    "pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz",
    *(f"{name}_{side}" for side in "rl" for name in (
        "hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle", "arm_flex", "arm_add",
        "elbow_flex",
    )),
    "lumbar_extension",
)  # fmt: skip


def laboratory(track):
    """Names and places (T, N, 3) m of markers on a standing person, in our world."""
    body, q = body_of(track.motion), track.motion.q
    R, _ = body.joint_poses(q)
    names, points = [], []
    for side, x in (("L", 1), ("R", -1)):
        for name, (site, (dx, dy, dz)) in SURFACE.items():
            joint = "pelvis" if site == "pelvis" else f"{side.lower()}_{site}"
            at = body.site_positions(q, [joint])[:, 0]
            turn = R[:, body.joint_names.index(joint)] if joint in body.joint_names else R[:, 0]
            names.append(f"{side}.{name}")
            points.append(at + turn @ np.array([x * dx, dy, dz]))
    upper = R[:, body.joint_names.index("spine3"), :, 1]
    shoulders = body.site_positions(q, ["l_shoulder", "r_shoulder"])
    apart = np.linalg.norm(shoulders[:, 0] - shoulders[:, 1], axis=-1).mean()
    for n, side in enumerate("LR"):
        names.append(f"{side}_Shoulder")
        points.append(shoulders[:, n] + 0.17 * apart * upper)
    names.append("C7")
    points.append(body.site_positions(q, ["neck"])[:, 0] - 0.06 * R[:, body.joint_names.index("spine3"), :, 2])
    return names, np.stack(points, axis=1)


def trc(names, points, path, units="mm", rate=100.0):
    """A .trc file of points [m] in the file's axes; NaN is an empty cell."""
    scale = {"m": 1.0, "mm": 1000.0}[units]
    head = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{len(points)}\t{len(names)}\t{units}\t{rate}\t1\t{len(points)}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
        "\t\t" + "\t".join(f"X{n}\tY{n}\tZ{n}" for n in range(1, len(names) + 1)),
        "",
    ]
    cells = [["" if np.isnan(x) else f"{scale * x:.4f}" for x in row.ravel()] for row in points]
    path.write_text(
        "\n".join([*head, *(f"{t + 1}\t{t / rate}\t" + "\t".join(row) for t, row in enumerate(cells))]) + "\n"
    )
    return path


def c3d(names, points, path, rate=100.0):
    """A C3D file of points [m], in millimetres."""
    import ezc3d

    file = ezc3d.c3d()
    file["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
    file["parameters"]["POINT"]["RATE"]["value"] = [rate]
    file["parameters"]["POINT"]["LABELS"]["value"] = tuple(f"someone:{name}" for name in names)
    data = np.ones((4, len(names), len(points)))
    data[:3] = 1000 * points.transpose(2, 1, 0)
    file["data"]["points"] = data
    file.write(str(path))
    return path


def mot(path, frames=3, degrees=True, joint="", **angles):
    """A file whose angles [degrees] are constant."""
    values = dict.fromkeys(COLUMNS, 0.0) | {"pelvis_ty": 0.95} | angles
    places = {"pelvis_tx", "pelvis_ty", "pelvis_tz"}
    turned = {name: v if degrees or name in places else np.radians(v) for name, v in values.items()}
    names = [f"/jointset/{joint}/{name}/value" if joint else name for name in values]
    lines = ["Coordinates", "version=1", f"nRows={frames}", f"nColumns={len(names) + 1}"]
    lines += [f"inDegrees={'yes' if degrees else 'no'}", "endheader", "time\t" + "\t".join(names)]
    lines += [f"{t / 100}\t" + "\t".join(f"{value:.8f}" for value in turned.values()) for t in range(frames)]
    path.write_text("\n".join(lines) + "\n")
    return path
