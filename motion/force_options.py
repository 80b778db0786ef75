"""How far the balance of forces and each prior on them is trusted."""

from __future__ import annotations

from dataclasses import dataclass

from motion.cone import FRICTION

VIDEO_ACCELERATION_SHARE = 0.8
"""Error of the acceleration of the centre of mass from one video, over the root mean square of that acceleration in the
clip [1]: a calm body is known better than a vaulting one. Against plates on the parkour clips, 0.7 to 1.0 where bodies
fly (2.5 to 5 m/s^2); slower clips add the error of the assumed mass."""

ASSUMED_MASS_ERROR = 0.2
"""Relative standard error of a mass that is assumed [1]: body mass index 24.5 with a deviation of 4.5 among adults,
and the square of a stature that varies by 5 % (NCD-RisC 2016)."""


class ForceOptionsError(ValueError):
    """An option that no balance can be solved with."""


@dataclass(frozen=True, kw_only=True)
class ForceOptions:
    """Trust in balance and priors; forces in body weights, so that the solution is proportional to the mass."""

    smoothing: float = 0.06
    """Width of the Gaussian behind accelerations [s] (1.5 frames at 25 fps)."""
    position_sigma: float = 0.02
    """Standard error of the position of the centre of mass, across the line of sight where there is a camera [m]. From
    one video: 0.5 cm of calm people (clips of the studio), 2 to 4 cm of jumping ones (against motion capture)."""
    depth_sigma: float = 0.05
    """The same along the line of sight [m]: 2 cm, and 2 to 7 cm."""
    position_time: float = 0.2
    """How long an error of the position lasts [s]: after that time 0.4 of it are left."""
    acceleration_sigma: float = 0.5
    """Standard error of the acceleration of the centre of mass in a single frame [m/s^2], for the evidence of contacts
    and the intervals of forces; the forces themselves rest on the positions. From markers: 20 N of mean error on a
    person of 60 kg (squats, against plates)."""
    mass_error: float = 0.0
    """Relative standard error of the body mass [1]; 0 where it was weighed. All forces err by as much together, so it
    widens their intervals and changes nothing else."""
    moment_arm_sigma: float = 0.3
    """Standard error of dL/dt about the centre of mass, as an arm of the weight [m]; grows with the error of depth."""
    untracked_force: float = 0.01
    """Standard deviation of the force that contacts leave unexplained on a body that stands, in every frame anew [body
    weights]."""
    hanging_untracked_force: float = 0.05
    """The same on a body that bears on its hands alone, as thighs, belly and forearms touch what hands do."""
    tool_acceleration_sigma: float = 3.0
    """Standard error of the acceleration of a held tool [m/s^2]."""
    tool_moment_arm_sigma: float = 0.1
    """Standard error of a held tool's dL/dt about its centre of mass, as an arm of its weight [m]."""
    contact_force: float = 1.5
    """Standard deviation of the force of a foot, a knee or a hip, or of a hand on a tool, in certain contact at rest
    [body weights]."""
    eased_share: float = 0.2
    """Variance of the force of a foot whose knee kneels, or of a body that sits, over that of other feet [1]: of one
    who sits upright on a chair, the feet bear a fifth (shanks, feet and a third of the thighs)."""
    hand_force: float = 0.5
    """That of a hand on the environment [body weights]: of a body that hangs or leans, two hands bear it all."""
    absent_force: float = 0.015
    """Standard deviation of the force where there is certainly no contact [body weights]."""
    hand_moment: float = 0.015
    """Standard deviation of the moment that a hand passes on, beyond its force at the fingers [body weights m]."""
    rate: float = 8.0
    """Standard deviation of the rate of change of a contact force [body weights/s]."""
    friction: float = FRICTION
    """Coefficient of friction of soles, knees and seat [1]."""
    cone_edges: int = 4
    """Edges of the linearised friction cone [1]."""
    foot_speed: float = 0.6
    """Speed at which the prior variance of a foot's force is halved [m/s]."""
    hand_speed: float = 0.5
    """The same for a hand on the environment, a knee or a hip [m/s]."""
    foot_height: float = 0.08
    """Height of a point of the sole, or of a knee, above the ground at which its odds of contact are halved [m]."""

    def __post_init__(self) -> None:
        """Refuse options that are not positive, and cones without an inside."""
        values = vars(self)
        wrong = [name for name in values if not (values[name] > 0 or (name == "mass_error" and values[name] == 0))]
        if wrong or self.cone_edges < 3:
            name = wrong[0] if wrong else "cone_edges"
            raise ForceOptionsError(
                f"force option {name} is {getattr(self, name)}; expected a positive number"
                f"{'' if wrong else ', at least 3'}"
            )
