"""What the verbs of `apprentice pretrain` do: shards of narrated videos, whether they are whole, generated videos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apprentice.showing import console, log_to, name_skipped
from apprentice.stages import UsageError
from records.atomic import atomic_path

if TYPE_CHECKING:
    from apprentice import commands


def prepare(verb: commands.Prepare) -> None:
    """Shards of a folder of narrated videos."""
    from pretrain.narration import find_narrated, read_howto100m
    from pretrain.prepare import prepare as make_shards
    from pretrain.transcode import Encoding

    if (verb.table is None) != (verb.captions is None):
        raise UsageError("--table and --captions go together: the list of videos, and where their captions are")
    if verb.table is not None and verb.captions is not None:
        videos, skipped = read_howto100m(verb.table, verb.folder, verb.captions)
    else:
        videos, skipped = find_narrated(verb.folder)
    verb.out.mkdir(parents=True, exist_ok=True)
    log_to(verb.out / "log.txt")
    encoding = Encoding(fps=verb.fps, short_side=verb.short_side, gop=verb.gop, sound=verb.sound)
    prepared = make_shards(videos, verb.out, skipped=skipped, encoding=encoding, processes=verb.processes)
    name_skipped(prepared.skipped)
    shards = "1 shard" if prepared.shards == 1 else f"{prepared.shards} shards"
    outcome = f"{verb.out}: {prepared.videos} videos in {shards}, {prepared.made} of them new"
    if prepared.skipped:
        outcome += f"; files with a remark: {len(prepared.skipped)}, all named in {verb.out / 'report.json'}"
    console.print(outcome, soft_wrap=True)


def check(verb: commands.Check) -> None:
    """Whether every video of some shards can be read."""
    from pretrain.shards import Shards

    shards = Shards(verb.folder)
    damaged = list(shards.check())
    name_skipped(damaged)
    if damaged:
        raise UsageError(f"{verb.folder}: {len(damaged)} shards or videos in it are damaged")
    console.print(f"{verb.folder}: {len(shards)} videos, all of them whole", soft_wrap=True)


def corpus(verb: commands.Corpus) -> None:
    """Generated videos as files."""
    import cv2

    from pretrain.corpus import CorpusOptions, GeneratedVideos
    from pretrain.corpus.films import LABELS, write_films
    from pretrain.corpus.sheet import contact_sheet

    options = CorpusOptions(
        videos=verb.videos, misalignment=verb.misalignment, irrelevant=verb.irrelevant, sample_rate=verb.sound
    )
    films = write_films(GeneratedVideos(options, seed=verb.common.seed), verb.out, size=verb.size, fps=verb.fps)
    with atomic_path(verb.out / "sheet.png") as temporary:
        cv2.imwrite(str(temporary), contact_sheet(options)[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    told = f"what happens in them is in {LABELS}, all actions are in sheet.png"
    console.print(f"{verb.out}: {len(films)} videos with captions; {told}", soft_wrap=True)
