"""A video encoder that two processor cores can train: gated separable convolutions, as in S3D-G, but few."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from pretrain.video_encoder import ConvUnit, SelfGating


class SmallS3D(nn.Module):
    """Four separable convolutions over space and time, each gated; the sides are halved before each but the last.

    All moments are kept: each convolution looks one frame further to both sides.
    """

    def __init__(self, widths: Sequence[int] = (32, 64, 96, 160), *, stem: int = 24) -> None:
        """Build it with random weights.

        Args:
            widths: channels of each convolution; the last is the size of the features.
            stem: channels of the first convolution, of 5 x 5 px with stride 2.
        """
        super().__init__()
        self.width = widths[-1]
        self.stem = ConvUnit(3, stem, (1, 5, 5), stride=(1, 2, 2))
        blocks: list[nn.Module] = []
        for k, (inputs, outputs) in enumerate(zip((stem, *widths), widths, strict=False)):
            halved = nn.MaxPool3d((1, 2, 2)) if k < len(widths) - 1 else nn.Identity()
            blocks.append(
                nn.Sequential(halved, ConvUnit(inputs, outputs, (3, 3, 3), separable=True), SelfGating(outputs))
            )
        self.blocks = nn.Sequential(*blocks)

    def pooled(self, video: Float[Tensor, "B 3 T H W"]) -> Float[Tensor, "B width"]:
        """Mean of the last convolution over clips of RGB in [0, 1]."""
        return self.blocks(self.stem(video)).mean(dim=(2, 3, 4))

    def recomputable(self) -> list[nn.Module]:
        """Every convolution."""
        return [self.stem, *self.blocks]
