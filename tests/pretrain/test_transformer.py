import pytest
import torch

from pretrain.transformer import Attention, SpaceTimeTransformer, extend_time


@pytest.fixture
def small():
    torch.manual_seed(0)
    return SpaceTimeTransformer(8, size=32, patch=16, frames=4, width=24, depth=3, heads=3)


def test_an_image_and_its_repetition_are_the_same_at_first(small):
    image = torch.rand(2, 3, 1, 32, 32)
    torch.testing.assert_close(small(image.expand(-1, -1, 4, -1, -1)), small(image))
    assert not torch.allclose(small(image)[0], small(image)[1], atol=1e-3)


def test_time_counts_once_it_has_been_learned(small):
    video = torch.rand(1, 3, 4, 32, 32)
    torch.testing.assert_close(small(video.flip(2)), small(video), msg="at first the order of frames does not matter")
    with torch.no_grad():
        small.temporal_embed.normal_()
    assert not torch.allclose(small(video.flip(2)), small(video), atol=1e-3)


def test_attention_over_time_learns_from_the_first_step(small):
    small(torch.rand(2, 3, 4, 32, 32)).sum().backward()
    for block in small.blocks:
        assert block.timeattn.qkv.weight.grad.abs().max() > 0


def attend(q, k, v):
    return torch.softmax(q @ k.T / q.shape[-1] ** 0.5, dim=-1) @ v


@pytest.mark.parametrize("along", ["space", "time"])
def test_attention_by_hand(along):
    """Two frames of three patches, one head: each group with the token, one after the other."""
    torch.manual_seed(1)
    layer, x = Attention(4, 1), torch.randn(1, 7, 4)
    q, k, v = layer.qkv(x)[0].chunk(3, dim=-1)
    groups = [[1, 2, 3], [4, 5, 6]] if along == "space" else [[1, 4], [2, 5], [3, 6]]
    rows, token = {}, []
    for group in groups:
        seen = [0, *group]
        found = attend(q[seen], k[seen], v[seen])
        token.append(found[0])
        rows |= dict(zip(group, found[1:], strict=True))
    rows[0] = torch.stack(token).mean(0)
    expected = layer.proj(torch.stack([rows[n] for n in range(7)]))
    torch.testing.assert_close(layer(x, 2, along=along)[0], expected)


def test_size_of_the_base_network():
    """Beside the 86 M of a base vision transformer: attention over time and a third norm in each block."""
    with torch.device("meta"):
        model = SpaceTimeTransformer(256)
    count = sum(p.numel() for p in model.parameters())
    base = 85_798_656
    assert count == base + 12 * (4 * 768**2 + 4 * 768 + 2 * 768) + 4 * 768 + 769 * 256


def test_more_frames_from_weights_of_fewer(small):
    state = SpaceTimeTransformer(8, size=32, patch=16, frames=1, width=24, depth=3, heads=3).state_dict()
    state["temporal_embed"] += 1
    small.load_state_dict(extend_time(state, 4))
    assert small.temporal_embed[0, 0].min() == 1
    assert small.temporal_embed[0, 1:].abs().max() == 0
    with pytest.raises(ValueError, match="2 frames, but the weights know 4"):
        extend_time(small.state_dict(), 2)


def test_clips_that_do_not_fit_are_refused(small):
    with pytest.raises(ValueError, match="5 frames, but this network knows 4 moments"):
        small(torch.rand(1, 3, 5, 32, 32))
    with pytest.raises(ValueError, match="9 patches a frame, but 4 places"):
        small(torch.rand(1, 3, 1, 48, 48))
    with pytest.raises(ValueError, match="no multiple"):
        SpaceTimeTransformer(size=225)
