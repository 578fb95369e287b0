"""The trainable models by name."""

from __future__ import annotations

import importlib
from typing import Any

from gainstage_files.model_file import Control
from .model import Model, detach  # noqa: F401

# name -> (module, class)
MODELS = {
    "grey_box": ("grey_box", "GreyBox"),
    "s4d": ("s4d", "S4d"),
    "s6": ("s6", "S6"),
    "ed_lstm": ("ed_lstm", "EdLstm"),
    "ed_lstm_carried": ("ed_lstm", "EdLstmCarried"),
    "tcn": ("tcn", "Tcn"),
    "lstm": ("recurrent", "Lstm"),
    "gru": ("recurrent", "Gru"),
}


def class_of(name: str) -> type[Model]:
    module, symbol = MODELS[name]
    return getattr(importlib.import_module("." + module, __name__), symbol)


def build(name: str, controls: list[Control], sample_rate: float, **options: Any) -> Model:
    """A new model; what `options` there are: its class's constructor. Random numbers are torch's
    (torch.manual_seed)."""
    return class_of(name)(controls, sample_rate, **options)
