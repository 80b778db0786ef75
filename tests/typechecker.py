"""Run-time type checker of the test suite: beartype that admits an int where a float is expected (PEP 484)."""

from beartype import BeartypeConf, beartype

numeric_tower = beartype(conf=BeartypeConf(is_pep484_tower=True))
