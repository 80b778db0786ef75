"""A joint model of every kind: what it embeds, and that it comes back from its folder as it was."""

import json

import numpy as np
import pytest
import torch

from pretrain.backbone import BACKBONES, Backbone
from pretrain.device import DeviceError
from pretrain.model import HEADS, Batch, JointModel, ModelError, ModelSettings, pixels
from pretrain.objectives.mmv import GRAPHS
from pretrain.pretrained import SETTINGS, WEIGHTS, Pretrained
from pretrain.published import joint_of, published_state
from pretrain.sampling import Sampling
from pretrain.video_encoder import S3DG
from pretrain.vocabulary import Vocabulary
from records import UnknownName

WORDS = ("open", "close", "the", "jar", "pour")
OPTIONS = {
    "s3dg": {"space_to_depth": False},
    "small": {"widths": (8, 8, 8, 12), "stem": 4},
    "transformer": {"embedding": None, "size": 32, "patch": 16, "frames": 4, "width": 24, "depth": 1, "heads": 2},
}
SMALL = {"embedding": 6, "word_size": 5, "hidden": 7, "train_words": True}


def settings_of(head="linear", video="small"):
    sound = {"audio_layers": 18, "audio_bands": 16} if head in GRAPHS else {}
    return ModelSettings(video=video, video_options=OPTIONS[video], head=head, **SMALL, **sound)


def pretrained_of(settings):
    torch.manual_seed(3)
    model = JointModel(settings, len(WORDS) + 1)
    return Pretrained(model, Vocabulary(WORDS), Sampling(frames=4, size=32), name="test", words=4)


def frames_of(count=3, side=32):
    return np.random.default_rng(0).integers(0, 256, (count, 4, side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize("video", list(BACKBONES))
def test_every_video_encoder_states_the_size_of_its_features(video):
    model = JointModel(settings_of(video=video), 4).eval()
    assert isinstance(model.video, Backbone)
    side = 64 if video == "s3dg" else 32
    found = model.features(torch.rand(2, 3, 4, side, side))
    assert found.shape == (2, model.video.width)
    unused = [name for name, p in model.video.named_parameters() if not p.requires_grad]
    assert not unused


@pytest.mark.parametrize("head", HEADS)
def test_a_batch_is_embedded_as_its_parts_are(head):
    model = JointModel(settings_of(head), len(WORDS) + 1).eval()
    sound = torch.randn(3, 4000) if head in GRAPHS else None
    batch = Batch(
        torch.rand(3, 3, 4, 32, 32), torch.randint(0, 6, (3, 2, 4)), torch.ones(3, 2, dtype=torch.bool),
        torch.arange(3), sound,
    )  # fmt: skip
    met = model(batch)
    torch.testing.assert_close(met.video_of_text, model.embed_video(batch.video))
    torch.testing.assert_close(met.text, model.embed_text(batch.words))
    assert (met.audio is None) == (sound is None)
    if head != "linear":
        torch.testing.assert_close(met.text.norm(dim=-1), torch.ones(3, 2))
        torch.testing.assert_close(met.video_of_text.norm(dim=-1), torch.ones(3))


def test_without_sound_no_pair_with_sound_is_made():
    model = JointModel(settings_of("fac"), 6).eval()
    words = torch.ones(2, 1, 4, dtype=torch.long)
    met = model(Batch(torch.rand(2, 3, 4, 32, 32), words, torch.ones(2, 1, dtype=torch.bool), torch.arange(2)))
    assert met.audio is None
    assert met.video_of_audio is None
    assert met.text is not None


def test_sound_meets_text_where_the_graph_has_a_way():
    wave = torch.randn(2, 4000)
    assert JointModel(settings_of("fac"), 6).eval().embed_audio(wave).shape == (2, 256)
    with pytest.raises(ModelError, match="without sound"):
        JointModel(settings_of(), 6).embed_audio(wave)


def test_pixels_keep_their_places_and_lie_channels_last():
    frames = torch.from_numpy(frames_of())
    found = pixels(frames)
    assert found.shape == (3, 3, 4, 32, 32)
    assert found.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(found[1, 2, 3, 5, 7], frames[1, 3, 5, 7, 2] / 255)


@pytest.mark.parametrize("head", HEADS)
def test_a_model_comes_back_from_its_folder(tmp_path, head):
    made = pretrained_of(settings_of(head))
    made.save(tmp_path / "m")
    again = Pretrained.load(tmp_path / "m")
    assert again.fingerprint() == made.fingerprint()
    assert (again.name, again.words, again.sampling) == (made.name, made.words, made.sampling)
    np.testing.assert_array_equal(again.encode_clips(frames_of()).embedding, made.encode_clips(frames_of()).embedding)
    sentences = ["open the jar", "pour"]
    np.testing.assert_array_equal(again.encode_sentences(sentences), made.encode_sentences(sentences))
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == [SETTINGS, WEIGHTS]


def test_codes_do_not_depend_on_the_size_of_the_batch():
    made = pretrained_of(settings_of("unit"))
    whole, parts = made.encode_clips(frames_of(5)), made.encode_clips(frames_of(5), batch=2)
    np.testing.assert_allclose(whole.embedding, parts.embedding, atol=1e-6)
    np.testing.assert_allclose(whole.features, parts.features, atol=1e-6)
    assert made.encode_clips(frames_of(0)).embedding.shape == (0, 6)


def test_the_fingerprint_is_of_the_weights():
    made = pretrained_of(settings_of())
    before = made.fingerprint()
    with torch.no_grad():
        made.model.video_head.bias[0] += 1e-6
    assert made.fingerprint() != before


def test_a_published_network_gives_the_same_embeddings_and_goes_back_under_its_names():
    torch.manual_seed(0)
    network = S3DG(16, words=6).eval()
    model = joint_of(network).eval()
    video, words = torch.rand(2, 3, 4, 64, 64), torch.randint(0, 6, (2, 5))
    with torch.no_grad():
        torch.testing.assert_close(model.embed_video(video), network(video).embedding)
        torch.testing.assert_close(model.embed_text(words), network.text_module(words))
    state = published_state(model)
    assert set(state) == set(network.state_dict())
    network.load_state_dict(state)
    with pytest.raises(ModelError, match="only S3D-G"):
        published_state(JointModel(settings_of(), 6))


def test_published_files_make_a_model(tmp_path):
    torch.save(S3DG(16, words=6).state_dict(), tmp_path / "s3d.pth")
    np.save(tmp_path / "dict.npy", np.array(WORDS))
    made = Pretrained.published(tmp_path / "s3d.pth", tmp_path / "dict.npy")
    assert made.sampling.frames == 32
    assert made.encode_sentences(["open the jar"]).shape == (1, 16)


def test_unknown_words_alone_are_refused_by_name():
    made = pretrained_of(settings_of())
    with pytest.raises(ModelError, match="'xyzzy': the model knows none of these words"):
        made.encode_sentences(["open", "xyzzy"])
    with pytest.raises(ModelError, match="without sound"):
        made.encode_sounds(np.zeros((1, 4000), np.float32))


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    made = pretrained_of(settings_of())
    with torch.no_grad():
        made.model.video_head.bias[0] = float("nan")
    with pytest.raises(ModelError, match=r"video_head\.bias"):
        made.save(tmp_path / "m")
    assert not (tmp_path / "m" / SETTINGS).exists()


def test_what_is_wrong_with_a_folder_is_said(tmp_path):
    made = pretrained_of(settings_of())
    with pytest.raises(ModelError, match="no model here"):
        Pretrained.load(tmp_path)
    for name in ("gpu", "mps", "meta"):
        with pytest.raises(DeviceError, match=f"device '{name}': expected cpu, cuda"):
            Pretrained.load(tmp_path, device=name)
    with pytest.raises(DeviceError, match=r"device 'cuda:64': torch finds \d+ GPUs here"):
        Pretrained.load(tmp_path, device="cuda:64")
    folder = tmp_path / "m"
    made.save(folder)
    pretrained_of(ModelSettings(video="small", video_options=OPTIONS["small"], **{**SMALL, "embedding": 9})).save(
        tmp_path / "other"
    )
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes((tmp_path / "other" / WEIGHTS).read_bytes())
    with pytest.raises(ModelError, match="of another model"):
        Pretrained.load(folder)
    (folder / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="damaged"):
        Pretrained.load(folder)
    (folder / WEIGHTS).unlink()
    with pytest.raises(ModelError, match="no such file"):
        Pretrained.load(folder)
    note = json.loads((folder / SETTINGS).read_text())
    (folder / SETTINGS).write_text(json.dumps({**note, "version": 99}))
    with pytest.raises(ModelError, match="version 99"):
        Pretrained.load(folder)
    (folder / SETTINGS).write_text(json.dumps({**note, "model": {"video": "nothing"}}))
    with pytest.raises(ModelError, match="unknown video encoder 'nothing'"):
        Pretrained.load(folder)
    (folder / SETTINGS).write_text("{")
    with pytest.raises(ModelError, match="damaged"):
        Pretrained.load(folder)


def test_settings_that_no_model_can_have():
    with pytest.raises(UnknownName, match="choose from: s3dg"):
        ModelSettings(video="nothing")
    with pytest.raises(ModelError, match="unknown head 'nothing'"):
        ModelSettings(head="nothing")
    with pytest.raises(ModelError, match="knows no sound"):
        ModelSettings(audio_layers=18)
    with pytest.raises(ModelError, match="with sound"):
        ModelSettings(head="fac")
