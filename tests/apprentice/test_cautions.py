"""Every caution appears when its reason is there, and only then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from standing import FRAMES, standing

from apprentice.cautions import cautions, unexplained
from apprentice.findings import Findings
from motion.score import score
from records import Interaction


def of(interaction: Interaction | None = None, **metrics: object) -> list[str]:
    return cautions(Findings(path=Path("run"), interaction=interaction, metrics=metrics))


def agents(policy: tuple[float, float], shifted: tuple[float, float]) -> dict[str, object]:
    """Success and half width of the interval of each."""
    names = {"policy": policy, "shifted": shifted}
    return {
        "agents": {
            name: {"success": value, "low": value - half, "high": value + half} for name, (value, half) in names.items()
        }
    }


def test_nothing_to_say_about_a_sound_run():
    sound = {"align": {"robust_share": 0.95}, "retarget": {"slowdown": 1.0}}
    assert of(standing(), **sound, evaluate=agents((0.98, 0.02), (0.8, 0.05))) == []
    assert cautions(Findings(path=Path("run"), interaction=standing()), score(standing(), standing())) == []


def test_bridged_frames():
    observed = np.arange(FRAMES) != 2
    assert of(standing().replace(observed=observed)) == [
        f"1 of {FRAMES} frames show nothing usable of the person; the motion was bridged across them: frame 2 (0.08 s)."
    ]


def test_a_solver_that_stopped():
    assert "did not converge (stalled)" in of(standing().replace(status="stalled"))[0]


def test_uncertain_contacts_are_named():
    sure = standing()
    probability = sure.contacts.probability.copy()
    probability[:3, 3] = 0.5
    probability[:2, 0] = 0.6
    doubtful = sure.replace(contacts=sure.contacts.replace(probability=probability))
    (sentence,) = of(doubtful)
    share = "{}\N{NO-BREAK SPACE}% of the frames"
    assert f"of the left foot ({share.format(33)}), the right hand ({share.format(50)}):" in sentence


def test_unexplained_forces():
    sound = standing()
    residual = np.zeros((FRAMES, 6))
    residual[:, 2], residual[:, 4] = 100, 7
    shaky = sound.replace(forces=sound.forces.replace(residual=residual))
    assert unexplained(shaky) == (pytest.approx(100), pytest.approx(7), pytest.approx(100 / (70 * 9.81)))
    assert "leave 100 N of the person's motion unexplained" in of(shaky)[0]


def test_forces_worse_than_none():
    poor = score(standing(force=900), standing())
    found = cautions(Findings(path=Path("run")), poor)
    assert len(found) == 2
    assert found[0].startswith("The force on the left foot is further from the truth (550 N)")
    assert found[1].startswith("The force on the right foot is further from the truth (550 N)")


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"align": {"robust_share": 0.85}}, "The placement is fragile"),
        ({"align": {"remarks": ["The recording ends while the jug is pouring."]}}, "The recording ends"),
        ({"retarget": {"slowdown": 1.5}}, "1.50 times slower"),
        ({"evaluate": agents((0.93, 0.03), (0.95, 0.03))}, "Learning has not paid"),
        ({"evaluate": agents((0.97, 0.03), (0.95, 0.03))}, "only within the uncertainty"),
        ({"evaluate": agents((0.60, 0.03), (0.10, 0.03))}, "The policy succeeds in 60"),
    ],
)
def test_simulation_and_policy(metrics, words):
    (sentence,) = of(**metrics)
    assert words in sentence
