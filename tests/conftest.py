"""What all tests share."""

import contextlib

# ezc3d and faiss are both made by SWIG and share its table of types: after faiss, ezc3d still reads files but no longer
# writes them, as tests do. The other way round both work.
with contextlib.suppress(ImportError):
    import ezc3d  # noqa: F401
