"""Sound: a log-mel spectrogram in torch, and a residual network that looks at it."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pretrain.resnet import ResNet

QUIET = 1e-6
"""Power that is added before the logarithm: -138 dB of full scale."""


class LogMel(nn.Module):
    """Waveform to the logarithm of the power in bands that are as wide as the ear's."""

    def __init__(
        self,
        rate: int = 48_000,
        *,
        bands: int = 80,
        window: float = 0.025,
        hop: float = 0.010,
        lowest: float = 60.0,
        highest: float | None = None,
    ) -> None:
        """Lay out the bands.

        Args:
            rate: samples a second.
            bands: number of mel bands.
            window: length of a Hann window [s].
            hop: time between windows [s].
            lowest: edge of the lowest band [Hz].
            highest: edge of the highest [Hz]; half the rate by default.

        Raises:
            ValueError: edges that are no band, or more bands than the window can tell apart.
        """
        super().__init__()
        highest = rate / 2 if highest is None else highest
        if not 0 <= lowest < highest <= rate / 2:
            raise ValueError(f"bands from {lowest} to {highest} Hz: they must lie between 0 and {rate / 2} Hz")
        self.rate, self.hop = rate, round(hop * rate)
        self.length = round(window * rate)
        self.size = 1 << (self.length - 1).bit_length()
        self.bands = bands
        filters = mel_filters(bands, self.size, rate, lowest, highest)
        if (filters.sum(dim=1) == 0).any():
            raise ValueError(f"{bands} bands are more than a window of {window} s can tell apart; use fewer, or longer")
        self.window: Tensor
        self.filters: Tensor
        self.register_buffer("window", torch.hann_window(self.length), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, wave: Float[Tensor, "B N"]) -> Float[Tensor, "B bands T"]:
        """Log of the power; T = 1 + N // hop, windows centred on multiples of the hop, zeros beyond the ends."""
        with torch.autocast(wave.device.type, enabled=False):
            spectrum = torch.stft(
                wave.float(),
                self.size,
                self.hop,
                self.length,
                self.window,
                center=True,
                pad_mode="constant",
                return_complex=True,
            )
            power = spectrum.abs() ** 2 / self.window.sum() ** 2
            return torch.log(self.filters @ power + QUIET)


def mel_filters(bands: int, size: int, rate: int, lowest: float, highest: float) -> Float[Tensor, "bands F"]:
    """Triangles between neighbours of equally spaced mels (HTK: 2595 log10(1 + f / 700)), 1 at their tops."""
    edges = torch.linspace(_mel(lowest), _mel(highest), bands + 2, dtype=torch.float64)
    hertz = 700 * (10 ** (edges / 2595) - 1)
    bins = torch.linspace(0, rate / 2, size // 2 + 1, dtype=torch.float64)
    low, top, high = hertz[:-2, None], hertz[1:-1, None], hertz[2:, None]
    return torch.minimum((bins - low) / (top - low), (high - bins) / (high - top)).clamp(min=0).float()


class AudioEncoder(nn.Module):
    """Log-mel spectrogram, normalised in each band over the batch, and a residual network."""

    def __init__(self, embedding: int = 512, *, layers: int = 18, mel: LogMel | None = None, stem: int = 64) -> None:
        """Build it.

        Args:
            embedding: dimensions D of the output.
            layers: 18 or 50.
            mel: the front end; 80 bands of 48 kHz by default.
            stem: channels of the network's first convolution; fewer than the usual 64 are for processors.
        """
        super().__init__()
        self.mel = mel or LogMel()
        self.normalise = nn.BatchNorm1d(self.mel.bands)
        self.trunk = ResNet(layers, channels=1, stem=stem)
        self.fc = nn.Linear(self.trunk.width, embedding)

    def forward(self, wave: Float[Tensor, "B N"]) -> Float[Tensor, "B D"]:
        """Embed waveforms in [-1, 1] at the front end's rate."""
        return self.fc(self.features(wave))

    def features(self, wave: Float[Tensor, "B N"]) -> Float[Tensor, "B width"]:
        """Mean of the network's last stage."""
        return self.trunk(self.normalise(self.mel(wave))[:, None])


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)
