"""How far a training run is."""

import dataclasses
import math
from dataclasses import dataclass, field

from gainstage_files.problem import Problem
from .figures import error, figure


@dataclass
class Progress:
    """How far a run is: plain numbers, kept in its checkpoint."""

    epoch: int = 0
    batch: int = 0  # of this epoch, the next one
    steps: int = 0
    elapsed_s: float = 0.0  # over all its parts
    best: float = math.inf
    best_esr: float = math.inf
    best_epoch: float = 0.0
    since_best: int = 0  # validations
    rate_factor: float = 1.0  # of the plateau schedule and of retreats
    retreats: int = 0
    heard: int = 0  # samples since the last validation
    loss_sum: float = 0.0  # over the pieces since then
    loss_count: int = 0
    history: list = field(default_factory=list)  # of dicts: epoch, elapsed_s, loss, validation, esr

    @classmethod
    def of(cls, plain: dict, path: str) -> "Progress":
        """plain: from dataclasses.asdict(), through the file at `path`."""
        kinds: dict[str, tuple[type, ...]] = {
            field.name: {float: (float, int), int: (int,), list: (list,)}[field.type]
            for field in dataclasses.fields(cls)
        }
        right = all(isinstance(plain.get(name), kind) for name, kind in kinds.items())
        if plain.keys() != kinds.keys() or not right:
            raise Problem(f"{path}: does not say where its run was; begin anew with --fresh")
        return cls(**plain)

    def judge(self, loss: float, error: float, epochs: float) -> bool:
        """Notes a validation. -> whether it is the best so far"""
        self.history.append(
            {
                "epoch": round(epochs, 4),
                "elapsed_s": round(self.elapsed_s, 1),
                "loss": self.learned(),
                "validation": loss,
                "esr": error,
            }
        )
        better = loss < self.best  # never true of a NaN
        if better:
            self.best, self.best_esr, self.best_epoch, self.since_best = loss, error, epochs, 0
        else:
            self.since_best += 1
        self.heard, self.loss_sum, self.loss_count = 0, 0.0, 0
        return better

    def learned(self) -> float | None:
        """-> the mean loss since the last validation, None if there is none"""
        mean = self.loss_sum / self.loss_count if self.loss_count else math.nan
        return mean if math.isfinite(mean) else None

    def said(self, loss_name: str) -> str:
        """-> the last validation in a line"""
        last = self.history[-1]
        trained = last["loss"]
        minutes, seconds = divmod(int(self.elapsed_s), 60)
        also = "" if loss_name == "esr" else f"  {loss_name} {figure(last['validation'])}"
        training = "" if trained is None else f"  (training {figure(trained)})"
        best = "  best so far" if self.since_best == 0 and math.isfinite(self.best) else ""
        return f"{minutes:4d}:{seconds:02d}  epoch {last['epoch']:7.2f}  esr {error(last['esr'])}{also}{training}{best}"
