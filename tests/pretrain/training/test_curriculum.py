"""Single frames first: what a transformer may learn from them, and how clips go on from there."""

import dataclasses
import json

import pytest
import torch
from patterns import VOCABULARY, Patterns

from pretrain.model import ModelSettings
from pretrain.pretrained import Pretrained
from pretrain.sampling import Sampling
from pretrain.training.checkpoint import CheckpointError
from pretrain.training.curriculum import Learned, Stage, from_stills, train_stages
from pretrain.training.curve import read_curve
from pretrain.training.loop import Keeping
from pretrain.training.recipe import Recipe, RecipeError
from pretrain.training.train import CHECKPOINT, CURVE

SIZE, FRAMES = 16, 4
MODEL = ModelSettings(
    video="transformer",
    video_options={"embedding": None, "size": SIZE, "patch": 8, "frames": FRAMES, "width": 24, "depth": 2, "heads": 2},
    head="unit",
    embedding=8,
    word_size=6,
    hidden=12,
    train_words=True,
)
RECIPE = Recipe(
    model=MODEL,
    sampling=Sampling(frames=FRAMES, fps=1.0, size=SIZE, shortest=2.0),
    objective="nce",
    words=3,
    batch=8,
    steps=6,
    warm_up=0,
    rate=3e-3,
    decay=0.1,
)
KEEPING = Keeping(save_every=4, tell_every=1, look_at=12, board=False)


class PowerIsGone(RuntimeError):
    pass


class Breaking(Patterns):
    """Examples until enough have been made."""

    def __init__(self, left, frames):
        super().__init__(frames=frames)
        self.left = left

    def __getitem__(self, number):
        self.left -= 1
        if self.left < 0:
            raise PowerIsGone
        return super().__getitem__(number)


def learn(folder, stages=None, breaking=None):
    """All stages; of the stage with `breaking[0]` frames only some examples can be made."""

    def learned(sampling):
        if breaking is not None and breaking[0] == sampling.frames:
            return Learned(Breaking(breaking[1], sampling.frames), None)
        return Learned(Patterns(frames=sampling.frames), None)

    stages = stages or from_stills(RECIPE, 10)
    return train_stages(stages, folder, learned, vocabulary=VOCABULARY, name="test", keeping=KEEPING)


def losses(folder):
    return [row["loss"] for row in read_curve(folder / CURVE) if "loss" in row]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("curriculum")
    return folder, learn(folder)


def apart(model):
    """Largest difference between features of a frame and those of its repetition, and between two frames."""
    frames = torch.rand(3, 3, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        once, again = (model.model.features(clip) for clip in (frames, frames.expand(-1, -1, FRAMES, -1, -1)))
    return float((again - once).abs().max()), float((once[0] - once[1]).abs().max())


def test_after_single_frames_a_still_video_is_its_frame_and_after_clips_it_is_not(whole):
    folder, trained = whole
    repeated, other = apart(Pretrained.load(folder / "stills"))
    assert repeated <= 1e-6 < 1e-3 < other
    assert apart(trained)[0] > 1e-4, "clips teach time"
    assert losses(folder / "stills")[-1] != losses(folder / "stills")[0]


def test_single_frames_without_the_rule_teach_what_tells_moments_apart(tmp_path):
    free = dataclasses.replace(from_stills(RECIPE, 10)[0].recipe, frozen=())
    assert apart(learn(tmp_path, [Stage("", free)]))[0] > 1e-4


def test_clips_go_on_from_what_frames_have_taught(tmp_path):
    first, _ = from_stills(RECIPE, 10)
    slow = Stage("clips", dataclasses.replace(RECIPE, steps=1, rate=1e-12, decay=0.0))
    trained = learn(tmp_path, [first, slow]).model.state_dict()
    for name, value in Pretrained.load(tmp_path / "stills").model.state_dict().items():
        torch.testing.assert_close(trained[name], value, msg=name)


@pytest.mark.parametrize(("frames", "steps"), [(1, 6), (FRAMES, 5)])
def test_a_training_that_stops_in_either_stage_goes_on_exactly(whole, tmp_path, frames, steps):
    with pytest.raises(PowerIsGone):
        learn(tmp_path, breaking=(frames, 12 + 8 * steps))
    assert (tmp_path / "clips").exists() == (frames > 1)
    resumed = learn(tmp_path)
    assert resumed.fingerprint() == whole[1].fingerprint()
    for stage in ("stills", "clips"):
        assert losses(tmp_path / stage) == losses(whole[0] / stage)


def test_clips_after_other_frames_are_refused(tmp_path):
    stages = tuple(
        stage._replace(recipe=dataclasses.replace(stage.recipe, steps=1)) for stage in from_stills(RECIPE, 1)
    )
    learn(tmp_path, stages)
    first = stages[0]._replace(recipe=dataclasses.replace(stages[0].recipe, rate=1e-3))
    with pytest.raises(CheckpointError, match=r"stills.*recipe\.rate was 0\.003, is 0\.001"):
        learn(tmp_path, (first, stages[1]))
    (tmp_path / "stills" / CHECKPOINT).unlink()
    with pytest.raises(CheckpointError, match=r"clips.*start was"):
        learn(tmp_path, (first, stages[1]))


def test_a_frame_may_be_any_of_the_stretch_that_a_clip_is_drawn_from():
    first, then = from_stills(RECIPE, 10)
    assert (first.recipe.sampling.frames, first.recipe.sampling.shortest) == (1, RECIPE.sampling.seconds)
    assert first.recipe.steps == 10
    assert then.recipe == RECIPE


def test_what_has_no_curriculum():
    clips = dataclasses.replace(RECIPE, model=ModelSettings(video="small"))
    with pytest.raises(RecipeError, match="'small' is for clips alone; take a recipe with a transformer"):
        from_stills(clips, 10)
    with pytest.raises(RecipeError, match="steps and words must be at least 1"):
        from_stills(RECIPE, -1)
    with pytest.raises(ValueError, match="at least one stage"):
        train_stages([], "nowhere", lambda _: Learned(Patterns(), None), vocabulary=VOCABULARY, name="test")


def test_a_part_that_a_model_does_not_have(tmp_path):
    with pytest.raises(RecipeError, match="frozen: the model has no part 'stem'"):
        learn(tmp_path, [Stage("", dataclasses.replace(RECIPE, frozen=("stem",)))])


def test_a_checkpoint_of_a_version_that_froze_nothing_goes_on(tmp_path):
    with pytest.raises(PowerIsGone):
        learn(tmp_path, [Stage("", RECIPE)], breaking=(FRAMES, 12 + 8 * 5))
    content = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    key = json.loads(content["key"])
    assert key["recipe"].pop("frozen") == []
    torch.save({**content, "key": json.dumps(key)}, tmp_path / CHECKPOINT)
    learn(tmp_path, [Stage("", RECIPE)])
    assert len(losses(tmp_path)) == RECIPE.steps
