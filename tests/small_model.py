"""A joint model of random weights that encodes small clips in no time."""

import torch

from pretrain.model import JointModel, ModelSettings
from pretrain.pretrained import Pretrained
from pretrain.sampling import Sampling
from pretrain.vocabulary import Vocabulary

SAMPLING = Sampling(frames=4, fps=5.0, size=32)
WORDS = ("pour", "the", "coffee")


def model_of(seed=0):
    torch.manual_seed(seed)
    options = {"widths": (8, 8, 8, 12), "stem": 4}
    settings = ModelSettings(video="small", video_options=options, embedding=6, word_size=5, hidden=7)
    return Pretrained(JointModel(settings, len(WORDS) + 1), Vocabulary(WORDS), SAMPLING, name="test", words=4)
