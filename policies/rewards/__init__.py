"""Learned rewards: episodes of observations and frames in, a reward for each step out; and what they are worth."""
