"""Energy and momentum of motions: what the joints and the world do to a body is what its energy and momentum gain."""

from __future__ import annotations

import numpy as np
import pinocchio as pin
import pytest

from motion.body import Body, build_body
from motion.centroidal import GRAVITY, demand
from motion.local_derivative import differentiate
from motion.rotation import exponential, product

FPS = 200.0
"""Fast, so that the derivatives of sampled motions are those of the motions [1/s]."""


def swinging(body, frames=200):
    """A person who swings all joints, turns and is thrown about; smooth, and never at rest."""
    t = np.arange(frames)[:, None, None] / FPS
    rng = np.random.default_rng(0)
    joints = len(Body.joint_names)
    size, pace, phase = 0.4 * rng.random((joints, 3)), 2 + 4 * rng.random((joints, 3)), 6 * rng.random((joints, 3))
    turns = exponential(size * np.sin(pace * t + phase))
    q = np.tile(body.neutral(), (frames, 1))
    q[:, 3:] = product(np.broadcast_to(q[:, 3:].reshape(frames, joints, 4), turns.shape), turns).reshape(frames, -1)
    q[:, :3] += (np.array([0.3, 0.2, 0.4]) * np.sin(np.array([3.0, 2.0, 4.0]) * t))[:, 0]
    return q


def energies(body, q, v):
    """Kinetic and potential energy of every frame [J]."""
    data = body.model.createData()
    pairs = [
        (pin.computeKineticEnergy(body.model, data, a, b), pin.computePotentialEnergy(body.model, data, a))
        for a, b in zip(q, v, strict=True)
    ]
    return np.array(pairs).T


def test_work_of_the_generalised_forces_is_the_energy_gained():
    body = build_body()
    q = swinging(body)
    derivatives = differentiate(q, FPS, 0.005)
    power = (demand(body.model, q, derivatives).tau * derivatives.v).sum(axis=1)
    energy = energies(body, q, derivatives.v).sum(axis=0)
    inside = slice(5, -5)
    work = np.concatenate([[0.0], np.cumsum(0.5 * (power[1:] + power[:-1]))])[inside] / FPS
    gained = energy[inside] - energy[inside][0]
    assert np.ptp(gained) > 100, "the motion is violent [J]"
    np.testing.assert_allclose(work - work[0], gained, atol=0.01 * np.ptp(gained))


def test_a_thrown_body_keeps_its_energy_and_its_momentum_falls_with_gravity():
    """A parabola that does not turn: kinetic energy pays for height, and nothing pushes."""
    body, frames = build_body(mass=60.0), 80
    t = np.arange(frames) / FPS
    q = np.tile(body.neutral(), (frames, 1))
    q[:, :3] += np.stack([1.5 * t, -0.5 * t, 3.0 * t - 0.5 * GRAVITY * t**2], axis=1)
    derivatives = differentiate(q, FPS, 0.01)
    kinetic, potential = energies(body, q, derivatives.v)
    assert kinetic[0] == pytest.approx(0.5 * 60 * (1.5**2 + 0.5**2 + 3.0**2), rel=1e-6)
    np.testing.assert_allclose(kinetic + potential, kinetic[0] + potential[0], rtol=1e-9)
    wrench = demand(body.model, q, derivatives).wrench
    np.testing.assert_allclose(wrench, 0, atol=1e-6)


def test_the_force_that_a_motion_demands_is_the_change_of_its_momentum():
    """Over any stretch of time the impulse of the force, less that of gravity, is the momentum gained; and angular."""
    body = build_body()
    q = swinging(body)
    derivatives = differentiate(q, FPS, 0.005)
    data = body.model.createData()
    momentum = []
    for a, b in zip(q, derivatives.v, strict=True):
        pin.computeCentroidalMomentum(body.model, data, a, b)
        momentum.append(data.hg.vector.copy())
    wrench = demand(body.model, q, derivatives).wrench
    wrench[:, 2] -= GRAVITY * body.mass
    inside = slice(5, -5)
    impulse = np.cumsum(0.5 * (wrench[1:] + wrench[:-1]), axis=0)[4:-5] / FPS
    gained = np.array(momentum)[inside]
    np.testing.assert_allclose(impulse - impulse[0], gained - gained[0], atol=0.01 * np.ptp(gained, axis=0).max())
