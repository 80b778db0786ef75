"""Windows that cover a clip once, and descriptions that tell what they are made to tell."""

import numpy as np
import pytest
from films import write_film

from perception.states.pixels import PIXELS, colour, gradients, pixel_features
from perception.video import open_clip


@pytest.mark.parametrize("kind", PIXELS)
def test_windows_cover_the_clip_once(tmp_path, kind):
    clip = open_clip(write_film(tmp_path / "film.mp4", seconds=2.3))
    found = pixel_features(clip, kind, every=0.4)
    np.testing.assert_allclose(found.time[:, 0], 0.4 * np.arange(6))
    np.testing.assert_allclose(found.time[1:, 0], found.time[:-1, 1])
    assert found.time[-1, 1] == pytest.approx(2.3)
    assert found.clip == clip.path
    assert found.value.shape == (6, len(PIXELS[kind](np.zeros((48, 64, 3), np.uint8))))


def test_the_true_rate_counts_and_kinds_have_hashes_of_their_own(tmp_path):
    film = write_film(tmp_path / "film.mp4", seconds=2.0)
    slow, fast = (pixel_features(open_clip(film, fps=fps), "colour") for fps in (10.0, 25.0))
    assert slow.time[-1, 1] == pytest.approx(2.0)
    assert fast.time[-1, 1] == pytest.approx(0.8)
    assert slow.encoder_hash == fast.encoder_hash
    assert pixel_features(open_clip(film), "hog").encoder_hash != slow.encoder_hash


def test_colours_know_no_shape_and_gradients_no_colour():
    image = np.zeros((64, 64, 3), np.uint8)
    image[16:48, 20:30] = (200, 30, 30)
    turned = np.ascontiguousarray(image[:, ::-1])
    assert np.linalg.norm(colour(image)) == pytest.approx(np.sqrt(2))
    np.testing.assert_allclose(colour(image)[:64], colour(turned)[:64])
    grey = np.repeat(image[..., :1], 3, axis=2)
    dimmed = (grey * 0.8).astype(np.uint8)
    assert gradients(grey) @ gradients(dimmed) > 0.999
    assert gradients(image) @ gradients(turned) < 0.95
    assert (gradients(np.zeros((64, 64, 3), np.uint8)) == 0).all()
