"""Which hands hold a tool: what is usual with it, unless something else is said."""

from __future__ import annotations

import pytest

from apprentice.cli import main
from records import Keypoints


@pytest.fixture
def tool_seen(hammering, tmp_path):
    """What is seen of a tool's ends without clicks, or None: by the options of the command line."""

    def track(*options):
        run = tmp_path / "_".join(options)
        main(["track", "--keypoints", str(hammering.keypoints), *options, "--run", str(run)])
        return Keypoints.load(run / "tool.npz") if (run / "tool.npz").exists() else None

    return track


def test_a_tool_that_is_usually_held_in_both_hands_lies_on_the_line_through_them(tool_seen):
    usual, said = tool_seen("--tool", "spade"), tool_seen("--tool", "hammer", "--two-handed")
    assert usual == said
    assert usual.confidence.max() > 0
    assert tool_seen("--tool", "hammer") is None
    assert tool_seen("--tool", "spade", "--one-handed") is None


def test_one_s_own_tool_says_how_it_is_held(tool_seen, tmp_path):
    own = "name: axe\nlength: 0.8\nlength_bounds: [0.7, 0.9]\nhandle_radius: 0.02\nhandle_mass: 0.8\n"
    own += "head_size: [0.1, 0.05, 0.2]\nhead_mass: 1.6\n"
    (tmp_path / "axe.yaml").write_text(own)
    assert tool_seen("--tool-file", str(tmp_path / "axe.yaml")) is None
    (tmp_path / "axe.yaml").write_text(own + "two_handed: true\n")
    assert tool_seen("--tool-file", str(tmp_path / "axe.yaml")) is not None


def test_a_tool_is_not_held_in_one_hand_and_in_two(hammering, capsys, tmp_path):
    options = ["--tool", "spade", "--one-handed", "--two-handed"]
    with pytest.raises(SystemExit):
        main(["track", "--keypoints", str(hammering.keypoints), *options, "--run", str(tmp_path / "r")])
    assert "error: a tool is held either --one-handed or --two-handed" in capsys.readouterr().err
