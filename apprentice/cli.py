"""The command line: what can be said. Each verb is a function of `apprentice.verbs` on a run folder."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from apprentice import joint_training, pretraining, probing, reward_training, rewarding, searching, states, verbs
from apprentice.answer import answered, one_line_usage
from apprentice.options import (
    Body,
    Chance,
    Common,
    Encoding,
    Errors,
    Foreign,
    Judging,
    Marks,
    Scene,
    Seeing,
    Source,
    Subject,
    Surroundings,
    Training,
)
from apprentice.showing import progress_shown
from pretrain.probes.probe import PROBES

ABOUT = "From a clip of a person using a tool to 3D motion, contact forces and a robot policy."

_MARKERS = (
    tyro.conf.OmitArgPrefixes,
    tyro.conf.FlagCreatePairsOff,
    tyro.conf.DisallowNone,
    tyro.conf.PositionalMetavarFromFieldName,
)
"""Options without the names of their groups; flags without `--no-`; no `None` to type; `CLIP` for what is a clip."""


@dataclass(frozen=True)
class _Verb:
    common: Common = field(default_factory=Common)


@dataclass(frozen=True)
class _Watch(_Verb):
    source: Source = field(default_factory=Source)
    seeing: Seeing = field(default_factory=Seeing)
    subject: Subject = field(default_factory=Subject)


@dataclass(frozen=True)
class _Later(_Verb):
    folder: tyro.conf.Positional[Path | None] = None
    """Folder of the run, if not given by --run."""


@dataclass(frozen=True)
class Track(_Watch):
    """Find the person, the tool's endpoints, the contacts and the camera in a clip."""


@dataclass(frozen=True)
class Estimate(_Watch):
    """Estimate the 3D motion of person and tool and the contact forces, from a clip or from keypoints."""

    foreign: Foreign = field(default_factory=Foreign)
    surroundings: Surroundings = field(default_factory=Surroundings)


@dataclass(frozen=True)
class Stroke(_Verb):
    """Find the 3D motion of a tool alone, from clicks on points of it: close-ups in which nobody's body is seen."""

    source: Source = field(default_factory=Source)
    marks: Marks = field(default_factory=Marks)


@dataclass(frozen=True)
class Learn(_Watch):
    """The whole way: from a clip of a person using a tool to a robot policy that uses it, with a report."""

    scene: Scene = field(default_factory=Scene)
    body: Body = field(default_factory=Body)
    chance: Chance = field(default_factory=Chance)
    errors: Errors = field(default_factory=Errors)
    training: Training = field(default_factory=Training)
    judging: Judging = field(default_factory=Judging)


@dataclass(frozen=True)
class Demo(_Verb):
    """Render a clip of a person hammering, learn from it, and report what came out beside the truth."""

    body: Body = field(default_factory=Body)
    chance: Chance = field(default_factory=Chance)
    errors: Errors = field(default_factory=Errors)
    training: Training = field(default_factory=Training)
    judging: Judging = field(default_factory=Judging)


@dataclass(frozen=True)
class Align(_Verb):
    """Place a demonstrated stroke in the task's simulated scene so that it solves the task robustly."""

    stroke: tyro.conf.Positional[Path | None] = None
    """Stroke: .npz with head_position and fps, .csv, or a record. By default the tool of the run."""
    tool: str = "hammer"
    """Tool of a stroke file; see `apprentice list`."""
    tool_file: Path | None = None
    """Description of one's own tool (YAML), for a stroke file."""
    scene: Scene = field(default_factory=Scene)


@dataclass(frozen=True)
class Retarget(_Later):
    """Find the robot's base and joint trajectory for the run's aligned demonstration."""

    body: Body = field(default_factory=Body)


@dataclass(frozen=True)
class Train(_Later):
    """Train a residual policy around the run's demonstration from the sparse reward of the task."""

    seeds: int = 1
    """Trainings, with seeds from --seed on. Several are kept in seeds/, judged in fresh episodes, and summed up."""
    fresh: int = 100
    """Fresh episodes that each of several seeds is judged in."""
    chance: Chance = field(default_factory=Chance)
    errors: Errors = field(default_factory=Errors)
    training: Training = field(default_factory=Training)


@dataclass(frozen=True)
class Evaluate(_Later):
    """Success of the run's policy over fresh episodes, beside shifted, replay, zero and random agents."""

    chance: Chance = field(default_factory=Chance)
    errors: Errors = field(default_factory=Errors)
    judging: Judging = field(default_factory=lambda: Judging(episodes=200, trials=("nominal", "shifted", "noisy")))


@dataclass(frozen=True)
class Fetch(_Verb):
    """Download a clip, and its captions, with yt-dlp."""

    url: tyro.conf.Positional[str] = tyro.MISSING
    """Address of the video."""
    start: float | None = None
    """First moment [s]."""
    end: float | None = None
    """Last moment [s]."""


@dataclass(frozen=True)
class View(_Later):
    """Write the run's 3D scene (rerun .rrd) and say how to open it."""


@dataclass(frozen=True)
class Report(_Later):
    """Write the run's report.html again, with measured forces beside the estimated ones where they are given."""

    measured: Path | None = None
    """Forces that plates measured: OpenSim's .mot, .npz (forces, contact_names, fps) or .csv (t,contact,fx,fy,fz)."""
    measured_start: float = 0.0
    """When the clip begins, in that file's time [s]."""


@dataclass(frozen=True)
class Export(_Later):
    """Write the run's motion and forces, or an agent's episodes, in another program's format."""

    to: Literal["csv", "trc", "mot", "amass", "lerobot", "robomimic", "minari"] = "csv"
    """Format: motion and forces as csv, trc, mot, amass or lerobot; episodes as lerobot, robomimic or minari."""
    agent: str | None = None
    """Whose judged episodes: policy, shifted, replay, zero, random; for robomimic and minari the policy by default."""
    pictures: bool = False
    """Film the scene in every step of the episodes, too (lerobot, robomimic)."""
    out: Path | None = None
    """Folder to write to; by default <run>/export."""
    body_model: Path | None = None
    """SMPL, SMPL-H or SMPL-X model file: the format amass then holds the person's shape, and the mesh beside it."""


@dataclass(frozen=True)
class Prepare(_Verb):
    """Make shards of narrated videos, which a training reads fast; a run that was stopped goes on."""

    folder: tyro.conf.Positional[Path] = tyro.MISSING
    """Folder of videos with captions beside (.vtt, .srt, Whisper's .json, .csv) or within them."""
    out: Path = tyro.MISSING
    """Folder of the shards."""
    table: Path | None = None
    """List of the videos (CSV with video_id or video_path), in the layout of HowTo100M."""
    captions: Path | None = None
    """With --table: folder of tables VIDEO_ID.csv, or one caption.json."""
    fps: float = 10.0
    """Frame rate of the shards [1/s]."""
    short_side: int = 256
    """Height or width, whichever is smaller [px]."""
    gop: int = 10
    """Frames from one key frame to the next."""
    sound: int = 0
    """Samples of sound a second to keep, for models that hear; by default none."""
    processes: int = 0
    """Videos that are transcoded at a time; by default as many as there are processors."""


@dataclass(frozen=True)
class Check(_Verb):
    """Read every video of some shards, and name what is damaged."""

    folder: tyro.conf.Positional[Path] = tyro.MISSING
    """Folder of the shards."""


@dataclass(frozen=True)
class Corpus(_Verb):
    """Paint short narrated videos, to try everything on that works on narrated videos."""

    out: tyro.conf.Positional[Path] = tyro.MISSING
    """Folder of the videos, with captions (.vtt) beside them, labels.csv of what happens, and a picture of all."""
    videos: int = 20
    """How many."""
    size: int = 128
    """Height and width [px]."""
    fps: float = 10.0
    """Frame rate [1/s]."""
    misalignment: float = 2.0
    """Standard deviation of the time from an action to its sentence [s]."""
    irrelevant: float = 0.35
    """Share of the sentences that speak of nothing that happens."""
    sound: int = 16_000
    """Samples of sound a second, for models that hear; 0 for none."""


@dataclass(frozen=True)
class PretrainTrain(_Verb):
    """Train a joint embedding of video and language; a training that was stopped goes on. Under torchrun, on many."""

    data: tyro.conf.Positional[Path] = tyro.MISSING
    """Folder of shards or of narrated videos, or the word `corpus` for generated ones."""
    out: Path = tyro.MISSING
    """Folder of the model, its checkpoint and its curve."""
    recipe: str = "milnce"
    """What is trained, and how; see `apprentice list`."""
    reader: str = "pyav"
    """Of the frames of videos; see `apprentice list`."""
    held: Path | None = None
    """Folder of other videos, to see whether those of the training are learned by heart."""
    dictionary: Path | None = None
    """Words that the model shall know (.npy or one a line); by default those that are said."""
    at_least: int = 1
    """How often a word must be said to be one of them."""
    vectors: Path | None = None
    """Word vectors (word2vec's .bin, or text), which are not trained; words without one are left out."""
    start_from: Path | None = None
    """Folder of a model of the same kind, whose weights and words are taken."""
    curriculum: int = 0
    """Steps on single frames that come before those on clips, for transformers; two folders in the model's, then."""
    steps: int | None = None
    """Steps, instead of the recipe's; so for the next ones."""
    batch: int | None = None
    """Clips of a step, over all processes."""
    rate: float | None = None
    """Highest learning rate."""
    warm_up: int | None = None
    """Steps over which it is reached."""
    precision: Literal["fp32", "bf16"] | None = None
    """Of the layers."""
    micro_batch: int | None = None
    """Clips that are encoded at a time, with the whole batch as negatives."""
    recompute: bool = False
    """Compute activations again instead of keeping them."""
    compile: bool = False
    """Compile the model."""
    sync_norm: bool = False
    """Normalise over the clips of all processes."""
    device: Literal["cpu", "cuda"] | None = None
    """Where to compute; by default a GPU where there is one."""
    workers: int | None = None
    """Processes that make examples; by default as many as there are processors but one."""
    save_every: int = 1000
    """Steps between checkpoints."""
    tensorboard: bool = False
    """Write events for TensorBoard, too."""


@dataclass(frozen=True)
class _Probe(_Verb):
    folder: tyro.conf.Positional[Path] = tyro.MISSING
    """Folder of the videos or sounds."""
    encoder: Encoding = field(default_factory=Encoding)


def _probe(name: str) -> type[_Probe]:
    """The verb of a probe: its options, and those that all probes share."""
    options = PROBES.load(name)
    own = [("probe", options, field(kw_only=True))]
    about = {"__doc__": inspect.getdoc(options)}
    return make_dataclass(name.capitalize(), own, bases=(_Probe,), frozen=True, namespace=about)


PROBE_VERBS = tuple(_probe(name) for name in PROBES)


@dataclass(frozen=True)
class Features(_Verb):
    """Encode clips: a vector for each window of time, for other tasks and to be searched. What is done is kept."""

    clips: tyro.conf.Positional[tuple[Path, ...]] = tyro.MISSING
    """Video files, folders of them, or patterns in quotes."""
    encoder: Encoding = field(default_factory=Encoding)
    out: Path = tyro.MISSING
    """Folder of the records: NAME.features.npz for other tasks, NAME.embedding.npz to be compared with sentences."""
    every: float | None = None
    """From the start of one window to that of the next [s]; by default windows follow each other."""
    batch: int = 16
    """Windows that are encoded at once."""
    readers: int = 1
    """Videos that are decoded at the same time; more for a GPU."""


@dataclass(frozen=True)
class Index(_Verb):
    """Make encoded clips searchable by language, or add more to those that are."""

    features: tyro.conf.Positional[tuple[Path, ...]] = tyro.MISSING
    """Folders that `apprentice features` wrote."""
    out: Path = tyro.MISSING
    """Folder of the index."""
    encoder: Encoding = field(default_factory=Encoding)
    exact: bool = False
    """Compare all windows one by one, however many; by default more than 50,000 are compressed."""


@dataclass(frozen=True)
class Search(_Verb):
    """Find the moments of indexed clips that fit a sentence best; in a table, or on a page with --serve."""

    index: tyro.conf.Positional[Path] = tyro.MISSING
    """Folder that `apprentice index` wrote."""
    query: tyro.conf.Positional[str | None] = None
    """What is to be seen, such as "pour the coffee"."""
    count: Annotated[int, tyro.conf.arg(aliases=["-k"])] = 10
    """Moments that are shown."""
    serve: bool = False
    """Serve a page on which one can ask and watch."""
    port: int = 8000
    """Of the page."""
    host: str = "127.0.0.1"
    """Address of the page; others than this machine can open it only if it is another one."""
    encoder: Encoding = field(default_factory=Encoding)


@dataclass(frozen=True)
class States(_Verb):
    """Find when clips of one task show the initial state, the action and the final state; a contact sheet of all."""

    clips: tyro.conf.Positional[tuple[Path, ...]] = tyro.MISSING
    """Video files, folders of them, or patterns in quotes: two or more of the same task."""
    task: str = tyro.MISSING
    """What is done in them, such as "pour coffee"; sentences that say so make their moments likelier."""
    encoder: Encoding = field(default_factory=Encoding)
    features: Path | None = None
    """Folder that `apprentice features` wrote for the clips, instead of an encoder."""
    pixels: Literal["colour", "hog", "colour_hog"] | None = None
    """Colours and edges of the frames, instead of an encoder: a control that has learned nothing."""
    every: float | None = None
    """From the start of one window to that of the next [s]; by default 0.4 of pixels, else those of the encoder."""
    fps: float | None = None
    """True frame rate [1/s] where the headers lie, with --pixels."""
    method: str = "pseudo_labels"
    """Way of discovery; see `apprentice list`."""
    silent: bool = False
    """Leave captions aside."""


@dataclass(frozen=True)
class _Rewards(_Verb):
    data: tyro.conf.Positional[Path] = tyro.MISSING
    """Episodes: folder of a LeRobot v3 or Minari dataset, robomimic's .hdf5, or .npz of `apprentice evaluate`."""
    format: Literal["lerobot", "robomimic", "minari", "episodes"] | None = None
    """Of the data; by default found out."""
    fps: float | None = None
    """Steps a second, for data that do not state them."""
    part: Literal["all", "even", "odd"] = "all"
    """Which episodes: every other one, to learn from one half and judge by the other."""


@dataclass(frozen=True)
class RewardsTrain(_Verb):
    """Learn a reward from episodes or clips, and save it; `rewards evaluate` tells what it is worth."""

    data: tyro.conf.Positional[tuple[Path, ...]] = tyro.MISSING
    """What is shown. Episodes: folders of LeRobot v3 or Minari datasets, robomimic's .hdf5, .npz of `apprentice
    evaluate`; those known to fail are what is not to be done. Clips: video files, folders of them, patterns in quotes.
    Forces of a person's hands: run folders of `apprentice estimate`."""
    reward: str = tyro.MISSING
    """Kind of reward; see `apprentice list`."""
    out: Path = tyro.MISSING
    """Folder of the reward."""
    others: tuple[Path, ...] = ()
    """More data, of what is not to be done."""
    part: Literal["all", "even", "odd"] = "all"
    """Which episodes or clips: every other one, to learn from one half and judge by the other."""
    describe: str | None = None
    """What is looked at; by default observations, or pixels of clips. See `apprentice list`."""
    observations: tuple[str, ...] = ()
    """Which of them; all but the clock by default."""
    model: Path | None = None
    """Folder of a trained encoder, whose features are looked at."""
    timelines: Path | None = None
    """Folder that `apprentice states` wrote for the clips: where they show the end state."""
    sentence: str = ""
    """What is done, in words."""
    set: tuple[str, ...] = ()
    """Settings of the reward as name=value, such as hidden=[64] or objective=tcn."""
    format: Literal["lerobot", "robomimic", "minari", "episodes"] | None = None
    """Of episodes; by default found out."""
    fps: float | None = None
    """Steps or frames a second, for data that do not state them, or state them wrongly."""


@dataclass(frozen=True)
class RewardsEvaluate(_Rewards):
    """What rewards are worth: distances from the truth, order, success from failure, hacking, what policies learn."""

    reward: tuple[str, ...] = tyro.MISSING
    """Folders of saved rewards, or functions of (s, a, s_next) as module:name or file.py:name, whose code is run."""
    out: Path = tyro.MISSING
    """Folder of the pages and JSON files."""
    truth: str | None = None
    """The true reward as a function of (s, a, s_next), for EPIC and DARD; hammer data need none."""
    gamma: float = 0.99
    """Discount of EPIC and DARD."""
    transitions: int = 1024
    """That rewards are compared on, at most."""
    demonstration: Path | None = None
    """The demonstration of the environment that the data come from, or its run. For --stray, --hack, --train and
    --dynamics, and for rewards that look at pictures or forces: data without these are repeated there."""
    dynamics: Literal["seen", "simulated"] = "seen"
    """Where other actions lead to, for DARD: as was seen nearby in the data, or as the environment does it."""
    stray: int = 0
    """Episodes of the moved demonstration that are led astray in their last fifth, as near misses."""
    hack: int = 0
    """Episodes in which each reward is optimised."""
    hack_with: Literal["cma", "ppo"] = "cma"
    """How: by CMA-ES, a plan for each episode; or by PPO, a policy that is judged in all of them."""
    hack_steps: int = 20_000
    """Control steps that PPO learns in."""
    train: int = 0
    """Control steps of policies that learn from each reward, and from the sparse truth."""
    seeds: int = 3
    """Of these policies."""
    episodes: int = 100
    """Fresh episodes that each of them is judged in."""


@dataclass(frozen=True)
class RewardsProgress(_Rewards):
    """Write the progress of each frame as LeRobot keeps it: what a reward says of it, from 0 to 1."""

    reward: str = tyro.MISSING
    """Folder of a saved reward, or a function of (s, a, s_next) as module:name or file.py:name, whose code is run."""
    out: Path = Path("progress.parquet")
    """File."""


@dataclass(frozen=True)
class List(_Verb):
    """Name every tool, task, robot, detector, format and agent with one line each."""


VERBS: dict[type[_Verb], Callable[[Any], None]] = {
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

GROUPS: dict[str, tuple[str, tuple[type[_Verb], ...]]] = {
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


def spoken(kind: type[_Verb]) -> list[str]:
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
