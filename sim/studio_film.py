"""Clips of the studio's movements, drawn with known motion, contacts and forces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from motion.forces import solve_forces
from motion.local_derivative import differentiate
from perception.video import open_clip, write_video
from records import Camera, Clip, Interaction, Motion
from sim.mesh import Mesh, SkinnedMesh, box, joined
from sim.studio_body import draw_look, dress
from sim.studio_camera import draw_camera
from sim.studio_goals import Prop
from sim.studio_moves import Performance, index_of, perform
from sim.studio_painter import Painter, fine_camera
from sim.studio_scene import Setting, draw_setting
from sim.studio_truth import EXACT, NEIGHBOURS

AZIMUTHS = (25.0, 155.0)
"""From the person's front to the camera [degrees]: from half ahead to half behind, on either side."""
CAMERA_HEIGHTS = (0.8, 2.2)
"""[m]."""
OUTLINE = ("head", "l_fingers", "r_fingers", "l_elbow", "r_elbow", "l_heel", "r_heel", "l_toes", "r_toes")
"""Points of the body that the camera must see."""
PAINT = (0.30, 0.24, 0.18)
"""Reflectance of what stands there, linear RGB."""
GRAIN = 0.04
"""Size of the squares that boxes are cut into [m]."""


class Film(NamedTuple):
    """A clip and what is true of it."""

    clip: Clip
    truth: Interaction


def film(
    path: Path | str,
    move: str,
    *,
    seed: int = 0,
    seconds: float = 3.0,
    size_hw: tuple[int, int] = (480, 640),
    fps: float = 25.0,
) -> Film:
    """Draw a clip of a person who does a movement, and write it as a video.

    Args:
        path: video file to write, `.mp4`.
        move: name in `sim.studio_moves.MOVES`.
        seed: of person, clothes, way of moving, camera, setting and noise.
        seconds: length [s]; the whole movement where that is shorter.
        size_hw: height and width of the image [px].
        fps: frame rate [1/s].

    Raises:
        UnknownName: no such movement.
    """
    performance = centred(perform(move, seed=seed, seconds=seconds, fps=fps))
    camera = seen_from(performance, np.random.default_rng([seed, index_of(move), 9]), size_hw)
    looks, rooms, noise = (np.random.default_rng([seed, index_of(move), 10 + part]) for part in range(3))
    setting = _setting(rooms, camera, performance.props)
    person = dress(performance.body, draw_look(looks, performance.body), "")
    painter = Painter(camera, setting, np.zeros(3))
    write_video(path, _filmed(person, performance, painter, noise), fps)
    return Film(open_clip(path, fps=fps), true_performance(performance, camera))


def centred(performance: Performance) -> Performance:
    """The same about the origin, with what stands there."""
    path = performance.q[:, :2]
    shift = np.append(0.5 * (path.min(axis=0) + path.max(axis=0)), 0.0)
    q = performance.q.copy()
    q[:, :3] -= shift
    x, y = shift[:2].tolist()
    props = tuple(p._replace(middle=(p.middle[0] - x, p.middle[1] - y, p.middle[2])) for p in performance.props)
    return performance._replace(q=q, props=props)


def seen_from(performance: Performance, rng: np.random.Generator, size_hw: tuple[int, int]) -> Camera:
    """Draw a camera that sees all of a performance."""
    points = performance.body.site_positions(performance.q, OUTLINE).reshape(-1, 3)
    side = "l" if rng.uniform() < 0.5 else "r"
    return draw_camera(rng, points, side, size_hw, azimuths=AZIMUTHS, heights=CAMERA_HEIGHTS)


def true_performance(performance: Performance, camera: Camera) -> Interaction:
    """Motion, contacts and the likeliest forces of a performance, seen by the camera."""
    body, q, fps = performance.body, performance.q, performance.fps
    v, a = differentiate(q, fps, NEIGHBOURS)
    person = Motion(model="smpl_tree", parameters=body.parameters(), fps=fps, q=q, v=v, a=a)
    return Interaction(
        person=person,
        contacts=performance.contacts,
        forces=solve_forces(body, person, performance.contacts, options=EXACT),
        camera=camera,
        observed=np.ones(len(q), bool),
        status="converged",
    )


def _setting(rng: np.random.Generator, camera: Camera, props: tuple[Prop, ...]) -> Setting:
    """A room without walls in the way: whoever moves is before them."""
    fine = fine_camera(camera)
    setting = draw_setting(rng, fine, np.array([0.0, 0.0, 0.5]))
    backdrop = setting.backdrop._replace(inverse_depth=np.zeros_like(setting.backdrop.inverse_depth))
    return setting._replace(backdrop=backdrop, block=_block(rng, props))


def _block(rng: np.random.Generator, props: tuple[Prop, ...]) -> Mesh:
    """All that stands there."""
    if not props:
        nothing = np.zeros((0, 3))
        return Mesh(nothing, nothing, np.zeros((0, 3), int), nothing)
    meshes = [box(prop.size, GRAIN).moved(np.eye(3), np.array(prop.middle)) for prop in props]
    mesh = joined(meshes)
    mesh.colours[:] = np.array(PAINT) * rng.uniform(0.5, 1.5, 3)
    return mesh


def _filmed(
    person: SkinnedMesh, performance: Performance, painter: Painter, noise: np.random.Generator
) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    R, p = performance.body.joint_poses(performance.q)
    for R_t, p_t in zip(R, p, strict=True):
        yield painter.paint(person.posed(R_t, p_t), noise).image
