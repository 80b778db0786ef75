"""Where to compute, by the name that torch gives it."""

from __future__ import annotations

import torch


class DeviceError(ValueError):
    """A device that is not here."""


def device_of(name: str) -> torch.device:
    """The processor (`cpu`) or a GPU (`cuda`, `cuda:1`, ...) of this machine.

    Raises:
        DeviceError: another name, or torch finds no such device.
    """
    wrong = f"device {name!r}: expected cpu, cuda, cuda:1 and so on"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(wrong) from error
    if device.type not in ("cpu", "cuda"):
        raise DeviceError(wrong)
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if (device.index or 0) >= count:
            raise DeviceError(f"device {name!r}: torch finds {count} GPUs here; --device cpu needs none")
    return device
