"""Pictures of LeRobot datasets that are kept as images, one in each frame's row."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from policies.rewards.evaluation.data.reading import DataError, read_episodes

LENGTHS = (70, 5)
EYE = "observation.images.eye"


def picture(e, f):
    """Which tells the episode and the frame, red and green."""
    return np.full((8, 8, 3), (100 * e, f, 7), np.uint8)


def png(image):
    return cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def dataset(folder, content=png):
    """The frames of both episodes backwards, in two files."""
    (folder / "meta").mkdir(parents=True)
    vector = {"dtype": "float32", "shape": [1], "names": None}
    features = {"observation.state": vector, "action": vector, EYE: {"dtype": "image", "shape": [8, 8, 3]}}
    (folder / "meta/info.json").write_text(json.dumps({"codebase_version": "v3.0", "fps": 10, "features": features}))
    rows = [
        {
            **{"observation.state": [float(f)], "action": [0.0], "episode_index": e, "frame_index": f},
            EYE: {"bytes": content(picture(e, f)), "path": f"{e}-{f}.png"},
        }
        for e, length in enumerate(LENGTHS)
        for f in range(length)
    ][::-1]
    (folder / "data/chunk-000").mkdir(parents=True)
    for k, part in enumerate((rows[:40], rows[40:])):
        parquet.write_table(pa.Table.from_pylist(part), folder / f"data/chunk-000/file-{k:03d}.parquet")
    return folder


def test_images_are_those_of_their_frames(tmp_path):
    data = read_episodes(dataset(tmp_path / "lr"))
    for e, (episode, length) in enumerate(zip(data.episodes, LENGTHS, strict=True)):
        for _ in range(2):
            seen = np.stack(list(episode.frames()))
            np.testing.assert_array_equal(seen, [picture(e, f) for f in range(length)])


@pytest.mark.parametrize(("content", "told"), [(None, "without its content"), (b"no image", "cannot be decoded")])
def test_an_image_that_is_not_there_is_told_with_its_file(tmp_path, content, told):
    data = read_episodes(dataset(tmp_path / "lr", lambda image: content))
    with pytest.raises(DataError, match=rf"file-00\d.parquet: an image.*{told}"):
        list(data.episodes[0].frames())
