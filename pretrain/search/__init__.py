"""Searching clips by language: an index over embeddings of windows, and sentences asked of it."""
