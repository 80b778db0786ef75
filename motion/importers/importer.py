"""The table of import formats and the one function that reads any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool

from motion.importers.container import Content, read_content
from motion.importers.motion_file_error import MotionFileError
from records import Camera, Entry, Motion, Registry

BODY_MASS_INDEX = 22.0
"""Mass over squared height [kg/m^2] of a person whose mass is not told: the middle of the normal range (WHO)."""

DEFAULT_HEIGHT = 1.70
"""Height [m] of a person whose height neither the file nor the user tells."""


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What a file may not say, and the user can."""

    fps: float | None = None
    """Frame rate [1/s]; overrides the file's."""
    height: float | None = None
    """Height of the person [m]."""
    mass: float | None = None
    """Mass of the person [kg]."""
    body_model: Path | None = None
    """An SMPL, SMPL-H or SMPL-X model file (.pkl, .npz): bone lengths then follow from the person's shape."""
    focal: float | None = None
    """Focal length of the camera [px], for formats that do not know it."""
    size_hw: tuple[int, int] | None = None
    """Height and width of the image [px], for formats that do not know them."""
    fit_ground: bool = True
    """Whether the person is moved up or down so that the soles rest on z = 0."""

    def rate(self, of_file: float | None, path: Path) -> float:
        """Frame rate: the user's, else the file's.

        Raises:
            MotionFileError: neither says it.
        """
        rate = of_file if self.fps is None else self.fps
        if rate is None:
            raise MotionFileError(f"{path}: the format does not say the frame rate; give the video's fps")
        if not np.isfinite(rate) or rate <= 0:
            raise MotionFileError(f"{path}: a frame rate of {rate:g} 1/s; expected a positive number")
        return float(rate)


@dataclass(frozen=True, kw_only=True)
class Track:
    """One person of a file."""

    name: str
    """The person's identity in the file."""
    motion: Motion
    """World z up, ground at z = 0."""
    camera: Camera | None = None
    """The camera where the format has one: static, or one pose per frame of the motion."""
    observed: Bool[np.ndarray, "T"]
    """False where the file has no pose and the motion was bridged."""
    measured: bool = False
    """Whether the motion was captured, rather than estimated from a video: forces then trust it more."""
    first_frame: int = 0
    """Frame of the file's clip that the motion begins with."""
    assumed: Mapping[str, float] = field(default_factory=dict)
    """What neither the file nor the user said: height [m], mass [kg], focal [px]."""


@runtime_checkable
class Importer(Protocol):
    """Reads one format."""

    def recognises(self, content: Content) -> bool:
        """Whether the content has this format's layout."""

    def read(self, content: Content, options: ImportOptions) -> list[Track]:
        """Every person of the file.

        Raises:
            MotionFileError: something of the layout is missing or malformed.
        """


IMPORTERS = Registry(
    "import format",
    {
        "amass": Entry("motion.importers.amass:Amass", "AMASS .npz: SMPL-H or SMPL-X poses, z up"),
        "wham": Entry("motion.importers.wham:Wham", "WHAM wham_output.pkl: SMPL in the world, y up"),
        "gvhmr": Entry("motion.importers.gvhmr:Gvhmr", "GVHMR hmr4d_results.pt: SMPL-X in the world, y up, 30 fps"),
        "tram": Entry("motion.importers.tram:Tram", "TRAM hps_track_k.npy with camera.npy: SMPL and a moving camera"),
        "prompthmr": Entry("motion.importers.prompthmr:PromptHmr", "PromptHMR results.pkl: SMPL-X in the world, y up"),
        "phalp": Entry("motion.importers.phalp:Phalp", "4DHumans/PHALP .pkl: SMPL in the camera, depth by focal"),
        "trc": Entry("motion.importers.trc:Trc", "OpenSim markers .trc by inverse kinematics, y up"),
        "c3d": Entry("motion.importers.c3d:C3d", "C3D markers by inverse kinematics"),
        "mot": Entry("motion.importers.mot:Mot", "OpenSim joint angles .mot or .sto, y up"),
    },
)


def import_motion(
    path: Path | str,
    *,
    format: str | None = None,
    person: str | None = None,
    fps: float | None = None,
    height: float | None = None,
    mass: float | None = None,
    body_model: Path | str | None = None,
    focal: float | None = None,
    size_hw: tuple[int, int] | None = None,
    fit_ground: bool = True,
) -> list[Track]:
    """Read the people of a motion file, the longest track first; nothing that the file holds is run.

    Args:
        path: the file; for TRAM also the folder that holds `hps/` and `camera.npy`.
        format: name in `IMPORTERS`; found from the content when it is not given.
        person: identity of the one person wanted; all by default.
        fps: frame rate [1/s]; needed where the format does not say it.
        height: of the person [m].
        mass: of the person [kg].
        body_model: SMPL, SMPL-H or SMPL-X model file, for bone lengths from the person's shape.
        focal: focal length [px], for formats without a metric camera.
        size_hw: image size [px], for formats that do not say it.
        fit_ground: move the person up or down so that the soles rest on z = 0.

    Raises:
        UnknownName: no such format; the message lists the formats.
        MotionFileError: missing, damaged, foreign or refused; one line that says which.
    """
    options = ImportOptions(
        fps=fps,
        height=height,
        mass=mass,
        body_model=None if body_model is None else Path(body_model),
        focal=focal,
        size_hw=size_hw,
        fit_ground=fit_ground,
    )
    for name, value in (("height", height), ("mass", mass), ("focal", focal)):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise MotionFileError(f"{name} {value:g}; expected a positive number")
    path = Path(path)
    files = sorted(path.glob("hps/hps_track_*.npy")) if path.is_dir() else [path]
    if not files:
        raise MotionFileError(f"{path}: a folder without hps/hps_track_*.npy; give a motion file or a folder of TRAM")
    tracks = [track for file in files for track in _read(read_content(file), format, options)]
    names = [track.name for track in tracks]
    if person is not None:
        if person not in names:
            raise MotionFileError(f"{path}: no person {person!r}; there are: {', '.join(names)}")
        tracks = [tracks[names.index(person)]]
    return sorted(tracks, key=lambda track: -int(track.observed.sum()))


def _read(content: Content, format: str | None, options: ImportOptions) -> list[Track]:
    importer: Importer
    if format is None:
        found = next((name for name in IMPORTERS if IMPORTERS.load(name)().recognises(content)), None)
        if found is None:
            raise MotionFileError(f"{content.path}: not a motion file; expected one of: {', '.join(IMPORTERS)}")
        format = found
    importer = IMPORTERS.load(format)()
    if not importer.recognises(content):
        raise MotionFileError(f"{content.path}: not the layout of {format}; leave the format out to have it found")
    try:
        tracks = importer.read(content, options)
    except MotionFileError as error:
        text = str(error)
        raise MotionFileError(text if str(content.path) in text else f"{content.path}: {text}") from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        # Values of a foreign file can be anything: whatever a reader or the body model makes of them, it is the file.
        text = " ".join(str(error).split())
        raise MotionFileError(f"{content.path}: a {format} file with values that do not fit ({text})") from error
    if not tracks:
        raise MotionFileError(f"{content.path}: nobody in it")
    return tracks
