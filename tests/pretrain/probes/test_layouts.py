"""Published lists: the real ones are read whole; what is wrong with broken ones is said in one line."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pretrain.probes.captioned import Captioned, read_captioned
from pretrain.probes.crosstask import read_steps, read_tasks, read_videos
from pretrain.probes.probe import ProbeError
from pretrain.probes.rareact_table import read_rareact
from pretrain.probes.sound_files import find_sounds
from pretrain.probes.splits import Labelled, read_splits
from pretrain.probes.unusual_actions import groups_of
from pretrain.probes.video_files import VideoFiles

DATA = Path(__file__).parents[3].parent / "shared/data/pretrain"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/pretrain is absent")


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@needs_data
def test_published_captions():
    youcook = read_captioned(DATA / "splits/csv/validation_youcook.csv")
    assert len(youcook) == 3350
    assert youcook[0] == Captioned("xHr8X2Wpmno", "pick the ends off the verdalago", (47.0, 60.0))
    msrvtt = read_captioned(DATA / "splits/csv/msrvtt_test.csv")
    assert len(msrvtt) == 1000
    assert msrvtt[2] == Captioned("video7020", "a woman creating a fondant baby and flower", None)


@needs_data
def test_published_splits_of_hmdb():
    splits = read_splits([DATA / "splits/csv/hmdb51.csv"])
    assert [split.name for split in splits] == ["split1", "split2", "split3"]
    for split in splits:
        assert set(Counter(v.label for v in split.train).values()) == {70}
        assert set(Counter(v.label for v in split.test).values()) == {30}
        assert len({v.label for v in split.train}) == 51
        assert not set(split.train) & set(split.test)
    assert splits[0].train[0].video.endswith("_0.avi")
    assert splits[0].train[0].label == "brush_hair"


@needs_data
def test_published_annotations_of_rareact():
    table = read_rareact(DATA / "rareact/rareact.csv")
    assert (len(table.videos), len(table.actions), len(set(table.videos))) == (7607, 149, 905)
    assert table.actions[2] == ("weigh", "banana")
    assert table.stretches[3] == (90.0, 100.0)
    for action, (verb, noun) in list(enumerate(table.actions))[::37]:
        groups = groups_of(table.clips, action)
        of = [table.actions[int(table.clips.action[k])] for k in groups.positive]
        assert set(of) <= {(verb, noun)}
        alien = [table.actions[int(table.clips.action[k])] for k in groups.hard if table.clips.action[k] != action]
        assert all((v == verb) != (n == noun) for v, n in alien)


@needs_data
def test_published_sounds():
    sounds = find_sounds(DATA / "esc10")
    assert len(sounds) == 400
    assert set(Counter((s.label, s.fold) for s in sounds).values()) == {8}
    folds = {}
    for sound in sounds:
        assert folds.setdefault(sound.recording, sound.fold) == sound.fold


def test_esc_50_has_its_classes_in_the_names(tmp_path):
    for name in ("1-100032-A-0.wav", "2-100038-B-14.wav", "notes-1.wav", "3-1-A-2.txt"):
        written(tmp_path / "audio" / name, "")
    found = [(s.label, s.fold, s.recording) for s in find_sounds(tmp_path)]
    assert found == [("0", 1, 100032), ("14", 2, 100038)]


def test_splits_of_hmdb_by_class(tmp_path):
    """As HMDB publishes them: a file for each class and split, a blank at the end of each line."""
    for label in ("brush_hair", "climb"):
        written(tmp_path / f"{label}_test_split1.txt", f"{label}_a.avi 1 \n{label}_b [x].avi 2 \n{label}_c.avi 0 \n")
        written(tmp_path / f"{label}_test_split2.txt", f"{label}_a.avi 2 \n{label}_b [x].avi 1 \n\n")
    first, second = read_splits([tmp_path])
    assert (first.name, second.name) == ("split1", "split2")
    assert first.train == (Labelled("brush_hair_a.avi", "brush_hair"), Labelled("climb_a.avi", "climb"))
    assert first.test == (Labelled("brush_hair_b [x].avi", "brush_hair"), Labelled("climb_b [x].avi", "climb"))
    assert first.train == second.test
    assert read_splits([tmp_path / "brush_hair_test_split1.txt", tmp_path / "climb_test_split1.txt"]) == [first]
    with pytest.raises(ProbeError, match="all videos of split split1 are of one class, 'climb'"):
        read_splits([tmp_path / "climb_test_split1.txt"])
    with pytest.raises(ProbeError, match=r"line 1: 'a\.avi 3' is not a video and 1 \(train\)"):
        read_splits([written(tmp_path / "run_test_split1.txt", "a.avi 3\n")])
    with pytest.raises(ProbeError, match=r"x\.txt: expected CLASS_test_splitN\.txt"):
        read_splits([tmp_path / "climb_test_split1.txt", written(tmp_path / "x.txt", "")])


def test_splits_of_ucf(tmp_path):
    train = written(tmp_path / "trainlist01.txt", "Fly/v_a.avi 1\nSwim/v_b.avi 2\n")
    test = written(tmp_path / "testlist01.txt", "Swim/v_c.avi\n\n")
    (split,) = read_splits([test, train])
    assert split.name == "01"
    assert split.train == (Labelled("Fly/v_a.avi", "Fly"), Labelled("Swim/v_b.avi", "Swim"))
    assert split.test == (Labelled("Swim/v_c.avi", "Swim"),)
    written(tmp_path / "classInd.txt", "1 Fly\n2 Swim\n")
    assert read_splits([tmp_path]) == [split]
    with pytest.raises(ProbeError, match=r"both trainlist01\.txt and testlist01\.txt"):
        read_splits([train])
    with pytest.raises(ProbeError, match="line 1: 'v_a 1' is not Class/video"):
        read_splits([written(tmp_path / "x" / "trainlist01.txt", "v_a 1\n"), test])


def test_splits_of_kinetics(tmp_path):
    head = "label,youtube_id,time_start,time_end,split\n"
    train = written(tmp_path / "train.csv", head + "fly,abc,3,13,train\nswim,xyz,0,10,train\n")
    test = written(tmp_path / "val.csv", head + "fly,abe,120,130,validate\n")
    (split,) = read_splits([train, test])
    assert split.train[0] == Labelled("abc_000003_000013", "fly")
    assert [len(split.train), len(split.test)] == [2, 1]
    with pytest.raises(ProbeError, match="row 2: unknown split 'holdout'"):
        read_splits([written(tmp_path / "odd.csv", head + "fly,abe,120,130,holdout\n")])
    with pytest.raises(ProbeError, match="has no test videos"):
        read_splits([train])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column 'video_id'; it has: none"),
        ("video_id,label\na.avi,x\n", "no column 'split', 'split1' and so on"),
        ("video_id,label,split1\n", "has no rows"),
        ("video_id,label,split1\na.avi,,1\n", "row 2 has nothing in column 'label'"),
        ("video_id,label,split1\na.avi,x\n", "row 2 has nothing in column 'split1'"),
        ("video_id,label,split1\na.avi,x,3\n", "row 2: split1 is '3'; expected 1"),
        ("video_id,label,split1\na.avi,x,1\nb.avi,y,2\n", "no class has both training and test videos"),
    ],
)
def test_broken_tables_of_splits(tmp_path, text, said):
    with pytest.raises(ProbeError, match=said) as caught:
        read_splits([written(tmp_path / "t.csv", text)])
    assert str(tmp_path / "t.csv") in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("video_id\nv\n", "no column 'text', 'sentence' or 'caption'; it has: video_id"),
        ("video_id,text,start\nv,x,1\n", "no column 'end'"),
        ("video_id,text,start,end\nv,x,1,soon\n", "row 2: 'soon' is not a number"),
        ("video_id,text,start,end\nv,x,5,5\n", "row 2: from 5 s to 5 s is no stretch"),
        ("video_id,text,start,end\nv,x,nan,5\n", "row 2: 'nan' is not a number"),
    ],
)
def test_broken_captions(tmp_path, text, said):
    with pytest.raises(ProbeError, match=said):
        read_captioned(written(tmp_path / "t.csv", text))


def test_files_that_are_no_tables(tmp_path):
    with pytest.raises(ProbeError, match="No such file"):
        read_splits([tmp_path / "t.csv"])
    (tmp_path / "t.csv").write_bytes(b"video_id,\xff\xfe\n")
    with pytest.raises(ProbeError, match="cannot be read as a table"):
        read_captioned(tmp_path / "t.csv")
    with pytest.raises(ProbeError, match="state files of one kind"):
        read_splits([tmp_path / "t.csv", tmp_path / "trainlist01.txt"])
    with pytest.raises(ProbeError, match="no file that says"):
        read_splits([])


TASKS = "23\nMake Tea\nhttp://x\n2\nboil water,pour water\n\n24\nMake Toast\nhttp://y\n1\ntoast bread\n\n"


def test_crosstask_by_hand(tmp_path):
    tasks = read_tasks(written(tmp_path / "tasks.txt", TASKS))
    assert tasks["23"].steps == ("boil water", "pour water")
    assert tasks["24"].title == "Make Toast"
    videos = read_videos(written(tmp_path / "v.csv", "23,a-b,http://x\n24,c,http://y\n"))
    assert videos == [("23", "a-b"), ("24", "c")]
    steps, interval = read_steps(written(tmp_path / "23_a.csv", "2,3.5,6\n1,0,2.25\n"), tasks["23"])
    np.testing.assert_array_equal(steps, [1, 0])
    np.testing.assert_array_equal(interval, [[3.5, 6], [0, 2.25]])


def test_broken_files_of_crosstask(tmp_path):
    with pytest.raises(ProbeError, match="line 1: cut short"):
        read_tasks(written(tmp_path / "tasks.txt", "23\nMake Tea\n"))
    with pytest.raises(ProbeError, match="task 23 states 3 steps, and names 2"):
        read_tasks(written(tmp_path / "tasks.txt", TASKS.replace("\n2\n", "\n3\n", 1)))
    with pytest.raises(ProbeError, match="line 1: 'a' is not task,video,address"):
        read_videos(written(tmp_path / "v.csv", "a\n"))
    tasks = read_tasks(written(tmp_path / "tasks.txt", TASKS))
    with pytest.raises(ProbeError, match="line 1: step 3 of a task with 2 steps"):
        read_steps(written(tmp_path / "s.csv", "3,0,1\n"), tasks["23"])
    with pytest.raises(ProbeError, match="line 1: '1,0' is not step,start,end"):
        read_steps(written(tmp_path / "s.csv", "1,0\n"), tasks["23"])


def test_broken_tables_of_rareact(tmp_path):
    head = "id,video_id,start,end,class_id,verb,noun,annotation\n"
    for rows, said in (
        ("0,v,0,5,0,cut,phone,7\n", "row 2: annotation '7'; expected 0 to 4"),
        ("0,v,0,5,0,cut,phone,1\n1,v,0,5,0,cut,egg,1\n", "row 3: class 0 is both"),
        ("0,v,0,5,4,cut,phone,1\n", "classes are not numbered from 0 to 0"),
    ):
        with pytest.raises(ProbeError, match=said):
            read_rareact(written(tmp_path / "r.csv", head + rows))


def test_videos_are_found_by_the_names_of_lists(tmp_path):
    for name in ("run/a.avi", "jump/b.mp4", "jump/twice.avi", "run/twice.avi", "abc_000003_000013.mp4", "full.webm",
                 ".hidden.mp4", "v1.2.mp4"):  # fmt: skip
        written(tmp_path / name, "")
    files = VideoFiles(tmp_path)
    assert files.find("a.avi") == files.find("a") == files.find("run/a.avi") == tmp_path / "run/a.avi"
    assert files.find("jump/b.avi") == tmp_path / "jump/b.mp4"
    assert files.find("run/twice.avi") == tmp_path / "run/twice.avi"
    assert "2 files of this name" in files.find("twice")
    assert files.find("abc_000003_000013") == tmp_path / "abc_000003_000013.mp4"
    assert files.find("full_000001_000011") == tmp_path / "full.webm"
    assert files.find("v1.2") == tmp_path / "v1.2.mp4"
    assert "no such file" in files.find(".hidden")
    with pytest.raises(ProbeError, match="no such folder"):
        VideoFiles(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProbeError, match="no file in it that ends with"):
        VideoFiles(tmp_path / "empty")
