"""AMASS motion files (Mahmood et al. 2019): SMPL-H or SMPL-X poses, z up, metres."""

from __future__ import annotations

import numpy as np

from motion.importers.container import Content
from motion.importers.importer import ImportOptions, Track
from motion.importers.smpl import SmplTrack, axis_angles, mean_shape, place

RATES = ("mocap_framerate", "mocap_frame_rate")
"""Names of the frame rate, in the SMPL-H and the SMPL-X release."""


class Amass:
    """`.npz` of poses (T, 156 or 165) rad, trans (T, 3) m, betas (B,), mocap_framerate."""

    def recognises(self, content: Content) -> bool:
        """Poses and positions side by side."""
        return content.kind == "npz" and {"poses", "trans"} <= set(content.value)

    def read(self, content: Content, options: ImportOptions) -> list[Track]:
        """The one person of the file."""
        arrays = content.value
        told = next((float(arrays[name]) for name in RATES if name in arrays), None)
        turns = axis_angles(arrays["poses"], "poses", content.path)
        expressive = turns.shape[1] == 55 or "smplx" in str(arrays.get("surface_model_type", ""))
        track = SmplTrack(
            name="0",
            frames=np.arange(len(turns)),
            turns=turns,
            trans=np.asarray(arrays["trans"], float),
            betas=mean_shape(arrays.get("betas", np.zeros(1))),
            family="smplx" if expressive else "smpl" if turns.shape[1] == 24 else "smplh",
            up="z",
            measured=True,
        )
        return [place(track, options.rate(told, content.path), options)]
