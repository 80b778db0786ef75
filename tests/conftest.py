"""What all tests share."""

import contextlib
import logging

import pytest

# ezc3d and faiss are both made by SWIG and share its table of types: after faiss, ezc3d still reads files but no longer
# writes them, as tests do. The other way round both work.
with contextlib.suppress(ImportError):
    import ezc3d  # noqa: F401


@pytest.fixture(autouse=True)
def _fresh_log():
    """No test begins with the log that another one's command has set up: its level, its file, the console."""
    from apprentice.showing import ROOMS

    logging.getLogger().setLevel(logging.WARNING)
    for name in ROOMS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.NOTSET)
        logger.propagate = True
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
