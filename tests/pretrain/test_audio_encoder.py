import math

import pytest
import torch

from pretrain.audio_encoder import QUIET, AudioEncoder, LogMel, mel_filters
from pretrain.resnet import ResNet

RATE = 16_000


def tone(hertz, seconds=0.5, height=0.5):
    return height * torch.sin(2 * math.pi * hertz * torch.arange(round(seconds * RATE)) / RATE)[None]


def top_of(band, bands, lowest, highest):
    mel = [2595 * math.log10(1 + f / 700) for f in (lowest, highest)]
    return 700 * (10 ** ((mel[0] + (mel[1] - mel[0]) * (band + 1) / (bands + 1)) / 2595) - 1)


@pytest.mark.parametrize("band", [3, 12, 30])
def test_a_tone_at_the_top_of_a_band_has_its_power_there(band):
    """A sine of height a has power a^2 / 4 at its line; a Hann window spreads it over three bins of 1/6, 4/6, 1/6."""
    mel = LogMel(RATE, bands=32, window=0.064, lowest=50.0)
    found = mel(tone(top_of(band, 32, 50.0, RATE / 2)))[0]
    middle = found[:, found.shape[1] // 2]
    assert int(middle.argmax()) == band
    assert middle[band].exp() == pytest.approx(0.5**2 / 4, rel=0.5)
    assert middle[:2].max() < middle[band] - 5


def test_twice_as_loud_is_ln_4_more_and_silence_is_quiet():
    mel = LogMel(RATE, bands=16)
    one, two = (mel(tone(1000, height=height))[0, :, 20] for height in (0.2, 0.4))
    loud = one > math.log(QUIET) + 8
    assert loud.any()
    torch.testing.assert_close(two[loud] - one[loud], torch.full_like(one[loud], math.log(4)), atol=1e-2, rtol=0)
    torch.testing.assert_close(mel(torch.zeros(1, 4000)), torch.full((1, 16, 26), math.log(QUIET)))


def test_triangles_share_out_every_frequency_between_their_tops():
    filters = mel_filters(20, 1024, RATE, 100.0, 4000.0)
    bins = torch.linspace(0, RATE / 2, 513)
    between = (bins > top_of(0, 20, 100.0, 4000.0)) & (bins < top_of(19, 20, 100.0, 4000.0))
    torch.testing.assert_close(filters[:, between].sum(0), torch.ones(int(between.sum())))
    assert filters[:, (bins < 100) | (bins > 4000)].abs().max() == 0


@pytest.mark.parametrize(("layers", "millions"), [(18, 11.1704), (50, 23.5018)])
def test_residual_networks(layers, millions):
    """Parameters of the published networks without their classifier, with one channel in."""
    net = ResNet(layers, channels=1)
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(millions, abs=1e-3)
    found = net(torch.randn(2, 1, 64, 96))
    assert found.shape == (2, 512 if layers == 18 else 2048)
    with pytest.raises(ValueError, match="34 layers; choose from: 18, 50"):
        ResNet(34)


def test_half_the_channels_are_a_quarter_of_the_weights():
    whole, half = (sum(p.numel() for p in ResNet(18, channels=1, stem=stem).parameters()) for stem in (64, 32))
    assert whole / half == pytest.approx(4, rel=0.01)
    assert AudioEncoder(8, stem=32).trunk.width == 256


def test_sound_is_embedded():
    torch.manual_seed(0)
    encoder = AudioEncoder(32, mel=LogMel(RATE, bands=40))
    waves = torch.cat([tone(300, 1.0), tone(3000, 1.0), torch.randn(1, RATE) / 10])
    found = encoder(waves)
    assert found.shape == (3, 32)
    found.sum().backward()
    assert encoder.trunk.conv1.weight.grad.abs().max() > 0
    assert not any("mel" in key for key in encoder.state_dict()), "the front end has nothing to be saved"


def test_senseless_bands_are_refused():
    with pytest.raises(ValueError, match="between 0 and 8000"):
        LogMel(RATE, highest=9000.0)
    with pytest.raises(ValueError, match="more than a window"):
        LogMel(RATE, bands=400)
