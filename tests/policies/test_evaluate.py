import numpy as np
import pytest

from policies.evaluate import Z, evaluate, fresh_seeds, outcome, wilson
from policies.train import _seed_of
from policies.trials import NAMES, NOISE, Trial, trial
from records import Episodes, UnknownName
from sim.conditions import Spread
from sim.env import ToolEnv
from sim.sensing import Sensing


@pytest.mark.parametrize("count", [1, 10, 100])
def test_interval_of_certain_outcomes_in_closed_form(count):
    assert wilson(count, count) == pytest.approx((count / (count + Z**2), 1.0))
    assert wilson(0, count) == pytest.approx((0.0, Z**2 / (count + Z**2)))


def test_interval_solves_the_score_equation():
    """Its ends are the shares p from which the observed one is Z standard deviations away."""
    for successes, count in [(3, 20), (50, 100), (97, 100)]:
        for end in wilson(successes, count):
            assert abs(successes / count - end) == pytest.approx(Z * np.sqrt(end * (1 - end) / count))


def test_interval_covers_the_truth():
    rng = np.random.default_rng(0)
    covered = 0
    for successes in rng.binomial(50, 0.8, 2000):
        low, high = wilson(int(successes), 50)
        covered += low <= 0.8 <= high
    assert covered / 2000 == pytest.approx(0.95, abs=0.02)


def test_outcome_counts():
    found = outcome(np.array([True, True, False, True]))
    assert found.success == 0.75
    assert found.episodes == 4
    assert found.low < 0.75 < found.high
    assert set(found._asdict()) == {"success", "low", "high", "episodes"}


def test_seeds_are_fresh():
    evaluated = {k for seed in range(5) for k in fresh_seeds(seed, 100)}
    trained = {_seed_of(seed, number) for seed in range(5) for number in range(100)}
    assert len(evaluated) == 500
    assert not evaluated & trained
    assert fresh_seeds(0, 10) == fresh_seeds(0, 20)[:10]


@pytest.fixture(scope="module")
def evaluation(demonstration):
    return evaluate(demonstration, episodes=6, under=Trial(Spread(offset=0.08)), seed=4)


def test_all_agents_meet_the_same_episodes(evaluation):
    assert list(evaluation.outcomes) == list(evaluation.episodes) == ["shifted", "replay", "zero", "random"]
    first = evaluation.episodes["shifted"]
    for record in evaluation.episodes.values():
        assert np.array_equal(record.seed, first.seed)
        start, other = _starts(record), _starts(first)
        assert np.array_equal(record.obs[start], first.obs[other])


def test_objects_are_moved_by_the_noise_that_is_asked_for(demonstration):
    env = ToolEnv(demonstration, spread=Spread(0.08))
    try:
        offsets = np.array([env.reset(seed=seed)[1]["object_offset"] for seed in fresh_seeds(0, 100)])
    finally:
        env.close()
    # Standard errors of the mean and the standard deviation of 200 normal numbers: 7 % and 5 % of the latter.
    assert offsets.std() == pytest.approx(0.08, rel=0.2)
    assert abs(offsets.mean()) < 0.3 * 0.08


def test_the_baseline_that_knows_the_object_beats_the_one_that_does_not(evaluation):
    success = {name: found.success for name, found in evaluation.outcomes.items()}
    assert success["shifted"] > success["replay"] > success["zero"] == 0


def test_reward_is_the_sum_of_its_terms_and_marks_success(evaluation):
    for record in evaluation.episodes.values():
        assert np.allclose(record.reward, record.reward_terms.sum(axis=1))
        ends = np.cumsum(record.length)
        totals = [record.reward[end - n : end].sum() for end, n in zip(ends, record.length, strict=True)]
        assert np.array_equal(np.array(totals) > 0, record.success)


def test_episodes_survive_the_disk(evaluation, tmp_path):
    record = evaluation.episodes["random"]
    assert Episodes.load(record.save(tmp_path / "random.npz")).fingerprint() == record.fingerprint()


def test_repeats_under_its_seed(evaluation, demonstration):
    again = evaluate(demonstration, episodes=6, under=Trial(Spread(offset=0.08)), seed=4)
    assert again.outcomes == evaluation.outcomes
    for name, record in again.episodes.items():
        assert record.fingerprint() == evaluation.episodes[name].fingerprint()
    other = evaluate(demonstration, episodes=1, under=Trial(Spread(offset=0.08)), seed=5)
    assert not np.array_equal(other.episodes["zero"].obs[0], evaluation.episodes["zero"].obs[0])


def test_no_episodes_are_refused(demonstration):
    with pytest.raises(ValueError, match="at least 1"):
        evaluate(demonstration, episodes=0)


def _starts(record):
    return np.cumsum(record.length + 1) - record.length - 1


def test_standard_trials():
    nominal = Spread(offset=0.12, yaw=0.1, mass=0.3)
    assert trial("nominal", nominal) == Trial(nominal)
    shifted = trial("shifted", nominal)
    assert shifted.spread == pytest.approx((0.13, 0.1, 0.3, 0.2))
    assert shifted.sensing == trial("nominal").sensing
    assert trial("noisy", nominal) == Trial(nominal, NOISE)
    beside = Sensing(place=0.06, jitter=0.001)
    assert trial("nominal", nominal, beside) == Trial(nominal, beside)
    assert trial("shifted", nominal, beside) == Trial(shifted.spread, beside)
    assert trial("noisy", nominal, beside) == Trial(nominal, NOISE._replace(place=0.06)), "no error is made smaller"
    assert {trial(name).spread.yaw for name in NAMES} == {0.0}
    with pytest.raises(UnknownName, match="unknown trial 'easy'; choose from: nominal, shifted, noisy"):
        trial("easy")


def test_what_is_changed_bears_on_who_acts(demonstration):
    """Larger displacements on who takes none of them into account; misjudged places on who follows the objects."""

    def success(under: Trial, agent: str) -> float:
        return evaluate(demonstration, episodes=40, under=under, seed=2).outcomes[agent].success

    assert success(trial("shifted"), "replay") < success(trial("nominal"), "replay")
    blind = Trial(sensing=Sensing(place=0.1))
    assert success(blind, "shifted") < success(trial("nominal"), "shifted") - 0.2
