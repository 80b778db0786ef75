"""Processes that share a batch find the gradients of one process that has all of it."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from pretrain.distributed import gather, processes, rank
from pretrain.objectives.frozen import frozen
from pretrain.objectives.milnce import milnce
from pretrain.objectives.nce import nce
from pretrain.objectives.ranking import ranking

ROWS, SIZE, CANDIDATES = 8, 6, 3


def losses(encode, video, text, known, source):
    """Every objective, of a linear encoder; rows are of one process."""
    v, t = video @ encode[0], text @ encode[1]
    return {
        "milnce": milnce(v, t, candidate=known, chunk=5),
        "nce": nce(v, t[:, 0], known=known.any(1), chunk=5),
        "frozen": frozen(v, t[:, 0], known=known.any(1)),
        "ranking": ranking(v, t[:, 0], known=known.any(1), source=source),
    }


def batch():
    make = torch.Generator().manual_seed(0)
    video, text = torch.randn(ROWS, SIZE, generator=make), torch.randn(ROWS, CANDIDATES, SIZE, generator=make)
    known = torch.rand(ROWS, CANDIDATES, generator=make) > 0.4
    known[0] = False
    encode = torch.randn(2, SIZE, 4, generator=make)
    return encode, video, text, known, torch.arange(ROWS) // 3


def gradients(encode, *rows):
    found = {}
    for name in losses(encode, *rows):
        own = encode.clone().requires_grad_()
        losses(own, *rows)[name].backward()
        found[name] = own.grad
    return found


def work(number, count, address, out):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{address}", rank=number, world_size=count)
    assert (rank(), processes()) == (number, count)
    encode, *rows = batch()
    mine = slice(number * ROWS // count, (number + 1) * ROWS // count)
    everything = gather(rows[0][mine])
    torch.testing.assert_close(everything, rows[0])
    found = gradients(encode, *(part[mine] for part in rows))
    for gradient in found.values():
        dist.all_reduce(gradient)
        gradient /= count
    if number == 0:
        torch.save(found, out)
    dist.barrier()
    dist.destroy_process_group()


@pytest.mark.parametrize("count", [2, 4])
def test_gradients_do_not_depend_on_the_number_of_processes(count, tmp_path):
    arguments = (count, tmp_path / "meet", tmp_path / "gradients.pt")
    mp.start_processes(work, arguments, nprocs=count, start_method="fork")
    found = torch.load(tmp_path / "gradients.pt", weights_only=True)
    for name, expected in gradients(*batch()).items():
        assert expected.abs().max() > 1e-2, name
        torch.testing.assert_close(found[name], expected, atol=1e-5, rtol=1e-5, msg=name)


def test_alone_nothing_is_gathered():
    rows = torch.ones(3, 2)
    assert gather(rows) is rows
    assert (rank(), processes()) == (0, 1)
