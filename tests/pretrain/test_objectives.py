"""Closed forms and laws of the objectives; the same gradients on any number of processes."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pretrain.objectives import OBJECTIVES
from pretrain.objectives.frozen import frozen
from pretrain.objectives.milnce import milnce
from pretrain.objectives.mmv import MMVHeads, Modalities, mmv
from pretrain.objectives.nce import nce
from pretrain.objectives.ranking import ranking
from pretrain.objectives.scores import log_sum_scores


def embeddings(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


sizes = st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(1, 5), st.integers(0, 999))


def plain_milnce(video, text):
    """Term by term, as the paper writes it."""
    x = torch.einsum("id,jkd->ijk", video, text)
    losses = []
    for i in range(len(video)):
        everything = torch.cat([x[i].flatten(), x[:, i].flatten()])
        losses.append(everything.logsumexp(0) - x[i, i].logsumexp(0))
    return torch.stack(losses).mean()


@given(sizes)
@settings(max_examples=30, deadline=None)
def test_milnce_is_the_papers_sum(size):
    B, K, D, seed = size
    video, text = embeddings(B, D, seed=seed), embeddings(B, K, D, seed=seed + 1)
    expected = plain_milnce(video, text)
    torch.testing.assert_close(milnce(video, text), expected)
    torch.testing.assert_close(milnce(video, text, chunk=2), expected)
    assert milnce(video, text) >= math.log(2) - 1e-5


@given(sizes)
@settings(max_examples=20, deadline=None)
def test_milnce_does_not_know_the_order_of_candidates(size):
    B, K, D, seed = size
    video, text = embeddings(B, D, seed=seed), embeddings(B, K, D, seed=seed + 1)
    shuffled = torch.stack([rows[torch.randperm(K)] for rows in text])
    torch.testing.assert_close(milnce(video, shuffled), milnce(video, text))


@pytest.mark.parametrize(("B", "K"), [(1, 1), (4, 3), (9, 5)])
def test_milnce_of_zeros_and_of_perfect_pairs(B, K):
    zeros = milnce(torch.zeros(B, 8), torch.zeros(B, K, 8))
    assert float(zeros) == pytest.approx(math.log(2 * B))
    perfect = 50 * torch.eye(B)
    assert float(milnce(perfect, perfect[:, None].repeat(1, K, 1))) == pytest.approx(math.log(2), abs=1e-4)


@given(sizes)
@settings(max_examples=20, deadline=None)
def test_one_candidate_is_nce_with_its_positive_counted_twice(size):
    B, _, D, seed = size
    video, text = embeddings(B, D, seed=seed), embeddings(B, D, seed=seed + 1)
    own = (video * text).sum(1)
    x = video @ text.T
    doubled = [torch.cat([x[i], x[:, i]]).logsumexp(0) - own[i] for i in range(B)]
    once = [torch.cat([x[i], x[:i, i], x[i + 1 :, i]]).logsumexp(0) - own[i] for i in range(B)]
    torch.testing.assert_close(milnce(video, text[:, None]), torch.stack(doubled).mean())
    torch.testing.assert_close(nce(video, text), torch.stack(once).mean(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(nce(video, text, chunk=3), torch.stack(once).mean(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("B", [1, 5])
def test_nce_of_zeros(B):
    assert float(nce(torch.zeros(B, 4), torch.zeros(B, 4))) == pytest.approx(math.log(2 * B - 1), abs=1e-6)


def test_candidates_and_pairs_that_are_not_there():
    video, text = embeddings(5, 6), embeddings(5, 3, 6, seed=1)
    said = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 0]], dtype=torch.bool)
    there = said.any(1)
    x = torch.einsum("id,jkd->ijk", video, text)
    losses = []
    for i in torch.flatten(torch.nonzero(there)).tolist():
        everything = torch.cat([x[i][said], x[there][:, i][:, said[i]].flatten()])
        losses.append(everything.logsumexp(0) - x[i, i][said[i]].logsumexp(0))
    torch.testing.assert_close(milnce(video, text, candidate=said), torch.stack(losses).mean())


@pytest.mark.parametrize("objective", [nce, frozen, ranking])
def test_pairs_that_are_not_there(objective):
    there = torch.tensor([1, 1, 0, 1, 0], dtype=torch.bool)
    one, other = embeddings(5, 6), embeddings(5, 6, seed=1)
    torch.testing.assert_close(objective(one, other, known=there), objective(one[there], other[there]))
    one.requires_grad_()
    alone = objective(one, other, known=torch.zeros(5, dtype=torch.bool))
    alone.backward()
    assert alone == 0
    assert torch.equal(one.grad, torch.zeros_like(one))


def test_a_single_pair_has_gradients():
    one = embeddings(1, 4).requires_grad_()
    nce(one, embeddings(1, 4, seed=1)).backward()
    assert torch.isfinite(one.grad).all()


def test_frozen_in_closed_form():
    alike = torch.ones(6, 3)
    assert float(frozen(alike, alike)) == pytest.approx(2 * math.log(6), rel=1e-5)
    assert float(frozen(torch.eye(6), 7 * torch.eye(6))) == pytest.approx(0, abs=1e-6), "lengths do not count"
    video, text = embeddings(4, 5), embeddings(4, 5, seed=1)
    x = torch.nn.functional.normalize(video) @ torch.nn.functional.normalize(text).T / 0.05
    both = torch.nn.functional.cross_entropy(x, torch.arange(4)) + torch.nn.functional.cross_entropy(
        x.T, torch.arange(4)
    )
    torch.testing.assert_close(frozen(video, text), both)


def test_ranking_by_hand():
    """Two clips: x = [[1, .95], [.2, .5]], margin .1."""
    video, text = torch.eye(2), torch.tensor([[1.0, 0.2], [0.95, 0.5]])
    # First pair: caption 2 scores .95 (.05 too much), clip 2 scores .2. Second: caption 1 .2, clip 1 .95 (.55).
    assert float(ranking(video, text)) == pytest.approx((0.05 + 0.55) / 2)
    assert float(ranking(video, text, source=torch.tensor([3, 3]))) == pytest.approx((0.05 + 0.55) / 2)


def test_ranking_weighs_negatives_of_the_same_video():
    video, text = embeddings(6, 4), embeddings(6, 4, seed=1)
    source = torch.tensor([0, 0, 1, 1, 1, 2])
    x = video @ text.T
    losses = []
    for i in range(6):
        hinge = (0.1 + x[i] - x[i, i]).relu() + (0.1 + x[:, i] - x[i, i]).relu()
        near = (source == source[i]) & (torch.arange(6) != i)
        far = source != source[i]
        losses.append(0.3 * hinge[near].mean() + 0.7 * hinge[far].mean() if near.any() else hinge[far].mean())
    torch.testing.assert_close(ranking(video, text, source=source, within=0.3), torch.stack(losses).mean())


@pytest.mark.parametrize("graph", ["shared", "disjoint", "fac"])
def test_mmv_takes_whatever_there_is(graph):
    heads = MMVHeads(graph, video=12, audio=10, text=8, fine=6, coarse=4)
    video, audio, text = embeddings(5, 12), embeddings(5, 10, seed=1), embeddings(5, 3, 8, seed=2)
    both = heads(Modalities(video, audio, text))
    sound, words = heads(Modalities(video, audio)), heads(Modalities(video, text=text))
    torch.testing.assert_close(mmv(both, text_weight=0.0), mmv(sound))
    torch.testing.assert_close(mmv(both), mmv(sound) + mmv(words))
    assert both.text.shape[-1] == (6 if graph == "shared" else 4)
    torch.testing.assert_close(both.text.norm(dim=-1), torch.ones(5, 3))
    some = torch.tensor([True, False, True, True, False])
    fewer = heads.eval()(Modalities(video, audio, text))
    chosen = heads(Modalities(video[some], audio[some], text[some]))
    torch.testing.assert_close(mmv(fewer, has_audio=some, has_text=some), mmv(chosen))
    with pytest.raises(ValueError, match="neither sound nor text"):
        mmv(heads(Modalities(video)))


def test_sound_reaches_text_through_the_head_of_video():
    heads = MMVHeads("fac", video=12, audio=10, text=8, fine=6, coarse=4).eval()
    audio = embeddings(3, 10)
    expected = torch.nn.functional.normalize(heads.video_coarse(heads.audio(audio)), dim=-1)
    torch.testing.assert_close(heads.audio_with_text(audio), expected)
    with pytest.raises(ValueError, match="no space in which audio meets text"):
        MMVHeads("disjoint", video=12, audio=10, text=8).audio_with_text(audio)
    with pytest.raises(ValueError, match="unknown graph"):
        MMVHeads("tree", video=1, audio=1, text=1)


def test_scores_are_summed_in_single_precision_and_in_pieces():
    rows, columns = embeddings(4, 16), embeddings(50, 16, seed=1)
    expected = (rows @ columns.T).logsumexp(1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = log_sum_scores(rows, columns, chunk=7)
    torch.testing.assert_close(found, expected)
    assert found.dtype == torch.float32
    whole, pieces = (rows.clone().requires_grad_() for _ in range(2))
    log_sum_scores(whole, columns).sum().backward()
    log_sum_scores(pieces, columns, chunk=7).sum().backward()
    torch.testing.assert_close(whole.grad, pieces.grad)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_can_be_loaded(name):
    assert callable(OBJECTIVES.load(name))
