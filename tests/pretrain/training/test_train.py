"""Trainings: what is learned, exact resumption after a kill, the same on two processes, and what is refused."""

import dataclasses
import errno
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from patterns import COLOURS, VOCABULARY, Patterns
from torch.utils.flop_counter import FlopCounterMode

from pretrain.model import JointModel, ModelSettings
from pretrain.pretrained import Pretrained
from pretrain.recipes import RECIPES
from pretrain.sampling import Sampling
from pretrain.training import checkpoint as checkpoints
from pretrain.training.checkpoint import CheckpointError
from pretrain.training.curve import read_curve
from pretrain.training.examples import collate, to_batch
from pretrain.training.loop import Keeping, TrainingError
from pretrain.training.loss import loss_of
from pretrain.training.order import Order
from pretrain.training.recipe import Recipe, RecipeError
from pretrain.training.step import backward
from pretrain.training.train import CHECKPOINT, CURVE, EVENTS, RECIPE, train
from pretrain.training.wrapping import wrapped

OPTIONS = {
    "small": {"widths": (8, 12, 16), "stem": 6},
    "transformer": {"embedding": None, "size": 16, "patch": 8, "frames": 4, "width": 24, "depth": 1, "heads": 2},
}
CPU = torch.device("cpu")
QUIET = Keeping(save_every=5, tell_every=2, look_every=6, look_at=12, board=False)


def recipe_of(video="small", steps=12, **changes):
    head = changes.pop("head", "linear")
    return Recipe(
        model=ModelSettings(
            video=video, video_options=OPTIONS[video], head=head, embedding=8, word_size=6, hidden=12, train_words=True
        ),
        sampling=Sampling(frames=4, size=16),
        objective=changes.pop("objective", "milnce"),
        words=3,
        batch=changes.pop("batch", 8),
        steps=steps,
        warm_up=2,
        rate=3e-3,
        **changes,
    )


def trained(folder, recipe=None, examples=None, **options):
    return train(
        examples or Patterns(), recipe or recipe_of(), folder, vocabulary=VOCABULARY, name="test",
        keeping=options.pop("keeping", QUIET), **options,
    )  # fmt: skip


def losses(folder):
    return [(row["step"], row["loss"]) for row in read_curve(folder / CURVE) if "loss" in row]


class Interrupted(Patterns):
    """Example by example until enough have been made."""

    def __init__(self, examples):
        super().__init__()
        self.left = examples

    def __getitem__(self, number):
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("the power is gone")
        return super().__getitem__(number)


def test_a_model_learns_which_colour_is_bright(tmp_path):
    made = trained(tmp_path, recipe_of(steps=150, objective="nce", batch=16), held=Patterns(side=16))
    examples = Patterns()
    clips = np.stack([examples[n].frames for n in range(1000, 1040)])
    scores = made.encode_clips(clips).embedding @ made.encode_sentences([f"look {colour}" for colour in COLOURS]).T
    assert (scores.argmax(axis=1) == np.arange(1000, 1040) % 4).mean() > 0.9
    rows = [row for row in read_curve(tmp_path / CURVE) if "rank" in row]
    assert rows[-1]["seen"] > 0.8 > 0.7 > rows[0]["seen"]
    assert rows[-1]["unseen"] == pytest.approx(rows[-1]["seen"]), "the same clips here"
    again = Pretrained.load(tmp_path)
    assert again.fingerprint() == made.fingerprint()
    assert not again.sampling.augment


@pytest.mark.parametrize("video", ["small", "transformer"])
@pytest.mark.parametrize("after", [3, 7, 11])
def test_a_training_that_stopped_goes_on_exactly(tmp_path, video, after):
    recipe = recipe_of(video)
    whole = trained(tmp_path / "whole", recipe)
    with pytest.raises(RuntimeError, match="power"):
        trained(tmp_path / "parts", recipe, Interrupted(12 + 8 * after))
    stopped = losses(tmp_path / "parts")
    assert len(stopped) == after // 5 * 5 if after % 5 < 2 else len(stopped) >= after // 5 * 5
    resumed = trained(tmp_path / "parts", recipe)
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    assert resumed.fingerprint() == whole.fingerprint()


def test_a_finished_training_is_not_repeated(tmp_path):
    first = trained(tmp_path)
    second = trained(tmp_path, examples=Interrupted(0))
    assert second.fingerprint() == first.fingerprint()


KILLED = """
import sys
sys.path[:0] = {paths!r}
if __name__ == "__main__":
    from test_train import recipe_of, trained
    trained({folder!r}, recipe_of(steps=150), workers=1)
"""


def test_a_killed_process_is_resumed_exactly(tmp_path):
    code = KILLED.format(paths=[str(Path(__file__).parent), *sys.path], folder=str(tmp_path / "killed"))
    script = tmp_path / "run.py"
    script.write_text(code)
    with subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 120
        while not (tmp_path / "killed" / CHECKPOINT).exists() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        _, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said.decode()
    kept = checkpoints.torch.load(tmp_path / "killed" / CHECKPOINT, weights_only=True)["step"]
    assert 0 < kept < 150
    trained(tmp_path / "killed", recipe_of(steps=150))
    trained(tmp_path / "whole", recipe_of(steps=150))
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")


def test_a_request_to_end_is_answered_after_the_step(tmp_path):
    asked = Order(16, batch=8).numbers(4)[3]

    class Asking(Patterns):
        def __getitem__(self, number):
            if number == asked:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().__getitem__(number)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "parts", examples=Asking())
    assert signal.getsignal(signal.SIGTERM) is before
    assert [step for step, _ in losses(tmp_path / "parts")] == [0, 1, 2, 3, 4]
    trained(tmp_path / "parts")
    trained(tmp_path / "whole")
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")


def gradients(model, net, count, *, first=0, pieces=1):
    """Of the mean loss of `count` clips from `first` on, by a model that `net` may be wrapped around."""
    model.zero_grad()
    numbers = range(first, first + count)
    batch = to_batch(collate([Patterns()[n] for n in numbers], numbers, 16, VOCABULARY, 3), CPU)
    backward(net, batch, loss_of("milnce", {}), pieces=pieces)
    return {name: p.grad.clone() for name, p in model.named_parameters()}


def work(number, address, folder, recipe):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{address}", rank=number, world_size=2)
    torch.manual_seed(0)
    model = JointModel(recipe.model, len(VOCABULARY)).train()
    net = wrapped(model, recipe, CPU)
    found = [gradients(model, net, 2, first=2 * number, pieces=pieces) for pieces in (1, 2)]
    if number == 0:
        torch.save(found, folder / "gradients.pt")
    trained(folder / "two", recipe)
    dist.barrier()
    dist.destroy_process_group()


def test_two_processes_learn_what_one_does(tmp_path):
    recipe = recipe_of("transformer", steps=6)
    mp.spawn(work, (str(tmp_path / "address"), tmp_path, recipe), nprocs=2)
    torch.manual_seed(0)
    model = JointModel(recipe.model, len(VOCABULARY)).train()
    expected = gradients(model, model, 4)
    for found in torch.load(tmp_path / "gradients.pt"):
        for name, gradient in expected.items():
            torch.testing.assert_close(found[name], gradient, atol=1e-6, rtol=1e-4, msg=name)
    trained(tmp_path / "one", recipe)
    # Rounding grows later on, where Adam divides a gradient of nearly nothing by itself.
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) == len(two) == 6
    np.testing.assert_allclose(two[:2], one[:2], rtol=1e-5)
    assert Pretrained.load(tmp_path / "two").name == "test"


def test_weights_to_start_from(tmp_path):
    first = trained(tmp_path / "first")
    state = first.model.state_dict()
    slow = dataclasses.replace(recipe_of(steps=1), rate=1e-12)
    second = trained(tmp_path / "second", slow, start=state)
    torch.testing.assert_close(second.model.text.fc1.weight, first.model.text.fc1.weight)
    with pytest.raises(CheckpointError, match="start was"):
        trained(tmp_path / "second", slow)


def test_another_training_in_the_same_folder_is_refused_with_what_differs(tmp_path):
    trained(tmp_path)
    with pytest.raises(CheckpointError, match=r"recipe\.rate was 0\.003, is 0\.1"):
        trained(tmp_path, dataclasses.replace(recipe_of(), rate=0.1))
    with pytest.raises(CheckpointError, match="videos was 16, is 17"):
        trained(tmp_path, examples=Patterns(17))
    path = tmp_path / CHECKPOINT
    content = torch.load(path, weights_only=True)
    key = json.loads(content["key"])
    key["recipe"]["later"] = 3
    torch.save({**content, "key": json.dumps(key)}, path)
    with pytest.raises(CheckpointError, match=r"recipe\.later was 3, is None"):
        trained(tmp_path)
    for damaged in ("{", "[]", "{}"):
        torch.save({**content, "key": damaged}, path)
        with pytest.raises(CheckpointError, match="damaged"):
            trained(tmp_path)
    for other in (torch.zeros(2), [1], {"version": 1}):
        torch.save(other, path)
        with pytest.raises(CheckpointError, match="damaged"):
            trained(tmp_path)
    torch.save(content, path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(CheckpointError, match="damaged"):
        trained(tmp_path)
    path.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(CheckpointError, match="damaged"):
        trained(tmp_path)


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    with pytest.raises(RuntimeError, match="power"):
        trained(tmp_path, examples=Interrupted(12 + 8 * 7))
    before = (tmp_path / CHECKPOINT).read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoints.torch, "save", full)
    with pytest.raises(CheckpointError, match=r"step 10 cannot be written .*No space left.*run again"):
        trained(tmp_path)
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == [CHECKPOINT, CURVE, RECIPE]
    monkeypatch.undo()
    trained(tmp_path)
    trained(tmp_path / "whole")
    assert losses(tmp_path) == losses(tmp_path / "whole")


def test_a_loss_that_is_not_finite_ends_the_training_before_it_is_kept(tmp_path):
    with pytest.raises(TrainingError, match=r"step \d+: the loss is not finite at a learning rate of"):
        trained(tmp_path, dataclasses.replace(recipe_of(steps=60), rate=1e30, warm_up=0))
    assert all(np.isfinite(loss) for _, loss in losses(tmp_path))
    assert not (tmp_path / CHECKPOINT).exists()


def test_weights_that_are_not_finite_are_told_and_end_the_training(tmp_path, caplog, monkeypatch):
    from pretrain.training import loop as module

    def blown(net, *arguments, **options):
        value = backward(net, *arguments, **options)
        for parameter in net.parameters():
            parameter.data.fill_(float("nan"))
        return value

    monkeypatch.setattr(module, "backward", blown)
    quick = dataclasses.replace(QUIET, tell_every=50, save_every=50, look_every=1)
    with pytest.raises(TrainingError, match="step 1: the loss is not finite"):
        trained(tmp_path, keeping=quick)
    assert "embeddings are not finite" in caplog.text


def test_collapse_is_told(tmp_path, caplog):
    class Same(Patterns):
        def __getitem__(self, number):
            return super().__getitem__(0)

    trained(tmp_path, examples=Same())
    assert "embeddings have collapsed" in caplog.text


def test_events_and_recipe_are_written(tmp_path):
    trained(tmp_path, keeping=dataclasses.replace(QUIET, board=True))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / EVENTS))
    events.Reload()
    assert [event.step for event in events.Scalars("loss")] == list(range(12))
    again = Recipe.from_json(json.loads((tmp_path / RECIPE).read_text()))
    assert again.to_json() == json.loads(json.dumps(recipe_of().to_json()))


@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith("tiny")])
def test_every_tiny_recipe_makes_a_step(tmp_path, name):
    full = RECIPES.load(name)()
    recipe = dataclasses.replace(full, batch=4, steps=1, warm_up=0)
    examples = Patterns(8, side=full.sampling.size, frames=full.sampling.frames, sound=name == "tiny_mmv_fac")
    made = trained(tmp_path, recipe, examples)
    assert np.isfinite(losses(tmp_path)[0][1])
    assert made.name == "test"


HALF_AN_HOUR = 2 * 1800 * 70e9
"""Operations of two cores at 70 GFLOP/s each, as the small model is trained on an AMD EPYC."""


@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith("tiny")])
def test_every_tiny_recipe_is_half_an_hour_of_two_cores_at_most(name):
    recipe = RECIPES.load(name)()
    examples = Patterns(8, side=recipe.sampling.size, frames=recipe.sampling.frames)
    batch = to_batch(collate([examples[0]], [0], 8, VOCABULARY, recipe.words), CPU)
    if recipe.model.audio_layers is not None:
        batch = batch._replace(wave=torch.zeros(1, round(recipe.sampling.seconds * recipe.model.audio_rate)))
    model = JointModel(recipe.model, len(VOCABULARY)).eval()
    with FlopCounterMode(display=False) as counted:
        model(batch)
    assert 3 * counted.get_total_flops() * recipe.batch * recipe.steps < HALF_AN_HOUR, (
        "the way back costs twice as much"
    )


@pytest.mark.parametrize("name", list(RECIPES))
def test_every_recipe_has_a_model_and_is_kept_as_json(name):
    recipe = RECIPES.load(name)()
    model, size = JointModel(recipe.model, 50).eval().to("meta"), recipe.sampling.size
    clip = torch.zeros(1, 3, recipe.sampling.frames, size, size, device="meta")
    assert model.embed_video(clip).shape[0] == 1
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert again.to_json() == json.loads(json.dumps(recipe.to_json()))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": "mmv"}, "does not go with the head 'linear'"),
        ({"clips_per_video": 3}, "no multiple of 3"),
        ({"steps": 0}, "steps and words must be at least 1"),
        ({"rate": math.inf}, "must be positive and finite"),
        ({"micro_batch": 0}, "at least one clip"),
    ],
)
def test_recipes_that_make_no_sense(changes, message):
    with pytest.raises(RecipeError, match=message):
        dataclasses.replace(recipe_of(), **changes)


def test_what_cannot_be_done_here(tmp_path):
    with pytest.raises(RecipeError, match="GPUs only"):
        trained(tmp_path, dataclasses.replace(recipe_of(), sync_norm=True))
    with pytest.raises(RecipeError, match="not a recipe"):
        Recipe.from_json({"model": {}})
