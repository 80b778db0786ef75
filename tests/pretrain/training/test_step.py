"""One step: gradients in pieces, activations computed again, statistics that are not counted twice; the schedule."""

import copy
import math

import pytest
import torch
from patterns import VOCABULARY, Patterns
from torch import nn

from pretrain.model import JointModel, ModelSettings
from pretrain.training.examples import collate, to_batch
from pretrain.training.loss import loss_of
from pretrain.training.recompute import recompute
from pretrain.training.schedule import rate_at
from pretrain.training.statistics import unremembered
from pretrain.training.step import backward, split

TRANSFORMER = {"embedding": None, "size": 16, "patch": 8, "frames": 4, "width": 24, "depth": 2, "heads": 2}
SMALL = {"widths": (8, 8, 8, 12), "stem": 4}
SIZES = {"embedding": 6, "word_size": 5, "hidden": 7, "train_words": True}


def model_of(video="transformer", head="linear"):
    torch.manual_seed(1)
    options = TRANSFORMER if video == "transformer" else SMALL
    sound = {"audio_layers": 18, "audio_bands": 16} if head == "fac" else {}
    settings = ModelSettings(video=video, video_options=options, head=head, **SIZES, **sound)
    return JointModel(settings, len(VOCABULARY)).train()


def batch_of(count=10, sound=False):
    examples = Patterns(sound=sound)
    clips = [examples[n] for n in range(count)]
    return to_batch(collate(clips, range(count), 16, VOCABULARY, 3), torch.device("cpu"))


def gradients(model):
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("objective", ["milnce", "nce", "frozen", "ranking"])
@pytest.mark.parametrize("pieces", [2, 3, 10])
def test_gradients_in_pieces_are_those_of_the_whole(objective, pieces):
    whole, parts = model_of(), model_of()
    loss = loss_of(objective, {})
    first = backward(whole, batch_of(), loss)
    second = backward(parts, batch_of(), loss, pieces=pieces)
    torch.testing.assert_close(first, second)
    expected, found = gradients(whole), gradients(parts)
    assert set(expected) == set(found)
    largest = max(float(g.abs().max()) for g in expected.values())
    assert largest > 1e-3
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-5 * largest, rtol=1e-3, msg=name)


@pytest.mark.parametrize("objective", ["milnce", "nce", "frozen", "ranking"])
def test_a_clip_without_a_word_that_is_known_takes_no_part(objective):
    model, loss, batch = model_of().eval(), loss_of(objective, {}), batch_of(6)
    batch.candidate[4:] = False
    with torch.no_grad():
        told, alone = (loss(model(part), part) for part in (batch, split(batch, 3)[0]))
        fewer = batch._replace(**{name: column[:4] for name, column in batch._asdict().items() if column is not None})
        torch.testing.assert_close(told, loss(model(fewer), fewer))
    assert abs(told - alone) > 1e-3, "it depends on the batch"


def test_pieces_cover_a_batch():
    batch = batch_of(10, sound=True)
    parts = split(batch, 3)
    for k, column in enumerate(batch):
        torch.testing.assert_close(torch.cat([part[k] for part in parts]), column)
    assert split(batch_of(4), 2)[0].wave is None


def test_statistics_of_pieces_are_counted_once():
    model = model_of("small")
    backward(model, batch_of(), loss_of("milnce", {}), pieces=2)
    counted = {int(m.num_batches_tracked) for m in model.modules() if isinstance(m, nn.BatchNorm3d)}
    assert counted == {2}, "two pieces, each counted when its gradient is passed on"


def test_unremembered_statistics_are_still_those_of_the_batch():
    norm = nn.BatchNorm1d(2).train()
    x = torch.randn(50, 2) * 3 + 5
    with unremembered(norm):
        found = norm(x)
    torch.testing.assert_close(found.mean(0), torch.zeros(2), atol=1e-5, rtol=0)
    assert norm.running_mean.tolist() == [0, 0]
    norm(x)
    assert norm.running_mean.abs().min() > 0.1


@pytest.mark.parametrize("video", ["transformer", "small"])
def test_activations_computed_again_give_the_same_gradients_and_statistics(video):
    plain = model_of(video)
    saving = copy.deepcopy(plain)
    recompute(saving.recomputable())
    loss = loss_of("milnce", {})
    torch.testing.assert_close(backward(plain, batch_of(), loss), backward(saving, batch_of(), loss))
    for name, gradient in gradients(plain).items():
        torch.testing.assert_close(gradients(saving)[name], gradient, msg=name)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(saving.state_dict()[name], value, msg=name)


def test_activations_are_not_kept():
    def kept(model):
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(lambda x: sizes.append(x.numel()) or x, lambda x: x):
            model.features(batch_of().video).sum()
        return sum(sizes) - batch_of().video.numel()

    plain = model_of("small")
    before = kept(plain)
    recompute(plain.recomputable())
    assert kept(plain) < before / 4


def test_clips_without_sound_and_without_known_words_take_no_part():
    model = model_of("small", "fac")
    batch = batch_of(6, sound=True)
    loss = loss_of("mmv", {"temperature": 0.07})
    assert batch.heard.tolist() == [False, True, True, False, True, True]
    value = backward(model, batch, loss)
    assert torch.isfinite(value)
    changed = batch._replace(wave=torch.where(batch.heard[:, None], batch.wave, torch.randn_like(batch.wave)))
    met, other = (m.eval()(b) for m, b in ((model, batch), (model, changed)))
    torch.testing.assert_close(loss(met, batch), loss(other, changed))
    silent = batch._replace(wave=None, heard=None)
    assert torch.isfinite(backward(model.train(), silent, loss))


def test_bfloat16_is_close_and_the_loss_is_single_precision():
    loss = loss_of("milnce", {})
    exact = backward(model_of(), batch_of(), loss)
    rough = backward(model_of(), batch_of(), loss, bf16=True)
    assert rough.dtype == torch.float32
    torch.testing.assert_close(rough, exact, rtol=0.02, atol=0.02)


def test_the_schedule_rises_in_a_line_and_falls_along_a_cosine():
    rates = [rate_at(step, steps=110, warm_up=10, peak=2.0) for step in range(110)]
    assert rates[:10] == pytest.approx([0.2 * (k + 1) for k in range(10)])
    assert rates[10] == 2.0
    assert rates[60] == pytest.approx(1.0)
    assert rates[109] == pytest.approx(1 + math.cos(math.pi * 0.99))
    assert rate_at(0, steps=1, warm_up=0, peak=3.0) == 3.0
