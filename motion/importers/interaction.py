"""From an imported motion to an `Interaction`: contacts, forces, and a camera to look through."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from motion.body import body_of
from motion.force_options import ForceOptions
from motion.forces import solve_forces
from motion.importers.importer import Track
from motion.kinematic_contact import ESTIMATED_ERROR, MEASURED_ERROR, kinematic_contacts
from motion.scene import Scene
from records import Camera, ContactStates, Interaction

VIEW_SIZE_HW = (720, 1280)
"""Image of the camera that is made up where the format has none [px]."""

VIEW_FOCAL = 1100.0
"""Its focal length [px]: a field of view of 60 degrees."""

VIEW_MARGIN = 1.6
"""Its distance over that from which the whole motion just fits into the image [1]."""

VIEW_HEIGHT = 1.2
"""Its height over the ground [m]."""


MEASURED = ForceOptions(smoothing=0.025, position_sigma=0.003, position_time=0.1, moment_arm_sigma=0.05, rate=40.0)
"""Trust in the balance of captured motion. Skin slides by 5 to 20 mm under each marker with every step (Leardini et al.
2005, Gait & Posture 21), for a part of the step; of the centre of mass of many segments that leaves a few millimetres.
The centre of pressure is known to a few centimetres; landings load a foot at 40 body weights a second."""


def interaction_of(
    track: Track,
    *,
    contacts: ContactStates | None = None,
    options: ForceOptions | None = None,
    scene: Scene | None = None,
) -> Interaction:
    """Solve for the contact forces of an imported motion.

    Args:
        track: one person, as `import_motion` gives it.
        contacts: which hands and feet touch something; from heights and speeds by default.
        options: trust in balance and priors; by default `MEASURED` for captured motion,
            and that of an estimate from video for the others.
        scene: surroundings of known shape, in the world of the track: feet rest on them as on the ground.

    Returns:
        The person with contacts and forces, ready for `motion.exporters.export`. Where the format has no camera, one
        is made up that sees the whole motion from the side (`assumed` then holds its focal length).
    """
    motion = track.motion
    body = body_of(motion)
    if contacts is None:
        error = MEASURED_ERROR if track.measured else ESTIMATED_ERROR
        contacts = kinematic_contacts(body, motion, height_error=error, scene=scene)
    # Depth is uncertain in what was estimated through a camera.
    seen_by = None if track.measured else track.camera
    options = options or (MEASURED if track.measured else None)
    forces = solve_forces(body, motion, contacts, camera=seen_by, options=options, scene=scene)
    assumed = dict(track.assumed)
    camera = track.camera
    if camera is None:
        camera = side_view(motion.q[:, :3])
        assumed["focal"] = VIEW_FOCAL
    return Interaction(
        person=motion,
        contacts=contacts,
        forces=forces,
        camera=camera,
        observed=track.observed,
        status="converged",
        assumed=assumed,
    )


def side_view(root: Float[np.ndarray, "T 3"]) -> Camera:
    """A level camera that sees a person's whole way from the side."""
    centre = 0.5 * (root.min(axis=0) + root.max(axis=0))
    spread = root[:, :2] - root[:, :2].mean(axis=0)
    along = np.linalg.svd(spread, full_matrices=False)[2][0] if len(root) > 1 else np.array([0.0, 1.0])
    right = np.array([along[0], along[1], 0.0])
    forward = np.array([-along[1], along[0], 0.0])
    h, w = VIEW_SIZE_HW
    half = 1.0 + 0.5 * float(np.ptp(spread @ along))
    distance = VIEW_MARGIN * VIEW_FOCAL * max(half / (w / 2), 1.0 / (h / 2))
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, [0, 0, -1], forward], axis=1)
    pose[:3, 3] = [centre[0], centre[1], 0.0] - distance * forward
    pose[2, 3] = VIEW_HEIGHT
    K = np.array([[VIEW_FOCAL, 0, w / 2], [0, VIEW_FOCAL, h / 2], [0, 0, 1]])
    return Camera(K=K, T_world_camera=pose[None], size_hw=VIEW_SIZE_HW)
