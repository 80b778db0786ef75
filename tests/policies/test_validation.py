import json

import numpy as np
import pytest

from policies.evaluate import fresh_seeds
from policies.learners.ppo import PPOSettings
from policies.policy import Policy, PolicySettings
from policies.residual import REPEAT, seen_names
from policies.train import VALIDATION, train
from policies.training import Training
from policies.trials import Trial
from policies.validation import Validation, silent, validate, validation_seeds
from sim.conditions import Spread
from sim.tasks.hammer import HammerTask

SPREAD = Spread(offset=0.08)


def policy_of(demonstration, base, weight, bias):
    sees = seen_names(HammerTask)
    settings = PolicySettings(
        task="hammer",
        tool=demonstration.tool.model,
        robot=None,
        demonstration=demonstration.fingerprint(),
        base=base,
        action="residual",
        repeat=REPEAT,
        averaged=False,
        sees=sees,
        hidden=(len(sees),),
        squashed=False,
        learner="ppo",
        steps=1,
        spread=SPREAD._asdict(),
        sensing={},
        seed=5,
    )
    first = np.eye(len(sees)) * 1e-3, np.zeros(len(sees))
    return Policy(settings, (first, (weight, bias)))


def follower(demonstration):
    """The replay, displaced by the objects' offset: what a perfect policy does."""
    sees = seen_names(HammerTask)
    weight = np.zeros((3, len(sees)))
    for row, axis in enumerate("xy"):
        # Offsets are seen in units of 5 cm, and displacements act in units of 20 cm.
        weight[row, sees.index(f"offset_{axis}")] = 1e3 * 0.05 / 0.2
    return policy_of(demonstration, "replay", weight, np.zeros(3))


def pusher(demonstration):
    """The shifted demonstration, pushed 10 cm aside."""
    weight = np.zeros((3, len(seen_names(HammerTask))))
    return policy_of(demonstration, "shifted", weight, np.array([0.5, 0.0, 0.0]))


def test_a_residual_that_follows_the_nail_is_kept(demonstration):
    found = validate(follower(demonstration), demonstration, Trial(SPREAD), 20)
    assert found.residual > 0.9
    assert found.base < 0.8
    assert found.kept


def test_a_residual_that_misses_is_not(demonstration):
    found = validate(pusher(demonstration), demonstration, Trial(SPREAD), 20)
    assert found.residual < 0.3
    assert found.base > 0.8
    assert not found.kept


def test_what_is_as_good_as_nothing_is_not_kept():
    assert not Validation(1.0, 1.0, 10).kept


def test_a_silent_policy_is_its_base(demonstration):
    still = silent(pusher(demonstration))
    seen = np.random.default_rng(0).standard_normal(len(seen_names(HammerTask)))
    assert not still.decide(seen).any()


def test_validation_meets_no_other_episodes():
    seeds = validation_seeds(0, 500)
    assert len(set(seeds)) == 500
    assert min(seeds) >= 2**32 > max(fresh_seeds(0, 500))
    assert seeds != validation_seeds(1, 500)


def test_training_ends_with_its_base_where_a_residual_adds_nothing(demonstration, tmp_path):
    small = PPOSettings(decisions=16, minibatch=8, epochs=2, hidden=(8,))
    asked = Training(steps=256, settings=small, processes=1, validation=4)
    still = Spread(offset=0.0)
    policy = train(demonstration, tmp_path, training=asked, spread=still, seed=1)
    told = json.loads((tmp_path / VALIDATION).read_text())
    assert told["base"] == 1.0
    assert told["kept"] is False
    assert not policy.layers[-1][0].any()
    learned = train(demonstration, tmp_path, training=asked._replace(validation=0), spread=still, seed=1)
    assert learned.layers[-1][0].any(), "asked for otherwise, it is trained again"
    assert not (tmp_path / VALIDATION).exists()


def test_a_negative_number_of_episodes_is_refused(demonstration, tmp_path):
    with pytest.raises(ValueError, match="validation -1"):
        train(demonstration, tmp_path, training=Training(validation=-1))
