from __future__ import annotations

import pytest

from records.progress import listening, tell_progress


def test_progress_reaches_who_listens_and_nobody_else():
    heard: list[tuple[str, int, int]] = []
    tell_progress("before", 1, 2)
    with listening(lambda *news: heard.append(news)):
        tell_progress("detecting", 3, 10)
    tell_progress("after", 2, 2)
    assert heard == [("detecting", 3, 10)]


def test_an_error_ends_the_listening():
    heard: list[tuple[str, int, int]] = []
    with pytest.raises(KeyboardInterrupt), listening(lambda *news: heard.append(news)):
        raise KeyboardInterrupt
    tell_progress("after", 1, 1)
    assert not heard
