"""Two ways to hear the same recording: random views of spectrograms, for training without labels.

Crops that are stretched in time and shifted in pitch, and mixing of powers, as in Niizumi et al., BYOL for Audio, IJCNN
2021; masks as in Park et al., SpecAugment, Interspeech 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pretrain.audio_encoder import QUIET

_DECIBEL = 0.230258509
"""Of power, in natural logarithms: ln(10) / 10."""


@dataclass(frozen=True, kw_only=True)
class Views:
    """How far a view may be from the recording; zeros leave it as it is but for the crop."""

    frames: int = 128
    """Frames of the spectrogram in a view."""
    stretch: float = 0.3
    """Largest change of speed: between 1 / (1 + `stretch`) and 1 + `stretch`."""
    shift: float = 0.08
    """Largest shift of pitch, up or down, as a share of all bands."""
    mixing: float = 0.4
    """Largest share of the power that is another recording's."""
    gain: float = 6.0
    """Largest change of loudness, up or down [dB]."""
    mask: float = 0.25
    """Largest share of the bands, and of the frames, that one mask hides."""

    def __call__(
        self, spectrogram: Float[Tensor, "B bands T"], generator: torch.Generator
    ) -> Float[Tensor, "B bands frames"]:
        """One random view of each log-mel spectrogram."""
        view = self._cropped(spectrogram, generator)
        view = self._mixed(view, generator)
        view = view + _DECIBEL * self.gain * _signed(len(view), generator)[:, None, None]
        return self._masked(view, generator)

    def _cropped(self, spectrogram: Tensor, generator: torch.Generator) -> Tensor:
        """A stretch of `frames` at a random place, speed and pitch, by linear interpolation."""
        B, bands, T = spectrogram.shape
        speed = torch.exp(torch.tensor(1 + self.stretch).log() * _signed(B, generator))
        length = (self.frames * speed).clamp(max=T)
        start = torch.rand(B, generator=generator) * (T - length)
        when = start[:, None] + length[:, None] * (torch.arange(self.frames) + 0.5) / self.frames
        band = torch.arange(bands) + 0.5 + (self.shift * bands * _signed(B, generator))[:, None]
        across = (2 * when / T - 1)[:, None].expand(B, bands, self.frames)
        down = (2 * band / bands - 1)[:, :, None].expand(B, bands, self.frames)
        grid = torch.stack([across, down], dim=-1)
        return torch.nn.functional.grid_sample(
            spectrogram[:, None], grid, mode="bilinear", padding_mode="border", align_corners=False
        )[:, 0]

    def _mixed(self, view: Tensor, generator: torch.Generator) -> Tensor:
        """Add the power of another recording of the batch."""
        share = self.mixing * torch.rand(len(view), 1, 1, generator=generator)
        other = view[torch.randperm(len(view), generator=generator)]
        return torch.logaddexp(view + torch.log1p(-share), other + torch.log(share + QUIET))

    def _masked(self, view: Tensor, generator: torch.Generator) -> Tensor:
        """Hide a run of bands and a run of frames behind the mean of the view."""
        B, bands, frames = view.shape
        hidden = torch.zeros_like(view, dtype=torch.bool)
        for axis, size in ((1, bands), (2, frames)):
            width = self.mask * size * torch.rand(B, generator=generator)
            start = torch.rand(B, generator=generator) * (size - width)
            place = torch.arange(size)
            run = (place >= start[:, None]) & (place < (start + width)[:, None])
            hidden |= run[:, :, None] if axis == 1 else run[:, None, :]
        return torch.where(hidden, view.mean(dim=(1, 2), keepdim=True), view)


def _signed(count: int, generator: torch.Generator) -> Tensor:
    """Numbers between -1 and 1."""
    return 2 * torch.rand(count, generator=generator) - 1
