"""A model's numbers on held-out recordings, as a result keeps them: per split the mean over the settings of
the knobs, and each setting's ESR."""

from __future__ import annotations

from typing import Any

from gainstage_train.data.pairs import Dataset
from gainstage_train.evaluation import mean, measure
from gainstage_train.losses import METRICS
from gainstage_train.models import Model
from gainstage_train.report import splits_of


def judged(
    model: Model, dataset: Dataset, splits: tuple[str, ...] = ("test", "unseen")
) -> dict[str, dict[str, Any]]:
    """-> {split: {metric: mean, "gain": ESR of the best static gain, "curve": of the best curve, "settings":
    [[knobs, ESR]]}}"""
    rows = measure(model, dataset, [split for split in splits if dataset.of(split)])
    return {
        split: {
            **{metric: mean(group, "model", metric) for metric in METRICS},
            "gain": mean(group, "gain", "esr"),
            "curve": mean(group, "curve", "esr"),
            "settings": [[row.knobs, row.model.esr] for row in group],
        }
        for split, group in splits_of(rows).items()
    }
