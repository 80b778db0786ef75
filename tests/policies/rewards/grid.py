"""A gridworld with a goal and a mire, its soft-optimal demonstrator, and a policy that solves any reward exactly."""

import gymnasium
import numpy as np
from gymnasium import spaces

from policies.rewards.evaluation.canonical.pearson import pearson_distance
from policies.rewards.evaluation.canonical.tabular import epic
from policies.rewards.in_turns import Moves
from policies.rewards.reward import Watched

SIDE = 4
STATES, ACTIONS = SIDE * SIDE, 4
GAMMA, HORIZON = 0.9, 20
NAMES = tuple(f"at_{k}" for k in range(STATES))
EYE = np.eye(STATES)


def _next():
    found = np.zeros((STATES, ACTIONS), int)
    for s in range(STATES):
        row, column = divmod(s, SIDE)
        for a, (down, right) in enumerate(((-1, 0), (1, 0), (0, -1), (0, 1))):
            found[s, a] = np.clip(row + down, 0, SIDE - 1) * SIDE + np.clip(column + right, 0, SIDE - 1)
    return found


NEXT = _next()
TRUE = np.zeros(STATES)
TRUE[STATES - 1], TRUE[SIDE + 1] = 1.5, -1.5


def soft_policy(reward):
    """Log probabilities (S, A) of the policy that is best for rewards (S, A) with its entropy added."""
    value = np.zeros(STATES)
    for _ in range(200):
        q = reward + GAMMA * value[NEXT]
        value = np.logaddexp.reduce(q, axis=1)
    return q - value[:, None]


def walk(log_policy, rng, episodes):
    """States (E, H + 1) and actions (E, H) from random beginnings."""
    states, actions = [rng.integers(STATES, size=episodes)], []
    for _ in range(HORIZON):
        chance = np.exp(log_policy[states[-1]]).cumsum(axis=1)
        actions.append(np.minimum((rng.random((episodes, 1)) > chance).sum(axis=1), ACTIONS - 1))
        states.append(NEXT[states[-1], actions[-1]])
    return np.stack(states, axis=1), np.stack(actions, axis=1)


def demonstrations(count=200, seed=0):
    states, actions = walk(soft_policy(np.repeat(TRUE[:, None], ACTIONS, axis=1)), np.random.default_rng(seed), count)
    return [
        Watched(obs=EYE[s], obs_names=NAMES, action=np.eye(ACTIONS)[a], fps=1.0)
        for s, a in zip(states, actions, strict=True)
    ]


class Exact:
    """Solves the reward that it is paid by dynamic programming, and walks."""

    def __init__(self, seed=0):
        self._rng = np.random.default_rng(seed)
        self.log_policy = np.full((STATES, ACTIONS), -np.log(ACTIONS))

    def improve(self, pays):
        s, a = np.divmod(np.arange(STATES * ACTIONS), ACTIONS)
        paid = pays(Moves(EYE[s], np.eye(ACTIONS)[a], EYE[NEXT[s, a]])).reshape(STATES, ACTIONS)
        self.log_policy = soft_policy(paid)
        states, actions = walk(self.log_policy, self._rng, 100)
        flat = states[:, :-1].ravel(), actions.ravel(), states[:, 1:].ravel()
        return Moves(EYE[flat[0]], np.eye(ACTIONS)[flat[1]], EYE[flat[2]])

    def log_probability(self, s, a):
        return self.log_policy[s.argmax(axis=1), a.argmax(axis=1)]


class Grid(gymnasium.Env):
    """The same world as an environment."""

    observation_space = spaces.Box(0.0, 1.0, (STATES,), np.float32)
    action_space = spaces.Discrete(ACTIONS)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._at, self._left = int(self.np_random.integers(STATES)), HORIZON
        return EYE[self._at].astype(np.float32), {}

    def step(self, action):
        self._at, self._left = int(NEXT[self._at, action]), self._left - 1
        return EYE[self._at].astype(np.float32), 0.0, False, self._left == 0, {}


def from_truth(of_states):
    """EPIC distance of a reward of states (S,) from the truth, over all transitions alike."""
    uniform = np.full(STATES, 1 / STATES), np.full(ACTIONS, 1 / ACTIONS)
    tables = [np.broadcast_to(r[:, None, None], (STATES, ACTIONS, STATES)).copy() for r in (of_states, TRUE)]
    return pearson_distance(*(epic(table, *uniform, GAMMA) for table in tables))
