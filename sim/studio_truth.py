"""True motion and forces of the acting, as the records that an estimate hands on.

Motion is differentiated over neighbouring frames. While the face is on the nail, the nail bears what would otherwise
jolt the person: the weight and deceleration of the tool, and those of the arm behind it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.centroidal import demand
from motion.force_options import ForceOptions
from motion.forces import GRAVITY, solve_forces
from motion.local_derivative import differentiate
from motion.rotation import quaternion
from motion.skeleton import CONTACT_SITES
from motion.tool import Tool
from records import Camera, ContactStates, Interaction, Motion
from sim.studio_motion import Acting
from sim.studio_stroke import Character

NEIGHBOURS = 0.01
"""Width [s] of the Gaussian that makes local parabolas into central differences at the usual rates."""
EXACT = ForceOptions(
    smoothing=NEIGHBOURS,
    position_sigma=1e-5,
    depth_sigma=1e-5,
    untracked_force=1e-3,
    moment_arm_sigma=1e-3,
    tool_acceleration_sigma=0.01,
    tool_moment_arm_sigma=1e-3,
    absent_force=1e-4,
    rate=40.0,
)
"""Motion and contacts are known: the balance holds, and forces change as fast as the motion says."""


NAIL_FRICTION = 0.4
"""Between the face and the nail, steel on steel, dry [1]."""


class _Inertia(NamedTuple):
    model: pin.Model


def true_interaction(character: Character, acting: Acting, tool: Tool, camera: Camera, fps: float) -> Interaction:
    """Motion, contacts and forces of person and tool, seen by the camera."""
    person = _motion("smpl_tree", character.body.parameters(), acting.q, fps)
    tool_q = np.concatenate([acting.p_tool, quaternion(acting.R_tool)], axis=1)
    held = _motion(tool.name, tool.parameters(), tool_q, fps)
    touching = [name in ("l_ankle", "r_ankle", f"{character.side}_fingers") for name in CONTACT_SITES]
    probability = np.tile(np.array(touching, float), (len(tool_q), 1))
    contacts = ContactStates(names=CONTACT_SITES, probability=probability, fps=fps)
    forces = solve_forces(
        character.body,
        person,
        contacts,
        tool=held,
        tool_model=_Inertia(tool.model()),
        tool_load=nail_load(character, acting, tool, tool_q, fps),
        options=EXACT,
    )
    return Interaction(
        person=person,
        tool=held,
        contacts=contacts,
        forces=forces,
        camera=camera,
        observed=np.ones(len(tool_q), bool),
        status="converged",
    )


def nail_load(
    character: Character, acting: Acting, tool: Tool, tool_q: Float[np.ndarray, "T 7"], fps: float
) -> Float[np.ndarray, "T 6"]:
    """Wrench of the nail on the tool, world axes at the tool's centre of mass [N, N m].

    The nail pushes upwards, and across as far as friction goes.
    """
    body = character.body
    of_person = demand(body.model, acting.q, differentiate(acting.q, fps, NEIGHBOURS))
    of_tool = demand(tool.model(), tool_q, differentiate(tool_q, fps, NEIGHBOURS))
    # The blow falls between two frames, and differences over neighbours show it in both.
    struck = acting.on_nail | np.append(acting.on_nail[1:], False)
    jolt = of_tool.wrench[:, :3] + of_person.wrench[:, :3] - [0, 0, GRAVITY * body.mass]
    push = np.where(struck, np.maximum(jolt[:, 2], 0), 0)
    across = np.linalg.norm(jolt[:, :2], axis=1)
    grip = np.minimum(1, NAIL_FRICTION * push / np.maximum(across, 1e-9))
    force = np.concatenate([grip[:, None] * jolt[:, :2], push[:, None]], axis=1)
    face = acting.p_tool + acting.R_tool @ (tool.p_head - [0, 0, 0.5 * tool.head_size[2]])
    return np.concatenate([force, np.cross(face - of_tool.com, force)], axis=1)


def _motion(model: str, parameters: dict[str, float], q: np.ndarray, fps: float) -> Motion:
    derivatives = differentiate(q, fps, NEIGHBOURS)
    return Motion(model=model, parameters=parameters, fps=fps, q=q, v=derivatives.v, a=derivatives.a)
