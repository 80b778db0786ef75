"""The clip that `apprentice demo` learns from: rendered, so that its truth is known."""

from __future__ import annotations

import json
from pathlib import Path

from apprentice.options import Seeing, Source, Subject
from motion.body import body_of
from records import Interaction, Run, digest
from records.atomic import write_json

TOOL = TASK = "hammer"


def studio_source(run: Run, seed: int) -> tuple[Source, Seeing, Subject]:
    """Stages `studio/` and `truth`: the clip, where to click on its tool, and who is seen, as a user would say it."""
    folder = run.folder_stage("studio", digest(TOOL, seed), lambda partial: _render(partial, seed))
    truth = Interaction.load(folder / "truth.npz")
    truth.save(run.file("truth"))
    clicks = json.loads((folder / "clicks.json").read_text(encoding="utf-8"))
    body = body_of(truth.person)
    return (
        Source(clip=folder / "clip.mp4"),
        Seeing(tool_head=(clicks["head"],), tool_handle=(clicks["handle"],)),
        Subject(height=body.height, mass=body.mass, tool=TOOL),
    )


def _render(folder: Path, seed: int) -> None:
    from sim.studio import render_clip

    take = render_clip(folder / "clip.mp4", tool=TOOL, seed=seed)
    take.truth.save(folder / "truth.npz")
    write_json(folder / "clicks.json", {"head": take.head_click, "handle": take.handle_click})
