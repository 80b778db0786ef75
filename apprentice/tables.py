"""Every table of pluggable parts."""

from __future__ import annotations

import importlib

from records import Registry

_TABLES = (
    "perception.detectors.detector:DETECTORS",
    "perception.detectors.detector:READERS",
    "motion.body:BODIES",
    "motion.tool:TOOLS",
    "motion.residuals.residual:RESIDUALS",
    "motion.importers.importer:IMPORTERS",
    "motion.exporters.exporter:EXPORTERS",
    "motion.robot:ROBOTS",
    "sim.tasks.task:TASKS",
    "sim.actions:ACTIONS",
    "policies.agents:AGENTS",
    "policies.learners.learner:LEARNERS",
    "pretrain.backbone:BACKBONES",
    "pretrain.objectives.objective:OBJECTIVES",
    "pretrain.recipes:RECIPES",
    "pretrain.frames:VIDEO_READERS",
    "pretrain.probes.probe:PROBES",
    "policies.datasets.dataset:DATASETS",
    "policies.rewards.evaluation.data.reading:READERS",
    "policies.rewards.reward:REWARDS",
    "perception.states.discovery:DISCOVERERS",
)


def tables() -> list[Registry]:
    """All registries, from detectors to agents."""
    found = []
    for target in _TABLES:
        module, _, name = target.partition(":")
        found.append(getattr(importlib.import_module(module), name))
    return found
