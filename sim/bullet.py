"""The only file that talks to PyBullet: one physics client with its bodies, contacts, states and pictures.

World velocities of PyBullet are handed on as they are here; `local_velocity` converts them to Pinocchio's convention.
Every call names its client, so that several run side by side; `close` is certain (context manager, and at exit).
What every step asks or orders is a function that is made once, and names its arguments to PyBullet by place: by name,
PyBullet takes twice as long.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from sim.view import View


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """PyBullet prints to file descriptors 1 and 2 whatever it is told, on import too: hold that back."""
    kept = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    with open(os.devnull, "wb") as nowhere:
        for descriptor in kept:
            os.dup2(nowhere.fileno(), descriptor)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)
        for descriptor, copy in kept.items():
            os.dup2(copy, descriptor)
            os.close(copy)


with _silent():
    import pybullet as pb


Vector = Sequence[float] | np.ndarray
"""Three or four numbers."""

CONTACT_RANGE = 0.005
"""Bodies whose bounding boxes are nearer to each other than twice this are looked at for contacts [m]: the same for all
clients of a process. Within PyBullet's 0.02 every grain of a heap has dozens of neighbours that it does not touch."""


class SimulationError(RuntimeError):
    """The physics engine refuses a request."""


Triple = tuple[float, float, float]
Pose = tuple[tuple[float, ...], tuple[float, ...]]
"""Position [m] and quaternion xyzw, as the engine gives them."""


Order = tuple[Any, ...]
"""Arguments of a function of the engine."""


class Drive(NamedTuple):
    """What drives a body through every physics step; a function of ours in between would cost as much again."""

    carry_out: Callable[..., None]
    """The engine's own function, to call with an order's numbers."""
    order: Callable[[Sequence[float], Sequence[float]], Order]
    """Make an order of lists: converting arrays takes longer than the engine does."""


class Contact(NamedTuple):
    """Where two bodies touch."""

    point: Triple
    """On the first body, in the world [m]."""
    normal: Triple
    """Pointing from the second body to the first, in the world."""
    force: float
    """Along the normal [N]."""
    link: int
    """Link of the first body."""
    other_link: int
    """Link of the second body."""


_ANY = -2
"""Instead of a link: all of them."""
_UNCHANGED = (0.0, -1, 1e32, -1.0)
"""Gear ratio and link, relative position and error reduction of a constraint: values that PyBullet passes over."""


class Bullet:
    """One PyBullet client without a window."""

    def __init__(self, *, time_step: float, solver_iterations: int = 50) -> None:
        """Start a client; `time_step` in seconds."""
        with _silent():
            self._id = pb.connect(pb.DIRECT)
        if self._id < 0:
            raise SimulationError("PyBullet cannot start another client; close environments that are no longer used")
        self._finalizer = weakref.finalize(self, _disconnect, self._id)
        self.time_step = time_step
        self._loaded: dict[tuple[int, int], tuple[float, np.ndarray]] = {}
        self._factors: dict[tuple[int, int], float] = {}
        self._surfaces: dict[tuple[int, int], tuple[float, float]] = {}
        self._frames: dict[int, Pose] = {}
        self._loose: list[int] = []
        self._stepped = False
        pb.setGravity(0, 0, -9.81, physicsClientId=self._id)
        pb.setPhysicsEngineParameter(
            fixedTimeStep=time_step,
            numSolverIterations=solver_iterations,
            contactBreakingThreshold=CONTACT_RANGE,
            deterministicOverlappingPairs=1,
            physicsClientId=self._id,
        )

    def __enter__(self) -> Bullet:
        """Use as a context manager."""
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect."""
        self.close()

    def close(self) -> None:
        """Disconnect; a second call does nothing."""
        self._finalizer()

    @property
    def closed(self) -> bool:
        """Whether the client has been disconnected."""
        return not self._finalizer.alive

    def load_urdf(self, path: str, *, position: Vector = (0, 0, 0), yaw: float = 0.0, fixed: bool = True) -> int:
        """Load a URDF and return its body.

        Raises:
            SimulationError: PyBullet cannot read it.
        """
        turn = pb.getQuaternionFromEuler([0, 0, yaw])
        try:
            with _silent():
                return int(
                    pb.loadURDF(
                        path, list(position), turn, useFixedBase=fixed, flags=_URDF_FLAGS, physicsClientId=self._id
                    )
                )
        except pb.error as error:
            raise SimulationError(f"PyBullet cannot load {path}: {error}") from error

    def spheres(self, count: int, *, radius: float, mass: float, rgba: Vector) -> list[int]:
        """Create loose spheres that do not turn, at the origin, and return their bodies.

        They are rigid bodies in maximal coordinates, which the engine steps faster than multibodies.
        """
        shape = pb.createCollisionShape(pb.GEOM_SPHERE, radius=radius, physicsClientId=self._id)
        look = pb.createVisualShape(pb.GEOM_SPHERE, radius=radius, rgbaColor=list(rgba), physicsClientId=self._id)
        bodies = [
            int(pb.createMultiBody(mass, shape, look, useMaximalCoordinates=1, physicsClientId=self._id))
            for _ in range(count)
        ]
        self._loose += bodies
        for body in bodies:
            pb.changeDynamics(body, -1, mass=mass, localInertiaDiagonal=_RIGID, physicsClientId=self._id)
        return bodies

    def remove(self, body: int) -> None:
        """Take a body out of the world."""
        pb.removeBody(body, physicsClientId=self._id)

    def joints(self, body: int) -> dict[str, int]:
        """Indices of the moving joints by name."""
        found = {}
        for k in range(pb.getNumJoints(body, physicsClientId=self._id)):
            info = pb.getJointInfo(body, k, physicsClientId=self._id)
            if info[2] != pb.JOINT_FIXED:
                found[info[1].decode()] = k
        return found

    def links(self, body: int) -> dict[str, int]:
        """Indices of the links by name; the base is -1."""
        found = {pb.getBodyInfo(body, physicsClientId=self._id)[0].decode(): -1}
        for k in range(pb.getNumJoints(body, physicsClientId=self._id)):
            found[pb.getJointInfo(body, k, physicsClientId=self._id)[12].decode()] = k
        return found

    def find(self, link: str) -> tuple[int, int]:
        """Body and index of the first link of that name.

        Raises:
            SimulationError: there is none.
        """
        for k in range(pb.getNumBodies(physicsClientId=self._id)):
            body = pb.getBodyUniqueId(k, physicsClientId=self._id)
            links = self.links(body)
            if link in links:
                return body, links[link]
        raise SimulationError(f"no body has a link {link!r}")

    def set_friction(self, body: int, link: int, *, lateral: float, restitution: float = 0.0) -> None:
        """Set Coulomb friction and restitution of a link."""
        if self._surfaces.get((body, link)) == (lateral, restitution):
            return
        self._surfaces[body, link] = lateral, restitution
        pb.changeDynamics(body, link, lateralFriction=lateral, restitution=restitution, physicsClientId=self._id)

    def set_mass(self, body: int, link: int, factor: float) -> None:
        """Set mass and inertia of a link to so many times what was loaded; -1 is the base."""
        if self._factors.get((body, link)) == factor:
            return
        self._factors[body, link] = factor
        if (body, link) not in self._loaded:
            info = pb.getDynamicsInfo(body, link, physicsClientId=self._id)
            self._loaded[body, link] = (info[0], np.array(info[2]))
        mass, inertia = self._loaded[body, link]
        pb.changeDynamics(
            body,
            link,
            mass=factor * mass,
            localInertiaDiagonal=(factor * inertia).tolist(),
            physicsClientId=self._id,
        )

    def set_solver(self, *, iterations: int) -> None:
        """Change how many iterations the contact solver makes in a step: always as many.

        It solves groups of bodies together whose order it does not keep; stopping a group early would depend on it.
        """
        pb.setPhysicsEngineParameter(
            numSolverIterations=iterations, solverResidualThreshold=0.0, physicsClientId=self._id
        )

    def set_damping(self, body: int, *, linear: float, angular: float) -> None:
        """Set velocity damping of a body [1/s]."""
        pb.changeDynamics(body, -1, linearDamping=linear, angularDamping=angular, physicsClientId=self._id)

    def ignore_collisions(self, body: int, link: int, other: int, other_link: int) -> None:
        """Let two links pass through each other."""
        pb.setCollisionFilterPair(body, other, link, other_link, 0, physicsClientId=self._id)

    def place(self, body: int, position: Vector, quaternion: Vector = (0, 0, 0, 1)) -> None:
        """Put a body at a pose (its URDF origin; quaternion xyzw), at rest."""
        offset, turn = self._inertial(body)
        p, q = pb.multiplyTransforms(list(position), list(quaternion), offset, turn)
        pb.resetBasePositionAndOrientation(body, p, q, physicsClientId=self._id)
        pb.resetBaseVelocity(body, [0, 0, 0], [0, 0, 0], physicsClientId=self._id)

    def scatter(self, bodies: Sequence[int], positions: Float[np.ndarray, "N 3"], *, asleep: bool) -> None:
        """Put spheres at places [m], at rest; asleep they cost nothing until something touches them."""
        activation = pb.ACTIVATION_STATE_SLEEP if asleep else pb.ACTIVATION_STATE_WAKE_UP
        for body, position in zip(bodies, positions.tolist(), strict=True):
            pb.resetBasePositionAndOrientation(body, position, _UPRIGHT, physicsClientId=self._id)
            pb.resetBaseVelocity(body, _STILL, _STILL, physicsClientId=self._id)
            pb.changeDynamics(body, -1, activationState=activation, physicsClientId=self._id)

    def positions(self, bodies: Sequence[int]) -> Float[np.ndarray, "N 3"]:
        """Centres of mass of bodies [m]."""
        query, client = pb.getBasePositionAndOrientation, self._id
        return np.array([query(body, client)[0] for body in bodies])

    def set_velocity(self, body: int, linear: Vector, angular: Vector) -> None:
        """Set the world velocity of a body's centre of mass."""
        pb.resetBaseVelocity(body, list(linear), list(angular), physicsClientId=self._id)

    def pose(self, body: int) -> tuple[np.ndarray, np.ndarray]:
        """Position (3,) [m] and quaternion xyzw (4,) of a body's URDF origin."""
        p, q = pb.getBasePositionAndOrientation(body, physicsClientId=self._id)
        offset, turn = self._inertial(body)
        back = pb.invertTransform(offset, turn)
        p, q = pb.multiplyTransforms(p, q, *back)
        return np.array(p), np.array(q)

    def quick_pose(self, body: int, link: int) -> Callable[[], Pose]:
        """What tells where the engine has a link: its centre of mass for a base, see `quick_frame`."""
        base, state, client = pb.getBasePositionAndOrientation, pb.getLinkState, self._id

        def of_base() -> Pose:
            return base(body, client)

        def of_link() -> Pose:
            return state(body, link, 0, 1, client)[4:6]

        return of_base if link < 0 else of_link

    def quick_frame(self, body: int, link: int) -> Pose:
        """The frame of `quick_pose` in the link's URDF frame."""
        return self._inertial(body) if link < 0 else (_STILL, _UPRIGHT)

    def velocity(self, body: int) -> tuple[np.ndarray, np.ndarray]:
        """World linear velocity of the centre of mass [m/s] and angular velocity [rad/s]."""
        linear, angular = pb.getBaseVelocity(body, physicsClientId=self._id)
        return np.array(linear), np.array(angular)

    def link_pose(self, body: int, link: int) -> tuple[np.ndarray, np.ndarray]:
        """Position (3,) [m] and quaternion xyzw (4,) of a link's URDF frame; link -1 is the base."""
        if link < 0:
            return self.pose(body)
        state = pb.getLinkState(body, link, computeForwardKinematics=1, physicsClientId=self._id)
        return np.array(state[4]), np.array(state[5])

    def reset_joints(self, body: int, joints: Sequence[int], q: Vector) -> None:
        """Set joint positions, at rest."""
        for joint, value in zip(joints, q, strict=True):
            pb.resetJointState(body, joint, float(value), 0.0, physicsClientId=self._id)

    def joint_state(self, body: int, joints: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Positions and velocities of joints."""
        states = pb.getJointStates(body, list(joints), physicsClientId=self._id)
        return np.array([s[0] for s in states]), np.array([s[1] for s in states])

    def joint_position(self, body: int, joint: int) -> Callable[[], float]:
        """What tells the position of one joint [m, rad]."""
        state, client = pb.getJointState, self._id

        def position() -> float:
            return state(body, joint, client)[0]

        return position

    def motors(self, body: int, joints: Sequence[int], force: Sequence[float], *, gain: float) -> Drive:
        """What drives joints towards positions and velocities with limited force or torque [N, N m]."""
        client, mode, gains, damping = self._id, pb.POSITION_CONTROL, [gain] * len(joints), [1.0] * len(joints)

        def towards(position: Sequence[float], velocity: Sequence[float]) -> Order:
            return body, joints, mode, position, velocity, force, gains, damping, client

        return Drive(pb.setJointMotorControlArray, towards)

    def brake(self, body: int, joint: int, force: float) -> None:
        """Hold a joint at rest with a limited force [N]: dry friction."""
        pb.setJointMotorControl2(
            body, joint, pb.VELOCITY_CONTROL, targetVelocity=0.0, force=force, physicsClientId=self._id
        )

    def hold(self, body: int, force: float) -> Drive:
        """Attach a body to a point of the world by a fixed constraint of limited force [N].

        Returns what moves the point to a position and quaternion.
        """
        p, q = self.pose(body)
        offset, turn = self._inertial(body)
        back_p, back_q = pb.invertTransform(offset, turn)
        constraint = pb.createConstraint(
            body,
            -1,
            -1,
            -1,
            pb.JOINT_FIXED,
            [0, 0, 0],
            back_p,
            p.tolist(),
            back_q,
            q.tolist(),
            physicsClientId=self._id,
        )
        rest = force, *_UNCHANGED, self._id

        def at(position: Sequence[float], quaternion: Sequence[float]) -> Order:
            return constraint, position, quaternion, *rest

        pb.changeConstraint(*at(p.tolist(), q.tolist()))
        return Drive(pb.changeConstraint, at)

    def bounds(self, body: int, link: int) -> Callable[[], tuple[Triple, Triple]]:
        """What tells the lower and the upper corner of the bounding box of a link [m]."""
        box, client = pb.getAABB, self._id

        def corners() -> tuple[Triple, Triple]:
            return box(body, link, client)

        return corners

    def contacts(
        self, body: int, other: int, *, other_link: int = _ANY, above: float = -1.0
    ) -> Callable[[], Sequence[Contact]]:
        """What tells contacts of a body with another one, or with a link of it, of more than a force [N], last step."""
        points, client = pb.getContactPoints, self._id

        def touching() -> Sequence[Contact]:
            found = points(body, other, _ANY, other_link, client)
            return [Contact(c[5], c[7], c[9], c[3], c[4]) for c in found if c[9] > above] if found else ()

        return touching

    def pressure(self, body: int, other: int) -> Callable[[], float]:
        """What tells the normal force between two bodies in the last step [N]."""
        points, client = pb.getContactPoints, self._id

        def pressed() -> float:
            found = points(body, other, _ANY, _ANY, client)
            return sum([contact[9] for contact in found]) if found else 0.0

        return pressed

    def touch(self, body: int, link: int) -> tuple[float, float, float]:
        """Force on a link by all that is not of its body, normal and friction, in the last step, world axes [N].

        All contacts are asked for: with a body named, the engine turns the normals to it, but not the friction.
        """
        x = y = z = 0.0
        if not pb.getContactPoints(body, _ANY, link, _ANY, self._id):
            return x, y, z
        for c in pb.getContactPoints(physicsClientId=self._id):
            first, second = (c[1], c[3]) == (body, link), (c[2], c[4]) == (body, link)
            if first == second or c[1] == c[2]:
                continue
            sign = 1 if first else -1
            for force, (a, b, d) in ((c[9], c[7]), (c[10], c[11]), (c[12], c[13])):
                x, y, z = x + sign * force * a, y + sign * force * b, z + sign * force * d
        return x, y, z

    def mass(self, body: int, link: int) -> float:
        """Mass of a link as it is now [kg]."""
        return float(pb.getDynamicsInfo(body, link, physicsClientId=self._id)[0])

    def link_velocity(self, body: int, link: int) -> np.ndarray:
        """World velocity (3,) of a link's centre of mass [m/s]; -1 is the base."""
        if link < 0:
            return self.velocity(body)[0]
        return np.array(pb.getLinkState(body, link, 1, 1, self._id)[6])

    def step(self) -> None:
        """Advance by one time step."""
        self._stepped = True
        pb.stepSimulation(self._id)

    def save(self) -> int:
        """Keep the whole state in memory; `restore` returns to it exactly."""
        state = int(pb.saveState(physicsClientId=self._id))
        if self._loose:
            if not self._stepped:
                # The very first step of a world differs from all later ones.
                self.step()
            self.restore(state)
        return state

    def restore(self, state: int) -> None:
        """Return to a kept state.

        The engine keeps neither the order of contacts nor who sleeps. Where there are loose bodies, all are taken apart
        first, so that no contact is left, and woken afterwards, here and where a state is kept: what follows is then
        the same each time.
        """
        if self._loose:
            self._take_apart()
        pb.restoreState(stateId=state, physicsClientId=self._id)
        for body in self._loose:
            pb.changeDynamics(body, -1, activationState=pb.ACTIVATION_STATE_WAKE_UP, physicsClientId=self._id)

    def anew(self) -> None:
        """Begin from the present as if from a kept state: what was before leaves no trace in what follows."""
        self.forget(self.save())

    def _take_apart(self) -> None:
        """Move every body away from all others, arms straight up."""
        for k in range(pb.getNumBodies(physicsClientId=self._id)):
            body = pb.getBodyUniqueId(k, physicsClientId=self._id)
            if pb.getDynamicsInfo(body, -1, physicsClientId=self._id)[0] > 0:
                away = [_AWAY + _ROOM * k, 0.0, _AWAY]
                pb.resetBasePositionAndOrientation(body, away, _UPRIGHT, physicsClientId=self._id)
            for joint in self.joints(body).values():
                pb.resetJointState(body, joint, 0.0, 0.0, physicsClientId=self._id)
        pb.performCollisionDetection(physicsClientId=self._id)

    def forget(self, state: int) -> None:
        """Free a kept state."""
        pb.removeState(state, physicsClientId=self._id)

    def render(self, view: View, size_hw: tuple[int, int]) -> UInt8[np.ndarray, "H W 3"]:
        """Picture of the scene by the software renderer, RGB."""
        height, width = size_hw
        looking = pb.computeViewMatrix(view.eye, view.target, [0, 0, 1])
        lens = pb.computeProjectionMatrixFOV(view.fov, width / height, 0.05, 20.0)
        image = pb.getCameraImage(width, height, looking, lens, renderer=pb.ER_TINY_RENDERER, physicsClientId=self._id)
        return np.ascontiguousarray(np.reshape(image[2], (height, width, 4))[..., :3]).astype(np.uint8)

    def _inertial(self, body: int) -> Pose:
        """Pose of the centre of mass in the body's URDF frame."""
        if body not in self._frames:
            info = pb.getDynamicsInfo(body, -1, physicsClientId=self._id)
            self._frames[body] = info[3], info[4]
        return self._frames[body]


_RIGID = (0.0, 0.0, 0.0)
"""Moments of inertia of what does not turn: the engine takes none for infinite."""
_AWAY, _ROOM = 50.0, 5.0
"""Where bodies are taken that shall touch nothing, and how far apart they stand there [m]."""
_UPRIGHT, _STILL = (0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0)
_URDF_FLAGS = pb.URDF_USE_INERTIA_FROM_FILE


def local_velocity(
    rotation: Float[np.ndarray, "3 3"], linear: Float[np.ndarray, "3"], angular: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "6"]:
    """Pinocchio's free-flyer velocity (local linear, local angular) of world velocities at the same point."""
    return np.concatenate([rotation.T @ linear, rotation.T @ angular])


def _disconnect(client: int) -> None:
    with contextlib.suppress(pb.error):
        pb.disconnect(physicsClientId=client)
