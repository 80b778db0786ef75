"""A corpus of narrated videos that is generated as it is read, and clips with labels to evaluate on."""

from pretrain.corpus.generated import Corpus, GeneratedVideos
from pretrain.corpus.labelled import LabelledClip, LabelledClips, pair_accuracy
from pretrain.corpus.options import CorpusError, CorpusOptions
from pretrain.corpus.wording import vocabulary

__all__ = [
    "Corpus",
    "CorpusError",
    "CorpusOptions",
    "GeneratedVideos",
    "LabelledClip",
    "LabelledClips",
    "pair_accuracy",
    "vocabulary",
]
