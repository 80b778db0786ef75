"""What a video encoder is, and the table of them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn

from records import Entry, Registry


@runtime_checkable
class Backbone(Protocol):
    """A network that turns clips into features; arguments of its constructor are its options."""

    width: int
    """Size of the features."""

    def pooled(self, video: Float[Tensor, "B 3 T H W"]) -> Float[Tensor, "B width"]:
        """Features of clips of RGB in [0, 1]."""

    def recomputable(self) -> list[nn.Module]:
        """Parts, one after the other, whose activations can be computed again instead of kept."""


BACKBONES = Registry(
    "video encoder",
    {
        "s3dg": Entry("pretrain.video_encoder:S3D", "separable 3D inception network with gates (MIL-NCE)"),
        "transformer": Entry("pretrain.transformer:SpaceTimeTransformer", "divided space-time attention (Frozen)"),
        "small": Entry("pretrain.small_encoder:SmallS3D", "gated separable convolutions that two cores can train"),
    },
)
