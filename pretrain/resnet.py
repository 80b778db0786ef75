"""Residual networks (He et al., CVPR 2016) of 18 and 50 layers, for images of any number of channels."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

STAGES = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}
"""Blocks of the four stages."""
EXPANSION = {18: 1, 50: 4}
"""Channels that leave a block over those inside."""


class ResNet(nn.Module):
    """Convolutions down to the mean of the last stage: features (B, `width`)."""

    def __init__(self, layers: int, *, channels: int = 3, stem: int = 64) -> None:
        """Build it.

        Args:
            layers: 18 or 50.
            channels: of the image.
            stem: channels of the first convolution, doubled in each stage after the first.

        Raises:
            ValueError: another number of layers.
        """
        super().__init__()
        if layers not in STAGES:
            raise ValueError(f"{layers} layers; choose from: {', '.join(map(str, STAGES))}")
        self.conv1 = nn.Conv2d(channels, stem, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        expansion, inputs = EXPANSION[layers], stem
        for stage, blocks in enumerate(STAGES[layers]):
            inside = stem << stage
            made: list[nn.Module] = []
            for k in range(blocks):
                stride = 2 if stage and not k else 1
                made.append(ResidualBlock(inputs, inside, stride, bottleneck=layers == 50))
                inputs = inside * expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*made))
        self.width = inputs
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B width"]:
        """Mean of the last stage."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(image))))
        for stage in range(1, 5):
            x = getattr(self, f"layer{stage}")(x)
        return x.mean(dim=(2, 3))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, or 1x1, 3x3, 1x1, beside a shortcut."""

    def __init__(self, inputs: int, inside: int, stride: int, *, bottleneck: bool) -> None:
        super().__init__()
        outputs = 4 * inside if bottleneck else inside
        sizes = [(inputs, inside, 1, 1), (inside, inside, 3, stride), (inside, outputs, 1, 1)]
        if not bottleneck:
            sizes = [(inputs, inside, 3, stride), (inside, inside, 3, 1)]
        for k, (a, b, kernel, step) in enumerate(sizes, 1):
            setattr(self, f"conv{k}", nn.Conv2d(a, b, kernel, step, kernel // 2, bias=False))
            setattr(self, f"bn{k}", nn.BatchNorm2d(b))
        self.depth = len(sizes)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Add what the convolutions find to the input."""
        y = x
        for k in range(1, self.depth + 1):
            y = getattr(self, f"bn{k}")(getattr(self, f"conv{k}")(y))
            if k < self.depth:
                y = torch.relu(y)
        return torch.relu(y + self.downsample(x))
