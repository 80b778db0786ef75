"""One physics client: its bodies, where they are and what they are like, and its states.

Every call names its client, so that several run side by side; `close` is certain (context manager, and at exit).
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Sequence

import numpy as np

from sim.bullet.engine import UPRIGHT, Pose, SimulationError, Vector, pb, silent

CONTACT_RANGE = 0.005
"""Bodies whose bounding boxes are nearer to each other than twice this are looked at for contacts [m]: the same for all
clients of a process. Within PyBullet's 0.02 every grain of a heap has dozens of neighbours that it does not touch."""


class Bullet:
    """One PyBullet client without a window."""

    def __init__(self, *, time_step: float, solver_iterations: int = 50) -> None:
        """Start a client; `time_step` in seconds.

        Its solver never stops early: it solves groups of bodies together whose order it does not keep.
        """
        with silent():
            self.client: int = pb.connect(pb.DIRECT)
        if self.client < 0:
            raise SimulationError("PyBullet cannot start another client; close environments that are no longer used")
        self._finalizer = weakref.finalize(self, _disconnect, self.client)
        self.time_step = time_step
        self._loaded: dict[tuple[int, int], tuple[float, np.ndarray]] = {}
        self._factors: dict[tuple[int, int], float] = {}
        self._surfaces: dict[tuple[int, int], tuple[float, float]] = {}
        self._frames: dict[int, Pose] = {}
        self.loose: list[int] = []
        """Bodies that lie in no hand and on no joint, see `restore`."""
        self._stepped = False
        pb.setGravity(0, 0, -9.81, physicsClientId=self.client)
        pb.setPhysicsEngineParameter(
            fixedTimeStep=time_step,
            numSolverIterations=solver_iterations,
            contactBreakingThreshold=CONTACT_RANGE,
            solverResidualThreshold=0.0,
            deterministicOverlappingPairs=1,
            physicsClientId=self.client,
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
            with silent():
                body = int(
                    pb.loadURDF(
                        path, list(position), turn, useFixedBase=fixed, flags=_URDF_FLAGS, physicsClientId=self.client
                    )
                )
        except pb.error as error:
            raise SimulationError(f"PyBullet cannot load {path}: {error}") from error
        self._leave_out_shapeless(body)
        return body

    def remove(self, body: int) -> None:
        """Take a body out of the world."""
        pb.removeBody(body, physicsClientId=self.client)

    def joints(self, body: int) -> dict[str, int]:
        """Indices of the moving joints by name."""
        found = {}
        for k in range(pb.getNumJoints(body, physicsClientId=self.client)):
            info = pb.getJointInfo(body, k, physicsClientId=self.client)
            if info[2] != pb.JOINT_FIXED:
                found[info[1].decode()] = k
        return found

    def links(self, body: int) -> dict[str, int]:
        """Indices of the links by name; the base is -1."""
        found = {pb.getBodyInfo(body, physicsClientId=self.client)[0].decode(): -1}
        for k in range(pb.getNumJoints(body, physicsClientId=self.client)):
            found[pb.getJointInfo(body, k, physicsClientId=self.client)[12].decode()] = k
        return found

    def set_friction(self, body: int, link: int, *, lateral: float, restitution: float = 0.0) -> None:
        """Set Coulomb friction and restitution of a link."""
        if self._surfaces.get((body, link)) == (lateral, restitution):
            return
        self._surfaces[body, link] = lateral, restitution
        pb.changeDynamics(body, link, lateralFriction=lateral, restitution=restitution, physicsClientId=self.client)

    def set_mass(self, body: int, link: int, factor: float) -> None:
        """Set mass and inertia of a link to so many times what was loaded; -1 is the base."""
        if self._factors.get((body, link)) == factor:
            return
        self._factors[body, link] = factor
        if (body, link) not in self._loaded:
            info = pb.getDynamicsInfo(body, link, physicsClientId=self.client)
            self._loaded[body, link] = (info[0], np.array(info[2]))
        mass, inertia = self._loaded[body, link]
        pb.changeDynamics(
            body,
            link,
            mass=factor * mass,
            localInertiaDiagonal=(factor * inertia).tolist(),
            physicsClientId=self.client,
        )

    def set_solver(self, *, iterations: int) -> None:
        """Change how many iterations the contact solver makes in a step: always as many, see `__init__`."""
        pb.setPhysicsEngineParameter(numSolverIterations=iterations, physicsClientId=self.client)

    def ignore_collisions(self, body: int, link: int, other: int, other_link: int) -> None:
        """Let two links pass through each other."""
        pb.setCollisionFilterPair(body, other, link, other_link, 0, physicsClientId=self.client)

    def place(self, body: int, position: Vector, quaternion: Vector = (0, 0, 0, 1)) -> None:
        """Put a body at a pose (its URDF origin; quaternion xyzw), at rest."""
        offset, turn = self.inertial(body)
        p, q = pb.multiplyTransforms(list(position), list(quaternion), offset, turn)
        pb.resetBasePositionAndOrientation(body, p, q, physicsClientId=self.client)
        pb.resetBaseVelocity(body, [0, 0, 0], [0, 0, 0], physicsClientId=self.client)

    def pose(self, body: int) -> tuple[np.ndarray, np.ndarray]:
        """Position (3,) [m] and quaternion xyzw (4,) of a body's URDF origin."""
        p, q = pb.getBasePositionAndOrientation(body, physicsClientId=self.client)
        offset, turn = self.inertial(body)
        back = pb.invertTransform(offset, turn)
        p, q = pb.multiplyTransforms(p, q, *back)
        return np.array(p), np.array(q)

    def velocity(self, body: int) -> tuple[np.ndarray, np.ndarray]:
        """World linear velocity of the centre of mass [m/s] and angular velocity [rad/s]."""
        linear, angular = pb.getBaseVelocity(body, physicsClientId=self.client)
        return np.array(linear), np.array(angular)

    def reset_joints(self, body: int, joints: Sequence[int], q: Vector) -> None:
        """Set joint positions, at rest."""
        for joint, value in zip(joints, q, strict=True):
            pb.resetJointState(body, joint, float(value), 0.0, physicsClientId=self.client)

    def joint_state(self, body: int, joints: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Positions and velocities of joints."""
        states = pb.getJointStates(body, list(joints), physicsClientId=self.client)
        return np.array([s[0] for s in states]), np.array([s[1] for s in states])

    def mass(self, body: int, link: int) -> float:
        """Mass of a link as it is now [kg]."""
        return float(pb.getDynamicsInfo(body, link, physicsClientId=self.client)[0])

    def link_velocity(self, body: int, link: int) -> np.ndarray:
        """World velocity (3,) of a link's centre of mass [m/s]; -1 is the base."""
        if link < 0:
            return self.velocity(body)[0]
        return np.array(pb.getLinkState(body, link, 1, 1, self.client)[6])

    def step(self) -> None:
        """Advance by one time step."""
        self._stepped = True
        pb.stepSimulation(self.client)

    def save(self) -> int:
        """Keep the whole state in memory; `restore` returns to it exactly."""
        state = int(pb.saveState(physicsClientId=self.client))
        if not self._stepped:
            # The very first step of a world differs from all later ones.
            self.step()
        self.restore(state)
        return state

    def restore(self, state: int) -> None:
        """Return to a kept state.

        The engine keeps neither the order of contacts nor who sleeps. So all bodies are taken apart first, that nothing
        is left near anything else, and loose ones are woken afterwards, here and where a state is kept: what follows is
        then the same each time.
        """
        self._take_apart()
        pb.restoreState(stateId=state, physicsClientId=self.client)
        for body in self.loose:
            pb.changeDynamics(body, -1, activationState=pb.ACTIVATION_STATE_WAKE_UP, physicsClientId=self.client)

    def anew(self) -> None:
        """Begin from the present as if from a kept state: what was before leaves no trace in what follows."""
        self.forget(self.save())

    def _leave_out_shapeless(self, body: int) -> None:
        """Let links that have no shape pass through everything.

        They do anyway; but the engine pairs them with what is near, keeps these pairs for as long as the links are next
        to each other, and sorts what it solves by the order of all pairs, in which an episode would leave its trace.
        """
        for link in self.links(body).values():
            if not pb.getCollisionShapeData(body, link, physicsClientId=self.client):
                pb.setCollisionFilterGroupMask(body, link, 0, 0, physicsClientId=self.client)

    def _take_apart(self) -> None:
        """Move every body away from all others, arms straight up."""
        for k in range(pb.getNumBodies(physicsClientId=self.client)):
            body = pb.getBodyUniqueId(k, physicsClientId=self.client)
            if pb.getDynamicsInfo(body, -1, physicsClientId=self.client)[0] > 0:
                away = [_AWAY + _ROOM * k, 0.0, _AWAY]
                pb.resetBasePositionAndOrientation(body, away, UPRIGHT, physicsClientId=self.client)
            for joint in self.joints(body).values():
                pb.resetJointState(body, joint, 0.0, 0.0, physicsClientId=self.client)
        pb.performCollisionDetection(physicsClientId=self.client)

    def forget(self, state: int) -> None:
        """Free a kept state."""
        pb.removeState(state, physicsClientId=self.client)

    def inertial(self, body: int) -> Pose:
        """Pose of the centre of mass in the body's URDF frame."""
        if body not in self._frames:
            info = pb.getDynamicsInfo(body, -1, physicsClientId=self.client)
            self._frames[body] = info[3], info[4]
        return self._frames[body]


_AWAY, _ROOM = 50.0, 5.0
"""Where bodies are taken that shall touch nothing, and how far apart they stand there [m]."""
_URDF_FLAGS = pb.URDF_USE_INERTIA_FROM_FILE


def _disconnect(client: int) -> None:
    with contextlib.suppress(pb.error):
        pb.disconnect(physicsClientId=client)
