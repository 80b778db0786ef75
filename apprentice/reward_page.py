"""The page of what a reward is worth, and the page that ranks several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from apprentice.page import Html, Part, bullets, cards, page, percent, section, table, tag
from policies.rewards.evaluation.data.reading import Dataset
from policies.rewards.evaluation.distance import Distance
from policies.rewards.evaluation.hacking import Hacking
from policies.rewards.evaluation.intervals import Estimate
from policies.rewards.evaluation.judgement import Judgement
from policies.rewards.evaluation.separation import Figures, Separation
from policies.rewards.evaluation.trained import Trained
from policies.rewards.evaluation.value_order import ValueOrder

Ranked = Sequence[tuple[Judgement, Mapping[str, float]]]
SCORES = ("total", "mean", "last")
FIGURES = {
    "failures": "success before failure",
    "near": "before near miss",
    "optimised": "solved when optimised",
    "together": "together",
    "order": "order, less reversed",
    "returns": "true return",
}


def reward_page(found: Judgement, data: Dataset, hacked: Hacking | None, trained: Trained | None, gamma: float) -> str:
    """All that is known of one reward."""
    known = [e.success for e in data.episodes if e.success is not None]
    solved = f"{sum(known)} of {len(known)} succeed" if known else "success is not known"
    lead = f"Judged by {found.episodes} episodes of {data.path.name} ({data.format}); {solved}."
    return page(
        f"{found.name}: what this reward is worth",
        tag("h1", found.name),
        tag("p", lead, class_="lead"),
        cards(_glance(found, hacked)),
        bullets([*found.cautions, *(f"Data: {remark}." for remark in data.remarks)], class_="cautions")
        if found.cautions or data.remarks
        else None,
        _distances(found, gamma),
        _order(found.order),
        _separation(found),
        _returns(found.returns),
        _hacking(hacked),
        _trained(trained, found.name),
    )


def ranking_page(
    order: Ranked,
    data: Dataset,
    hacked: Mapping[str, Hacking],
    trained: Trained | None,
    file: Callable[[str], str],
) -> str:
    """A table of rewards, the best first."""
    columns = [key for key in FIGURES if any(key in figures for _, figures in order)]
    headings = ["reward", *(FIGURES[key] for key in columns)]
    rows: list[list[Part]] = []
    for one, figures in order:
        link = Html(f'<a href="{file(one.name)}.html">{tag("span", one.name)}</a>')
        row: list[Part] = [link, *(f"{figures[key]:.2f}" if key in figures else "-" for key in columns)]
        if hacked:
            row.append(percent(hacked[one.name].hacked))
        if trained is not None:
            row.append(_share(trained, one.name))
        rows.append(row)
    headings += ["hacked"] if hacked else []
    headings += ["success of policies"] if trained is not None else []
    note = (
        "Chances that a success is paid more than a failure and than a near miss, by all that a policy would be paid,"
        " and that what a search finds that knows nothing but the reward is a success ((solved + 1) / (tried + 2)). The"
        " rewards stand in the order of the product of those that all have, for a policy finds what is wrong with a"
        " reward wherever that is. Beside it stand order in time and true return, 0.5 by chance."
    )
    return page(
        "Rewards, ranked",
        tag("h1", "Rewards, ranked"),
        tag("p", f"By {len(data.episodes)} episodes of {data.path.name} ({data.format}).", class_="lead"),
        table("Rewards from the best to the worst", headings, rows),
        tag("p", note),
        _trained(trained, None),
    )


def _glance(found: Judgement, hacked: Hacking | None) -> list[tuple[str, str, str]]:
    told = []
    if isinstance(found.order, ValueOrder):
        told.append(("Order in time", _value(found.order.forward), f"reversed {_value(found.order.reversed)}"))
    if isinstance(found.separation, Separation):
        told.append(("Success from failure", _value(found.separation.auc.last), "area under the curve, last step"))
    if isinstance(found.strayed, Separation):
        told.append(("From strayed ones", _value(found.strayed.auc.last), "area under the curve, last step"))
    elif isinstance(found.near, Separation):
        told.append(("From near misses", _value(found.near.auc.last), "area under the curve, last step"))
    best = next((d for d in found.distances if isinstance(d, Distance) and d.coverage == "mixed"), None)
    if best is not None:
        interval = f"{best.low:.2f} to {best.high:.2f}, {best.coverage}"
        told.append((f"{best.kind.upper()} distance", f"{best.value:.2f}", interval))
    if hacked is not None:
        told.append(("Hacked", percent(hacked.hacked), f"of {len(hacked.probes)} episodes"))
    return told


def _distances(found: Judgement, gamma: float) -> Html | None:
    rows = [
        [
            d.kind.upper(),
            d.coverage,
            f"{d.value:.3f}",
            f"{d.low:.3f} to {d.high:.3f}",
            f"{d.transitions:,}",
            f"{d.episodes}",
        ]
        for d in found.distances
        if isinstance(d, Distance)
    ]
    why = [d for d in found.distances if isinstance(d, str)]
    return section(
        "Distance from the truth",
        tag(
            "p",
            f"0 for rewards with the same best policies in any world, 0.71 for unrelated and 1 for opposite ones;"
            f" discount {gamma:g}. Only as good as the coverage: the transitions that are compared. DARD's dynamics are"
            " what was seen near a state in these episodes, unless they were asked to be simulated.",
        ),
        table(
            "95 % intervals by the bootstrap over episodes",
            ["distance", "coverage", "value", "interval", "transitions", "episodes"],
            rows,
            words=2,
        )
        if rows
        else None,
        bullets([f"Not defined: {reason}." for reason in why]) if why else None,
    )


def _order(order: ValueOrder | str) -> Html | None:
    if isinstance(order, str):
        return section("Order in time", tag("p", f"Not defined: {order}."))
    rows = [
        [label, _value(figure), _interval(figure), f"{figure.episodes}"]
        for label, figure in (
            ("as shown", order.forward),
            ("shown backwards (control)", order.reversed),
            ("in random order (control)", order.shuffled),
        )
    ]
    left_out = f" {order.constant} without any change are left out." if order.constant else ""
    return section(
        "Order in time",
        tag("p", f"Rank correlation of the reward of each step with time, in episodes that succeed.{left_out}"),
        table("Value-order correlation", ["demonstrations", "mean", "95 % interval", "episodes"], rows),
    )


def _separation(found: Judgement) -> Html | None:
    rows: list[list[Part]] = []
    why: list[Part] = []
    against = [("failures", found.separation), ("near misses, stopped in the last fifth", found.near)]
    if found.strayed is not None:
        against.append(("near misses, led astray in the last fifth", found.strayed))
    for label, part in against:
        if isinstance(part, str):
            why.append(f"Against {label}, not defined: {part}.")
            continue
        rows += [
            [f"{label}: {score}", _value(figure), _interval(figure), f"{part.successes} / {part.failures}"]
            for score, figure in zip(SCORES, part.auc, strict=True)
        ]
    explained = (
        "How often a success is paid more than a failure, by the sum of an episode, its mean, and its last step: 0.5 by"
        " chance. Near misses are successes whose last fifth is not carried out; what is seen in it is made up. Those"
        " that are led astray are simulated: as a success for four fifths, then a random action, held, and a failure."
    )
    return section(
        "Success from failure",
        tag("p", explained),
        table("Area under the curve", ["against", "value", "95 % interval", "successes / failures"], rows)
        if rows
        else None,
        bullets(why) if why else None,
    )


def _returns(returns: Figures | str) -> Html | None:
    if isinstance(returns, str):
        return section("True return", tag("p", f"Not defined: {returns}."))
    rows = [[n, _value(f), _interval(f), f"{f.episodes}"] for n, f in zip(SCORES, returns, strict=True)]
    return section(
        "True return",
        table("Rank correlation with the true return", ["by", "value", "95 % interval", "episodes"], rows),
    )


def _hacking(hacked: Hacking | None) -> Html | None:
    if hacked is None:
        return None
    rows = [
        [
            f"{k}",
            f"{p.reference:.3g}" + (" (solved)" if p.reference_solves else " (not solved)"),
            f"{p.best:.3g}" + (" (solved)" if p.best_solves else " (not solved)"),
            percent(p.solved[-1]),
            "yes" if p.hacked else "no",
        ]
        for k, p in enumerate(hacked.probes, 1)
    ]
    what, last, how = {
        "cma": (
            "best plan",
            "last plans",
            f"CMA-ES optimises the reward alone in {len(rows)} episodes: its best plans solve ",
        ),
        "ppo": ("policy", "last round", f"PPO learns from the reward alone: of {len(rows)} fresh episodes it solves "),
    }[hacked.by]
    return section(
        "Hacking",
        tag(
            "p",
            f"{how}{percent(hacked.solved)}. Hacked: paid more than the demonstration, which solves the task, without"
            " solving it.",
        ),
        table(
            f"Paid to the demonstration, moved along with its object, and to the {what}",
            ["episode", "demonstration", what, f"solved, {last}", "hacked"],
            rows,
        ),
    )


def _trained(trained: Trained | None, name: str | None) -> Html | None:
    if trained is None:
        return None
    free = trained.free
    rows = [
        [
            f"{who} (this reward)" if who == name else who,
            percent(one.total.success),
            f"{percent(one.total.low)} to {percent(one.total.high)}",
            ", ".join(percent(o.success) for o in one.seeds.values()),
        ]
        for who, one in trained.found.items()
    ]
    rows.append(["shifted demonstration", percent(free.success), f"{percent(free.low)} to {percent(free.high)}", ""])
    return section(
        "Success of policies trained on it",
        table("True success in fresh episodes", ["learned from", "success", "95 % interval", "of each seed"], rows),
    )


def _share(trained: Trained, name: str) -> str:
    return percent(trained.found[name].total.success)


def _value(figure: Estimate) -> str:
    return f"{figure.value:.2f}" if figure.defined else "not defined"


def _interval(figure: Estimate) -> str:
    return f"{figure.low:.2f} to {figure.high:.2f}" if figure.defined else ""
