"""Work shared by threads: order, tools, what is held, and what happens after an error."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.detectors.crew import AHEAD, Crew, in_order
from perception.detectors.quiet import quiet
from records.processors import usable_processors


class Tools:
    """Tools that know on which thread they are used and whether they have been put away."""

    def __init__(self) -> None:
        self.made: list[set[int]] = []
        self.away = 0

    @contextlib.contextmanager
    def make(self) -> Iterator[set[int]]:
        users: set[int] = set()
        self.made.append(users)
        yield users
        self.away += 1


def square(users: set[int], number: int, *, wait: float = 0.0) -> int:
    users.add(threading.get_ident())
    time.sleep(wait)
    return number**2


@given(st.lists(st.integers(0, 3), max_size=40))
def test_results_come_in_the_order_of_the_tasks_whichever_is_done_first(delays):
    with Crew(Tools().make) as crew:
        begun = ((n, crew.later(square, n, wait=1e-4 * delay)) for n, delay in enumerate(delays))
        assert [(n, result()) for n, result in in_order(begun)] == [(n, n**2) for n in range(len(delays))]


def test_a_tool_serves_one_thread_and_is_put_away():
    tools = Tools()
    with Crew(tools.make) as crew:
        results = [crew.later(square, n, wait=0.002) for n in range(20)]
        assert sum(result() for result in results) == sum(n**2 for n in range(20))
        assert tools.away == 0
    assert 1 <= len(tools.made) == tools.away <= usable_processors()
    assert all(len(users) == 1 for users in tools.made)


def test_only_so_many_items_wait():
    begun = 0

    def items() -> Iterator[int]:
        nonlocal begun
        while begun < 100:
            begun += 1
            yield begun

    ahead = [begun - taken for taken in in_order(items())]
    assert max(ahead) == AHEAD * usable_processors()


def test_an_error_is_raised_where_the_result_is_taken_and_the_rest_is_dropped():
    tools = Tools()
    with pytest.raises(TypeError), Crew(tools.make) as crew:  # noqa: PT012
        first = crew.later(square, "two")  # type: ignore[arg-type]
        later = [crew.later(square, n, wait=0.01) for n in range(200)]
        first()
    assert tools.away == len(tools.made)
    assert sum(len(users) for users in tools.made) <= usable_processors()
    assert len(later) == 200


def test_the_descriptor_speaks_again_once_all_threads_are_out(capfd):
    inside, out = threading.Event(), threading.Event()

    def first() -> None:
        with quiet():
            inside.set()
            out.wait(5)

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(5)
    with quiet():
        os.write(2, b"hushed")
    os.write(2, b"still hushed")
    out.set()
    thread.join()
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
