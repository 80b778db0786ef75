"""Detectors of people and hands behind one protocol."""
