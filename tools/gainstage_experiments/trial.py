"""One run of an experiment: what its numbers depend on, how long it learns, and the work itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Trial:
    """key: EXPERIMENT-NAME, the file of its result. plan: JSON values, all that the numbers depend on but the
    length. minutes, epochs: of training, at most (0: no such limit). work(bench, trial) -> the result, JSON
    values."""

    key: str
    plan: dict[str, Any]
    work: Callable[[Any, Trial], Any]
    minutes: float = 0.0
    epochs: int = 0
    notes: dict[str, Any] = field(default_factory=dict)  # for the work, where the plan says it in other words

    def shortened(self, scale: float) -> Trial:
        """The same with so much of the time. Rounded, so that a second command asks for exactly the same."""
        self.minutes = round(self.minutes * scale, 3)
        self.epochs = max(1, round(self.epochs * scale)) if self.epochs else 0
        return self

    def asked(self) -> dict[str, float]:
        return {"minutes": self.minutes, "epochs": self.epochs}
