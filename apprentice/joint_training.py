"""What `apprentice pretrain train` does: data, words and recipe together, then the training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apprentice.showing import console, log_to
from apprentice.stages import UsageError
from records.processors import usable_processors

if TYPE_CHECKING:
    from apprentice import cli
    from pretrain.clips import Source
    from pretrain.training.examples import Examples
    from pretrain.training.recipe import Recipe
    from pretrain.vocabulary import Vocabulary

GENERATED = "corpus"
"""Stands for the generated corpus in place of a folder."""


def train(verb: cli.PretrainTrain) -> None:
    """A model of video and language."""
    import torch

    from pretrain.distributed import processes, rank, together
    from pretrain.pretrained import Pretrained
    from pretrain.recipes import RECIPES
    from pretrain.training.loop import Keeping
    from pretrain.training.train import train as run

    if verb.vectors is not None and verb.start_from is not None:
        raise UsageError("--vectors and --start-from: a model to start from brings its own words")
    recipe = _changed(RECIPES.load(verb.recipe)(), verb)
    verb.out.mkdir(parents=True, exist_ok=True)
    log_to(verb.out / "log.txt")
    with together(verb.device) as device:
        usable = max(1, usable_processors() // processes())
        workers = usable - 1 if verb.workers is None else verb.workers
        torch.set_num_threads(max(1, usable - workers))
        start = None if verb.start_from is None else Pretrained.load(verb.start_from)
        examples, held, vocabulary = _data(verb, recipe)
        weights = None if start is None else start.model.state_dict()
        if verb.vectors is not None:
            recipe, vocabulary, weights = _with_vectors(recipe, vocabulary, verb.vectors)
        if start is not None:
            vocabulary = start.vocabulary
            if start.model.settings != recipe.model:
                raise UsageError(
                    f"{verb.start_from}: another model ({start.model.settings}) than the recipe's ({recipe.model})"
                )
        trained = run(
            examples,
            recipe,
            verb.out,
            vocabulary=vocabulary,
            name=f"{verb.recipe}-{verb.out.name}",
            held=held,
            start=weights,
            device=device,
            workers=workers,
            keeping=Keeping(save_every=verb.save_every, board=verb.tensorboard),
        )
        if rank() == 0:
            console.print(
                f"{verb.out}: model of {len(vocabulary) - 1} words after {recipe.steps} steps of {recipe.batch} clips;"
                f" fingerprint {trained.fingerprint()[:12]}",
                soft_wrap=True,
            )


def _changed(recipe: Recipe, verb: cli.PretrainTrain) -> Recipe:
    """A recipe with what the user says otherwise."""
    names = ("steps", "batch", "rate", "warm_up", "precision", "micro_batch")
    changes: dict[str, Any] = {name: value for name in names if (value := getattr(verb, name)) is not None}
    flags = {"recompute": verb.recompute, "compile": verb.compile, "sync_norm": verb.sync_norm}
    changes |= {name: True for name, said in flags.items() if said}
    if verb.device == "cpu":
        changes.setdefault("sync_norm", False)
    return replace(recipe, **changes, seed=verb.common.seed)


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


def _data(verb: cli.PretrainTrain, recipe: Recipe) -> tuple[Examples, Examples | None, Vocabulary]:
    """Examples to train on, others to compare with, and the words of the former."""
    from pretrain.clips import NarratedClips
    from pretrain.vocabulary import Vocabulary

    if str(verb.data) == GENERATED:
        from pretrain.corpus import Corpus, CorpusOptions, vocabulary

        seconds = recipe.sampling.seconds
        options = CorpusOptions(
            sampling=recipe.sampling,
            period=1.3 * seconds,
            sample_rate=0 if recipe.model.audio_layers is None else recipe.model.audio_rate,
        )
        seed = verb.common.seed
        return Corpus(options, seed=seed), Corpus(options, seed=seed + 1), vocabulary()
    source = _source(verb.data)
    heard = 0 if recipe.model.audio_layers is None else recipe.model.audio_rate
    examples = NarratedClips(source, recipe.sampling, seed=verb.common.seed, sample_rate=heard)
    held = None
    if verb.held is not None:
        held = NarratedClips(_source(verb.held), recipe.sampling, seed=verb.common.seed, sample_rate=heard)
    if verb.dictionary is not None:
        return examples, held, Vocabulary.load(verb.dictionary)
    said = (sentence for index in range(len(source)) for sentence in source.narration(index)[0].labels)
    return examples, held, Vocabulary.of(said, at_least=verb.at_least)


def _source(folder: Path) -> Source:
    """Shards where there are any, else the videos of a folder."""
    from pretrain.clips import VideoFolder
    from pretrain.shards import Shards

    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; give one of shards or of narrated videos, or the word {GENERATED}")
    source = Shards(folder) if any(folder.glob("*.tar")) else VideoFolder(folder)
    for file, reason in source.skipped[:5]:
        console.print(f"{file}: {reason}", soft_wrap=True, style="yellow")
    if len(source.skipped) > 5:
        console.print(f"and {len(source.skipped) - 5} more", style="yellow")
    return source
