"""From observations of a person, and of a tool, to their 3D motion and contact forces."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pinocchio as pin
from jaxtyping import Float
from scipy.linalg import LinAlgError

from motion.body import Body, build_body
from motion.centroidal import demand
from motion.contact_basis import HANDS
from motion.contact_posterior import refine_contacts
from motion.evidence import Evidence, image_evidence, image_residuals
from motion.force_options import ASSUMED_MASS_ERROR, VIDEO_ACCELERATION_SHARE
from motion.force_uncertainty import force_covariance
from motion.forces import GRAVITY, ForceOptions, solve_forces
from motion.initialise import MIN_POINTS, bridge, place, pose
from motion.lengths import lift_by_lengths
from motion.local_derivative import differentiate
from motion.markers import MARKERS
from motion.residuals.balance import SOLES, Balance
from motion.residuals.contact import Anchor, Ground, Sliding
from motion.residuals.residual import Residual
from motion.resting_contact import confirmed, resting_log_odds, with_resting
from motion.scene import Scene, lowered
from motion.scene_contact import on_surface, surface_residuals
from motion.skeleton import RESTING_SITES
from motion.solve import Solution, SolverOptions
from motion.solve_clip import solve_clip
from motion.state import State
from motion.tool import TOOLS, Tool
from motion.touch import Touches, may_stand, touches
from motion.uncertainty import joint_covariance
from motion.wield import Wielding, tool_residuals, wield
from motion.windows import Window, WindowOptions, divide, joined, part_of, part_of_state, parts_of
from records import Camera, ContactStates, Interaction, Keypoints, Motion, Uncertainty
from records.single_thread import single_thread

MIN_FRAMES = 3
"""Accelerations need three frames."""

TRIAL = 4
"""Steps after which the costs of several starts are compared."""


class EstimateError(ValueError):
    """The observations do not suffice for an estimate."""


@dataclass(frozen=True, kw_only=True)
class EstimateOptions:
    """What is known of the person, and how long to optimise."""

    height: float | None = None
    """Stature [m]; 1.70 is assumed when not given. It sets the scale of the world."""
    mass: float | None = None
    """Body mass [kg]; by default what is usual at the stature. Forces are proportional to it."""
    focal_known: bool = False
    """Whether the camera's focal length was measured: it is then kept; else it is refined, and `assumed` in the result
    names the one that it was refined from."""
    first: SolverOptions = field(default_factory=lambda: SolverOptions(damping=1e-5, tolerance=1e-2))
    """Solver from the geometric start, before contacts: only as exact as the place of a contact must be."""
    second: SolverOptions = field(
        default_factory=lambda: SolverOptions(iterations=8, widening=1.0, damping=1e-6, tolerance=5e-4)
    )
    """Solver with contacts, from the first solution."""
    held: SolverOptions = field(
        default_factory=lambda: SolverOptions(iterations=20, widening=1.0, damping=1e-6, tolerance=5e-4)
    )
    """The same with a tool, whose motion has only begun by geometry: a bar of which one end is seen takes 16 steps."""
    windows: WindowOptions = field(default_factory=WindowOptions)
    """How long clips are divided."""
    smoothing: float = 0.04
    """Width of the Gaussian behind the velocities and accelerations that are handed on [s]."""
    forces: ForceOptions = field(default_factory=ForceOptions)
    """Trust in dynamics and contacts; to it come the error of a moving body's acceleration, and of an assumed mass."""

    def trust(self, body: Body, q: Float[np.ndarray, "T 99"], fps: float) -> ForceOptions:
        """`forces`, with what a motion from one video does not tell: see `VIDEO_ACCELERATION_SHARE`.

        A body off its feet is held to its hands no better than a single frame knows its acceleration and its mass,
        though the path of its centre of mass is known better. That is a hedge, not physics, and was taken after seeing
        the score: as exact as on feet, the parkour clips err by 5 N more, for what else bears there is not known.
        """
        needed = demand(body.model, q, differentiate(q, fps, self.forces.smoothing)).wrench[:, :3] / body.mass
        moving = float(np.sqrt(np.mean((needed - [0.0, 0.0, GRAVITY]) ** 2)))
        sigma = float(np.hypot(self.forces.acceleration_sigma, VIDEO_ACCELERATION_SHARE * moving))
        mass_error = self.forces.mass_error if self.mass else ASSUMED_MASS_ERROR
        hanging = float(np.hypot(sigma / GRAVITY, mass_error))
        return replace(self.forces, acceleration_sigma=sigma, mass_error=mass_error, hanging_untracked_force=hanging)


ASSUMED_HEIGHT = 1.70
"""Between the mean statures of women and men in Europe [m] (NCD-RisC 2016)."""

ASSUMED_MASS_INDEX = 24.2
"""Body mass over the square of stature [kg/m^2] of whom nobody has weighed: 70 kg at the assumed stature."""


def estimate(
    person: Keypoints,
    camera: Camera,
    contacts: ContactStates,
    *,
    tool: Keypoints | None = None,
    tool_name: str | Tool | None = None,
    options: EstimateOptions | None = None,
    scene: Scene | None = None,
) -> Interaction:
    """Estimate 3D motion and contact forces of a whole clip.

    Args:
        person: image points, with the detector's 3D landmarks or without.
        camera: world z up, ground at z = 0; focal length and tilt are refined within a few per cent and degrees.
        contacts: probability of contact of l_ankle, r_ankle, l_fingers, r_fingers, from the image; the result holds
            them refined by the 3D motion, and l_knee, r_knee, l_hip, r_hip where the motion shows that they bear.
        tool: image points of tool_head and tool_handle.
        tool_name: entry of the table of tools, or one's own tool.
        options: what is known of the person.
        scene: surroundings of known shape, in the world of `camera`: contacts are on its surface, nobody is inside it.

    Raises:
        EstimateError: too few frames or points, or observations of different clips.
        DidNotConverge: the solver failed numerically.
    """
    options = options or EstimateOptions()
    _check(person, contacts, tool, tool_name)
    stated = contacts.names
    person = _near_image(person)
    with single_thread():
        state, evidence = start(person, camera, options)
        residuals = image_residuals(evidence, person.fps, focal_known=options.focal_known, tilt_sigma=camera.tilt_sigma)
        residuals["balance"] = standing = balance(contacts, holding=tool_name is not None)
        solution = solve_clip(residuals, state, options.first, options.windows)
        contacts = with_resting(contacts, _resting(solution.state, contacts, options, scene), evidence.observed)
        residuals["balance"] = standing = balance(contacts, holding=tool_name is not None)
        # Not the refined contacts: anchors that follow from the motion confirm its errors (PA-MPJPE 0.5 mm more).
        touch = touches(solution.state, contacts, evidence.observed)
        if scene is not None:
            touch = on_surface(touch, scene, solution.state)
        residuals |= contact_residuals(touch, scene)
        state, held = solution.state, None
        if tool_name is not None:
            starts, held = wield(state, TOOLS.load(tool_name) if isinstance(tool_name, str) else tool_name, tool)
            residuals |= tool_residuals(starts[0], held)
            residuals["balance"] = replace(standing, load=held.load(state.body.mass))
            state = _cheapest(residuals, starts, options)
        last = options.second if held is None else options.held
        solution = solve_clip(residuals, state, last, options.windows, "motion with contacts")
        # A knee that was too uncertain to hold the body may be plain once the rest is in place.
        contacts = with_resting(contacts, _resting(solution.state, contacts, options, scene), evidence.observed)
        known = _uncertainty(residuals, solution.state, options.windows)
        return _interaction(solution, held, contacts, stated, evidence, options, known, scene)


def assumed_mass(height: float) -> float:
    """Body mass [kg] of somebody of a stature [m]."""
    return ASSUMED_MASS_INDEX * height**2


def start(person: Keypoints, camera: Camera, options: EstimateOptions) -> tuple[State, Evidence]:
    """Geometric start, and the observations in the form that the residuals take."""
    height = options.height or ASSUMED_HEIGHT
    body = build_body(height=height, mass=options.mass or assumed_mass(height))
    landmarks = np.asarray(person.xyz) if person.xyz is not None else lift_by_lengths(person, camera, body)
    placed = place(person, landmarks, camera, body)
    if placed.placed.sum() < MIN_FRAMES:
        raise EstimateError(
            f"{placed.placed.sum()} of {person.num_frames} frames show enough of the person to place it ({MIN_POINTS}"
            f" confident points in or near the image); motion needs at least {MIN_FRAMES}; check the keypoints and the"
            " camera"
        )
    q = pose(person.names, placed.p_world, person.confidence > 0, body)
    state = State(q=bridge(q, placed.placed), fps=person.fps, reference_body=body, reference_camera=camera)
    return state, image_evidence(person, placed)


def contact_residuals(touch: Touches, scene: Scene | None = None) -> dict[str, Residual]:
    """Residuals of points in touch, with the ground or with surroundings of known shape."""
    standing = [n for n, name in enumerate(touch.names) if may_stand(name)]
    root = np.sqrt(touch.probability)
    ground = {"ground": Ground(names=tuple(touch.names[n] for n in standing), weight=root[:, standing])}
    return {
        "anchor": Anchor(names=touch.names, place=touch.place, weight=root),
        "sliding": Sliding(names=touch.names, weight=np.sqrt(touch.probability[1:] * touch.probability[:-1])),
        **(ground if scene is None else surface_residuals(touch, scene)),
    }


def balance(contacts: ContactStates, *, holding: bool) -> Balance:
    """Residual of a body that the feet alone carry.

    Args:
        contacts: probability of contact.
        holding: whether a tool is what the hands are in contact with; else they may carry, as knees and hips may.
    """
    probability = dict(zip(contacts.names, contacts.probability.T, strict=True))
    nothing = np.zeros(len(contacts.probability))
    feet = np.stack([probability.get(f"{name[0]}_ankle", nothing) for name in SOLES], axis=1)
    total = feet.sum(axis=1, keepdims=True)
    free = np.ones(len(feet))
    for other in (*(() if holding else HANDS), *RESTING_SITES):
        free = free * (1 - probability.get(other, nothing))
    return Balance(
        share=np.divide(feet, total, out=np.zeros_like(feet), where=total > 0),
        weight=np.sqrt(feet.max(axis=1) * free),
    )


def _cheapest(residuals: dict[str, Residual], starts: tuple[State, ...], options: EstimateOptions) -> State:
    """The start that a few steps bring to the lowest cost, after them."""
    if len(starts) == 1:
        return starts[0]
    few = replace(options.second, iterations=TRIAL)
    tried = [solve_clip(residuals, state, few, options.windows, "which way the tool leans") for state in starts]
    return min(tried, key=lambda solution: sum(solution.cost.values())).state


@dataclass(frozen=True)
class _Inertia:
    model: pin.Model


def _interaction(
    solution: Solution,
    held: Wielding | None,
    contacts: ContactStates,
    stated: tuple[str, ...],
    evidence: Evidence,
    options: EstimateOptions,
    known_joints: Uncertainty | None,
    scene: Scene | None,
) -> Interaction:
    state = _on_ground(solution.state)
    scene = scene and lowered(scene, solution.state.value("ground"))
    body, camera = state.body, state.camera
    motion = _motion("smpl_tree", body.parameters(), state.q, state.fps, options.smoothing)
    tool, inertia = None, None
    if held is not None and state.tool_q is not None:
        sized = replace(held.tool, length=float(np.clip(state.length, *held.tool.length_bounds)))
        tool = _motion(sized.name, sized.parameters(), state.tool_q, state.fps, options.smoothing)
        inertia = _Inertia(sized.model())
    trust = options.trust(body, state.q, state.fps)
    windows, total = divide(len(state.q), state.fps, options.windows), len(state.q)
    if held is not None:
        contacts = held.touched(contacts)
    contacts = joined(
        lambda window: refine_contacts(
            body,
            state.q[window.frames],
            part_of(contacts, window.frames, total),
            camera=part_of(camera, window.frames, total),
            observed=evidence.observed[window.frames],
            holding=held is not None,
            options=trust,
            scene=scene,
        ),
        windows,
    )
    contacts = confirmed(contacts, stated, evidence.observed)
    forces = joined(
        lambda window: solve_forces(
            body,
            part_of(motion, window.frames, total),
            part_of(contacts, window.frames, total),
            tool=part_of(tool, window.frames, total),
            tool_model=inertia,
            camera=part_of(camera, window.frames, total),
            options=trust,
            scene=scene,
        ),
        windows,
    )
    covariance = joined(
        lambda window: force_covariance(
            part_of(forces, window.frames, total),
            part_of(contacts, window.frames, total),
            body.mass,
            held=held is not None,
            options=trust,
        ),
        windows,
    )
    known = {"height": options.height, "mass": options.mass, "focal": options.focal_known or None}
    used = {"height": body.height, "mass": body.mass, "focal": float(state.reference_camera.K[0, 0])}
    if tool is not None and held is not None and not held.seen:
        known["tool_length"], used["tool_length"] = None, tool.parameters["length"]
    assumed = {name: value for name, value in used.items() if known[name] is None}
    return Interaction(
        person=motion,
        tool=tool,
        contacts=contacts,
        forces=forces,
        camera=camera,
        observed=evidence.observed,
        cost=solution.cost,
        status=solution.status,
        assumed=assumed,
        uncertainty=known_joints and known_joints.replace(contact_names=forces.names, forces=covariance),
    )


def _resting(state: State, contacts: ContactStates, options: EstimateOptions, scene: Scene | None) -> ContactStates:
    """Which knees and hips bear, as the motion alone tells."""
    ground = state.value("ground")
    state = _on_ground(state)
    scene, total = scene and lowered(scene, ground), state.num_frames

    def of(window: Window) -> np.ndarray:
        camera = part_of(state.camera, window.frames, total)
        return resting_log_odds(state.body, state.q[window.frames], state.fps, camera, scene)

    log_odds = joined(of, divide(total, state.fps, options.windows))
    probability = 1 / (1 + np.exp(-log_odds))
    return ContactStates(names=tuple(RESTING_SITES), probability=probability, fps=contacts.fps)


def _uncertainty(residuals: dict[str, Residual], state: State, options: WindowOptions) -> Uncertainty | None:
    """That of the joints; None where the normal equations are singular: the estimate still stands."""
    total = state.num_frames

    def of(window: Window) -> np.ndarray:
        return joint_covariance(parts_of(residuals, window.frames, total), part_of_state(state, window.frames))

    try:
        return Uncertainty(joint_names=MARKERS, joints=joined(of, divide(total, state.fps, options)))
    except LinAlgError:
        return None


def _on_ground(state: State) -> State:
    """Move the world so that the estimated ground lies at z = 0."""
    shift = np.array([0.0, 0.0, state.value("ground")])
    T = state.reference_camera.T_world_camera.copy()
    T[:, :3, 3] -= shift
    q = state.q.copy()
    q[:, :3] -= shift
    tool_q = None
    if state.tool_q is not None:
        tool_q = state.tool_q.copy()
        tool_q[:, :3] -= shift
    return replace(state, q=q, tool_q=tool_q, reference_camera=state.reference_camera.replace(T_world_camera=T))


def _motion(model: str, parameters: dict[str, float], q: np.ndarray, fps: float, smoothing: float) -> Motion:
    derivatives = differentiate(q, fps, smoothing)
    return Motion(model=model, parameters=parameters, fps=fps, q=q, v=derivatives.v, a=derivatives.a)


def _near_image(person: Keypoints) -> Keypoints:
    """Forget points that lie further outside the image than it is large: nobody can know of them."""
    size = np.array(person.size_hw[::-1])
    near = ((person.uv > -size) & (person.uv < 2 * size)).all(axis=-1)
    return person.replace(confidence=person.confidence * near)


def _check(person: Keypoints, contacts: ContactStates, tool: Keypoints | None, tool_name: str | Tool | None) -> None:
    if person.num_frames < MIN_FRAMES:
        raise EstimateError(
            f"the clip has {person.num_frames} frame{'s' * (person.num_frames != 1)}; motion needs at least"
            f" {MIN_FRAMES}"
        )
    if tool is not None and tool_name is None:
        raise EstimateError(f"endpoints of a tool without its name; name one of: {', '.join(TOOLS)}")
    if not (person.confidence > 0).any():
        raise EstimateError("the person is not seen in any frame: every keypoint has confidence 0")
    for what, frames, fps in [
        ("contacts", len(contacts.probability), contacts.fps),
        *([("tool", tool.num_frames, tool.fps)] if tool is not None else []),
    ]:
        if (frames, fps) != (person.num_frames, person.fps):
            raise EstimateError(
                f"{what}: {frames} frames at {fps} fps, but the person has {person.num_frames} at {person.fps};"
                " give both the same frames"
            )
