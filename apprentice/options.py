"""What the user can say on the command line, in groups that several verbs share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

Clicks = tyro.conf.UseAppendAction[tuple[str, ...]]
EpisodeFormat = Literal["lerobot", "robomimic", "minari", "episodes"]
Half = Literal["all", "even", "odd"]
"""All, or every other one."""


@dataclass(frozen=True)
class Common:
    """Options of every verb."""

    run: Path | None = None
    """Folder of the run; by default runs/<name of the clip or sequence>. A run that was stopped resumes there."""
    seed: int = 0
    """Seed of everything random."""
    force: bool = False
    """Compute every stage again, even where nothing has changed."""
    debug: bool = False
    """Show the traceback of an error."""


@dataclass(frozen=True)
class Source:
    """What is watched: a clip, or keypoints that were detected elsewhere."""

    clip: tyro.conf.Positional[Path | None] = None
    """Video file."""
    keypoints: Path | None = None
    """OpenPose folder or .npz, tidy .csv (frame,name,x,y,confidence), or a Keypoints record, instead of a clip."""
    sequence: str | None = None
    """Which sequence of --keypoints, where the file holds several."""
    fps: float | None = None
    """True frame rate [1/s]; needed where the file's header lies. Keypoints default to 24."""
    start: float | None = None
    """First moment of the clip [s]."""
    end: float | None = None
    """Last moment of the clip [s]."""
    size: tuple[int, int] | None = None
    """Image height and width [px] of --keypoints, where the format does not state them."""


@dataclass(frozen=True)
class Seeing:
    """How person, tool and camera are found."""

    detector: str = "mediapipe"
    """Detector of people, or the path of a pose model (PATH.task); see `apprentice list`."""
    person: str | None = None
    """A click on the person, x,y@frame, where there are several."""
    tool_head: Clicks = ()
    """A click on the tool's working end, x,y@frame; give it again to correct the track in another frame."""
    tool_handle: Clicks = ()
    """A click on the free end of the tool's handle, x,y@frame; may be repeated."""
    two_handed: bool = False
    """Both hands hold the tool: the line through them is its axis where no click says better. By default so with tools
    that are usually held so (spade, scythe)."""
    one_handed: bool = False
    """One hand holds the tool, although it is usually held in both."""
    tool_csv: Path | None = None
    """Tool endpoints in a table, frame,name,x,y[,confidence], names tool_head and tool_handle."""
    camera: Path | None = None
    """Calibration file of the camera: OpenCV YAML or Qualisys."""
    camera_name: str | None = None
    """Which camera of a calibration that holds several."""
    focal: float | None = None
    """Focal length [px]; by default from metadata, else assumed and refined."""


@dataclass(frozen=True)
class Subject:
    """What is known of the person and of what is in their hands."""

    height: float | None = None
    """Stature [m]; 1.70 is assumed."""
    mass: float | None = None
    """Body mass [kg]; by default what is usual at the stature: 24.2 kg/m^2 times its square."""
    tool: str | None = None
    """Tool in the hands; see `apprentice list`."""
    tool_file: Path | None = None
    """Description of one's own tool (YAML)."""


@dataclass(frozen=True)
class Marks:
    """Points of a tool that is seen from near."""

    tool: str = "jug"
    """Tool; one that stands level when it is put down."""
    tool_file: Path | None = None
    """Description of one's own tool (YAML)."""
    point: Clicks = ()
    """A click on a point in the tool's middle plane, NAME=x,y@frame, in any frame. Three names or more, one of them
    spout; again in other frames to correct the track. In the first frame that shows them all the tool stands level."""
    distance: str | None = None
    """How far two of the points are apart, NAME,NAME=METRES."""
    camera: Path | None = None
    """Calibration file of the camera: OpenCV YAML or Qualisys."""
    camera_name: str | None = None
    """Which camera of a calibration that holds several."""
    focal: float | None = None
    """Focal length [px]; by default from metadata, else assumed."""


@dataclass(frozen=True)
class Surroundings:
    """What stands around the person, where its shape is known."""

    scene: Path | None = None
    """Mesh or point cloud, in metres: what touches it lies on its surface. .ply, .obj, .stl, .off, .glb, .pcd, .xyz."""
    scene_frame: str = "world"
    """Its axes: world (of --camera, or of the result), camera (x right, y down, z forwards), or a file with a 4 x 4
    matrix that takes it to the world and to metres."""
    scene_up: Literal["z", "y", "-y"] = "z"
    """Which of its axes points up, unless it is in the camera's axes."""


@dataclass(frozen=True)
class Foreign:
    """Motion that another program has found, instead of a clip; forces follow from it."""

    motion: Path | None = None
    """WHAM, GVHMR, TRAM, PromptHMR, PHALP, AMASS, .trc, .c3d or .mot; --person names whom it holds several of."""
    motion_format: str | None = None
    """Its format, where the content does not tell; see `apprentice list`."""
    body_model: Path | None = None
    """SMPL, SMPL-H or SMPL-X model file: bone lengths then follow from the person's shape."""


@dataclass(frozen=True)
class Encoding:
    """Which trained encoder is used."""

    model: Path | None = None
    """Folder of a trained model."""
    weights: Path | None = None
    """Published weights of S3D-G (s3d_howto100m.pth), instead of a folder; with --dictionary."""
    dictionary: Annotated[Path | None, tyro.conf.arg(aliases=["--dict"])] = None
    """Their words (s3d_dict.npy)."""
    device: str = "cpu"
    """Where it computes: cpu, cuda, cuda:1 and so on."""


@dataclass(frozen=True)
class Scene:
    """What shall be done in simulation."""

    task: str = "hammer"
    """Task; see `apprentice list`."""


@dataclass(frozen=True)
class Body:
    """Who shall do it."""

    robot: str = "panda"
    """Robot; see `apprentice list`. One's own is named FILE.urdf:LINK, with the link that holds the tool."""
    acceleration: float | None = None
    """Acceleration limit of every joint [rad/s^2], instead of the robot's own; KUKA's and those of one's own robot are
    assumed otherwise."""
    pedestal: float | Literal["search"] = 0.0
    """Height of the robot's base over the ground [m], or `search` for one."""


@dataclass(frozen=True)
class Chance:
    """How the scene varies."""

    noise: float = 0.05
    """Standard deviation of the objects' displacement from where they were demonstrated [m]."""
    turn: float = 0.0
    """Standard deviation of their turn [degrees]."""
    mass_spread: float = 0.0
    """Largest change of masses, as a share."""
    friction_spread: float = 0.0
    """Largest change of friction, as a share."""


@dataclass(frozen=True)
class Errors:
    """How sensors and actions err, while learning and while judged."""

    place: float = 0.0
    """Standard deviation of the seen place of the objects, the same throughout an episode [m]."""
    jitter: float = 0.0
    """Standard deviation of what is added to that in every step anew [m]."""
    seen_turn: float = 0.0
    """Standard deviation of their seen turn, throughout an episode [degrees]."""
    delay: float = 0.0
    """Time until the objects are seen; before, they seem to stand where they were demonstrated [s]."""
    missed: float = 0.0
    """Standard deviation of what is added to every action [share of its reach]."""
    calibration: float = 0.0
    """Error of the seen place along x and along y, the same in all episodes [m]."""


@dataclass(frozen=True)
class Training:
    """How a policy is trained."""

    steps: int = 20_000
    """Environment steps of training."""
    learner: str = "ppo"
    """Way of learning; see `apprentice list`."""
    base: Literal["shifted", "replay", "scratch"] = "shifted"
    """What is corrected: the demonstration moved along with its objects, as recorded, or none: the tool moves freely
    from rest, the control of what the demonstration is worth."""
    noisy: bool = False
    """Sensors and actions err while learning at least as in the trial of that name."""
    repeat: int = 8
    """Environment steps that a decision lasts."""
    averaged: bool = False
    """Objects are seen where they have seemed to be on average over the episode: errors of single steps average out."""
    explore: float = 0.0
    """First standard deviation of exploration [m]; by default that of the way of learning."""
    start_from: Path | None = None
    """Folder of a policy to start from."""
    curriculum: float = 0.0
    """Share of the training over which the scene's variation grows to what is asked for."""
    environments: int = 2
    """Simulations side by side."""
    processes: int = 0
    """For them, all processors by default; the policy does not depend on it."""
    tensorboard: bool = False
    """Write the curve for TensorBoard, too, into policy/tensorboard."""
    validation: int = 100
    """Episodes in which what was learned must solve more than what it corrects, or it is set to zero; 0 keeps it."""


@dataclass(frozen=True)
class Judging:
    """How a policy is judged."""

    episodes: int = 100
    """Fresh episodes per agent and trial."""
    trials: tuple[Literal["nominal", "shifted", "noisy"], ...] = ("nominal",)
    """What it is judged under: the variation and errors asked for; objects further away, other masses and friction;
    sensors and actions that err by a stated amount at least."""
