"""S3D-G: names and shapes of the published weights, shapes of every block, pooling by hand."""

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pretrain.gated_unit import GatedEmbeddingUnit
from pretrain.published import WeightsError, load_s3dg
from pretrain.text_encoder import TextModule
from pretrain.video_encoder import S3DG, SamePool, SelfGating, to_depth
from pretrain.vocabulary import Vocabulary, VocabularyError, words_of

KEYS = Path(__file__).parents[2].parent / "shared/facts/s3d_keys.txt"
"""Name and shape of every tensor of S3D_HowTo100M."""

SHAPES = {
    "conv1": (64, 16, 112, 112),
    "conv_2c": (192, 16, 56, 56),
    "mixed_3b": (256, 16, 28, 28),
    "mixed_3c": (480, 16, 28, 28),
    "mixed_4b": (512, 8, 14, 14),
    "mixed_4c": (512, 8, 14, 14),
    "mixed_4d": (512, 8, 14, 14),
    "mixed_4e": (528, 8, 14, 14),
    "mixed_4f": (832, 8, 14, 14),
    "mixed_5b": (832, 4, 7, 7),
    "mixed_5c": (1024, 4, 7, 7),
}
"""Of 32 frames of 224 x 224 px."""


@pytest.fixture(scope="module")
def published_shapes():
    if not KEYS.is_file():
        pytest.skip("needs ../shared/facts/s3d_keys.txt")
    lines = KEYS.read_text().splitlines()
    return {key: tuple(int(n) for n in sizes) for key, *sizes in (line.split() for line in lines)}


def test_names_and_shapes_are_the_published_ones(published_shapes):
    with torch.device("meta"):
        state = S3DG().state_dict()
    assert len(state) == 537
    assert {key: tuple(value.shape) for key, value in state.items()} == published_shapes
    assert list(state) == list(published_shapes), "and their order, which optimisers count by"


def test_parameters():
    with torch.device("meta"):
        model = S3DG()
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    text = count.pop("text_module")
    assert sum(count.values()) == pytest.approx(9.67e6, rel=1e-3)
    assert text + sum(count.values()) == pytest.approx(31.21e6, rel=1e-3)
    assert not model.text_module.word_embd.weight.requires_grad


@pytest.mark.parametrize("space_to_depth", [True, False])
def test_shapes_of_every_block(space_to_depth):
    with torch.device("meta"):
        model = S3DG(space_to_depth=space_to_depth, words=4).eval()
        found = model.features(torch.zeros(2, 3, 32, 224, 224))
        clip = model(torch.zeros(2, 3, 32, 224, 224))
    assert {name: tuple(x.shape[1:]) for name, x in found.items()} == SHAPES
    assert (clip.embedding.shape, clip.mixed_5c.shape) == ((2, 512), (2, 1024))


def test_embeddings_of_a_small_clip_are_finite_and_see_every_frame():
    torch.manual_seed(0)
    model = S3DG(words=4)  # Normalised by the clip itself: with no statistics yet a signal would fade.
    video = torch.rand(2, 3, 4, 64, 64)
    with torch.no_grad():
        clip = model(video)
        assert torch.isfinite(clip.embedding).all()
        torch.testing.assert_close(clip.mixed_5c, model.features(video)["mixed_5c"].mean((2, 3, 4)))
        torch.testing.assert_close(clip.embedding, model.fc(clip.mixed_5c))
        for t in range(4):
            other = video.clone()
            other[:, :, t] = 0
            assert not torch.allclose(model(other).embedding, clip.embedding, atol=1e-4), t


def test_pooling_pads_as_tensorflow_does():
    """Size 4, kernel 3, stride 2: one zero in all, at the end. By hand: max(1,2,3), max(3,4,0)."""
    row = torch.tensor([1.0, 2, 3, 4])
    found = SamePool((1, 1, 3), (1, 1, 2))(row[None, None, None, None])
    assert found.flatten().tolist() == [3, 4]
    # Kernel 3, stride 1: a zero on either side.
    assert SamePool((1, 1, 3), (1, 1, 1))(row[None, None, None, None]).flatten().tolist() == [2, 3, 4, 4]
    # Kernel and stride 2, size 3: none, and the last window is cut off.
    assert SamePool((1, 1, 2), (1, 1, 2))(row[None, None, None, None, :3]).flatten().tolist() == [2, 3]
    square = torch.arange(16.0).reshape(1, 1, 1, 4, 4)
    assert SamePool((1, 3, 3), (1, 2, 2))(square).flatten().tolist() == [10, 11, 14, 15]


def test_blocks_of_pixels_become_channels_in_order():
    video = torch.arange(2 * 3 * 4 * 2 * 6.0).reshape(2, 3, 4, 2, 6)
    found = to_depth(video)
    assert found.shape == (2, 24, 2, 1, 3)
    for dt, dy, dx, c in [(0, 0, 0, 0), (1, 0, 1, 2), (0, 1, 1, 1), (1, 1, 0, 2)]:
        channel = ((dt * 2 + dy) * 2 + dx) * 3 + c
        assert torch.equal(found[:, channel], video[:, c, dt::2, dy::2, dx::2])
    with pytest.raises(ValueError, match="even numbers"):
        to_depth(video[:, :, :3])


def test_gates():
    gate = SelfGating(2)
    with torch.no_grad():
        gate.fc.weight.copy_(torch.tensor([[0.0, 0.0], [1.0, 0.0]]))
        gate.fc.bias.zero_()
    x = torch.stack([torch.full((1, 2, 2), 3.0), torch.ones(1, 2, 2)])[None]
    found = gate(x)
    torch.testing.assert_close(found[0, 0], torch.full((1, 2, 2), 1.5))
    torch.testing.assert_close(found[0, 1], torch.full((1, 2, 2), float(torch.sigmoid(torch.tensor(3.0)))))
    unit = GatedEmbeddingUnit(4, 3)
    x = torch.randn(5, 4)
    y = unit.fc(x)
    expected = nn.functional.normalize(y * torch.sigmoid(unit.gate(y)), dim=-1)
    torch.testing.assert_close(unit(x), expected)


def test_text_is_the_largest_activation_over_words():
    text = TextModule(8, words=10)
    words = torch.tensor([[3, 5, 0], [5, 3, 0]])
    one, other = text(words)
    torch.testing.assert_close(one, other, msg="bag of words")
    hidden = torch.relu(text.fc1(text.word_embd.weight[[3, 5, 0]])).max(0).values
    torch.testing.assert_close(one, text.fc2(hidden))
    assert text(words[None]).shape == (1, 2, 8)


def test_words():
    assert words_of("Don't pour -- the COFFEE_2, yet!") == ["don't", "pour", "the", "coffee_2", "yet"]
    vocabulary = Vocabulary(["pour", "the", "coffee"])
    assert len(vocabulary) == 4
    assert vocabulary.encode(["Pour the hot coffee", "tea?", "the the the"], 2).tolist() == [[1, 2], [0, 0], [2, 2]]
    assert vocabulary.encode([], 5).shape == (0, 5)
    twice = Vocabulary(["a", "b", "a"])
    assert len(twice) == 4, "a row of weights for every place"
    assert twice.encode(["a b"], 2).tolist() == [[3, 2]]


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(1)
    return S3DG(16, words=4)


@pytest.mark.parametrize("wrapped", [lambda s: s, lambda s: {"state_dict": {f"module.{k}": v for k, v in s.items()}}])
def test_weights_by_path(small, tmp_path, wrapped):
    torch.save(wrapped(small.state_dict()), tmp_path / "s3d.pth")
    np.save(tmp_path / "s3d_dict.npy", np.array(["pour", "the", "coffee"]))
    model, vocabulary = load_s3dg(tmp_path / "s3d.pth", tmp_path / "s3d_dict.npy")
    assert not model.training
    assert not model.text_module.word_embd.weight.requires_grad
    assert vocabulary.words == ("pour", "the", "coffee")
    for key, value in small.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key
    plain = S3DG(16, words=4, space_to_depth=False)
    torch.save(plain.state_dict(), tmp_path / "plain.pth")
    assert not load_s3dg(tmp_path / "plain.pth")[0].space_to_depth


def test_bad_weights_are_answered(small, tmp_path):
    state = small.state_dict()
    cases = {
        "truncated": (None, "cannot be read"),
        "text": (b"not weights", r"cannot be read \(damaged, or not torch's\)$"),
        "objects": ({"args": Namespace(lr=1)}, r"it holds argparse\.Namespace; only tensors and plain values are read"),
        "resnet": ({"layer1.weight": torch.zeros(2)}, "not an S3D-G with its text module; it holds layer1.weight"),
        "gateless": ({k: v for k, v in state.items() if "gating" not in k}, "missing: gating.fc.bias, .* and 71 more"),
        "other": ({**state, "head.weight": torch.zeros(1)}, "not of this network: head.weight"),
        "shape": (
            {**state, "mixed_3b.conv_b0.bn1.bias": torch.zeros(9)},
            "of another shape: mixed_3b.conv_b0.bn1.bias",
        ),
        "list": ([torch.zeros(1)], "not a state dict of tensors"),
        "numbers": ({"epoch": 3}, "not a state dict of tensors"),
    }
    for name, (content, said) in cases.items():
        path = tmp_path / f"{name}.pth"
        if name == "truncated":
            torch.save(state, path)
            path.write_bytes(path.read_bytes()[:-2000])
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path)
        with pytest.raises(WeightsError, match=f"{name}.pth: .*{said}"):
            load_s3dg(path)
    with pytest.raises(WeightsError, match=r"absent\.pth: weights cannot be read"):
        load_s3dg(tmp_path / "absent.pth")


def test_bad_dictionaries_are_answered(small, tmp_path):
    torch.save(small.state_dict(), tmp_path / "s3d.pth")
    np.save(tmp_path / "long.npy", np.array(["a", "b", "c", "d"]))
    with pytest.raises(WeightsError, match=r"4 words, but .* has vectors of 3"):
        load_s3dg(tmp_path / "s3d.pth", tmp_path / "long.npy")
    np.save(tmp_path / "objects.npy", np.array(["a", None], object), allow_pickle=True)
    np.save(tmp_path / "numbers.npy", np.arange(3))
    for name in ("objects", "numbers", "absent"):
        with pytest.raises(VocabularyError, match=f"{name}.npy"):
            Vocabulary.load(tmp_path / f"{name}.npy")
    (tmp_path / "words.txt").write_text("pour\nthe\ncoffee\n")
    assert Vocabulary.load(tmp_path / "words.txt").words == ("pour", "the", "coffee")
