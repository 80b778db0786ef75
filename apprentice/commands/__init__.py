"""What can be said on the command line: a class for each verb, whose fields are its options.

What a verb does is a function of its own, see `apprentice.cli`.
"""

from apprentice.commands.clips import Features, Index, Search, States
from apprentice.commands.pretrain import PROBE_VERBS, Check, Corpus, Prepare, PretrainTrain
from apprentice.commands.reward import RewardsEvaluate, RewardsProgress, RewardsTrain
from apprentice.commands.run import (
    Align,
    Demo,
    Estimate,
    Evaluate,
    Export,
    Fetch,
    Learn,
    Report,
    Retarget,
    Stroke,
    Track,
    Train,
    View,
)
from apprentice.commands.verb import List, Verb

__all__ = [
    "PROBE_VERBS",
    "Align",
    "Check",
    "Corpus",
    "Demo",
    "Estimate",
    "Evaluate",
    "Export",
    "Features",
    "Fetch",
    "Index",
    "Learn",
    "List",
    "Prepare",
    "PretrainTrain",
    "Report",
    "Retarget",
    "RewardsEvaluate",
    "RewardsProgress",
    "RewardsTrain",
    "Search",
    "States",
    "Stroke",
    "Track",
    "Train",
    "Verb",
    "View",
]
