"""Writes the models whose numbers come from textbooks, not from training: models/*-textbook.safetensors.

    cd tools && python3 -m gainstage_import.textbook [FOLDER]        (the repository's models/ unless given)

The same files on every run. What they are good for, and what not: the cards beside them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from gainstage_files.libraries import need

need("numpy")

import numpy as np  # noqa: E402

from gainstage_files.model_file import TIME_CONSTANTS_TO_FORGET, control, metadata, write  # noqa: E402

if TYPE_CHECKING:
    from gainstage_files.model_file import Control

SAMPLE_RATE = 48000  # in name only: one-pole detectors and static make-up run at any rate
COMMON: dict[str, Any] = {
    "author": "Gainstage",
    "license": "MIT",
    "training": {"data": "none: constants set by hand"},
}


def textbook(
    controls: list[Control], weight: list[list[float]], bias: list[float], tau_s: list[float], source: str
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Curve outputs threshold_db, ratio, knee_db = weight @ knobs + bias; time constants tau_s; no
    make-up."""
    tensors = {
        "mlp.0.weight": np.array(weight),
        "mlp.0.bias": np.array(bias),
        "detector.tau_s": np.array(tau_s),
        "makeup.gain": np.zeros(1),
        "makeup.bias": np.zeros(1),
    }
    config = {
        "curve_output": "linear",
        "knee": "soft",
        "makeup": "static",
        "detector": "switching" if len(tau_s) == 2 else "one_pole",
    }
    memory = round(TIME_CONSTANTS_TO_FORGET * max(tau_s) * SAMPLE_RATE)
    return tensors, metadata(
        "grey_box", config, SAMPLE_RATE, controls, memory_samples=memory, source=source, **COMMON
    )


MODELS = {
    # threshold = -0.6 dB x peak_reduction; the network hears p / 50 - 1
    "opto-textbook": textbook(
        [control("peak_reduction", "", 0.0, 100.0, 50.0, scale=0.02, offset=-1.0)],
        weight=[[-30.0], [0.0], [0.0]],
        bias=[-30.0, 3.0, 10.0],
        tau_s=[0.010, 0.500],
        source="ratio, knee and time constants as textbooks give them for optical levelling amplifiers",
    ),
    "bus-textbook": textbook(
        [control("threshold_db", "dBFS", -40.0, 0.0, -18.0), control("ratio", ":1", 1.0, 10.0, 2.0)],
        weight=[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]],
        bias=[0.0, 0.0, 6.0],
        tau_s=[0.100],
        source="a gentle ratio, a soft knee and one time constant, as textbooks advise for a mix bus",
    ),
}

if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "..", "models")
    for name, (tensors, keys) in MODELS.items():
        write(os.path.join(folder, name + ".safetensors"), tensors, keys)
