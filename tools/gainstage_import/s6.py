"""S6 compressor: Simionato & Fasciani, JAES 73(3) 2025. Reads the TensorFlow checkpoints of the authors'
published code (Optical-DRC-with-Selective-SSMs; also A-Comparative-Study-State-Based, whose S6 has no
convolution and no gate), or their tensors as JSON: {name: {"shape": [...], "data": [...]}}. What the tensors
are called in the result: nodes/models/s6/s6_weights.hpp."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from gainstage_files import foreign_file
from gainstage_files.model_file import Control, control
from gainstage_files.problem import Problem
from . import checkpoint, s6_memory, tf_bundle
from .take import Take

ARCHITECTURE = "s6"
SAMPLE_RATE = 48000  # in the authors' scripts
# The published weights were trained on sequences of one sample, in batches of so many: see
# nodes/models/s6/s6_weights.hpp.
CONFIG = {"meaning": ("recurrent", "as_trained"), "batch": (2400, 2399)}

# The authors scale their controls to 0..1; how, is in data that are not public. The order of threshold and
# ratio is not sure.
KNOBS = {
    (2, 2): ("threshold", "ratio", "attack", "release"),
    (1, 1): ("peak_reduction", "limit"),
    (2, 0): ("peak_reduction", "limit"),
}
MAX_WINDOW, MAX_FEATURES, MAX_CHANNELS, MAX_STATES, MAX_TAPS, MAX_CONTROLS = 1024, 32, 128, 64, 16, 64
LAYER = "layer_with_weights-"


def load(path: str) -> tuple[dict[str, np.ndarray], dict[Any, Any]]:
    """-> ({name: array}, {})"""
    if checkpoint.is_json(path):
        return tensors_of(foreign_file.read_json(path)), {}
    if os.path.isfile(path) and not tf_bundle.is_bundle(path):
        raise Problem(f"{path}: is neither JSON nor a TensorFlow checkpoint (PREFIX.index beside its data)")
    return tf_bundle.load(path), {}


def tensors_of(content: dict[str, Any]) -> dict[str, np.ndarray]:
    out = {}
    for name, entry in content.items():
        if not isinstance(entry, dict) or "shape" not in entry:
            continue  # words about the file
        shape, data = entry["shape"], foreign_file.array_of(name, entry.get("data", []))
        if (
            not isinstance(shape, list)
            or len(shape) > 8
            or not all(type(n) is int and 0 < n <= data.size for n in shape)
        ):
            raise Problem(
                f"tensor {name}: has {data.size} numbers; expected a shape of whole numbers above 0 that gives as many"
            )
        if math.prod(shape) != data.size:
            raise Problem(
                f"tensor {name}: has {data.size} numbers; its shape {tuple(shape)} asks for {math.prod(shape)}"
            )
        out[name] = data.reshape(shape)
    return out


def is_published(take: Take) -> bool:
    return take.has(f"{LAYER}1/mixer/A_log")


def control_counts(take: Take) -> tuple[int, int]:
    """How many controls FiLM and the GRU take, by their shapes."""

    def rows(name: str) -> int:
        tensor = take.tensors.get(LAYER + name, np.zeros(0))
        count = tensor.shape[0] if tensor.ndim else 0
        if count > MAX_CHANNELS + MAX_CONTROLS:
            raise Problem(
                f"tensor {LAYER}{name}: has shape {tensor.shape}; at most {MAX_CHANNELS + MAX_CONTROLS} rows are supported"
            )
        return count

    if not is_published(take):
        return rows("3/dense/kernel"), 0
    features = take(LAYER + "2/kernel", None, 1, None, most=MAX_WINDOW).shape[2]
    return max(0, rows("4/dense/kernel") - features), max(0, rows("5/dense/cell/kernel") - features)


def CONTROLS(take: Take) -> list[Control]:  # noqa: N802  the name by which every family gives them
    counts = control_counts(take)
    names = KNOBS.get(counts, tuple(f"control_{i + 1}" for i in range(sum(counts))))
    controls = [control(name, "", 0.0, 1.0, 0.5) for name in names]
    for switch in (c for c in controls if c["name"] == "limit"):
        switch.update({"default": 0.0, "steps": 2})
    return controls


# -------------------------------------------------------------------------------- layers


def dense(
    take: Take,
    source: str,
    target: str,
    inputs: int | None = None,
    outputs: int | None = None,
    bias: bool = True,
) -> tuple[dict[str, np.ndarray], int]:
    """A Keras kernel (inputs, outputs), turned round. -> ({name: tensor}, number of outputs)"""
    kernel = take(f"{LAYER}{source}/kernel", inputs, outputs, most=MAX_WINDOW)
    out = {target + ".weight": kernel.T}
    if bias:
        out[target + ".bias"] = take(f"{LAYER}{source}/bias", kernel.shape[1])
    return out, kernel.shape[1]


def ssm(take: Take, source: str, target: str, inputs: int, gated: bool) -> tuple[dict[str, np.ndarray], int]:
    """`gated`: with convolution and gate. -> ({name: tensor}, number of outputs)"""
    inner, states = take(f"{LAYER}{source}/A_log", None, None, most=MAX_CHANNELS).shape
    if states > MAX_STATES:
        raise Problem(
            f"tensor {LAYER}{source}/A_log: has {states} columns; at most {MAX_STATES} are supported"
        )
    out = {
        f"{target}.a_log": take(f"{LAYER}{source}/A_log"),
        f"{target}.skip": take(f"{LAYER}{source}/D", inner),
    }
    if not gated and inner != inputs:
        raise Problem(
            f"tensor {LAYER}{source}/A_log: has {inner} rows; expected {inputs}, as many as the layer's inputs"
        )
    if gated:
        out.update(dense(take, f"{source}/in_projection", f"{target}.in", inputs, 2 * inner, bias=False)[0])
        kernel = take(f"{LAYER}{source}/conv1d/kernel", None, 1, inner, most=MAX_TAPS)
        out[f"{target}.conv.weight"] = kernel[:, 0, :].T
        out[f"{target}.conv.bias"] = take(f"{LAYER}{source}/conv1d/bias", inner)
    rank = take(f"{LAYER}{source}/delta_t_projection/kernel", None, inner, most=MAX_CHANNELS).shape[0]
    out.update(dense(take, f"{source}/x_projection", f"{target}.x", inner, rank + 2 * states, bias=False)[0])
    out.update(dense(take, f"{source}/delta_t_projection", f"{target}.dt", rank, inner)[0])
    tensors, outputs = dense(take, f"{source}/out_projection", f"{target}.out", inner)
    return {**out, **tensors}, outputs


def gru(take: Take, source: str, target: str, inputs: int, units: int) -> dict[str, np.ndarray]:
    """A Keras GRU (reset_after; gates z, r, h) as PyTorch has it (r, z, n)."""

    def turned(columns: np.ndarray) -> np.ndarray:
        z, r, h = np.split(columns, 3, axis=-1)
        return np.concatenate([r, z, h], axis=-1).T

    bias = turned(take(f"{LAYER}{source}/bias", 2, 3 * units))
    return {
        f"{target}.weight_ih": turned(take(f"{LAYER}{source}/kernel", inputs, 3 * units)),
        f"{target}.weight_hh": turned(take(f"{LAYER}{source}/recurrent_kernel", units, 3 * units)),
        f"{target}.bias_ih": bias[:, 0],
        f"{target}.bias_hh": bias[:, 1],
    }


def glu(take: Take, source: str, target: str, inputs: int) -> tuple[dict[str, np.ndarray], int]:
    """-> ({name: tensor}, number of outputs)"""
    tensors, outputs = dense(take, source, target, inputs)
    if outputs % 2:
        raise Problem(
            f"tensor {LAYER}{source}/kernel: has {outputs} outputs; expected an even number, outputs and gates"
        )
    return tensors, outputs // 2


def published(take: Take) -> dict[str, np.ndarray]:
    """Optical-DRC-with-Selective-SSMs."""
    first, second = control_counts(take)
    out, width = dense(take, "0", "input")
    tensors, width = ssm(take, "1/mixer", "ssm.0", width, True)
    mix, width = dense(take, "3", "mix.0", width)
    kernel = take(LAYER + "2/kernel", None, 1, None, most=MAX_WINDOW)
    features = kernel.shape[2]
    if features > MAX_FEATURES:
        raise Problem(f"tensor {LAYER}2/kernel: has {features} outputs; at most {MAX_FEATURES} are supported")
    out.update(
        {
            **tensors,
            **mix,
            "features.weight": kernel[:, 0, :].T,
            "features.bias": take(LAYER + "2/bias", features),
        }
    )
    out.update(dense(take, "4/dense", "film", first + features, 2 * width)[0])
    tensors, width = glu(take, "4/glu/dense", "film.glu", width)
    out.update({**tensors, **gru(take, "5/dense/cell", "temporal", second + features, 2 * width)})
    tensors, width = glu(take, "5/glu/dense", "temporal.glu", width)
    out.update(tensors)
    tensors, width = ssm(take, "6/mixer", "ssm.1", width, True)
    out.update(tensors)
    tensors, width = dense(take, "7", "mix.1", width)
    return {**out, **tensors, **dense(take, "8", "output", width, 1)[0]}


def plain(take: Take) -> dict[str, np.ndarray]:
    """A-Comparative-Study-State-Based: one layer without convolution and gate, no spectrum, no GRU."""
    out, width = dense(take, "0", "input")
    tensors, width = ssm(take, "1", "ssm.0", width, False)
    out.update(tensors)
    tensors, width = dense(take, "2", "mix.0", width)
    out.update(tensors)
    out.update(dense(take, "3/dense", "film", None, 2 * width)[0])
    tensors, width = glu(take, "3/glu/dense", "film.glu", width)
    return {**out, **tensors, **dense(take, "4", "output", width, 1)[0]}


def convert(
    take: Take, controls: list[Control], config: dict[str, Any], sample_rate: float
) -> tuple[dict[str, np.ndarray], dict[str, Any], float, dict[str, Any]]:
    """-> (tensors, config, seconds to forget, what was inferred)"""
    if not is_published(take) and not take.has(f"{LAYER}1/A_log"):
        raise Problem(f"tensor {LAYER}1/mixer/A_log: missing, so this is no S6 compressor")
    whole = is_published(take)
    tensors = published(take) if whole else plain(take)
    if len(controls) != sum(control_counts(take)):
        raise Problem(f"controls: found {len(controls)}; the tensors take {sum(control_counts(take))}")
    states = tensors["ssm.0.a_log"].shape
    inferred = {
        "window": tensors["input.weight"].shape[1],
        "activation": "gelu" if whole else "tanh",
        "product": whole,
    }
    said = {
        "layout": (
            "with convolution, gate, spectrum and GRU" if whole else "one layer without convolution and gate"
        ),
        "inner channels": states[0],
        "states": states[1],
    }
    config = {**config, **inferred}
    return (
        tensors,
        config,
        s6_memory.seconds(tensors, config, len(controls), sample_rate),
        {**said, **inferred},
    )
