"""S3D-G (Xie et al., ECCV 2018) with a text module beside it: the video encoder of MIL-NCE (Miech et al., CVPR 2020).

Names and shapes of all parameters are those of the published weights S3D_HowTo100M, which load as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pretrain.text_encoder import PUBLISHED_WORDS, TextModule

WIDTH = 1024
"""Channels of the last block, `mixed_5c`."""


class Branches(NamedTuple):
    """Channels of an inception block: 1x1x1; reduced and 3x3x3; reduced and 3x3x3; pooled and 1x1x1."""

    plain: int
    wide: tuple[int, int]
    narrow: tuple[int, int]
    pooled: int

    @property
    def total(self) -> int:
        """Channels of all branches together."""
        return self.plain + self.wide[1] + self.narrow[1] + self.pooled


BLOCKS: dict[str, Branches] = {
    "mixed_3b": Branches(64, (96, 128), (16, 32), 32),
    "mixed_3c": Branches(128, (128, 192), (32, 96), 64),
    "mixed_4b": Branches(192, (96, 208), (16, 48), 64),
    "mixed_4c": Branches(160, (112, 224), (24, 64), 64),
    "mixed_4d": Branches(128, (128, 256), (24, 64), 64),
    "mixed_4e": Branches(112, (144, 288), (32, 64), 64),
    "mixed_4f": Branches(256, (160, 320), (32, 128), 128),
    "mixed_5b": Branches(256, (160, 320), (32, 128), 128),
    "mixed_5c": Branches(384, (192, 384), (48, 128), 128),
}


class VideoFeatures(NamedTuple):
    """What a clip is encoded as."""

    embedding: Float[Tensor, "B D"]
    """In the space shared with text."""
    mixed_5c: Float[Tensor, "B 1024"]
    """Mean of the last block: features for other tasks."""


class S3D(nn.Module):
    """Separable 3D inception network with self-gating, down to its last block."""

    width = WIDTH

    def __init__(self, *, space_to_depth: bool = True, gating: bool = True) -> None:
        """Build it with random weights.

        Args:
            space_to_depth: the stem of the published weights, on 2x2x2 pixels at once; else the plain one.
            gating: whether branches are gated.
        """
        super().__init__()
        self.space_to_depth = space_to_depth
        if space_to_depth:
            self.conv1 = ConvUnit(24, 64, (2, 4, 4), padding=(1, 2, 2))
        else:
            self.conv1 = ConvUnit(3, 64, (3, 7, 7), stride=(2, 2, 2), padding=(1, 3, 3))
        self.maxpool_2a = SamePool((1, 3, 3), (1, 2, 2))
        self.conv_2b = ConvUnit(64, 64, (1, 1, 1))
        self.conv_2c = ConvUnit(64, 192, (3, 3, 3), separable=True)
        self.gating = SelfGating(192) if gating else nn.Identity()
        self.maxpool_3a = SamePool((1, 3, 3), (1, 2, 2))
        self.maxpool_4a = SamePool((3, 3, 3), (2, 2, 2))
        self.maxpool_5a = SamePool((2, 2, 2), (2, 2, 2))
        channels = 192
        for name, branches in BLOCKS.items():
            setattr(self, name, Inception(channels, branches, gating=gating))
            channels = branches.total

    def pooled(self, video: Float[Tensor, "B 3 T H W"]) -> Float[Tensor, "B 1024"]:
        """Mean of the last block over clips of RGB in [0, 1]; T even, H and W multiples of 2 for the published stem."""
        return self.features(video)["mixed_5c"].mean(dim=(2, 3, 4))

    def recomputable(self) -> list[nn.Module]:
        """The convolutions of the stem, and every block."""
        return [self.conv1, self.conv_2b, self.conv_2c, *(getattr(self, name) for name in BLOCKS)]

    def features(self, video: Float[Tensor, "B 3 T H W"]) -> dict[str, Tensor]:
        """Feature maps (B, C, T', H', W') of the stem and of every block, by name."""
        found: dict[str, Tensor] = {}
        x = self.conv1(to_depth(video))[:, :, 1:, 1:, 1:] if self.space_to_depth else self.conv1(video)
        found["conv1"] = x
        x = found["conv_2c"] = self.gating(self.conv_2c(self.conv_2b(self.maxpool_2a(x))))
        x = self.maxpool_3a(x)
        for name in BLOCKS:
            if name == "mixed_4b":
                x = self.maxpool_4a(x)
            elif name == "mixed_5b":
                x = self.maxpool_5a(x)
            x = found[name] = getattr(self, name)(x)
        return found


class S3DG(S3D):
    """The network of the published weights: `fc` brings clips, `text_module` sentences, into the same space."""

    def __init__(
        self, embedding: int = 512, *, space_to_depth: bool = True, words: int = PUBLISHED_WORDS, gating: bool = True
    ) -> None:
        """Build it with random weights.

        Args:
            embedding: dimensions D of the space shared with text.
            space_to_depth: see `S3D`.
            words: rows of the word embedding, the padding word included.
            gating: see `S3D`.
        """
        super().__init__(space_to_depth=space_to_depth, gating=gating)
        self.fc = nn.Linear(WIDTH, embedding)
        self.text_module = TextModule(embedding, words=words)

    def forward(self, video: Float[Tensor, "B 3 T H W"]) -> VideoFeatures:
        """Encode clips; see `pooled`."""
        features = self.pooled(video)
        return VideoFeatures(self.fc(features), features)


class ConvUnit(nn.Module):
    """Convolution without bias, batch normalisation, ReLU; a separable one does so in space, then in time."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int, int],
        *,
        stride: tuple[int, int, int] = (1, 1, 1),
        padding: tuple[int, int, int] | None = None,
        separable: bool = False,
    ) -> None:
        super().__init__()
        t, h, w = padding or tuple(k // 2 for k in kernel)
        self.separable = separable
        if separable:
            self.conv1 = nn.Conv3d(inputs, outputs, (1, *kernel[1:]), (1, *stride[1:]), (0, h, w), bias=False)
            self.bn1 = nn.BatchNorm3d(outputs)
            self.conv2 = nn.Conv3d(outputs, outputs, (kernel[0], 1, 1), (stride[0], 1, 1), (t, 0, 0), bias=False)
            self.bn2 = nn.BatchNorm3d(outputs)
        else:
            self.conv1 = nn.Conv3d(inputs, outputs, kernel, stride, (t, h, w), bias=False)
            self.bn1 = nn.BatchNorm3d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, C, T, H, W)."""
        x = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(x))) if self.separable else x


class SelfGating(nn.Module):
    """Channels weighted by what the whole clip shows."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Gate (B, C, T, H, W)."""
        return torch.sigmoid(self.fc(x.mean(dim=(2, 3, 4))))[:, :, None, None, None] * x


class Inception(nn.Module):
    """Four branches side by side, each gated."""

    def __init__(self, channels: int, branches: Branches, *, gating: bool = True) -> None:
        super().__init__()
        self.conv_b0 = ConvUnit(channels, branches.plain, (1, 1, 1))
        self.conv_b1_a = ConvUnit(channels, branches.wide[0], (1, 1, 1))
        self.conv_b1_b = ConvUnit(*branches.wide, (3, 3, 3), separable=True)
        self.conv_b2_a = ConvUnit(channels, branches.narrow[0], (1, 1, 1))
        self.conv_b2_b = ConvUnit(*branches.narrow, (3, 3, 3), separable=True)
        self.maxpool_b3 = nn.MaxPool3d(3, stride=1, padding=1)
        self.conv_b3_b = ConvUnit(channels, branches.pooled, (1, 1, 1))
        for k, outputs in enumerate((branches.plain, branches.wide[1], branches.narrow[1], branches.pooled)):
            setattr(self, f"gating_b{k}", SelfGating(outputs) if gating else nn.Identity())

    def forward(self, x: Tensor) -> Tensor:
        """Channels of all branches, one after the other."""
        outputs = (
            self.conv_b0(x),
            self.conv_b1_b(self.conv_b1_a(x)),
            self.conv_b2_b(self.conv_b2_a(x)),
            self.conv_b3_b(self.maxpool_b3(x)),
        )
        return torch.cat([getattr(self, f"gating_b{k}")(y) for k, y in enumerate(outputs)], dim=1)


class SamePool(nn.Module):
    """Max-pooling as TensorFlow pads for "SAME" where the stride divides the size: k - s zeros, the odd one last.

    Zeros are neutral: what is pooled comes out of a ReLU.
    """

    def __init__(self, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> None:
        super().__init__()
        t, h, w = (max(k - s, 0) for k, s in zip(kernel, stride, strict=True))
        self.pad = nn.ConstantPad3d((w // 2, w - w // 2, h // 2, h - h // 2, t // 2, t - t // 2), 0.0)
        self.pool = nn.MaxPool3d(kernel, stride, ceil_mode=True)

    def forward(self, x: Tensor) -> Tensor:
        """Pool (B, C, T, H, W)."""
        return self.pool(self.pad(x))


def to_depth(video: Float[Tensor, "B C T H W"]) -> Float[Tensor, "B C8 T2 H2 W2"]:
    """Blocks of 2x2x2 pixels as channels, ordered by time, row and column of the pixel, then by its channel.

    Raises:
        ValueError: an odd number of frames, rows or columns.
    """
    B, C, T, H, W = video.shape
    if T % 2 or H % 2 or W % 2:
        raise ValueError(f"{T} frames of {H} x {W} px: this stem needs even numbers; crop, or use the plain stem")
    blocks = video.reshape(B, C, T // 2, 2, H // 2, 2, W // 2, 2).permute(0, 3, 5, 7, 1, 2, 4, 6)
    return blocks.reshape(B, 8 * C, T // 2, H // 2, W // 2)
