"""Weights averaged over the last steps of learning. At a high rate they wander around what they are looking
for, and their mean lies nearer to it than they do: Polyak & Juditsky, "Acceleration of stochastic
approximation by averaging", SIAM J. Control Optim. 30, 1992; as an exponential average for networks,
Tarvainen & Valpola, "Mean teachers are better role models", NeurIPS 2017."""

from __future__ import annotations

import torch
from torch.optim.swa_utils import AveragedModel

from .models import Model

FIRST_STEPS = 10.0  # the average's length grows with the steps that were made, from a tenth of this


class Average(AveragedModel):
    """.module plays with the mean of the last `steps` states of a model's weights, the older the less."""

    def __init__(self, model: Model, steps: int) -> None:
        super().__init__(
            model,
            avg_fn=lambda mean, new, count: mean + (new - mean) * max(1.0 / steps, self.newest_share(count)),
        )

    @staticmethod
    def newest_share(count: torch.Tensor) -> float:
        """Of the mean of a few steps: they leave the first weights behind quickly."""
        return (FIRST_STEPS - 1.0) / (FIRST_STEPS + float(count))

    def follow(self, model: Model) -> None:
        """To be called after a step of learning."""
        self.update_parameters(model)
        for mine, its in zip(self.module.buffers(), model.buffers()):  # measured, not learned
            mine.copy_(its)

    def restart(self, model: Model) -> None:
        self.n_averaged.zero_()
        with torch.no_grad():
            self.follow(model)
