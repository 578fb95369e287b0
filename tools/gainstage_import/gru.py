"""Networks of gated recurrent units: see recurrent.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from gainstage_files.model_file import Control
from . import recurrent
from .recurrent import CONFIG, CONTROLS, OWN_NAMES, SAMPLE_RATE  # noqa: F401
from .take import Take

ARCHITECTURE = "gru"


def load(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return recurrent.load(path, ARCHITECTURE)


def convert(
    take: Take, controls: list[Control], config: dict[str, Any], sample_rate: float
) -> tuple[dict[str, np.ndarray], dict[str, Any], float, dict[str, Any]]:
    return recurrent.convert(take, controls, config, sample_rate, recurrent.GATES[ARCHITECTURE])
