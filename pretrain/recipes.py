"""Trainings by name: each a function that returns a whole recipe, with the numbers that its paper states."""

from __future__ import annotations

from dataclasses import replace

from pretrain.model import ModelSettings
from pretrain.sampling import Sampling
from pretrain.training.recipe import Recipe
from records import Entry, Registry

RECIPES = Registry(
    "recipe",
    {
        "milnce": Entry("pretrain.recipes:milnce", "S3D-G, several candidate captions (MIL-NCE, CVPR 2020)"),
        "nce": Entry("pretrain.recipes:nce", "the same with one caption a clip"),
        "ranking": Entry("pretrain.recipes:ranking", "the same, max-margin and gated units (HowTo100M, 2019)"),
        "mmv_fac": Entry("pretrain.recipes:mmv_fac", "video, text and sound, fine and coarse space (MMV, 2020)"),
        "frozen": Entry("pretrain.recipes:frozen", "space-time transformer (Frozen in Time, 2021)"),
        "tiny_milnce": Entry("pretrain.recipes:tiny_milnce", "MIL-NCE in minutes on two cores"),
        "tiny_nce": Entry("pretrain.recipes:tiny_nce", "noise contrast in minutes on two cores"),
        "tiny_ranking": Entry("pretrain.recipes:tiny_ranking", "max-margin ranking in minutes on two cores"),
        "tiny_mmv_fac": Entry("pretrain.recipes:tiny_mmv_fac", "MMV in minutes on two cores"),
        "tiny_frozen": Entry("pretrain.recipes:tiny_frozen", "a small transformer in minutes on two cores"),
    },
)


def milnce() -> Recipe:
    """Miech et al., CVPR 2020: 16 frames at 5 per second, 5 candidates, Adam 1e-3 after 10,000 steps, no temperature.

    The word vectors are trained, as word2vec's are not at hand; the paper's batch of 8,192 needs as many GPUs.
    """
    return Recipe(
        model=ModelSettings(train_words=True),
        sampling=Sampling(),
        objective="milnce",
        precision="bf16",
    )


def nce() -> Recipe:
    """As `milnce` with the caption alone that the clip was drawn around."""
    base = milnce()
    return replace(base, objective="nce", sampling=replace(base.sampling, candidates=1))


def ranking() -> Recipe:
    """Miech et al., ICCV 2019: 32 videos with 64 clips each, margin 0.1, half the negatives' weight within a video.

    The paper ranks features of networks that are not trained; here the video encoder is.
    """
    base = milnce()
    return replace(
        base,
        model=replace(base.model, head="gated"),
        sampling=replace(base.sampling, candidates=1),
        objective="ranking",
        batch=2048,
        clips_per_video=64,
        micro_batch=256,
        rate=1e-4,
    )


def mmv_fac() -> Recipe:
    """Alayrac et al., NeurIPS 2020: fine space of video and sound, coarse one with text, temperature 0.07."""
    base = milnce()
    return replace(
        base,
        model=replace(base.model, head="fac", audio_layers=50, audio_rate=48_000),
        objective="mmv",
        objective_options={"temperature": 0.07},
        sync_norm=True,
        batch=4096,
    )


def frozen() -> Recipe:
    """Bain et al., ICCV 2021: a base transformer of 4 frames, temperature 0.05, AdamW 3e-5.

    The paper starts from weights of images, and from one frame: see `pretrain.training.curriculum`.
    """
    return Recipe(
        model=ModelSettings(
            video="transformer", video_options={"embedding": None}, head="unit", embedding=256, train_words=True
        ),
        sampling=Sampling(frames=4, fps=1.0, candidates=1),
        objective="frozen",
        objective_options={"temperature": 0.05},
        batch=96,
        rate=3e-5,
        decay=0.01,
        precision="bf16",
    )


def tiny_milnce() -> Recipe:
    """MIL-NCE with a small encoder on 8 frames of 48 px at 4 per second."""
    return Recipe(
        model=ModelSettings(video="small", embedding=128, word_size=64, hidden=256, train_words=True),
        sampling=Sampling(frames=8, fps=4.0, size=48, crop=1.0, shortest=2.0),
        objective="milnce",
        words=16,
        batch=128,
        steps=2500,
        warm_up=100,
        rate=2e-3,
    )


def tiny_nce() -> Recipe:
    """As `tiny_milnce`, with one caption a clip."""
    base = tiny_milnce()
    return replace(base, objective="nce", sampling=replace(base.sampling, candidates=1))


def tiny_ranking() -> Recipe:
    """As `tiny_nce`, with a margin; its scores are cosines."""
    base = tiny_nce()
    return replace(base, objective="ranking", model=replace(base.model, head="gated"))


def tiny_mmv_fac() -> Recipe:
    """As `tiny_milnce`, with sound of 16 kHz in 40 bands; a quarter of the usual channels hear it."""
    base = tiny_milnce()
    return replace(
        base,
        model=replace(base.model, head="fac", audio_layers=18, audio_bands=40, audio_stem=16),
        objective="mmv",
        objective_options={"temperature": 0.07},
    )


def tiny_frozen() -> Recipe:
    """A transformer of 3 layers on the same clips, 12 px a patch."""
    base = tiny_nce()
    options = {"embedding": None, "size": 48, "patch": 12, "frames": 8, "width": 128, "depth": 3, "heads": 4}
    return replace(
        base,
        model=replace(base.model, video="transformer", video_options=options, head="unit"),
        objective="frozen",
        objective_options={"temperature": 0.05},
        rate=5e-4,
        decay=0.01,
    )
