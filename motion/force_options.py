"""How far the balance of forces and each prior on them is trusted."""

from __future__ import annotations

from dataclasses import dataclass

from motion.cone import FRICTION


@dataclass(frozen=True, kw_only=True)
class ForceOptions:
    """How far the balance and each prior are trusted. All are standard deviations unless said otherwise."""

    smoothing: float = 0.06
    """Width of the Gaussian behind accelerations [s] (1.5 frames at 25 fps)."""
    force_sigma: float = 60.0
    """Error of m (c'' - g) [N]: about 1 m/s^2 of acceleration for a grown person."""
    moment_sigma: float = 200.0
    """Error of dL/dt about the centre of mass [N m]: a decimetre of depth error times weight, and more when moving."""
    contact_force: float = 1000.0
    """Size of the force of a certain contact at rest [N]."""
    absent_force: float = 10.0
    """Size of the force where there is certainly no contact [N]."""
    hand_moment: float = 10.0
    """Size of the moment that a hand passes on, beyond its force at the fingers [N m]."""
    rate: float = 5000.0
    """Size of the rate of change of a contact force [N/s]."""
    friction: float = FRICTION
    """Coefficient of friction of the soles [1]."""
    cone_edges: int = 4
    """Edges of the linearised friction cone [1]."""
    tool_moment_sigma: float = 10.0
    """Error of dL/dt of a held tool about its centre of mass [N m]."""
    foot_speed: float = 0.6
    """Speed at which the prior variance of a foot's force is halved [m/s]."""
    hand_speed: float = 0.5
    """The same for a hand on the environment [m/s]."""
    foot_height: float = 0.08
    """Height of a point of the sole above the ground at which its odds of contact are halved [m]."""
