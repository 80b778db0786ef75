"""The sections of the report on what was seen and estimated; each is HTML, or None where there is nothing to tell."""

from __future__ import annotations

import numpy as np

from apprentice import page
from apprentice.cautions import unexplained
from apprentice.figures import GRAVITY, force_figure, measured_vertical, spoken, weight_of
from apprentice.findings import Findings
from apprentice.page import Html, Part
from apprentice.residuals import residual_rows
from apprentice.robot_sections import interval
from apprentice.shapes import FORCE, LEFT, METRES_PER_NEWTON, RIGHT, SEEN, TOOL, TRUTH
from apprentice.stills import chosen_frames, stills
from motion.score import Score
from records import Interaction

EXPORTS = "csv, trc, mot (OpenSim), amass or lerobot"


def glance(findings: Findings, score: Score | None) -> Html | None:
    """The figures that matter most."""
    figures = []
    agents = findings.metrics.get("evaluate", {}).get("agents", {})
    if "policy" in agents:
        beside = f", moved demonstration {page.percent(agents['shifted']['success'])}" if "shifted" in agents else ""
        figures.append(
            (
                "success of the policy",
                f"{page.percent(agents['policy']['success'])}",
                interval(agents["policy"]) + beside,
            )
        )
    if "align" in findings.metrics:
        aligned = findings.metrics["align"]
        figures.append(
            (
                "robust replays",
                f"{page.percent(aligned['robust_share'])}",
                f"of {aligned['replays']}, after {aligned['simulations']} simulations",
            )
        )
    if "retarget" in findings.metrics:
        tracking = findings.metrics["retarget"]
        figures.append(
            ("robot off the stroke", f"{tracking['mean_mm']:.1f} mm", f"at most {tracking['max_mm']:.1f} mm")
        )
    if score is not None:
        figures.append(("joint error", f"{score.pa_mpjpe:.0f} mm", "PA-MPJPE against the truth"))
        figures.append(("force error", f"{score.force:.0f} N", f"claiming no force: {score.zero_force:.0f} N"))
    if findings.interaction is not None:
        interaction = findings.interaction
        frames = len(interaction.observed)
        seconds = frames / interaction.person.fps
        figures.append(("clip", f"{seconds:.1f} s", f"{frames} frames at {interaction.person.fps:g} per second"))
    elif findings.person is not None:
        seen = int(findings.person.seen.any(axis=1).sum())
        figures.append(("person seen", f"{seen}", f"of {findings.person.num_frames} frames"))
    return page.cards(figures) if figures else None


def watching(findings: Findings, overlay: tuple[str, str] | None) -> Html | None:
    """The overlay film (its address and that of its poster), and the same in 3D."""
    parts: list[Part | None] = []
    if overlay is not None:
        on = "the clip" if findings.clip is not None else "an empty background, as there is no video"
        legend = [(SEEN, "seen keypoints")]
        if findings.interaction is not None:
            legend = [(LEFT, "left"), (RIGHT, "right"), (FORCE, "contact force"), *legend]
            legend += [(TOOL, "tool")] * (findings.interaction.tool is not None)
        what = f"What was seen, drawn on {on}. "
        if findings.interaction is not None:
            what = f"The estimate drawn on {on}. Arrows: 1 m for {1 / METRES_PER_NEWTON:.0f} N. "
        caption = page.join([what, *(page.swatch(*entry) for entry in legend)])
        parts.append(page.film(*overlay, "Film of the clip with the estimated skeleton, tool and forces", caption))
    if findings.interaction is not None:
        parts.append(_in_3d(findings.interaction, findings.truth))
    return page.section("What the person did", *parts)


def forces(findings: Findings) -> Html | None:
    """Force plots and what the dynamics leave unexplained."""
    interaction = findings.interaction
    if interaction is None:
        return None
    plot = page.svg_uri(force_figure(interaction, findings.truth, findings.measured))
    names = ", ".join(spoken(name) for name in interaction.forces.names)
    beside = " Dashed in grey: the true vertical force." if findings.truth is not None else ""
    if findings.measured is not None:
        beside += f" Dashed: the vertical force measured by {', '.join(spoken(n) for n in findings.measured.names)}."
    figure = page.picture(
        [(plot, f"Force over time of {names}, and their sum beside body weight")],
        "Contact forces on the person. The shaded strip is the probability of contact, from 0 to the full height."
        + beside,
        kind="wide",
    )
    force, moment, share = unexplained(interaction)
    peak = np.linalg.norm(interaction.forces.wrench[..., :3], axis=-1)
    rows = [
        [spoken(name), f"{peak[:, c].mean():.0f}", f"{peak[:, c].max():.0f}", _mean_contact(interaction, name)]
        for c, name in enumerate(interaction.forces.names)
    ]
    table = page.table("Contacts", ["contact", "mean, N", "largest, N", "mean probability"], rows)
    left = (
        f"Forces satisfy the six free-flyer rows of the dynamics up to {force:.1f} N ({page.percent(share, 1)} of the"
        f" weight) and {moment:.1f} N m on average: that much of the motion no contact explains."
    )
    return page.section("Contact forces", figure, table, page.tag("p", left), _against_measured(findings))


def _against_measured(findings: Findings) -> Html | None:
    """Estimated beside measured vertical forces, contact by contact where instruments tell them apart, and in all."""
    interaction, measured = findings.interaction, findings.measured
    if interaction is None or measured is None:
        return None
    vertical = interaction.forces.wrench[..., 2]
    pairs: list[tuple[str, np.ndarray, np.ndarray]] = [
        (spoken(name), vertical[:, c], measured_vertical(measured, measured.names.index(name)))
        for c, name in enumerate(interaction.forces.names)
        if name in measured.names
    ]
    pairs.append(("all together", vertical.sum(axis=1), measured_vertical(measured, None)))
    weight = weight_of(interaction)
    rows = []
    for what, ours, theirs in pairs:
        known = np.isfinite(theirs)
        if known.any():
            errors = [np.abs(guess - theirs)[known].mean() for guess in (ours, 0 * theirs)]
            constant = f"{np.abs(weight - theirs)[known].mean():.0f}" if what == "all together" else ""
            rows.append([what, *(f"{error:.0f}" for error in errors), constant, f"{known.sum()}"])
    headings = ["contact", "error, N", "claiming no force, N", "claiming the weight, N", "frames"]
    return page.table("Vertical force, estimated against measured: mean absolute error", headings, rows)


def against_truth(findings: Findings, score: Score | None) -> Html | None:
    """Estimated against true figures."""
    if score is None:
        return None
    rows = [
        ["joints, one similarity per frame (PA-MPJPE)", f"{score.pa_mpjpe:.1f} mm", ""],
        ["joints, one similarity for the clip (G-MPJPE)", f"{score.g_mpjpe:.1f} mm", ""],
    ]
    if score.tool_head is not None:
        rows.append(["tool head, after turn and shift of the joints", f"{score.tool_head:.1f} mm", ""])
    for name, contact in score.contacts.items():
        rows.append([f"force, {spoken(name)}", f"{contact.force:.1f} N", f"{contact.zero_force:.1f} N"])
    rows.append(["force, mean of the contacts", f"{score.force:.1f} N", f"{score.zero_force:.1f} N"])
    return page.section(
        "Estimated against true",
        page.table("Mean errors over all frames", ["figure", "error", "claiming no force"], rows),
        page.tag("p", "The truth is known as the clip was rendered. A camera does not know where north is: tool and"
                 " forces are compared after a turn about the vertical."),
    )  # fmt: skip


def grounds(findings: Findings) -> Html | None:
    """What was assumed, and how well each residual fits."""
    interaction = findings.interaction
    if interaction is None:
        return None
    rows = [[name.replace("_", " "), f"{cost:.2f}"] for name, cost in sorted(interaction.cost.items())]
    rows.append(["all", f"{sum(interaction.cost.values()):.2f}"])
    left = residual_rows(findings)
    return page.section(
        "What this rests on",
        page.bullets(_assumptions(interaction)),
        page.table("What each stage leaves", ["stage", "residual", "mean", "95 % below"], left, words=2),
        page.table(f"Cost per residual at the end of the solver ({interaction.status})", ["residual", "cost"], rows),
    )


def files(findings: Findings) -> Html | None:
    """What lies in the run folder, and the program that opens it."""
    known = {
        "scene.rrd": "3D scene: rerun scene.rrd",
        "overlay.mp4": "the film above",
        "robot.mp4": "the film of the robot",
        "config.json": "what was asked for",
        "log.txt": "what happened",
        "metrics.json": "the figures above",
    }
    there = [
        page.join([page.tag("a", name, href=name), f": {what}"])
        for name, what in known.items()
        if (findings.path / name).is_file()
    ]
    if not there:
        return None
    others = None
    if findings.interaction is not None:
        others = page.tag("p", f"For other programs: apprentice export {findings.path} --to {EXPORTS}.")
    return page.section("Files", page.bullets(there), others)


def _in_3d(interaction: Interaction, truth: Interaction | None) -> Html:
    frames = chosen_frames(interaction.person)
    fps = interaction.person.fps
    images = [
        (page.image_uri(image), f"Skeleton, tool and forces in 3D at {t / fps:.2f} s")
        for image, t in zip(stills(interaction, frames, truth=truth), frames, strict=True)
    ]
    times = ", ".join(f"{t / fps:.2f}" for t in frames)
    trail = "path of the tool's head" if interaction.tool is not None else "path of the right hand"
    legend = [page.swatch(TOOL, trail)] + ([page.swatch(TRUTH, "truth")] if truth is not None else [])
    caption = [f"In 3D, seen from aside, at {times} s. The grid lies on the ground, its cells are half a metre. "]
    return page.picture(images, page.join([*caption, *legend]))


def _assumptions(interaction: Interaction) -> list[str]:
    assumed, parameters = interaction.assumed, interaction.person.parameters
    lines = []
    if "height" in assumed:
        lines.append(f"Stature {assumed['height']:.2f} m is assumed: every length scales with it (--height).")
    elif "height" in parameters:
        lines.append(f"Stature {parameters['height']:.2f} m, as given, sets the scale.")
    if "mass" in assumed:
        lines.append(f"Body mass {assumed['mass']:.0f} kg is assumed: forces are proportional to it (--mass).")
    elif "mass" in parameters:
        lines.append(f"Body mass {parameters['mass']:.1f} kg, as given; weight {GRAVITY * parameters['mass']:.0f} N.")
    lines += [
        f"{spoken(name).capitalize()} {value:.4g} is assumed."
        for name, value in assumed.items()
        if name not in ("height", "mass", "focal")
    ]
    camera = interaction.camera
    kind = "One static camera" if camera.static else "A moving camera"
    lens = f"focal length {camera.K[0, 0]:.0f} px"
    if "focal" in assumed:
        lens += f", refined from an assumed {assumed['focal']:.0f} px (--focal)"
    lines.append(f"{kind}, {lens}; depth is inferred from body size, not seen.")
    lines.append("The ground is level. Only soles and hands touch anything; what they touch does not give way.")
    if interaction.tool is not None:
        tool = interaction.tool
        mass = sum(tool.parameters.get(name, 0.0) for name in ("handle_mass", "head_mass"))
        length = tool.parameters.get("length", 0.0)
        lines.append(f"The {tool.model} is rigid, {length:.2f} m long as estimated, {mass:.1f} kg by its table.")
    return lines


def _mean_contact(interaction: Interaction, name: str) -> str:
    contacts = interaction.contacts
    return f"{contacts.probability[:, contacts.names.index(name)].mean():.2f}" if name in contacts.names else ""
