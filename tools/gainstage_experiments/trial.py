"""One run of an experiment: what its numbers depend on, how long it learns, and the work itself."""

from dataclasses import dataclass, field


@dataclass
class Trial:
    """key: EXPERIMENT-NAME, the file of its result. plan: JSON values, all that the numbers depend on but the
    length. minutes, epochs: of training, at most (0: no such limit). work(bench, trial) -> the result, JSON
    values."""

    key: str
    plan: dict
    work: object
    minutes: float = 0.0
    epochs: int = 0
    notes: dict = field(default_factory=dict)  # for the work, where the plan says it in other words

    def shortened(self, scale):
        """The same with so much of the time. Rounded, so that a second command asks for exactly the same."""
        self.minutes = round(self.minutes * scale, 3)
        self.epochs = max(1, round(self.epochs * scale)) if self.epochs else 0
        return self

    def asked(self):
        return {"minutes": self.minutes, "epochs": self.epochs}
