"""Video transformer with divided space-time attention, as in Frozen in Time (Bain et al., ICCV 2021).

Images are videos of one frame. At first the attention over time adds nothing and all moments are embedded alike: a
network that has learned from images goes on to videos from what it knows.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

TEMPORAL = ("temporal_embed", "timeattn")
"""Parts that tell moments apart. While they are as at first, a frame and its repetition have the same features."""


class SpaceTimeTransformer(nn.Module):
    """Patches of all frames and a class token, whose last state is projected to the embedding."""

    def __init__(
        self,
        embedding: int | None = 256,
        *,
        size: int = 224,
        patch: int = 16,
        frames: int = 4,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
    ) -> None:
        """Build it; the defaults are those of a base vision transformer.

        Args:
            embedding: dimensions D of the space shared with text; None for features alone, as they are.
            size: height and width of the frames [px].
            patch: side of a patch [px].
            frames: most frames of a clip.
            width: channels.
            depth: blocks.
            heads: of the attention.

        Raises:
            ValueError: patches that do not fill a frame, or heads that do not share the width.
        """
        super().__init__()
        if size % patch or width % heads:
            raise ValueError(f"size {size} is no multiple of the patch {patch}, or width {width} of {heads} heads")
        self.frames, self.width = frames, width
        self.patch_embed = nn.Conv2d(3, width, patch, patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + (size // patch) ** 2, width))
        self.temporal_embed = nn.Parameter(torch.zeros(1, frames, width))
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.project = nn.Identity() if embedding is None else nn.Linear(width, embedding)
        for parameter in (self.cls_token, self.pos_embed):
            nn.init.trunc_normal_(parameter, std=0.02)

    def forward(self, video: Float[Tensor, "B 3 T H W"]) -> Float[Tensor, "B D"]:
        """Embed clips of at most `frames` frames.

        Raises:
            ValueError: more frames, or frames of another size.
        """
        return self.project(self.pooled(video))

    def recomputable(self) -> list[nn.Module]:
        """Every block."""
        return list(self.blocks)

    def pooled(self, video: Float[Tensor, "B 3 T H W"]) -> Float[Tensor, "B width"]:
        """Last state of the class token."""
        B, _, T, _, _ = video.shape
        if self.frames < T:
            raise ValueError(f"{T} frames, but this network knows {self.frames} moments; see `extend_time`")
        patches = self.patch_embed(video.transpose(1, 2).flatten(0, 1)).flatten(2).transpose(1, 2)
        if patches.shape[1] + 1 != self.pos_embed.shape[1]:
            raise ValueError(f"{patches.shape[1]} patches a frame, but {self.pos_embed.shape[1] - 1} places are known")
        x = patches.unflatten(0, (B, T)) + self.pos_embed[:, None, 1:] + self.temporal_embed[:, :T, None]
        token = (self.cls_token + self.pos_embed[:, :1]).expand(B, -1, -1)
        x = torch.cat([token, x.flatten(1, 2)], dim=1)
        for block in self.blocks:
            x = block(x, T)
        return self.norm(x)[:, 0]


class Block(nn.Module):
    """Attention over time, over space, and a perceptron: t = x + time(x); s = x + space(t); s + mlp(s).

    The second sum starts from x, not from t: the attention over time only tells that over space where to look.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width, eps=1e-6) for _ in range(3))
        self.attn = Attention(width, heads)
        self.timeattn = Attention(width, heads)
        nn.init.zeros_(self.timeattn.qkv.weight)
        nn.init.ones_(self.timeattn.proj.weight)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Float[Tensor, "B L C"], frames: int) -> Float[Tensor, "B L C"]:
        """Transform the class token and the patches of all frames."""
        t = x + self.timeattn(self.norm3(x), frames, along="time")
        s = x + self.attn(self.norm1(t), frames, along="space")
        return s + self.mlp(self.norm2(s))


class Attention(nn.Module):
    """Within each frame, or each place: patches and the class token see each other.

    The token is the mean of what it finds in each. Were it to look at all patches at once, it would see less of itself
    the more frames there are, and a still video would not be the same as its image.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        nn.init.zeros_(self.qkv.bias)
        nn.init.zeros_(self.proj.bias)

    def forward(self, x: Float[Tensor, "B L C"], frames: int, *, along: str) -> Float[Tensor, "B L C"]:
        """Attend along `space` (within frames) or `time` (within places)."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q, k, v = (self._grouped(part, frames, along) for part in (q, k, v))
        found = nn.functional.scaled_dot_product_attention(q, k, v)
        token, patches = found[:, :, :, :1].mean(dim=2), found[:, :, :, 1:]
        if along == "time":
            patches = patches.transpose(2, 3)
        out = torch.cat([token, patches.flatten(2, 3)], dim=2)
        return self.proj(out.transpose(1, 2).flatten(2))

    @staticmethod
    def _grouped(x: Tensor, frames: int, along: str) -> Tensor:
        """Token and patches (B, heads, L, c) by frame (B, heads, T, 1 + N, c) or by place (B, heads, N, 1 + T, c)."""
        patches = x[:, :, 1:].unflatten(2, (frames, -1))
        if along == "time":
            patches = patches.transpose(2, 3)
        token = x[:, :, None, :1].expand(-1, -1, patches.shape[2], -1, -1)
        return torch.cat([token, patches], dim=3)


def extend_time(state: Mapping[str, Tensor], frames: int) -> dict[str, Tensor]:
    """A state dict for more frames: moments that were not known are embedded by zeros.

    Raises:
        ValueError: fewer frames than the state knows.
    """
    known = state["temporal_embed"]
    if frames < known.shape[1]:
        raise ValueError(f"{frames} frames, but the weights know {known.shape[1]}")
    more = known.new_zeros(1, frames - known.shape[1], known.shape[2])
    return {**state, "temporal_embed": torch.cat([known, more], dim=1)}
