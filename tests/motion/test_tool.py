from __future__ import annotations

import numpy as np
import pinocchio as pin
import pytest

from motion.body import rotations
from motion.tool import HAMMER, TOOLS, Tool, ToolError, head_positions, load_tool, read_stroke, tool_motion, tool_of

OWN = """
name: mallet
length: 0.35
length_bounds: [0.3, 0.5]
handle_radius: 0.012
handle_mass: 0.2
head_size: [0.08, 0.08, 0.14]
head_mass: 0.6
"""


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "mallet.yaml"
    path.write_text(OWN)
    return path


def swing(frames=24, length=0.4, speed=4.0):
    """Endpoints of a tool that turns about its handle's end in the x z plane."""
    angle = speed * np.arange(frames) / 25.0
    x = np.stack([np.cos(angle), np.zeros(frames), -np.sin(angle)], axis=1)
    handle = np.tile([0.3, 0.2, 1.0], (frames, 1))
    return handle + length * x, handle


@pytest.mark.parametrize("name", list(TOOLS))
def test_every_tool_has_the_mass_and_the_endpoints_that_it_says(name):
    tool = TOOLS.load(name)
    assert pin.computeTotalMass(tool.model()) == pytest.approx(tool.mass)
    data = tool.model().createData()
    pin.framesForwardKinematics(tool.model(), data, pin.neutral(tool.model()))
    head = data.oMf[tool.model().getFrameId("tool_head")].translation
    np.testing.assert_allclose(head, [tool.length, 0, 0])


def test_inertia_of_a_tool_with_a_point_like_head_is_that_of_the_textbook():
    """A rod about its end and a point at the other end: (m / 3 + M) l^2."""
    tool = Tool(
        name="pendulum", length=1.0, length_bounds=(1.0, 1.0), handle_radius=1e-4, handle_mass=0.6,
        head_size=(1e-4, 1e-4, 1e-4), head_mass=2.0,
    )  # fmt: skip
    inertia = tool.inertia().matrix()[3:, 3:]
    np.testing.assert_allclose(np.diag(inertia), [0.0, 2.2, 2.2], atol=1e-6)


def test_one_s_own_tool_is_read_from_yaml(own):
    tool = load_tool(own)
    assert tool.name == "mallet"
    assert (tool.length, tool.length_bounds, tool.head_size) == (0.35, (0.3, 0.5), (0.08, 0.08, 0.14))
    assert tool.mass == pytest.approx(0.8)
    head, handle = swing()
    assert tool_of(tool_motion(tool, head, handle, 25.0)) == tool, "a motion of it carries all of it"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("length: 0.35", "length: 0.9"), r"length 0.9 m lies outside its bounds \(0.3, 0.5\) m"),
        (("head_mass: 0.6", "head_mass: -1"), "sizes and masses must be positive"),
        (("head_mass: 0.6", ""), "head_mass"),
        (("head_mass: 0.6", "head_mass: heavy"), "could not convert"),
        (("head_mass: 0.6", "head_mass: .nan"), "finite"),
        (
            ("head_mass: 0.6", "head_mass: 0.6\ncolour: red"),
            "unknown field 'colour'; there are: anchor, grip, grip_roll, handle_mass",
        ),
        (("head_mass: 0.6", "head_mass: 0.6\nanchor: lid"), "its anchor is 'lid'; only the spout's place is known"),
        (("head_size: [0.08, 0.08, 0.14]", "head_size: [0.08, 0.08]"), "head_size"),
        (("length_bounds: [0.3, 0.5]", "length_bounds: 0.3"), "length_bounds"),
        (("head_mass: 0.6", "head_mass: 0.6\ntwo_handed: often"), "two_handed is often; expected true or false"),
        ((OWN, "just words"), "expected the fields of a tool by name, not str"),
        ((OWN, "a: [1, 2"), "cannot be read as YAML"),
        ((OWN, ""), "expected the fields of a tool by name, not NoneType"),
    ],
)
def test_a_tool_file_that_makes_no_sense_is_refused_in_one_line(own, change, message):
    own.write_text(own.read_text().replace(*change))
    with pytest.raises(ToolError, match=message) as caught:
        load_tool(own)
    assert "\n" not in str(caught.value)
    assert str(own) in str(caught.value)


def test_a_tool_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ToolError, match="cannot be read as YAML"):
        load_tool(tmp_path / "none.yaml")


def test_endpoints_make_a_motion_whose_head_is_where_it_was_seen():
    head, handle = swing()
    motion = tool_motion(HAMMER, head, handle, 25.0)
    np.testing.assert_allclose(head_positions(HAMMER, motion), head, atol=1e-9)
    turning = np.linalg.norm(motion.v[2:-2, 3:], axis=1)
    np.testing.assert_allclose(turning, 4.0, rtol=1e-6)
    lowest = rotations(motion.q[:, 3:])[int(head[:, 2].argmin()), :, 2]
    assert lowest[2] >= 0, "the face looks down where the head is lowest"
    with pytest.raises(ToolError, match="coincide in frame 0"):
        tool_motion(HAMMER, head, head, 25.0)


def test_a_stroke_is_read_from_a_table_and_from_arrays(tmp_path):
    head, handle = swing()
    rows = np.column_stack([np.arange(24) / 25.0, head, handle])
    np.savetxt(tmp_path / "s.csv", rows, delimiter=",", header="t,hx,hy,hz,gx,gy,gz", comments="")
    from_table = read_stroke(tmp_path / "s.csv", HAMMER)
    np.testing.assert_allclose(head_positions(HAMMER, from_table), head, atol=1e-6)
    assert from_table.fps == pytest.approx(25)
    np.savez(tmp_path / "s.npz", head_position=head, fps=25.0)
    np.testing.assert_allclose(head_positions(HAMMER, read_stroke(tmp_path / "s.npz", HAMMER)), head, atol=1e-6)
    for name, content in (("bad.csv", "t,hx\n0,1\n"), ("bad.npz", "no archive")):
        (tmp_path / name).write_text(content)
        with pytest.raises(ToolError, match=name):
            read_stroke(tmp_path / name, HAMMER)
    np.savez(tmp_path / "nan.npz", head_position=np.full((5, 3), np.nan), fps=25.0)
    with pytest.raises(ToolError, match="finite"):
        read_stroke(tmp_path / "nan.npz", HAMMER)
