"""Views of spectrograms by hand, and an encoder that learns to tell recordings apart without labels."""

import math

import numpy as np
import pytest
import torch

from pretrain.audio_encoder import AudioEncoder, LogMel
from pretrain.audio_pretraining import AudioTraining, AudioTrainingError, pretrain_audio, spectrograms
from pretrain.spectrogram_views import Views

PLAIN = {"stretch": 0.0, "shift": 0.0, "mixing": 0.0, "gain": 0.0, "mask": 0.0}


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def test_without_changes_a_view_is_a_stretch_of_the_recording():
    """A spectrogram that rises by 1 a frame: a crop between frames rises by 1 a frame, too."""
    ramp = torch.arange(50.0).expand(4, 6, 50)
    view = Views(frames=20, **PLAIN)(ramp, chance())
    assert view.shape == (4, 6, 20)
    torch.testing.assert_close(view.diff(dim=2), torch.ones(4, 6, 19), atol=1e-3, rtol=0)
    assert len({round(float(start), 2) for start in view[:, 0, 0]}) == 4


def test_a_view_as_long_as_the_recording_is_the_recording():
    recording = torch.randn(3, 6, 20, generator=chance())
    torch.testing.assert_close(Views(frames=20, **PLAIN)(recording, chance(1)), recording, atol=1e-4, rtol=0)


def test_speed_and_pitch_are_changed_within_their_bounds():
    ramp = torch.arange(400.0).expand(200, 6, 400)
    rise = Views(frames=20, **{**PLAIN, "stretch": 0.5})(ramp, chance()).diff(dim=2)[:, 0].mean(dim=1)
    assert 1 / 1.5 - 1e-3 <= rise.min() < 0.75
    assert 1.35 < rise.max() <= 1.5 + 1e-3
    bands = torch.arange(40.0)[:, None].expand(200, 40, 30)
    moved = Views(frames=10, **{**PLAIN, "shift": 0.1})(bands, chance())[:, 20, 0] - 20
    assert -4.001 <= moved.min() < -3.5
    assert 3.5 < moved.max() <= 4.001


def test_mixing_adds_powers_in_shares_that_sum_to_one():
    """Powers 1 and 3 in two recordings: a mixture lies between, and the share of the other is at most a half."""
    recording = torch.tensor([1.0, 3.0]).log()[:, None, None].expand(2, 4, 10)
    views = Views(frames=10, **{**PLAIN, "mixing": 0.5})
    powers = torch.cat([views(recording, chance(k)).exp()[:, 0, 0] for k in range(40)]).view(40, 2)
    assert (powers[:, 0] >= 0.999).all()
    assert (powers[:, 0] <= 2.001).all()
    assert (powers[:, 1] <= 3.001).all()
    assert (powers[:, 1] >= 1.999).all()
    assert powers[:, 0].max() > 1.7


def test_gain_is_one_number_a_recording_in_decibels():
    views = Views(frames=10, **{**PLAIN, "gain": 6.0})
    found = views(torch.zeros(300, 4, 10), chance())
    assert (found == found[:, :1, :1]).all()
    decibel = found[:, 0, 0] * 10 / math.log(10)
    assert -6.001 <= decibel.min() < -5.5
    assert 5.5 < decibel.max() <= 6.001


def test_masks_hide_a_run_of_bands_and_of_frames():
    recording = torch.arange(400.0).view(1, 20, 20).expand(50, 20, 20).contiguous()
    found = Views(frames=20, **{**PLAIN, "mask": 0.3})(recording, chance())
    hidden = (found - recording).abs() > 1e-2
    hidden_bands, hidden_frames = hidden.all(dim=2).sum(dim=1), hidden.all(dim=1).sum(dim=1)
    assert 3 <= int(hidden_bands.max()) <= 6
    assert 3 <= int(hidden_frames.max()) <= 6
    assert float(found[hidden].std()) < 1e-2


RATE = 8000


def recordings(count, seed):
    """Sounds of `count` pitches, with noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(RATE) / RATE
    return [
        (0.3 * np.sin(2 * math.pi * 300 * 1.25**k * time) + rng.normal(0, 0.02, RATE)).astype(np.float32)
        for k in range(count)
    ]


def small_encoder(seed=0):
    torch.manual_seed(seed)
    return AudioEncoder(8, mel=LogMel(RATE, bands=24, window=0.064, hop=0.032))


TRAINING = AudioTraining(
    steps=24, batch=8, warm_up=0.2, views=Views(frames=16, stretch=0.1, shift=0.0, mixing=0.1, mask=0.1)
)


def test_an_encoder_learns_to_find_the_other_view():
    encoder = small_encoder()
    bands = spectrograms(encoder, recordings(8, 0))
    losses = pretrain_audio(encoder, bands, TRAINING, seed=1)
    assert len(losses) == 24
    assert losses[0] > 2.0  # ln 15 = 2.7 for eight pairs that cannot be told apart
    assert np.mean(losses[-3:]) < 0.5 * losses[0]
    assert not encoder.training


def test_a_training_is_that_of_its_seed():
    found = []
    for _ in range(2):
        encoder = small_encoder()
        state = torch.random.get_rng_state()
        losses = pretrain_audio(encoder, spectrograms(encoder, recordings(4, 0)), AudioTraining(
            steps=2, batch=4, views=Views(frames=16)
        ), seed=5)  # fmt: skip
        assert torch.equal(torch.random.get_rng_state(), state)
        found.append((losses, encoder.trunk.conv1.weight.detach().clone()))
    assert found[0][0] == found[1][0]
    assert torch.equal(found[0][1], found[1][1])


def test_takes_of_one_original_are_never_negatives():
    """Four recordings of two originals: two pairs a step, so the loss of a blind encoder is ln 3."""
    encoder = small_encoder()
    bands = spectrograms(encoder, recordings(4, 0))
    training = AudioTraining(steps=1, batch=8, temperature=1e6, views=Views(frames=16))
    (loss,) = pretrain_audio(encoder, bands, training, source=[7, 7, 9, 9], seed=0)
    assert loss == pytest.approx(math.log(3), abs=1e-3)


def test_one_recording_is_too_few():
    encoder = small_encoder()
    with pytest.raises(AudioTrainingError, match="1 recordings: at least two"):
        pretrain_audio(encoder, spectrograms(encoder, recordings(2, 0)), TRAINING, source=[3, 3], seed=0)


def test_a_training_that_goes_astray_is_stopped():
    encoder = small_encoder()
    bands = torch.full((4, 24, 32), float("nan"))
    with pytest.raises(AudioTrainingError, match="not finite in step 0"):
        pretrain_audio(encoder, bands, TRAINING, seed=0)
