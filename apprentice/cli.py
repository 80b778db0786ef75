"""The command line: what each verb of `apprentice.commands` does, and how it is said."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import tyro

from apprentice import joint_training, pretraining, probing, reward_training, rewarding, searching, states, verbs
from apprentice.answer import answered, one_line_usage
from apprentice.commands import (
    PROBE_VERBS,
    Align,
    Check,
    Corpus,
    Demo,
    Estimate,
    Evaluate,
    Export,
    Features,
    Fetch,
    Index,
    Learn,
    List,
    Prepare,
    PretrainTrain,
    Report,
    Retarget,
    RewardsEvaluate,
    RewardsProgress,
    RewardsTrain,
    Search,
    States,
    Stroke,
    Track,
    Train,
    Verb,
    View,
)
from apprentice.showing import progress_shown

ABOUT = "From a clip of a person using a tool to 3D motion, contact forces and a robot policy."

_MARKERS = (
    tyro.conf.OmitArgPrefixes,
    tyro.conf.FlagCreatePairsOff,
    tyro.conf.DisallowNone,
    tyro.conf.PositionalMetavarFromFieldName,
)
"""Options without the names of their groups; flags without `--no-`; no `None` to type; `CLIP` for what is a clip."""


VERBS: dict[type[Verb], Callable[[Any], None]] = {
    Demo: verbs.demo,
    Learn: verbs.learn,
    Fetch: verbs.fetch,
    Track: verbs.track,
    Estimate: verbs.estimate,
    Stroke: verbs.stroke,
    Align: verbs.align,
    Retarget: verbs.retarget,
    Train: verbs.train,
    Evaluate: verbs.evaluate,
    View: verbs.view,
    Report: verbs.report,
    Export: verbs.export,
    Prepare: pretraining.prepare,
    Check: pretraining.check,
    Corpus: pretraining.corpus,
    PretrainTrain: joint_training.train,
    **dict.fromkeys(PROBE_VERBS, probing.probe),
    Features: searching.features,
    Index: searching.index,
    Search: searching.search,
    RewardsTrain: reward_training.train,
    RewardsEvaluate: rewarding.evaluate,
    RewardsProgress: rewarding.progress,
    States: states.states,
    List: verbs.show_list,
}
"""In the order in which they are explained."""

GROUPS: dict[str, tuple[str, tuple[type[Verb], ...]]] = {
    "pretrain": (
        "Joint embeddings of video and language from narrated videos.",
        (Prepare, Check, Corpus, PretrainTrain),
    ),
    "rewards": ("Learned rewards, and what they are worth.", (RewardsTrain, RewardsEvaluate, RewardsProgress)),
    "probe": ("What a trained encoder is worth, by published protocols, beside what costs nothing.", PROBE_VERBS),
}
"""Verbs of two words: the first, what it is about, and those that come second."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the command `apprentice`. Exit status 0, 2 after an error, or 130 when interrupted."""
    with one_line_usage():
        verb = tyro.cli(_choices(), args=arguments, prog="apprentice", description=ABOUT, config=_MARKERS)
    with answered(debug=verb.common.debug), progress_shown():
        VERBS[type(verb)](verb)


def spoken(kind: type[Verb]) -> list[str]:
    """The words that name a verb: that of its group if it is in one, and its class without it, in lower case."""
    group = [name for name, (_, kinds) in GROUPS.items() if kind in kinds]
    return [*group, kind.__name__.lower().removeprefix(group[0] if group else "")]


def _choices() -> Any:
    """A union of subcommands; verbs of a group are subcommands of the group, which stands before the last verb."""
    single = [_named(kind, spoken(kind)[0], kind.__doc__) for kind in VERBS if len(spoken(kind)) == 1]
    groups = [
        _named(_union(_named(kind, spoken(kind)[-1], kind.__doc__) for kind in kinds), name, about)
        for name, (about, kinds) in GROUPS.items()
    ]
    return _union([*single[:-1], *groups, *single[-1:]])


def _named(kind: Any, name: str, about: str | None) -> Any:
    return Annotated.__class_getitem__((kind, tyro.conf.subcommand(name=name, description=about)))  # type: ignore[attr-defined]


def _union(choices: Iterable[Any]) -> Any:
    return functools.reduce(operator.or_, choices)


if __name__ == "__main__":
    main()
