"""Every benchmark in turn, and the figure of each at the end: `python -m benchmarks [NAME ...] [--data DIR]`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

BENCHMARKS: dict[str, tuple[str, ...]] = {
    "vertical": ("{data}/clips/pose2sim",),
    "tool_track": ("{data}/clips/barbell_squat",),
    "contacts": ("{data}/parkour",),
    "contact_plates": ("{data}/force_plates",),
    "resting": (),
    "forces": ("{data}",),
    "force_plates": ("{data}/force_plates",),
    "parkour": ("{data}/parkour", "--jobs", "2"),
    "uncertainty": ("{data}/parkour",),
    "handtool": ("{data}/handtool/openpose18.npz",),
    "two_views": ("{data}/clips/pose2sim",),
    "barbell": ("{data}/clips/barbell_squat",),
    "robustness": ("{data}/parkour",),
    "realtime": ("{data}/parkour",),
    "studio": (),
    "tool_estimate": (),
    "align": ("{data}/tools/hammer_1.npz", "{data}/tools/spade_1.npz", "{data}/handtool/openpose18.npz"),
    "env": (),
    "contact_solver": (),
    "panda_gym": (),
    "grains": ("--pours",),
    "retarget": ("{data}/tools/hammer_1.npz", "{data}/tools/spade_1.npz"),
    "solver": ("{data}/parkour",),
    "decoding": (),
    "corpus": (),
    "objectives": (),
    "s3dg": (),
    "states": ("{data}",),
    "states_absence": ("{data}", "--every", "4"),
    "rewards": (),
    "closing_the_loop": (),
    "workers": (),
    "search": (),
    "esc10": ("{data}/pretrain/esc10",),
    "policy": ("{data}/tools/hammer_1.npz",),
    "tolerance": ("scripted",),
}
"""Arguments of each, by module name; `{data}` is the folder of the shared data."""


def main() -> None:
    """Run them and print their last lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(BENCHMARKS)}; by default all")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the shared data")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"unknown benchmark {sorted(unknown)[0]!r}; there are: {', '.join(BENCHMARKS)}")
    figures = {}
    for name in arguments.names or BENCHMARKS:
        print(f"== {name}", flush=True)
        values = [value.format(data=arguments.data) for value in BENCHMARKS[name]]
        lines = _run([sys.executable, "-m", f"benchmarks.{name}", *values])
        figures[name] = lines[-1] if lines else "printed nothing"
    print("== figures")
    for name, figure in figures.items():
        print(f"{name}: {figure}")


def _run(command: list[str]) -> list[str]:
    """Lines of the command's output, shown as they come; a failure is the last line."""
    lines: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line.strip())
    if process.returncode:
        lines.append(f"failed with exit status {process.returncode}")
    return lines


if __name__ == "__main__":
    main()
