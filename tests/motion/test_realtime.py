"""Time over the duration of a clip, by clocks that are told what they show."""

from __future__ import annotations

import itertools

from benchmarks.realtime import WHOLE, Spent, Watch, report


def test_a_stage_is_timed_in_seconds_of_the_clip():
    wall, processors = itertools.count(0.0, 3.0), itertools.count(0.0, 4.0)
    watch = Watch(2.0, (lambda: next(wall), lambda: next(processors)))
    with watch.stage("detection"):
        pass
    assert watch.spent == {"detection": Spent(1.5, 2.0)}


def test_parts_and_bounds_do_not_count_twice():
    spent = {name: Spent(0.2, 0.3) for name in WHOLE} | {"decoding alone": Spent(0.1, 0.1), "forces alone": Spent(9, 9)}
    longer = {name: Spent(3 * one.wall, 3 * one.processors) for name, one in spent.items()}
    lines = report({"a": spent, "b": longer}, 2).splitlines()
    assert lines[-2].split()[-2:] == ["2.00", "3.00"]
    assert lines[-1] == (
        "realtime: 2.00 times the duration of the clip on 2 processors (3.00 of their time, so 1.50 at best);"
        " decoding alone 0.20"
    )
