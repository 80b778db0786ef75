"""Canonical rewards: what is left of a reward when potential shaping is taken away, and the distance of two of them."""
