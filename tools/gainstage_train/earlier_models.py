"""Models that are there before a run: the one that its output would replace, and the one that it begins
from."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from gainstage_files.problem import USAGE, Problem
from . import saved_model
from .losses import Loss
from .validation import Validation

if TYPE_CHECKING:
    from .models import Model
    from .train import Training


def alike(path: str, model: Model) -> Model | None:
    """-> the model in the file, if it is of the kind, the sizes and the knobs of `model`; else None"""
    try:
        found = saved_model.from_file(path)
    except Problem:
        return None
    same = (found.name, found.controls, found.sample_rate) == (model.name, model.controls, model.sample_rate)
    return found if same and shapes(found) == shapes(model) else None


def free_name(path: str) -> str:
    """-> NAME-new.safetensors beside NAME.safetensors, or the first NAME-new-2 ... that is not there yet"""
    stem, count = path.removesuffix(".safetensors") + "-new", 1
    while os.path.exists(f"{stem}{f'-{count}' if count > 1 else ''}.safetensors"):
        count += 1
    return f"{stem}{f'-{count}' if count > 1 else ''}.safetensors"


def shapes(model: Model) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


def begin_from(path: str, model: Model) -> float:
    """Gives `model` what the file has learned. -> for how many minutes it did, all in all"""
    if not os.path.exists(path):
        raise Problem(f"--from {path}: no such file", USAGE)
    found = alike(path, model)
    if found is None:
        raise Problem(
            f"--from {path}: is not a {model.name} of these sizes, knobs and sample rate, written by python3 -m gainstage_train: take the "
            "--set of its card, and recordings with its knobs",
            USAGE,
        )
    model.load_state_dict(found.state_dict())
    story = json.loads(saved_model.read(path)[0]["training"])
    return sum(story[key] for key in ("minutes", "minutes_before") if type(story.get(key)) in (int, float))


def loss_of(path: str, training: Training) -> float | None:
    """What the file at `path` makes of this run's validation; None where it cannot be compared with what is
    trained."""
    found = alike(path, training.model) if os.path.exists(path) else None
    if found is None:
        return None
    return float(
        Loss(training.schedule.loss)(
            *Validation(
                found.to(training.device), training.dataset, training.schedule, training.device
            ).played()
        )
    )
