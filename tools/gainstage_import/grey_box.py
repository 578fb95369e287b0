"""Grey-box compressor: Wright & Valimaki, DAFx 2022. Reads the state dict of the authors' published code
(GreyBoxDRC). What the tensors are called in the result: nodes/models/grey_box/grey_box_weights.hpp."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from gainstage_files.model_file import TIME_CONSTANTS_TO_FORGET, Control, control
from gainstage_files.problem import Problem
from . import memory
from .take import Take

ARCHITECTURE = "grey_box"
OWN_NAMES = ("static_comp.", "gain_smooth.", "make_up.")
SAMPLE_RATE = 44100  # fixed in the published code
CONFIG = {"mlp_activation": ("tanh", "relu")}  # what the tensors don't say; the first is the published code's
MAX_WIDTH, MAX_UNITS = 256, 32
CONTROLS = [control("peak_reduction", "", 0.0, 100.0, 50.0, scale=0.02, offset=-1.0)]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def read_mlp(take: Take, inputs: int) -> tuple[dict[str, np.ndarray], str]:
    prefix = "static_comp.model.HCNet."
    places = sorted(
        int(m[1])
        for m in (re.fullmatch(re.escape(prefix) + r"(\d{1,4})\.weight", n) for n in take.names())
        if m
    )
    if not places:
        raise Problem(f"tensor {prefix}0.weight: missing, so this is no grey-box compressor")
    out: dict[str, np.ndarray] = {}
    for layer, place in enumerate(range(0, places[-1] + 1, 2)):  # an activation lies between two layers
        weight = take(f"{prefix}{place}.weight", None, inputs, most=MAX_WIDTH)
        inputs = weight.shape[0]
        out[f"mlp.{layer}.weight"], out[f"mlp.{layer}.bias"] = weight, take(f"{prefix}{place}.bias", inputs)
    if inputs not in (2, 3):
        raise Problem(
            f"tensor {prefix}{places[-1]}.weight: has {inputs} outputs; expected 2 (hard knee) or 3 (soft)"
        )
    return out, "hard" if inputs == 2 else "soft"


def read_cell(take: Take, prefix: str, target: str) -> tuple[dict[str, np.ndarray], str]:
    hidden = take(prefix + "rec.weight_hh_l0", None, None, most=3 * MAX_UNITS)
    rows, units = hidden.shape
    if units > MAX_UNITS:
        raise Problem(
            f"tensor {prefix}rec.weight_hh_l0: has shape {hidden.shape}; at most {MAX_UNITS} units are supported"
        )
    if rows not in (units, 3 * units):
        raise Problem(
            f"tensor {prefix}rec.weight_hh_l0: has shape {hidden.shape}; expected (units, units) for an "
            "Elman cell or (3 units, units) for a GRU"
        )
    out = {
        "weight_hh": hidden,
        "weight_ih": take(prefix + "rec.weight_ih_l0", rows, 1),
        "bias_ih": take(prefix + "rec.bias_ih_l0", rows),
        "bias_hh": take(prefix + "rec.bias_hh_l0", rows),
        "out.weight": take(prefix + "lin.weight", 1, units),
        "out.bias": take(prefix + "lin.bias", 1),
    }
    return {f"{target}.{name}": tensor for name, tensor in out.items()}, "rnn" if rows == units else "gru"


def read_detector(take: Take) -> tuple[dict[str, np.ndarray], str]:
    """The published code keeps a one-pole's time constant as it is, held to 1e-4..1 s, and two of them as
    logits."""
    prefix = "gain_smooth.model."
    if take.has(prefix + "rec.weight_hh_l0"):
        return read_cell(take, prefix, "detector")
    taus = take(prefix + "taus").reshape(-1)
    if taus.size not in (1, 2):
        raise Problem(
            f"tensor {prefix}taus: has {taus.size} elements; expected 1 (one-pole) or 2 (attack, release)"
        )
    tau_s = np.clip(taus, 1e-4, 1.0) if taus.size == 1 else sigmoid(taus)
    return {"detector.tau_s": tau_s}, "one_pole" if taus.size == 1 else "switching"


def read_makeup(take: Take) -> tuple[dict[str, np.ndarray], str]:
    prefix = "make_up.model."
    if take.has(prefix + "rec.weight_hh_l0"):
        return read_cell(take, prefix, "makeup")
    return {f"makeup.{name}": take.number(prefix + name) for name in ("gain", "bias")}, "static"


def seconds_to_forget(tensors: dict[str, np.ndarray], sample_rate: float) -> float:
    seconds = 0.0
    if "detector.tau_s" in tensors:
        seconds += TIME_CONSTANTS_TO_FORGET * float(tensors["detector.tau_s"].max())
    else:
        seconds += memory.of_detector(tensors, "detector", sample_rate)
    if "makeup.weight_hh" in tensors:
        seconds += memory.of_cell(tensors, "makeup", sample_rate)
    return seconds


def convert(
    take: Take, controls: list[Control], config: dict[str, Any], sample_rate: float
) -> tuple[dict[str, np.ndarray], dict[str, Any], float, dict[str, Any]]:
    """-> (tensors, config, seconds to forget, what was inferred)"""
    tensors, knee = read_mlp(take, len(controls))
    detector_tensors, detector = read_detector(take)
    makeup_tensors, makeup = read_makeup(take)
    tensors = {**tensors, **detector_tensors, **makeup_tensors}
    inferred = {"knee": knee, "detector": detector, "makeup": makeup}
    return tensors, {**config, **inferred}, seconds_to_forget(tensors, sample_rate), inferred
