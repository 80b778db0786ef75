"""How the command line answers when something goes wrong: one line, and an exit status."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import re
import sys
import traceback
from collections.abc import Iterator

ROOMS = ("records", "perception", "motion", "sim", "policies", "pretrain", "apprentice")
"""Exceptions that these packages define carry one line for the user."""

FAILED = 2
"""Exit status after an error."""

INTERRUPTED = 130
"""Exit status after an interrupt: 128 + SIGINT, as shells have it."""


@contextlib.contextmanager
def answered(*, debug: bool) -> Iterator[None]:
    """Turn errors of the work into one line and an exit status."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        yield
    except KeyboardInterrupt:
        if debug:
            traceback.print_exc()
        _say("interrupted; the same command goes on where it stopped")
        sys.exit(INTERRUPTED)
    except Exception as error:
        if debug:
            traceback.print_exc()
            sys.exit(FAILED)
        expected = type(error).__module__.partition(".")[0] in ROOMS or isinstance(error, OSError)
        line = " ".join(str(error).split())
        if not expected:
            line = f"{type(error).__name__}: {line} (this is a defect; --debug shows where)"
        _say(f"error: {line}")
        sys.exit(FAILED)


@contextlib.contextmanager
def one_line_usage() -> Iterator[None]:
    """Turn the parser's framed messages into one line."""
    framed = io.StringIO()
    try:
        with contextlib.redirect_stderr(framed):
            yield
    except BrokenPipeError:
        # Whoever read the help has seen enough; what is left in the buffer has nowhere to go at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except SystemExit as end:
        if end.code:
            _say(f"error: {unframed(framed.getvalue())}")
        raise


def unframed(text: str) -> str:
    """The message of a framed one: its first part, options that may have been meant, where to look."""
    # The first line is the frame's title; terminals without box characters get dashes.
    lines = [line.strip(" │") for line in text.splitlines()[1:]]
    if lines and not lines[0].strip("-"):
        del lines[0]
    message = list(itertools.takewhile(lambda line: line.strip("─-╰╯"), lines))
    meant = re.findall(r"^--[a-z][\w-]*", "\n".join(lines[len(message) :]), flags=re.MULTILINE)
    helps = re.findall(r"(apprentice(?: \w+)* --help)", "\n".join(lines))
    line = " ".join(" ".join(message).split()).rstrip(".")
    if meant:
        line += f"; perhaps {' or '.join(dict.fromkeys(meant))} was meant"
    return f"{line}; see {helps[-1] if helps else 'apprentice --help'}"


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the one place that speaks without a console
