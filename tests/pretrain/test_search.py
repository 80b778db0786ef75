"""Search: exact where it says so, near enough where compressed, whole on the disk, one encoder alone."""

import json
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretrain.search import clip_index
from pretrain.search.clip_index import SETTINGS, ClipIndex
from pretrain.search.vectors import SearchError, Vectors
from records import Features


def record(value, *, every=1.0, length=1.0, encoder="e", fingerprint="f" * 64, clip="", source="s"):
    start = np.arange(len(value)) * every
    time = np.stack([start, start + length], axis=1)
    return Features(value=value, time=time, encoder=encoder, encoder_hash=fingerprint, clip=clip, source=source)


def rows(count, size=8, seed=0):
    return np.random.default_rng(seed).standard_normal((count, size)).astype(np.float32)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 70), st.integers(0, 5))
def test_few_vectors_are_compared_exactly(count, size, wanted, seed):
    value, query = rows(count, size, seed), rows(1, size, seed + 99)[0]
    vectors = Vectors(size)
    for part in np.array_split(value, 3):
        vectors.add(part)
    found = vectors.nearest(query, wanted)
    product = value @ query
    assert len(found.row) == min(wanted, count)
    np.testing.assert_allclose(found.score, np.sort(product)[::-1][:wanted], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.score, product[found.row], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [64, 33])
def test_many_vectors_are_compressed_and_found_all_the_same(tmp_path, size):
    """Independent normal numbers have no structure that codes could use: the worst case."""
    value, queries = rows(6000, size), rows(50, size, 1)
    vectors = Vectors(size, exact_up_to=2000)
    vectors.add(value[:1500])
    assert vectors.is_exact
    vectors.add(value[1500:4000])
    vectors.add(value[4000:])
    assert not vectors.is_exact
    vectors.save(tmp_path / "v.faiss")
    again = Vectors.load(tmp_path / "v.faiss", size)
    shared = 0
    for query in queries:
        found = again.nearest(query, 10)
        product = value @ query
        shared += len(set(found.row.tolist()) & set(np.argsort(-product)[:10].tolist()))
        np.testing.assert_allclose(found.score, product[found.row], rtol=5e-3, atol=5e-2)
    assert shared / 500 > 0.95
    assert len(again.nearest(queries[0], 7000).row) == 6000


def test_many_at_once_and_none_at_all():
    value = rows(400)
    vectors = Vectors(8, exact_up_to=100)
    vectors.add(value)
    vectors.add(value[:0])
    assert not vectors.is_exact
    assert vectors.nearest(value[0], 400).row.size == 400


def test_moments_are_found_where_they_are():
    value = np.eye(8, dtype=np.float32)
    index = ClipIndex()
    assert index.search(value[0]) == []
    index.add([("a", record(value[:3], clip="/a.mp4")), ("none", record(value[:0])), ("b", record(value[3:]))])
    for k, (name, start) in enumerate([*(("a", s) for s in range(3)), *(("b", s) for s in range(5))]):
        hit = index.search(2 * value[k], 1)[0]
        assert (hit.name, hit.start, hit.end, hit.score) == (name, start, start + 1, 2.0)
    assert len(index.search(value[0], 50)) == 8
    assert index.clips[0].path == "/a.mp4"
    with pytest.raises(SearchError, match="a query of 3 dimensions"):
        index.search(np.zeros(3, np.float32))


def test_of_windows_that_overlap_the_best_is_told():
    value = np.zeros((100, 4), np.float32)
    value[:, 0] = 10 - np.abs(np.arange(100) - 40) / 10
    other = np.full((1, 4), 0.5, np.float32)
    index = ClipIndex()
    index.add([("a", record(value, every=0.1, length=2.0)), ("b", record(other))])
    hits = index.search(np.eye(4, dtype=np.float32)[0], 3)
    assert [(hit.name, round(hit.start, 1)) for hit in hits[:1]] == [("a", 4.0)]
    assert {round(hit.start, 1) for hit in hits[1:]} == {2.0, 6.0}
    everything = index.search(np.eye(4, dtype=np.float32)[0], 50)
    assert {hit.name for hit in everything} == {"a", "b"}
    spans = sorted((hit.start, hit.end) for hit in everything if hit.name == "a")
    assert all(later[0] >= earlier[1] - 1e-9 for earlier, later in pairwise(spans))


def test_an_index_comes_back_and_grows(tmp_path):
    index = ClipIndex()
    index.add([("a", record(rows(5), source="1"))])
    index.model = {"model": "/m"}
    index.save(tmp_path / "i")
    again = ClipIndex.load(tmp_path / "i")
    assert (again.clips, again.encoder_hash, again.model) == (index.clips, "f" * 64, {"model": "/m"})
    changed = again.add([("a", record(rows(5), source="1")), ("b", record(rows(3, seed=1)))])
    assert changed == []
    assert (len(again), len(again.clips)) == (8, 2)
    again.save(tmp_path / "i")
    third = ClipIndex.load(tmp_path / "i")
    query = rows(1, seed=7)[0]
    assert third.search(query, 8) == again.search(query, 8)
    assert sorted(path.name for path in (tmp_path / "i").iterdir()) == [SETTINGS, "time-2.npy", "vectors-2.faiss"]
    (told,) = third.add([("a", record(rows(5), source="2"))])
    assert "has changed since it was indexed" in told.reason
    assert len(third) == 8


def test_a_stop_before_the_end_leaves_the_index_that_was_there(tmp_path, monkeypatch):
    index = ClipIndex()
    index.add([("a", record(rows(5)))])
    index.save(tmp_path)
    index.add([("b", record(rows(5, seed=1)))])

    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(clip_index, "write_json", stopped)
        with pytest.raises(KeyboardInterrupt):
            index.save(tmp_path)
    assert len(ClipIndex.load(tmp_path)) == 5
    index.save(tmp_path)
    assert len(ClipIndex.load(tmp_path)) == 10


def test_a_full_disk_is_one_line_and_the_index_stays(tmp_path, monkeypatch):
    index = ClipIndex()
    index.add([("a", record(rows(5)))])
    index.save(tmp_path)

    def full(*_):
        raise RuntimeError("Error: 'ret == (1)' failed: write error in vectors: No space left on device")

    monkeypatch.setattr("faiss.write_index", full)
    with pytest.raises(SearchError, match=r"vectors-2\.faiss: cannot be written .*No space left.* intact"):
        index.save(tmp_path)
    assert len(ClipIndex.load(tmp_path)) == 5


@pytest.mark.parametrize(("size", "other"), [(8, {"encoder": "other"}), (8, {"fingerprint": "0" * 64}), (4, {})])
def test_encoders_are_not_mixed(size, other):
    index = ClipIndex()
    with pytest.raises(SearchError, match=r"b: is of .* but the index of"):
        index.add([("a", record(rows(5))), ("b", record(rows(5, size), **other)), ("c", record(rows(5)))])
    assert len(index) == 5
    assert index.search(rows(1)[0], 1)[0].name == "a"


def test_what_is_wrong_with_a_folder_is_said(tmp_path):
    with pytest.raises(SearchError, match="no index here; make one: apprentice index"):
        ClipIndex.load(tmp_path)
    with pytest.raises(SearchError, match="no clips to index"):
        ClipIndex().save(tmp_path)
    index = ClipIndex()
    index.add([("a", record(rows(500)))])
    index.save(tmp_path)
    note = json.loads((tmp_path / SETTINGS).read_text())
    for wrong in ({"version": 9}, {"clips": []}, {"clips": [{}]}, {"dimensions": 6}, {"generation": 7}):
        (tmp_path / SETTINGS).write_text(json.dumps({**note, **wrong}))
        with pytest.raises(SearchError, match=r"build it again|build the index again"):
            ClipIndex.load(tmp_path)
    (tmp_path / SETTINGS).write_text("{")
    with pytest.raises(SearchError, match="damaged"):
        ClipIndex.load(tmp_path)
    (tmp_path / SETTINGS).write_text(json.dumps(note))
    vectors = tmp_path / "vectors-1.faiss"
    vectors.write_bytes(vectors.read_bytes()[:900])
    with pytest.raises(SearchError, match="cannot be read"):
        ClipIndex.load(tmp_path)


def test_without_faiss_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(SearchError, match=r"pip install 'apprentice\[search\]'"):
        Vectors(4)
