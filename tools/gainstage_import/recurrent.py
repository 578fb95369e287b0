"""What the families lstm and gru have in common: layers of PyTorch's cells and a linear output. Reads the
state dicts and Lightning checkpoints of micro-tcn's LSTM (lstm.*, linear.*), those named as in Wright et
al.'s code (rec.*, lin.*), and the JSON of Automated-GuitarAmpModelling (model_data, state_dict). What the
tensors are called in the result: nodes/models/recurrent/recurrent_weights.hpp."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from gainstage_files import foreign_file
from gainstage_files.model_file import LONGEST_MEMORY_S, Control, control
from gainstage_files.problem import Problem
from . import checkpoint, memory
from .settings import is_one_of, is_rate
from .take import Take

SAMPLE_RATE = 44100
# What the tensors don't say.
CONFIG = {"final_tanh": ("none", "tanh"), "skip": (0, 1)}
NAMES = (("lstm.", "linear."), ("gru.", "linear."), ("rec.", "lin."))
OWN_NAMES = tuple(name for names in NAMES for name in names)
GATES = {"lstm": 4, "gru": 3}
MAX_LAYERS, MAX_UNITS = 8, 512
LIMIT = {**control("limit", "", 0.0, 1.0, 0.0), "steps": 2}


# -------------------------------------------------------------------------------- reading


def load(path: str, family: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if checkpoint.is_json(path):
        return of_json(path, foreign_file.read_json(path), family)
    tensors = checkpoint.load(path, OWN_NAMES)
    # micro-tcn's network ends in a tanh, the baselines of the grey-box paper don't
    return (
        tensors,
        {"final_tanh": "tanh"} if "lstm.weight_hh_l0" in tensors and "linear.weight" in tensors else {},
    )


def of_json(path: str, content: dict[str, Any], family: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """{model_data, state_dict}: sizes and options, tensors as nested lists. Its knobs are 0 to 1."""
    data, state = content.get("model_data"), content.get("state_dict")
    if not isinstance(data, dict) or not isinstance(state, dict):
        raise Problem(f"{path}: expected the objects model_data and state_dict")
    kind = data.get("unit_type", family)
    if not isinstance(kind, str) or kind.lower() != family:
        raise Problem(
            f"{path}: model_data: unit_type: found {foreign_file.quoted(kind)}; expected {family.upper()}"
        )
    facts: dict[str, Any] = {"final_tanh": "none"}
    if is_one_of(data.get("skip"), (0, 1, False, True, 0.0, 1.0)):
        facts["skip"] = int(data["skip"])
    inputs = data.get("input_size", 1)
    if type(inputs) is not int or not 1 <= inputs <= 64:
        raise Problem(f"{path}: model_data: input_size: expected 1 to 64")
    facts["controls"] = [control(f"control_{n}", "", 0.0, 1.0, 0.5) for n in range(1, inputs)]
    rate = content.get("samplerate", data.get("samplerate", data.get("sample_rate")))
    if is_rate(rate):
        facts["sample_rate"] = rate
    return {name: foreign_file.array_of(name, value) for name, value in state.items()}, facts


def names_in(take: Take) -> tuple[str, str]:
    """-> (prefix of the cells, prefix of the output)"""
    return next((names for names in NAMES if take.has(names[0] + "weight_hh_l0")), NAMES[-1])


def CONTROLS(take: Take) -> list[Control]:
    """Of the published code, by its names and how many there are."""
    cells, _ = names_in(take)
    count = take(cells + "weight_ih_l0", None, None).shape[1] - 1
    if cells == "rec." and count == 1:
        return [control("peak_reduction", "", 0.0, 100.0, 50.0, 0.02, -1.0)]
    if cells != "rec." and count in (1, 2):
        peak = control("peak_reduction", "", 0.0, 1.0, 0.5)
        return [LIMIT, peak] if count == 2 else [peak]
    return [control(f"control_{n + 1}", "", 0.0, 1.0, 0.5) for n in range(count)]


# -------------------------------------------------------------------------------- converting


def read_layer(
    take: Take, cells: str, number: int, gates: int, inputs: int, units: int | None
) -> dict[str, np.ndarray]:
    name = f"{cells}weight_hh_l{number}"
    hidden = take(name, None, units)
    rows, units = hidden.shape
    if rows != gates * units or not 1 <= units <= MAX_UNITS:
        raise Problem(
            f"tensor {name}: has shape {hidden.shape}; expected ({gates} units, units), of 1 to {MAX_UNITS} units"
        )
    given = f"{cells}weight_ih_l{number}"
    weight = take(given, rows, None)
    if weight.shape[1] != inputs:
        raise Problem(
            f"tensor {given}: has shape {weight.shape}; expected ({rows}, {inputs})"
            + (f" for {inputs - 1} controls: name as many as it has with --config" if number == 0 else "")
        )
    return {
        "weight_hh": hidden,
        "weight_ih": weight,
        "bias_ih": take(f"{cells}bias_ih_l{number}", rows),
        "bias_hh": take(f"{cells}bias_hh_l{number}", rows),
    }


def convert(
    take: Take, controls: list[Control], config: dict[str, Any], sample_rate: float, gates: int
) -> tuple[dict[str, np.ndarray], dict[str, Any], float, dict[str, Any]]:
    """-> (tensors, config, seconds to forget, what was inferred)"""
    cells, output = names_in(take)
    if not take.has(cells + "weight_hh_l0"):
        raise Problem("tensor rec.weight_hh_l0: missing, so this is no recurrent network")
    for name in take.names():
        if name.startswith(cells) and (name.endswith("_reverse") or "weight_hr" in name):
            raise Problem(
                f"tensor {name}: networks that run backwards or project their state are not supported"
            )
    layers = 1 + max(
        int(m[1])
        for m in (re.fullmatch(re.escape(cells) + r"weight_[ih]h_l(\d{1,4})", n) for n in take.names())
        if m
    )
    if layers > MAX_LAYERS:
        raise Problem(f"tensor {cells}weight_hh_l{layers - 1}: at most {MAX_LAYERS} layers are supported")
    tensors: dict[str, np.ndarray] = {}
    inputs, units = 1 + len(controls), None
    for n in range(layers):
        layer = read_layer(take, cells, n, gates, inputs, units)
        inputs = units = layer["weight_hh"].shape[1]
        tensors.update({f"layers.{n}.{name}": tensor for name, tensor in layer.items()})
    tensors["output.weight"] = take(output + "weight", 1, units)
    # some of the published networks have an output without bias
    tensors["output.bias"] = take(output + "bias", 1) if take.has(output + "bias") else np.zeros(1)
    seconds = memory.of_recurrent(tensors, layers, gates, controls, config, sample_rate)
    return tensors, config, min(seconds, LONGEST_MEMORY_S), {"units": units, "layers": layers}
