"""OpenSim track-row-column marker files."""

from __future__ import annotations

from pathlib import Path

from motion.body import body_of
from motion.exporters.opensim_axes import to_opensim
from motion.markers import MARKERS, marker_positions
from records import Interaction
from records.atomic import write_text


def export_trc(interaction: Interaction, folder: Path) -> list[Path]:
    """Write surface markers as `joints.trc` (metres, y up)."""
    person = interaction.person
    points = to_opensim(marker_positions(body_of(person), person.q))
    frames, count, _ = points.shape
    rate = f"{person.fps:.10g}"
    header = [
        "PathFileType\t4\t(X/Y/Z)\tjoints.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{frames}\t{count}\tm\t{rate}\t1\t{frames}",
        "Frame#\tTime\t" + "\t\t\t".join(MARKERS) + "\t\t",
        "\t\t" + "\t".join(f"X{n}\tY{n}\tZ{n}" for n in range(1, count + 1)),
        "",
    ]
    rows = [
        f"{t + 1}\t{t / person.fps:.6f}\t" + "\t".join(f"{value:.6f}" for value in points[t].ravel())
        for t in range(frames)
    ]
    path = folder / "joints.trc"
    write_text(path, "\n".join([*header, *rows]) + "\n")
    return [path]
