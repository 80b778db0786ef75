"""Sentences that name the task, in whatever form, make windows near them likelier; others and silence make none so."""

import numpy as np
import pytest

from perception.states.narration import UNSAID, narrated_prior, priors
from records import Timeline

TIME = np.stack([np.arange(20.0), np.arange(20.0) + 1], axis=1)


def said(*rows):
    return Timeline(
        labels=tuple(text for _, _, text in rows),
        interval=np.array([[a, b] for a, b, _ in rows], float).reshape(-1, 2),
        confidence=np.ones(len(rows)),
    )


@pytest.mark.parametrize(
    "text", ["now pour the coffee", "I'm pouring some coffee", "she poured coffees", "Pour coffee!"]
)
def test_the_action_is_likely_where_it_is_named(text):
    weight, named = narrated_prior(said((0, 1, "hello"), (10, 12, text)), "pour the coffee", TIME)
    assert named == (text,)
    np.testing.assert_allclose(weight[10:12], 1)
    assert (np.diff(weight[:11]) >= 0).all()
    assert (np.diff(weight[11:]) <= 0).all()
    assert weight[0] == pytest.approx(UNSAID, abs=0.01)


def test_part_of_the_words_counts_in_part():
    weight, named = narrated_prior(said((0, 1, "nice coffee"), (10, 12, "hello")), "pour coffee", TIME)
    assert named == ("nice coffee",)
    assert weight[0] == pytest.approx(UNSAID + (1 - UNSAID) / 2)


def test_where_nothing_is_said_of_it_nothing_is_likelier():
    for narration in (None, said(), said((3, 4, "thanks for watching the channel"))):
        weight, named = narrated_prior(narration, "pour the coffee", TIME)
        assert (weight == 1).all()
        assert named == ()
    assert priors([None, said((3, 4, "hello"))], "pour", [TIME, TIME])[0] is None
    weights, sentences = priors([None, said((3, 4, "pour"))], "pour", [TIME, TIME])
    assert (weights[0] == 1).all()
    assert weights[1][3] == 1
    assert sentences == [(), ("pour",)]
