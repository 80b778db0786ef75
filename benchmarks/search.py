"""How fast moments are found among many, and how many of the best are missed: benchmarks/search.py [--count N].

    python -m benchmarks.search [--count 1000000] [--size 512] [--threads 2] [--queries 200] [--others]

Vectors are made in two ways. `independent`: normal numbers without any structure, the worst case for every index.
`topics`: 2,000 topics in 64 dimensions with noise and lengths that vary; what is asked lies elsewhere than what is
searched, as sentences lie elsewhere than clips. They are indexed as 1,000 windows a clip and asked through
`ClipIndex.search`; times are of one query at a time. Recall is the share of the ten largest inner products,
found by comparing all in double precision, that are among the ten that the index tells. Beside it what needs no index:
one product with all vectors in numpy. `--others` measures faiss's IVF and HNSW on the same vectors, too.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import faiss
import numpy as np

from pretrain.search.clip_index import ClipIndex
from records import Features

WINDOWS = 1000
"""Of a clip."""
WANTED = 10
TOPICS, DEPTH, NOISE, GAP, LENGTHS = 2000, 64, 0.3, 0.5, 0.2
"""Number of topics, their dimensions, noise, how far off queries lie, spread of the logarithm of lengths."""
OTHERS = {"IVF1024,SQ8": ("nprobe", (16, 64)), "HNSW32,SQ8": ("efSearch", (64, 256))}


def main() -> None:
    """Print what was measured for both kinds of vectors, then the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--others", action="store_true", help="IVF and HNSW, too")
    options = parser.parse_args()
    faiss.omp_set_num_threads(options.threads)
    figures = []
    for kind, make in {"independent": independent, "topics": topics}.items():
        value, queries = make(np.random.default_rng(0), options.count, options.size, options.queries)
        print(f"{kind}: {options.count:,} x {options.size}, {value.nbytes / 1e9:.2f} GB in single precision")
        truth = best(value, queries)
        brute = timed(lambda query, value=value: np.argpartition(-(value @ query), WANTED)[:WANTED], queries[:20])
        print(f"  numpy, all compared   {brute}")
        before, began = resident(), time.perf_counter()
        index = ClipIndex()
        index.add(records(value))
        took, grown = time.perf_counter() - began, resident() - before
        with tempfile.TemporaryDirectory() as folder:
            index.save(folder)
            disk = sum(path.stat().st_size for path in Path(folder).iterdir())
        found = [[row_of(hit.clip, hit.start) for hit in index.search(query, WANTED)] for query in queries]
        asked = timed(lambda query, index=index: index.search(query, WANTED), queries)
        recall = shared(found, truth)
        exact = index.vectors is not None and index.vectors.is_exact
        print(
            f"  apprentice            {asked}; recall@{WANTED} {recall:.3f};"
            f" {'exact' if exact else 'compressed'}, made in {took:.0f} s, memory {grown / 1e9:.2f} GB,"
            f" disk {disk / 1e9:.2f} GB"
        )
        if options.others:
            others(value, queries, truth)
        figures.append(
            f"{kind} p50 {asked.middle:.1f} ms (processor {asked.processor:.1f}), recall@{WANTED} {recall:.3f}"
            f" (numpy {brute.middle:.0f} ms)"
        )
        del index, value  # else the next one's memory is counted less
    print(f"search: {options.count:,} x {options.size}, {options.threads} threads: {'; '.join(figures)}")


def independent(rng: np.random.Generator, count: int, size: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
    """Normal numbers."""
    return normal(rng, count, size), normal(rng, queries, size)


def topics(rng: np.random.Generator, count: int, size: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors around topics, and queries around the same topics, moved by one and the same vector."""
    directions, centres = normal(rng, DEPTH, size) / np.float32(np.sqrt(DEPTH)), normal(rng, TOPICS, DEPTH)

    def around(number: int) -> np.ndarray:
        place = centres[rng.integers(0, TOPICS, number)] + normal(rng, number, DEPTH) / 2
        return place @ directions + np.float32(NOISE) * normal(rng, number, size)

    value = np.empty((count, size), np.float32)
    for start in range(0, count, 50_000):
        part = around(min(50_000, count - start))
        value[start : start + len(part)] = part * rng.lognormal(0, LENGTHS, (len(part), 1))
    return value, around(queries) + np.float32(GAP) * normal(rng, 1, size)


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """In single precision."""
    return rng.standard_normal(shape, np.float32)


def records(value: np.ndarray) -> Iterator[tuple[str, Features]]:
    """Clips of consecutive windows of one second."""
    for number, start in enumerate(range(0, len(value), WINDOWS)):
        part = value[start : start + WINDOWS]
        begins = np.arange(len(part))
        moments = np.stack([begins, begins + 1], axis=1)
        yield f"{number}", Features(value=part, time=moments, encoder="made", encoder_hash="0")


def row_of(clip: int, start: float) -> int:
    """Row of a window in the vectors."""
    return clip * WINDOWS + round(start)


def best(value: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Rows of the largest inner products of each query."""
    score = np.zeros((len(queries), 0))
    row = np.zeros((len(queries), 0), np.int64)
    for start in range(0, len(value), 50_000):
        part = queries.astype(float) @ value[start : start + 50_000].T.astype(float)
        rows = np.broadcast_to(np.arange(start, start + part.shape[1]), part.shape)
        score, row = np.concatenate([score, part], axis=1), np.concatenate([row, rows], axis=1)
        kept = np.argsort(-score, axis=1)[:, :WANTED]
        score, row = np.take_along_axis(score, kept, axis=1), np.take_along_axis(row, kept, axis=1)
    return row


def shared(found: list[list[int]], truth: np.ndarray) -> float:
    """Mean share of the truth that was found."""
    return float(np.mean([len(set(a) & set(b.tolist())) / WANTED for a, b in zip(found, truth, strict=True)]))


def others(value: np.ndarray, queries: np.ndarray, truth: np.ndarray) -> None:
    """Print the same for indices that look at a part of the vectors."""
    for name, (option, settings) in OTHERS.items():
        began = time.perf_counter()
        index = faiss.index_factory(value.shape[1], name, faiss.METRIC_INNER_PRODUCT)
        index.train(value[:: max(1, len(value) // 50_000)])
        index.add(value)
        took = time.perf_counter() - began
        for setting in settings:
            faiss.ParameterSpace().set_index_parameter(index, option, setting)
            recall = shared(index.search(queries, WANTED)[1].tolist(), truth)
            asked = timed(lambda query, index=index: index.search(query[None], WANTED), queries)
            label = f"{name} {option} {setting}"
            print(f"  {label:<28} {asked}; recall@{WANTED} {recall:.3f}, {took:.0f} s")


class Timing(NamedTuple):
    """Time of one query [ms]."""

    middle: float
    """Median of the wall's."""
    late: float
    """Its 95th percentile."""
    processor: float
    """Median of the processor's, over all threads."""

    def __str__(self) -> str:
        """All three."""
        return f"p50 {self.middle:6.1f} ms, p95 {self.late:6.1f} ms, processor {self.processor:6.1f} ms"


def timed(ask: Callable[[np.ndarray], object], queries: np.ndarray) -> Timing:
    """Ask one query after the other."""
    took = []
    for query in queries:
        began, used = time.perf_counter(), time.process_time()
        ask(query)
        took.append((1e3 * (time.perf_counter() - began), 1e3 * (time.process_time() - used)))
    wall, processor = np.array(took).T
    return Timing(float(np.percentile(wall, 50)), float(np.percentile(wall, 95)), float(np.median(processor)))


def resident() -> int:
    """Memory of this process [bytes]."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return 1024 * int(line.split()[1])
    raise OSError("no VmRSS")


if __name__ == "__main__":
    main()
