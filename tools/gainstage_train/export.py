"""A trained model as the runtime's model file: whole or not at all, so that a running patch takes it up as it
is written."""

from __future__ import annotations

import math
from typing import Any

from gainstage_files import model_file
from .models.model import Model


def keys_of(model: Model, memory_seconds: float | None = None, **texts: Any) -> dict[str, str]:
    """`__metadata__` of the file. memory_seconds: where it is known; measured otherwise, which may take
    seconds. `texts`: license, author, source, and training, a dict of what may be of interest about how it
    came about."""
    seconds = model.memory_seconds() if memory_seconds is None else memory_seconds
    samples = math.ceil(min(seconds, model_file.LONGEST_MEMORY_S) * model.sample_rate)
    return model_file.metadata(
        model.architecture,
        model.config(),
        model.sample_rate,
        model.controls,
        latency_samples=model.latency_samples,
        receptive_field=model.receptive_field,
        memory_samples=samples,
        **texts,
    )


def export(model: Model, path: str, memory_seconds: float | None = None, **texts: Any) -> None:
    """Writes `path`. Raises gainstage_files.problem.Problem: a weight that is not finite, or a folder that
    can't be written."""
    model_file.write(path, model.tensors(), keys_of(model, memory_seconds, **texts))


def quickly(model: Model, path: str, **texts: Any) -> None:
    """The same during training: of a model whose memory takes long to measure it says the longest there may
    be, so a runtime that takes it up plays it warm for longer than it needs."""
    known = None if model.receptive_field else model_file.LONGEST_MEMORY_S
    export(model, path, known, **texts)
