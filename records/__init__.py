"""Records that the rooms hand each other, the lazy registry of pluggable parts, and run folders."""

from records.demonstration import Demonstration, Episodes
from records.features import Features, Timeline
from records.measured import MeasuredForces
from records.motion import ContactForces, Interaction, Motion, Uncertainty
from records.observation import ContactStates, Keypoints
from records.record import Record, RecordError
from records.registry import Entry, Registry, UnknownName
from records.run import Run, RunError, digest
from records.video import Camera, Clip

__all__ = [
    "Camera",
    "Clip",
    "ContactForces",
    "ContactStates",
    "Demonstration",
    "Entry",
    "Episodes",
    "Features",
    "Interaction",
    "Keypoints",
    "MeasuredForces",
    "Motion",
    "Record",
    "RecordError",
    "Registry",
    "Run",
    "RunError",
    "Timeline",
    "Uncertainty",
    "UnknownName",
    "digest",
]
