"""Forces that an instrument measured while a clip was filmed: `MeasuredForces`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from records.observation import check_names
from records.record import Record, RecordError, array


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredForces(Record):
    """Forces on the person in the frames of a clip, as plates or gauges measured them; z is up, x and y are theirs."""

    names: tuple[str, ...]
    """Contacts (l_ankle, r_fingers, ...) where it is known which one an instrument bears, else the instruments."""
    fps: float
    force: Float[np.ndarray, "T C 3"] = array("N", frame="z up, on the person")
    captured: Bool[np.ndarray, "T C"] = array("1")
    """False where the instrument missed the contact, or measured nothing at that time."""

    def validate(self) -> None:
        """Check names against arrays, and the rate."""
        check_names(self, self.names, self.force.shape[1])
        if self.fps <= 0:
            raise RecordError(f"MeasuredForces: {self.fps} fps; the rate must be positive")
