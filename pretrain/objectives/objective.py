"""The table of objectives.

Each is a function of this process's rows. Negatives are the rows of all processes; the loss is the mean over one's own.
"""

from __future__ import annotations

from records import Entry, Registry

OBJECTIVES = Registry(
    "objective",
    {
        "ranking": Entry("pretrain.objectives.ranking:ranking", "max-margin ranking (Miech et al., ICCV 2019)"),
        "nce": Entry("pretrain.objectives.nce:nce", "noise contrast, one caption a clip, both directions together"),
        "milnce": Entry("pretrain.objectives.milnce:milnce", "noise contrast with several candidate captions a clip"),
        "frozen": Entry("pretrain.objectives.frozen:frozen", "softmax over clips plus softmax over captions"),
        "mmv": Entry("pretrain.objectives.mmv:mmv", "video with sound, and video with text (Alayrac et al., 2020)"),
    },
)
