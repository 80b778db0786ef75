"""Tables of tool endpoints: gaps stay gaps, and each mistake is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from perception.tool_csv import ToolCsvError, read_tool_csv
from records import Keypoints


def read(path: Path, text: str) -> Keypoints:
    path.write_text(text)
    return read_tool_csv(path, num_frames=4, fps=25.0, size_hw=(480, 640))


def test_rows_are_placed_and_gaps_stay_gaps(tmp_path: Path) -> None:
    tool = read(tmp_path / "t.csv", "frame,name,x,y,confidence\n0,tool_head,10,20.5,0.5\n2,tool_handle, 3,4,\n")
    assert tool.names == ("tool_head", "tool_handle")
    assert tool.uv[0, 0].tolist() == [10.0, 20.5]
    assert tool.confidence.tolist() == [[0.5, 0], [0, 0], [0, 1], [0, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column frame, name, x, y"),
        ("frame,name,x\n", "no column y"),
        ("frame,name,x,y\n", "no endpoint is ever seen"),
        ("frame,name,x,y\n0,tool_head,1,b\n", "line 2: .*expected numbers"),
        ("frame,name,x,y\n0,tool_head,1\n", "line 2: .*expected numbers"),
        ("frame,name,x,y\n0,tool_head,1,2\n1,blade,1,2\n", "line 3: unknown endpoint 'blade'"),
        ("frame,name,x,y\n4,tool_head,1,2\n", "line 2: frame 4 is beyond the clip of 4 frames"),
        ("frame,name,x,y\n-1,tool_head,1,2\n", "line 2: .*out of range"),
        ("frame,name,x,y\n0,tool_head,nan,2\n", "line 2: .*out of range"),
        ("frame,name,x,y,confidence\n0,tool_head,1,2,1.5\n", "line 2: .*out of range"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ToolCsvError, match=message):
        read(tmp_path / "t.csv", text)


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(ToolCsvError, match=r"No such file.*expected a CSV file frame,name,x,y"):
        read_tool_csv(tmp_path / "none.csv", num_frames=4, fps=25.0, size_hw=(4, 4))
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ToolCsvError, match="not a CSV text file"):
        read_tool_csv(tmp_path / "b.csv", num_frames=4, fps=25.0, size_hw=(4, 4))
