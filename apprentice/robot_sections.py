"""The sections of the report on what happens in simulation: scene, robot, policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from apprentice import page
from apprentice.figures import curve_figure
from apprentice.findings import Findings
from apprentice.page import Html, Part

PUBLISHED_SAMPLES = 20_000
"""Simulated samples that the random search of Zorina et al. (RA-L 2021) draws at most."""

_PLACEMENT = {
    "strike": ("strike", "frame", 1.0),
    "along": ("nail along the handle", "mm", 1000.0),
    "across": ("nail across the handle", "mm", 1000.0),
    "scale": ("size of the stroke", "", 1.0),
    "tilt": ("tilt about the swing's axis", "degrees", 180 / np.pi),
    "roll": ("roll about the handle", "degrees", 180 / np.pi),
}
"""Words, unit and factor for the parameters of a placement."""

_AGENTS = {
    "policy": "learned policy",
    "turned": "demonstration moved and turned with its object",
    "shifted": "demonstration moved with its object",
    "replay": "demonstration as it is",
    "zero": "no motion at all",
    "random": "random displacements",
}


def alignment(findings: Findings) -> Html | None:
    """Where the task's objects were placed, and how well that works."""
    found = findings.metrics.get("align")
    if not found:
        return None
    rows = [
        ["perturbed replays that succeed", f"{page.percent(found['robust_share'])} of {found['replays']}"],
        ["placements simulated until the first robust one", str(found["placements_simulated"])],
        ["simulations in all, perturbed replays included", str(found["simulations"])],
        ["published, random search (Zorina et al. 2021)", f"up to {PUBLISHED_SAMPLES:,} samples"],
    ]
    placed = []
    for name, value in _in_order(found.get("placement", {}), _PLACEMENT):
        words, unit, factor = _PLACEMENT.get(name, (name, "", 1.0))
        placed.append([words, f"{factor * value:.3g} {unit}".strip()])
    return page.section(
        "Alignment",
        page.tag("p", "Where must the objects of the task stand so that the demonstrated stroke solves it? A kinematic"
                 " model proposes, physics decides."),
        page.table("Search", ["figure", "value"], rows),
        page.table("Placement", ["parameter", "value"], placed) if placed else None,
    )  # fmt: skip


def robot(findings: Findings, film: tuple[str, list[str], str] | None) -> Html | None:
    """The robot's tracking, and a film of it: address of the film, its pictures, what happens in it."""
    parts: list[Part | None] = []
    tracking = findings.metrics.get("retarget")
    if tracking:
        torque = tracking.get("torque")
        rows = [
            ["head of the tool off the stroke, mean", f"{tracking['mean_mm']:.1f} mm"],
            ["the same, at most", f"{tracking['max_mm']:.1f} mm"],
            ["orientation of the tool, mean", f"{tracking['mean_degrees']:.1f} degrees"],
            ["largest joint velocity", f"{page.percent(tracking['velocity'])} of its limit"],
            ["largest joint acceleration", f"{page.percent(tracking['acceleration'])} of its limit"],
            *([["largest joint torque", f"{page.percent(torque)} of its limit"]] if torque else []),
            *([["smallest clearance", f"{tracking['clearance_mm']:.0f} mm"]] if "clearance_mm" in tracking else []),
            ["time of the stroke", f"{tracking['slowdown']:.2f} of the person's"],
            *([["height of the base", f"{tracking['pedestal']:.2f} m"]] if tracking.get("pedestal") else []),
        ]
        parts.append(page.table("How the robot follows", ["figure", "value"], rows))
        parts += [page.tag("p", remark) for remark in tracking.get("remarks", ())]
    if film is not None:
        address, pictures, caption = film
        parts.append(page.film(address, pictures[-1], "Film of the simulated robot", caption, kind="small"))
        strip = [(src, f"Simulation, picture {k} of {len(pictures)}") for k, src in enumerate(pictures, 1)]
        parts.append(page.picture(strip, "The same, from start to end."))
    return page.section("The robot", *parts)


def policy(findings: Findings, curve: list[tuple[float, float]]) -> Html | None:
    """Learning curve and success table."""
    evaluated = findings.metrics.get("evaluate", {})
    agents = evaluated.get("agents", {})
    parts: list[Part | None] = []
    if curve:
        baselines = {_AGENTS[n]: agents[n]["success"] for n in ("shifted", "replay") if n in agents}
        plot = page.svg_uri(curve_figure(curve, baselines))
        first, last = (page.percent(curve[k][1]) for k in (0, -1))
        alt = f"Success goes from {first} to {last} over {curve[-1][0]:.0f} steps"
        caption = "Success of the episodes played while learning from the sparse reward, exploration included."
        parts.append(page.picture([(plot, alt)], caption, kind="wide"))
    if agents:
        rows = [
            [
                _AGENTS.get(name, name),
                f"{page.percent(found['success'])}",
                _range(found),
                interval(found),
                f"{found['episodes']:.0f}",
            ]
            for name, found in _in_order(agents, _AGENTS)
        ]
        noise = f" with the objects moved by {100 * evaluated['noise']:.3g} cm (standard deviation)" * (
            "noise" in evaluated
        )
        caption = f"Success in fresh episodes{noise}, with 95 % intervals"
        parts.append(
            page.table(caption, ["agent", "success", "0 to 100 %", "95\N{NO-BREAK SPACE}% interval", "episodes"], rows)
        )
    others = {name: found for name, found in evaluated.get("trials", {}).items() if found is not agents}
    if len(others) > 1:
        order = [name for name, _ in _in_order(agents, _AGENTS)]
        rows = [
            [_TRIALS.get(name, name), *(f"{page.percent(found[a]['success'])}" for a in order)]
            for name, found in others.items()
        ]
        caption = "Success under harder conditions; the ends of the intervals stand in metrics.json"
        parts.append(page.table(caption, ["trial", *(_AGENTS.get(name, name) for name in order)], rows))
    return page.section("The policy", *parts)


_TRIALS = {
    "nominal": "as trained for",
    "shifted": "objects further away, masses and friction changed by up to 20 %",
    "noisy": "objects seen late and with errors, actions with errors",
}


def interval(outcome: Mapping[str, Any]) -> str:
    """The 95 % interval of a success."""
    return f"{page.percent(outcome['low'])} to {page.percent(outcome['high'])}"


def _range(outcome: Mapping[str, Any]) -> Html:
    """The interval as a bar from 0 to 1, with a mark at the success."""
    low, high, value = (100 * float(outcome[key]) for key in ("low", "high", "success"))
    return Html(
        f'<span class="range" role="img" aria-label="{low:.0f} to {high:.0f} %"><i style="left:{low:.1f}%;'
        f'width:{high - low:.1f}%"></i><b style="left:{value:.1f}%"></b></span>'
    )


def _in_order(values: Mapping[str, Any], order: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Entries in the order of another table, those that it does not name last."""
    for name in (*(n for n in order if n in values), *(n for n in values if n not in order)):
        yield name, values[name]
