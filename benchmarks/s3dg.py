"""Speed of S3D-G, forward and in a training step, beside the same graph written down plainly: benchmarks/s3dg.py.

    python -m benchmarks.s3dg [--frames 16] [--size 224] [--batch 2] [--device cuda] [--precision bf16] [--compile]

The plain statement calls torch's functions one after the other, with the weights of the same state dict, on tensors
with channels first; it must give the same embeddings. Both run in turn, the best of several rounds counts. A training
step is the forward pass, MIL-NCE with text of 5 candidates, the backward pass and AdamW; the plain statement has no
optimiser and no text and is compared in forward and backward alone.

Work is counted, not assumed: operations by torch's counter; bytes as all that layers read and write once, in the
forward pass, three times that in training. On a GPU the figures are set against 4.3 TB/s and 2,700 clips/s, which an
H200 is said to reach with 16 frames of 224 px in bfloat16 (eager).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pretrain.model import Batch, JointModel, ModelSettings, pixels
from pretrain.published import published_state
from pretrain.training.loss import loss_of
from pretrain.training.step import backward
from pretrain.video_encoder import BLOCKS, to_depth

FLOOR = 2700.0
"""Clips a second of a training step that the memory of an H200 allows, eager, bfloat16, 16 x 224 x 224."""
BANDWIDTH = 4.3e12
"""Bytes a second of an H200's memory, as measured."""
WORDS, CANDIDATES, LENGTH = 1000, 5, 20


class Row(NamedTuple):
    """One way to run the network."""

    name: str
    seconds: float
    """Of one pass over a batch."""


def main() -> None:
    """Print the rows, and the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="on a CPU")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    device, half = torch.device(options.device), options.precision == "bf16"
    model = JointModel(ModelSettings(), WORDS).to(device)
    shape = (options.batch, options.frames, options.size, options.size, 3)
    video = pixels(torch.randint(0, 256, shape, dtype=torch.uint8, device=device))
    difference = check(model, video)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
        operations, read = work(model, video)
    rows = [Row(name, seconds) for name, seconds in measured(model, video, half, options).items()]
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {options.threads} thread(s)"
    print(f"{name}, torch {torch.__version__}, {shape[:4]}, {options.precision}; embeddings differ by {difference:.1e}")
    print(f"{operations / options.batch / 1e9:.1f} GFLOP and {read / options.batch / 1e6:.0f} MB forward a clip")
    print(f"{'':<34}{'clips/s':>10}{'TFLOP/s':>10}{'GB/s':>10}")
    for row in rows:
        passes = 3 if "training" in row.name or "backward" in row.name else 1
        rate = options.batch / row.seconds
        print(
            f"{row.name:<34}{rate:>10.2f}{passes * operations / row.seconds / 1e12:>10.3f}"
            f"{passes * read / row.seconds / 1e9:>10.1f}"
        )
    if device.type == "cuda":
        print(
            f"memory of a training step: {torch.cuda.max_memory_allocated(device) / options.batch / 1e6:.0f} MB a clip"
        )
    spent = {row.name: row.seconds for row in rows}
    trained = options.batch / spent["training step"]
    floor = f"; {trained / FLOOR:.2f} of {FLOOR:.0f} clips/s" if device.type == "cuda" else ""
    print(
        f"s3dg: forward {options.batch / spent['forward']:.2f} clips/s,"
        f" {spent['forward, plain'] / spent['forward']:.2f} times as fast as the plain statement; with backward"
        f" {spent['forward and backward, plain'] / spent['forward and backward']:.2f} times; training step"
        f" {trained:.2f} clips/s{floor}"
    )


def measured(model: JointModel, video: Tensor, half: bool, options: argparse.Namespace) -> dict[str, float]:
    """Least seconds of each way, in turn."""
    device = video.device
    count = len(video)
    batch = Batch(
        video,
        torch.randint(1, WORDS, (count, CANDIDATES, LENGTH), device=device),
        torch.ones(count, CANDIDATES, dtype=torch.bool, device=device),
        torch.arange(count, device=device),
    )
    state = {key: value.detach() for key, value in published_state(model).items()}
    trained = {key: value.clone().requires_grad_(value.is_floating_point()) for key, value in state.items()}
    contiguous = video.contiguous()
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], fused=True)
    loss = loss_of("milnce", {})
    net: nn.Module = torch.compile(model) if options.compile else model  # type: ignore[assignment]
    features: Callable[[Tensor], Tensor] = torch.compile(model.embed_video) if options.compile else model.embed_video

    def forward() -> None:
        model.eval()
        with torch.no_grad(), _cast(device, half):
            features(video)

    def plain_forward() -> None:
        with torch.no_grad(), _cast(device, half):
            plain(state, contiguous, training=False)

    def forward_backward() -> None:
        model.train()
        model.zero_grad()
        with _cast(device, half):
            found = features(video)
        found.float().sum().backward()

    def plain_backward() -> None:
        for value in trained.values():
            value.grad = None
        with _cast(device, half):
            found = plain(trained, contiguous, training=True)
        found.float().sum().backward()

    def step() -> None:
        model.train()
        optimiser.zero_grad()
        backward(net, batch, loss, bf16=half)
        optimiser.step()

    ways: dict[str, Callable[[], None]] = {
        "forward": forward,
        "forward, plain": plain_forward,
        "forward and backward": forward_backward,
        "forward and backward, plain": plain_backward,
        "training step": step,
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(options.rounds + 1):
        for name, way in ways.items():
            start = _now(device)
            way()
            if turn:
                spent[name].append(_now(device) - start)
    return {name: min(seconds) for name, seconds in spent.items()}


def plain(state: Mapping[str, Tensor], video: Tensor, *, training: bool) -> Tensor:
    """S3D-G with the published names, as one reads it in the paper: (B, 3, T, H, W) to (B, D)."""

    def unit(x: Tensor, name: str, padding: tuple[int, int, int] = (0, 0, 0), k: int = 1) -> Tensor:
        x = F.conv3d(x, state[f"{name}.conv{k}.weight"], padding=padding)
        mean, var = state[f"{name}.bn{k}.running_mean"].clone(), state[f"{name}.bn{k}.running_var"].clone()
        weight, bias = state[f"{name}.bn{k}.weight"], state[f"{name}.bn{k}.bias"]
        return F.relu(F.batch_norm(x, mean.detach(), var.detach(), weight, bias, training=training))

    def separable(x: Tensor, name: str) -> Tensor:
        return unit(unit(x, name, (0, 1, 1)), name, (1, 0, 0), k=2)

    def gate(x: Tensor, name: str) -> Tensor:
        weight = F.linear(x.mean(dim=(2, 3, 4)), state[f"{name}.fc.weight"], state[f"{name}.fc.bias"])
        return x * torch.sigmoid(weight)[:, :, None, None, None]

    def pooled(x: Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> Tensor:
        t, h, w = (k - s for k, s in zip(kernel, stride, strict=True))
        padded = F.pad(x, (w // 2, w - w // 2, h // 2, h - h // 2, t // 2, t - t // 2))
        return F.max_pool3d(padded, kernel, stride, ceil_mode=True)

    x = unit(to_depth(video), "conv1", (1, 2, 2))[:, :, 1:, 1:, 1:]
    x = pooled(x, (1, 3, 3), (1, 2, 2))
    x = gate(separable(unit(x, "conv_2b"), "conv_2c"), "gating")
    x = pooled(x, (1, 3, 3), (1, 2, 2))
    for name in BLOCKS:
        if name == "mixed_4b":
            x = pooled(x, (3, 3, 3), (2, 2, 2))
        elif name == "mixed_5b":
            x = pooled(x, (2, 2, 2), (2, 2, 2))
        branches = (
            unit(x, f"{name}.conv_b0"),
            separable(unit(x, f"{name}.conv_b1_a"), f"{name}.conv_b1_b"),
            separable(unit(x, f"{name}.conv_b2_a"), f"{name}.conv_b2_b"),
            unit(F.max_pool3d(x, 3, 1, 1), f"{name}.conv_b3_b"),
        )
        x = torch.cat([gate(y, f"{name}.gating_b{k}") for k, y in enumerate(branches)], dim=1)
    return F.linear(x.mean(dim=(2, 3, 4)), state["fc.weight"], state["fc.bias"])


def check(model: JointModel, video: Tensor) -> float:
    """Largest difference of embeddings in single precision, relative to the largest of them."""
    with torch.no_grad():
        found = model.eval().embed_video(video)
        stated = plain(published_state(model), video, training=False)
    difference = float((found - stated).abs().max() / found.abs().max())
    if difference > 1e-3:
        raise SystemExit(f"the plain statement is of another network: embeddings differ by {difference:.1e}")
    return difference


def work(model: JointModel, video: Tensor) -> tuple[int, int]:
    """Operations, and bytes that layers read and write, of a forward pass."""
    moved = 0

    def count(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal moved
        moved += sum(x.numel() * x.element_size() for x in (*inputs, output))

    leaves = [module for module in model.video.modules() if not list(module.children())]
    hooks = [module.register_forward_hook(count) for module in leaves]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.eval().embed_video(video)
    for hook in hooks:
        hook.remove()
    return counter.get_total_flops(), moved


def _cast(device: torch.device, half: bool) -> torch.autocast:
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=half)


def _now(device: torch.device) -> float:
    """A clock: processor time where that is what is spent, else time once the GPU has finished [s]."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.process_time()


if __name__ == "__main__":
    main()
