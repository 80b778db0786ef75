"""Word vectors of others: binary and text, whole and broken."""

import numpy as np
import pytest

from pretrain.word_vectors import VectorsError, read_word_vectors

TABLE = {"open": [1.0, 2.0, 3.0], "Jar": [4.0, 5.0, 6.0], "jar": [7.0, 8.0, 9.0], "Paris": [0.5, 0.25, -1.0]}


def write_binary(path, table=TABLE, newline=b"\n"):
    with open(path, "wb") as file:
        file.write(f"{len(table)} 3\n".encode())
        for word, vector in table.items():
            file.write(word.encode() + b" " + np.array(vector, "<f4").tobytes() + newline)
    return path


def write_text(path, *, counts):
    lines = [f"{len(TABLE)} 3"] if counts else []
    lines += [f"{word} {' '.join(map(str, vector))}" for word, vector in TABLE.items()]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(params=["binary", "binary without newlines", "text", "text without counts"])
def file(request, tmp_path):
    if request.param.startswith("binary"):
        return write_binary(tmp_path / "v.bin", newline=b"" if "without" in request.param else b"\n")
    return write_text(tmp_path / "v.vec", counts="without" not in request.param)


def test_words_are_found_in_their_order_and_their_own_form_first(file):
    found = read_word_vectors(file, ["paris", "jar", "missing", "open"])
    assert found.words == ("paris", "jar", "open")
    np.testing.assert_array_equal(found.vector, [TABLE["Paris"], TABLE["jar"], TABLE["open"]])
    assert found.vector.dtype == np.float32


def test_what_is_wrong_is_said(tmp_path):
    with pytest.raises(VectorsError, match="cannot be read"):
        read_word_vectors(tmp_path / "none.vec", ["a"])
    path = write_binary(tmp_path / "v.bin")
    with pytest.raises(VectorsError, match="none of 1 words"):
        read_word_vectors(path, ["xyzzy"])
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(VectorsError, match="ends after 3 of 4 words"):
        read_word_vectors(path, ["open"])
    path.write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(VectorsError, match="does not begin with the counts"):
        read_word_vectors(path, ["open"])
    path.write_bytes(b"2 3\n" + b"x" * 5000)
    with pytest.raises(VectorsError, match="endless"):
        read_word_vectors(path, ["open"])
    text = tmp_path / "v.vec"
    text.write_text("open 1 2 3\njar 1 2\n")
    with pytest.raises(VectorsError, match="line 2 has 2 numbers, the first 3"):
        read_word_vectors(text, ["open"])
    text.write_text("open the jar\n")
    with pytest.raises(VectorsError, match="line 1 is no word with numbers"):
        read_word_vectors(text, ["open"])
    write_binary(path, {"open": [1.0, float("nan"), 0.0]})
    with pytest.raises(VectorsError, match="not finite"):
        read_word_vectors(path, ["open"])
