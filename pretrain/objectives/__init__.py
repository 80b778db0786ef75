"""What embeddings of video, text and sound are trained for: pure functions of a batch."""

from pretrain.objectives.objective import OBJECTIVES

__all__ = ["OBJECTIVES"]
