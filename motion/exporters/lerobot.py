"""What goes into a LeRobotDataset: an interaction, or a demonstration."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from motion.body import BODIES, body_of
from motion.exporters.lerobot_dataset import LeRobotEpisode, write_dataset
from records import Demonstration, Interaction, Motion

FREE_FLYER = ("x", "y", "z", "qx", "qy", "qz", "qw")


def export_lerobot(source: Interaction | Demonstration, folder: Path) -> list[Path]:
    """Write a LeRobotDataset v3.0 into `folder`.

    Interaction: `observation.state` is the person's configuration, `observation.environment_state` the tool's (if there
    is one), `observation.contact_force` the wrenches on the person; `action` is the next configuration.
    Demonstration: the same of the robot (of the tool where there is no robot yet).
    """
    if isinstance(source, Demonstration):
        return _demonstration(source, folder)
    columns = _moving(source.person, source.tool)
    names = _names(source.person, source.tool)
    columns["observation.contact_force"] = source.forces.wrench.reshape(len(source.forces.wrench), -1)
    axes = ("fx", "fy", "fz", "mx", "my", "mz")
    names["observation.contact_force"] = [f"{contact}_{axis}" for contact in source.forces.names for axis in axes]
    task = f"move the {source.tool.model}" if source.tool is not None else "move"
    episode = LeRobotEpisode(task, columns)
    return write_dataset([episode], folder, fps=source.person.fps, names=names, robot_type=source.person.model)


def _demonstration(source: Demonstration, folder: Path) -> list[Path]:
    agent, tool = (source.tool, None) if source.robot is None else (source.robot, source.tool)
    episode = LeRobotEpisode(source.task, _moving(agent, tool))
    return write_dataset([episode], folder, fps=agent.fps, names=_names(agent, tool), robot_type=agent.model)


def _moving(agent: Motion, tool: Motion | None) -> dict[str, np.ndarray]:
    columns = {"observation.state": agent.q, "action": np.concatenate([agent.q[1:], agent.q[-1:]])}
    if tool is not None:
        columns["observation.environment_state"] = tool.q
    return columns


def _names(agent: Motion, tool: Motion | None) -> dict[str, list[str]]:
    state = _configuration_names(agent)
    names = {"observation.state": state, "action": state}
    if tool is not None:
        names["observation.environment_state"] = _configuration_names(tool)
    return names


def _configuration_names(motion: Motion) -> list[str]:
    """Name of each column of `q`: a person's by joint, a free body's by axis, any other's by number."""
    if motion.model in BODIES:
        joints = body_of(motion).joint_names
        root = [f"{joints[0]}_{axis}" for axis in FREE_FLYER]
        return root + [f"{joint}_{axis}" for joint in joints[1:] for axis in FREE_FLYER[3:]]
    if motion.q.shape[1] == len(FREE_FLYER) and motion.v.shape[1] == 6:
        return [f"{motion.model}_{axis}" for axis in FREE_FLYER]
    return [f"{motion.model}_q{i}" for i in range(motion.q.shape[1])]
