"""Ways to learn a policy, behind one protocol: rounds of experience that can be stopped and resumed between."""

from policies.learners.learner import LEARNERS, Layers, Learner, Round

__all__ = ["LEARNERS", "Layers", "Learner", "Round"]
