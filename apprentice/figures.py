"""Plots of the report, as SVG that follows the reader's light or dark theme."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from records import Interaction, MeasuredForces

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GRAVITY = 9.81
"""[m/s^2]."""
ESTIMATE, HORIZONTAL, TRUE, CONTACT, MEASURED = "#16a34a", "#3b82f6", "#94a3b8", "#f59e0b", "#db2777"
"""Colours that can be told apart on white and on black."""
_INK = "#0a0b0c"
"""Stands for the colour of text, and is replaced by it."""
_STYLE = "<style>svg{color:#1f2937}@media(prefers-color-scheme:dark){svg{color:#d1d5db}}</style>"
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "apprentice",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "legend.frameon": False,
}


def spoken(name: str) -> str:
    """A site or contact in words: `l_ankle` is the left foot, `r_fingers` the right hand."""
    side, _, part = name.partition("_")
    words = {"l": "left", "r": "right"}
    if side not in words or not part:
        return name.replace("_", " ")
    return f"{words[side]} {({'ankle': 'foot', 'fingers': 'hand'}).get(part, part.replace('_', ' '))}"


def force_figure(
    interaction: Interaction, truth: Interaction | None = None, measured: MeasuredForces | None = None
) -> str:
    """Force over time of each contact and of all together, beside true and measured ones and body weight; SVG."""
    names, wrench = interaction.forces.names, interaction.forces.wrench
    time = np.arange(len(wrench)) / interaction.forces.fps
    rows = (len(names) + 1) // 2
    with _settings():
        figure = _figure(7.6, 1.7 * rows + 2.1)
        grid = figure.add_gridspec(rows + 1, 2)
        first: Axes | None = None
        for c, name in enumerate(names):
            axes = figure.add_subplot(grid[c // 2, c % 2], sharex=first, sharey=first)
            first = first or axes
            axes.set_title(spoken(name))
            _shade_contact(axes, interaction, name, time)
            axes.plot(time, np.linalg.norm(wrench[:, c, :2], axis=1), color=HORIZONTAL, lw=0.9, label="horizontal")
            if truth is not None and name in truth.forces.names:
                true = truth.forces.wrench[:, truth.forces.names.index(name), 2]
                axes.plot(time, true, color=TRUE, lw=1.6, ls=(0, (3, 1.5)), label="vertical, true")
            if measured is not None and name in measured.names:
                _plot_measured(axes, time, measured, measured.names.index(name))
            axes.plot(time, wrench[:, c, 2], color=ESTIMATE, lw=1.6, label="vertical")
            axes.set_ylabel("N" if c % 2 == 0 else "")
        together = figure.add_subplot(grid[rows, :], sharex=first)
        together.set_title("all contacts together, vertical")
        if truth is not None:
            together.plot(time, truth.forces.wrench[..., 2].sum(axis=1), color=TRUE, lw=1.6, ls=(0, (3, 1.5)))
        if measured is not None:
            _plot_measured(together, time, measured, None)
        together.plot(time, wrench[..., 2].sum(axis=1), color=ESTIMATE, lw=1.6)
        weight = weight_of(interaction)
        together.axhline(weight, color=_INK, lw=0.7, ls=":")
        together.annotate(
            "weight", (1, weight), xycoords=("axes fraction", "data"), va="bottom", ha="right", fontsize=8
        )
        together.set_ylim(bottom=min(0.0, together.get_ylim()[0]))
        together.set_xlabel("time, s")
        together.set_ylabel("N")
        if first is not None:
            handles = [axes.get_legend_handles_labels() for axes in figure.axes]
            legend = {label: handle for pair in handles for handle, label in zip(*pair, strict=True)}
            figure.legend(legend.values(), legend.keys(), loc="outside upper right", ncols=5, fontsize=8.5)
        return _svg(figure)


def curve_figure(points: Sequence[tuple[float, float]], baselines: Mapping[str, float]) -> str:
    """Success over environment steps while learning, beside agents that learn nothing; SVG."""
    with _settings():
        figure = _figure(7.6, 2.8)
        axes = figure.add_subplot()
        steps, success = zip(*points, strict=True)
        axes.plot(steps, success, color=ESTIMATE, lw=1.8, marker="o", ms=3.5, label="policy while learning")
        for (name, value), style in zip(baselines.items(), ("--", ":", "-."), strict=False):
            axes.axhline(value, color=TRUE, lw=1.3, ls=style, label=name)
        axes.set_ylim(-0.03, 1.03)
        axes.set_xlim(0, 1.02 * max(steps))
        axes.set_xlabel("environment steps")
        axes.set_ylabel("success")
        axes.legend(loc="best", fontsize=8.5)
        return _svg(figure)


def measured_vertical(measured: MeasuredForces, column: int | None) -> Float[np.ndarray, "T"]:
    """Vertical force of one instrument, or of all together [N]; NaN where it was not captured."""
    columns = slice(None) if column is None else [column]
    whole = measured.captured[:, columns].all(axis=1)
    return np.where(whole, measured.force[:, columns, 2].sum(axis=1), np.nan)


def _plot_measured(axes: Axes, time: np.ndarray, measured: MeasuredForces, column: int | None) -> None:
    values = measured_vertical(measured, column)
    axes.plot(time, values, color=MEASURED, lw=1.6, ls=(0, (3, 1.5)), label="vertical, measured")


def _shade_contact(axes: Axes, interaction: Interaction, name: str, time: np.ndarray) -> None:
    """Behind the forces, how likely the contact is: a strip as high as the plot at probability 1."""
    contacts = interaction.contacts
    if name in contacts.names:
        probability = contacts.probability[:, contacts.names.index(name)]
        strip = axes.get_xaxis_transform()
        axes.fill_between(
            time, 0, probability, transform=strip, color=CONTACT, alpha=0.16, lw=0, label="probability of contact"
        )


def weight_of(interaction: Interaction) -> float:
    """Weight of the person and of what is held [N]."""
    parts = [interaction.person.parameters.get("mass", 0.0)]
    if interaction.tool is not None:
        parts += [interaction.tool.parameters.get(name, 0.0) for name in ("handle_mass", "head_mass")]
    return GRAVITY * sum(parts)


def _settings() -> Any:
    import matplotlib as mpl

    return mpl.rc_context(_SETTINGS)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue().replace(_INK, "currentColor")
    svg = svg[svg.index("<svg") :]
    end = svg.index(">") + 1
    return svg[:end] + _STYLE + svg[end:]
