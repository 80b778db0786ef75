"""What all tests share."""

import contextlib

# Both ezc3d and faiss are made by SWIG and share its table of types: once faiss is there, ezc3d still reads files but no
# longer writes them, as tests do. The other way round both work.
with contextlib.suppress(ImportError):
    import ezc3d  # noqa: F401
