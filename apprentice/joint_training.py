"""What `apprentice pretrain train` does: data, words and recipe together, then the training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apprentice.showing import console, log_to, name_skipped
from apprentice.stages import UsageError
from records.atomic import write_json
from records.processors import usable_processors

if TYPE_CHECKING:
    from apprentice import commands
    from pretrain.clips import Source, VideoFolder
    from pretrain.pretrained import Pretrained
    from pretrain.sampling import Sampling
    from pretrain.shards import Shards
    from pretrain.training.curriculum import Learned
    from pretrain.training.recipe import Recipe
    from pretrain.vocabulary import Vocabulary

GENERATED = "corpus"
"""Stands for the generated corpus in place of a folder."""
REPORT = "report.json"
"""Beside the model: files of the data that are not used, and why."""


def train(verb: commands.PretrainTrain) -> None:
    """A model of video and language."""
    import torch

    from pretrain.distributed import processes, rank, together
    from pretrain.pretrained import Pretrained
    from pretrain.recipes import RECIPES
    from pretrain.training.curriculum import Stage, from_stills, train_stages
    from pretrain.training.loop import Keeping

    for option, given in (("--vectors", verb.vectors), ("--dictionary", verb.dictionary)):
        if given is not None and verb.start_from is not None:
            raise UsageError(f"{option} and --start-from: a model to start from brings its own words")
    if (verb.workers or 0) < 0 or verb.save_every < 1:
        raise UsageError("--workers must be at least 0, --save-every at least 1")
    recipe = _changed(RECIPES.load(verb.recipe)(), verb)
    verb.out.mkdir(parents=True, exist_ok=True)
    log_to(verb.out / "log.txt")
    with together(verb.device) as device:
        usable = max(1, usable_processors() // processes())
        workers = usable - 1 if verb.workers is None else verb.workers
        torch.set_num_threads(max(1, usable - workers))
        start = None if verb.start_from is None else Pretrained.load(verb.start_from)
        learned, vocabulary = _data(verb, recipe, None if start is None else start.vocabulary)
        weights = None if start is None else start.model.state_dict()
        if verb.vectors is not None:
            recipe, vocabulary, weights = _with_vectors(recipe, vocabulary, verb.vectors)
        if start is not None:
            recipe = _going_on(recipe, start, f"{verb.start_from}")
        stages = (Stage("", recipe),) if verb.curriculum == 0 else from_stills(recipe, verb.curriculum)
        trained = train_stages(
            stages,
            verb.out,
            learned,
            vocabulary=vocabulary,
            name=f"{verb.recipe}-{verb.out.name}",
            start=weights,
            device=device,
            workers=workers,
            keeping=Keeping(save_every=verb.save_every, board=verb.tensorboard),
        )
        if rank() == 0:
            before = "" if verb.curriculum == 0 else f" and {verb.curriculum} on single frames before"
            console.print(
                f"{verb.out / stages[-1].name}: model of {len(vocabulary) - 1} words after {recipe.steps} steps of"
                f" {recipe.batch} clips{before}; fingerprint {trained.fingerprint()[:12]}",
                soft_wrap=True,
            )


def _changed(recipe: Recipe, verb: commands.PretrainTrain) -> Recipe:
    """A recipe with what the user says otherwise; what only GPUs can do is left out where there is none."""
    import torch

    names = ("steps", "batch", "rate", "warm_up", "precision", "micro_batch")
    changes: dict[str, Any] = {name: value for name in names if (value := getattr(verb, name)) is not None}
    flags = {"recompute": verb.recompute, "compile": verb.compile, "sync_norm": verb.sync_norm}
    changes |= {name: True for name, said in flags.items() if said}
    if verb.device == "cpu" or not torch.cuda.is_available():
        changes.setdefault("sync_norm", False)
    return replace(recipe, **changes, seed=verb.common.seed)


def _going_on(recipe: Recipe, start: Pretrained, place: str) -> Recipe:
    """A recipe for a model to start from, which brings its own words and their vectors.

    Raises:
        UsageError: its weights do not fit the recipe's model otherwise.
    """
    from pretrain.model import JointModel
    from pretrain.published import differences

    words = start.model.settings
    recipe = replace(recipe, model=replace(recipe.model, word_size=words.word_size, train_words=words.train_words))
    expected = JointModel(recipe.model, len(start.vocabulary)).state_dict()
    if wrong := differences(expected, start.model.state_dict()):
        raise UsageError(f"{place}: another model than the recipe's: {wrong}")
    return recipe


def _with_vectors(recipe: Recipe, vocabulary: Vocabulary, path: Path) -> tuple[Recipe, Vocabulary, dict[str, Any]]:
    """Words that have a vector, which is not trained, and random weights elsewhere; padding is zeros."""
    import torch

    from pretrain.model import JointModel
    from pretrain.vocabulary import Vocabulary
    from pretrain.word_vectors import read_word_vectors

    found = read_word_vectors(path, vocabulary.words)
    console.print(f"{path}: vectors of {len(found.words)} of {len(vocabulary.words)} words", soft_wrap=True)
    size = found.vector.shape[1]
    recipe = replace(recipe, model=replace(recipe.model, word_size=size, train_words=False))
    torch.manual_seed(recipe.seed)
    weights = JointModel(recipe.model, len(found.words) + 1).state_dict()
    weights["text.word_embd.weight"] = torch.cat([torch.zeros(1, size), torch.from_numpy(found.vector)])
    return recipe, Vocabulary(found.words), weights


def _data(
    verb: commands.PretrainTrain, recipe: Recipe, known: Vocabulary | None
) -> tuple[Callable[[Sampling], Learned], Vocabulary]:
    """Examples to train on and others to compare with, as clips are sampled; and words, those of the former by default.

    Raises:
        UsageError: none of the words that are `known`, or in the dictionary, is said.
    """
    from pretrain.clips import NarratedClips, sentences_of
    from pretrain.distributed import rank
    from pretrain.training.curriculum import Learned
    from pretrain.vocabulary import Vocabulary

    seed = verb.common.seed
    rate = 0 if recipe.model.audio_layers is None else recipe.model.audio_rate
    if str(verb.data) == GENERATED:
        from pretrain.corpus import Corpus, CorpusOptions, vocabulary

        options = CorpusOptions(sampling=recipe.sampling, period=1.3 * recipe.sampling.seconds, sample_rate=rate)

        def painted(sampling: Sampling) -> Learned:
            return Learned(*(Corpus(options, seed=number, sampling=sampling) for number in (seed, seed + 1)))

        return painted, _words(verb, known, vocabulary().words) or vocabulary()
    source = _source(verb.data, verb.reader)
    held = None if verb.held is None else _source(verb.held, verb.reader)
    if rank() == 0:
        skipped = [*source.skipped, *(() if held is None else held.skipped)]
        name_skipped(skipped)
        write_json(verb.out / REPORT, {"skipped": [one._asdict() for one in skipped]})

    def read(source: Source, sampling: Sampling) -> NarratedClips:
        return NarratedClips(source, sampling, seed=seed, sample_rate=rate)

    def learned(sampling: Sampling) -> Learned:
        return Learned(read(source, sampling), None if held is None else read(held, sampling))

    given = _words(verb, known, sentences_of(source))
    return learned, given or Vocabulary.of(sentences_of(source), at_least=verb.at_least)


def _words(verb: commands.PretrainTrain, known: Vocabulary | None, said: Iterable[str]) -> Vocabulary | None:
    """Words that are given: those of a model to start from, or of a dictionary; None where there is neither."""
    from pretrain.vocabulary import Vocabulary

    if known is None and verb.dictionary is not None:
        known = Vocabulary.load(verb.dictionary)
    if known is not None and not any(known.encode([sentence]).any() for sentence in said):
        raise UsageError(f"{verb.dictionary or verb.start_from}: none of its words is said in {verb.data}")
    return known


def _source(folder: Path, reader: str) -> Shards | VideoFolder:
    """Shards where there are any, else the videos of a folder."""
    from pretrain.clips import VideoFolder
    from pretrain.shards import Shards

    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; give one of shards or of narrated videos, or the word {GENERATED}")
    return (Shards if any(folder.glob("*.tar")) else VideoFolder)(folder, reader=reader)
