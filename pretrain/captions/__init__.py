"""Captions of a video in the formats that there are, each read into `Sentence`s; `narration` makes them one record."""

from pretrain.captions.sentence import CaptionError, Sentence, narration
from pretrain.captions.table import FORMATS, read_captions

__all__ = ["FORMATS", "CaptionError", "Sentence", "narration", "read_captions"]
