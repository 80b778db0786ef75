"""`apprentice features`, `index` and `search`: from films to a table and to a page on which they are watched."""

import re
import shutil
import socket
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager

import cv2
import numpy as np
import pytest
import uvicorn
from fastapi.testclient import TestClient
from films import LEVELS, write_film
from small_model import model_of

from apprentice.cli import main
from apprentice.options import Encoding
from apprentice.search_app import make_app
from apprentice.searching import clock, open_searcher

LOCAL = "http://127.0.0.1"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Films, one of them broken, their features, and an index of them."""
    folder = tmp_path_factory.mktemp("films")
    for name, seconds in (("cup", 3.0), ("deep/<b>jar", 1.0)):
        (folder / "films" / name).parent.mkdir(parents=True, exist_ok=True)
        write_film(folder / "films" / f"{name}.mp4", seconds=seconds)
    (folder / "films" / "broken.mp4").write_bytes(b"no video")
    model_of().save(folder / "model")
    say("features", folder / "films", "--model", folder / "model", "--out", folder / "features")
    say("index", folder / "features", "--out", folder / "index")
    return folder


def say(*arguments):
    main([str(argument) for argument in arguments])


def failed(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        say(*arguments)
    assert end.value.code == 2
    return " ".join(capsys.readouterr().err.split())


@pytest.fixture
def client(made):
    return TestClient(make_app(open_searcher(made / "index", Encoding())), base_url=LOCAL)


def test_the_table_names_clips_and_moments(made, capsys):
    say("search", made / "index", "pour the xyzzy", "-k", "3")
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0].split() == ["clip", "from", "to", "score"]
    assert len(lines) == 4
    assert all(re.search(r"(cup|deep/<b>jar) +0:0\d\.\d +0:0\d\.\d +-?\d\.\d{3}$", line) for line in lines[1:])
    said = " ".join(told.err.split())
    assert "does not know it: xyzzy" in said
    assert "6 windows of 2 clips searched in" in said


def test_what_is_done_is_not_done_again_and_an_index_grows(made, tmp_path, capsys):
    say("features", made / "films", "--model", made / "model", "--out", made / "features")
    said = " ".join(capsys.readouterr().err.split())
    assert "0 clips encoded, 0 windows; 2 were there before; files with a remark: 1" in said
    assert "broken.mp4: cannot be read as video" in said
    write_film(tmp_path / "new.mp4", seconds=1.0)
    say("features", tmp_path / "new.mp4", "--model", made / "model", "--out", tmp_path / "features")
    say("index", made / "features", "--out", tmp_path / "index")
    say("index", made / "features", tmp_path / "features", "--out", tmp_path / "index")
    said = " ".join(capsys.readouterr().err.split())
    assert "3 clips, 1 of them new; 8 windows, compared one by one" in said


def test_a_damaged_record_costs_its_clip(made, tmp_path, capsys):
    shutil.copytree(made / "features", tmp_path / "features")
    record = tmp_path / "features" / "cup.embedding.npz"
    record.write_bytes(record.read_bytes()[:500])
    say("index", tmp_path / "features", "--out", tmp_path / "index")
    said = " ".join(capsys.readouterr().err.split())
    assert f"{record}: corrupt or truncated file" in said
    assert "1 clips, 1 of them new" in said
    record.with_name("deep").rename(tmp_path / "deep")
    said = failed(capsys, "index", tmp_path / "features", "--out", tmp_path / "other")
    assert "corrupt or truncated file" in said
    assert "no clips to index" in said


def test_bad_input_is_one_line(made, tmp_path, capsys):
    index, features = made / "index", made / "features"
    assert "knows none of these words" in failed(capsys, "search", index, "xyzzy")
    assert "nothing is asked" in failed(capsys, "search", index, " ")
    assert "ask for something" in failed(capsys, "search", index)
    assert "-k must be at least 1" in failed(capsys, "search", index, "pour", "-k", 0)
    assert "no index here" in failed(capsys, "search", tmp_path, "pour")
    assert "no features in it" in failed(capsys, "index", tmp_path, "--out", tmp_path / "i")
    assert "no such folder" in failed(capsys, "index", tmp_path / "gone", "--out", tmp_path / "i")
    model_of(seed=1).save(tmp_path / "other")
    assert "the index was made with" in failed(capsys, "search", index, "pour", "--model", tmp_path / "other")
    write_film(tmp_path / "a.mp4", seconds=1.0)
    told = ("features", tmp_path / "a.mp4", "--out", tmp_path / "f")
    assert "which encoder?" in failed(capsys, *told)
    say(*told, "--model", tmp_path / "other")
    capsys.readouterr()
    assert "encode all clips alike" in failed(capsys, "index", features, tmp_path / "f", "--out", tmp_path / "i")
    assert "choose 0.2 to 0.8 s" in failed(capsys, *told, "--model", tmp_path / "other", "--every", 5)
    broken = made / "films" / "broken.mp4"
    told = ("features", broken, "--out", tmp_path / "g", "--model", made / "model")
    assert "none of the 1 clips can be used" in failed(capsys, *told)
    assert "no video file there" in failed(capsys, "features", tmp_path / "gone", "--model", "m", "--out", tmp_path)
    assert not (tmp_path / "i").exists()


def test_the_page_asks_answers_and_says_how_long_it_took(client):
    empty = client.get("/")
    assert empty.status_code == 200
    assert "2 clips, 6 windows" in empty.text
    assert "<video" not in empty.text
    found = client.get("/", params={"q": "pour the coffee", "k": 4}).text
    assert re.search(r"4 moments in \d+\.\d ms", found)
    assert found.count("<video") == 4
    assert 'value="pour the coffee"' in found
    assert "deep/&lt;b&gt;jar" in found
    assert "<b>jar" not in found
    assert not re.search(r"(src|href)=\"?(https?:)?//", found)


@contextmanager
def served(app):
    """Address of a running server."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            yield f"{LOCAL}:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_a_browser_shows_each_film_at_the_moment_that_was_found(made, client, tmp_path):
    """What frame stands still in a film is told by its brightness; films stand in two columns, in turn."""
    hits = client.get("/api/search", params={"q": "pour the coffee", "k": 4}).json()["hits"]
    levels = [30 + 10 * (round(10 * hit["start"]) % LEVELS) for hit in hits]
    assert len(set(levels)) > 2
    picture = tmp_path / "page.png"
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=900,900", "--hide-scrollbars"]
    command += ["--virtual-time-budget=3000", f"--screenshot={picture}"]
    with served(make_app(open_searcher(made / "index", Encoding()))) as address:
        done = subprocess.run([*command, f"{address}/?q=pour+the+coffee&k=4"], capture_output=True, timeout=120)
    assert picture.is_file(), done.stderr.decode()
    page = cv2.imread(str(picture)).astype(int)
    for column, half in enumerate(np.split(page, 2, axis=1)):
        for level, films in Counter(levels[column::2]).items():
            shown = (np.abs(half - level).max(axis=-1) <= 3).sum()
            assert shown > 15_000 * films, f"column {column}: {films} with a frame of grey {level}, {shown} px"


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("xyzzy", "knows none of these words"),
        ("?!", "nothing is asked"),
        ("<script>alert(1)</script>", "none of these"),
    ],
)
def test_what_cannot_be_answered_is_one_line(client, asked, answer):
    found = client.get("/", params={"q": asked})
    assert found.status_code == 400
    assert answer in found.text
    assert "<script>" not in found.text
    assert client.get("/api/search", params={"q": asked}).status_code == 400


def test_programs_get_the_same_moments(client):
    answer = client.get("/api/search", params={"q": "pour xyzzy", "k": 2}).json()
    assert [set(hit) for hit in answer["hits"]] == [{"clip", "name", "start", "end", "score", "url"}] * 2
    assert answer["unknown"] == ["xyzzy"]
    assert answer["milliseconds"] > 0
    scores = [hit["score"] for hit in answer["hits"]]
    assert scores == sorted(scores, reverse=True)
    assert client.get("/api/search", params={"q": "pour", "k": 0}).status_code == 422
    assert client.get("/api/search", params={"q": "pour " * 300}).status_code == 422


def test_films_are_sent_in_the_parts_that_are_asked_for(made, client):
    whole = (made / "films" / "cup.mp4").read_bytes()
    found = client.get("/clips/0")
    assert found.content == whole
    assert found.headers["content-type"] == "video/mp4"
    part = client.get("/clips/0", headers={"range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole)}"
    assert client.get("/clips/0", headers={"range": f"bytes={len(whole)}-"}).status_code == 416


@pytest.mark.parametrize(
    "path", ["/clips/2", "/clips/-1", "/clips/..%2f..%2fetc%2fpasswd", "/clips/../../etc/passwd", "/clips//etc/passwd"]
)
def test_nothing_but_indexed_films_is_sent(client, path):
    assert client.get(path).status_code in (404, 422)


def test_other_sites_cannot_ask_under_a_name_of_theirs(client):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_a_film_that_is_gone_is_said_to_be(made, tmp_path):
    film = write_film(tmp_path / "gone.mp4", seconds=1.0)
    say("features", film, "--model", made / "model", "--out", tmp_path / "f")
    say("index", tmp_path / "f", "--out", tmp_path / "i")
    film.unlink()
    client = TestClient(make_app(open_searcher(tmp_path / "i", Encoding())), base_url=LOCAL)
    assert "gone.mp4 is no longer where it was indexed" in client.get("/", params={"q": "pour"}).text
    assert client.get("/clips/0").status_code == 404


def test_a_port_in_use_and_a_missing_package_are_one_line(made, monkeypatch, capsys):
    served = ("search", made / "index", "--serve", "--port")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "choose another --port" in failed(capsys, *served, taken.getsockname()[1])
    monkeypatch.delitem(sys.modules, "apprentice.search_app", raising=False)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    assert "needs fastapi: pip install 'apprentice[search]'" in failed(capsys, *served, 0)


def test_moments_by_the_clock():
    assert [clock(t) for t in (0, 9.96, 59.96, 3600, 3723.44)] == [
        "0:00.0",
        "0:10.0",
        "1:00.0",
        "1:00:00.0",
        "1:02:03.4",
    ]
