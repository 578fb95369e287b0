"""ED-LSTM compressor: Simionato & Fasciani, DAFx 2023. Reads the Keras .h5 files and the TensorFlow
checkpoints of the authors' published code (Conditioned-Modeling-of-Optical-Compressor). What the tensors are
called in the result: nodes/models/ed_lstm/ed_lstm_weights.hpp."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from gainstage_files.model_file import Control, control
from gainstage_files.problem import Problem
from . import keras_h5, tf_bundle
from .take import Take

ARCHITECTURE = "ed_lstm"
CONFIG: dict[str, tuple[Any, ...]] = {}
MAX_WINDOW, MAX_UNITS = 512, 256

# Names and order are not in the files. The LA-2A's two are in the published code, as is its rate. Four: a
# guess from how the CL 1B's weights react to each. All are scaled to 0..1.
KNOBS: dict[int, tuple[str, ...]] = {
    2: ("limit", "peak_reduction"),
    4: ("attack", "release", "ratio", "threshold"),
}
# A TensorFlow checkpoint numbers the layers.
NUMBERED = ("Conv_h", "Conv_c", "Dense_cond_h", "Dense_cond_c", "LSTM_De", "DenseLay", "OutLay")


def load(path: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """-> ({name: array}, {})"""
    if keras_h5.is_h5(path):
        # Keras numbers the cells of one session
        return {
            re.sub(r"/lstm_cell_\d+/", "/lstm_cell/", name): tensor
            for name, tensor in keras_h5.load(path).items()
        }, {}
    if os.path.isfile(path) and not tf_bundle.is_bundle(path):
        raise Problem(
            f"{path}: is neither a Keras .h5 file nor a TensorFlow checkpoint (PREFIX.index beside its data)"
        )
    if not tf_bundle.is_bundle(path) and path.endswith(".h5"):
        return keras_h5.load(path), {}  # says that it is not there
    return {by_layer(name): tensor for name, tensor in tf_bundle.load(path).items()}, {}


def by_layer(name: str) -> str:
    layer, _, rest = name.partition("/")
    for number, own in enumerate(NUMBERED):
        if layer == f"layer_with_weights-{number}":
            return f"{own}/{rest}".replace("LSTM_De/cell/", "LSTM_De/lstm_cell/")
    return name


def control_count(take: Take) -> int:
    conditioned = any(name.startswith("Dense_cond_") for name in take.names())
    return take("Dense_cond_h/kernel", None, None).shape[0] if conditioned else 0


def SAMPLE_RATE(take: Take) -> int:  # noqa: N802  the name by which every family gives it
    return 44100 if control_count(take) == 2 else 48000


def CONTROLS(take: Take) -> list[Control]:  # noqa: N802
    count = control_count(take)
    controls = [
        control(name, "", 0.0, 1.0, 0.5)
        for name in KNOBS.get(count, tuple(f"control_{i + 1}" for i in range(count)))
    ]
    for switch in (c for c in controls if c["name"] == "limit"):
        switch.update({"default": 0.0, "steps": 2})
    return controls


def begin(take: Take, name: str, window: int, units: int, controls: int) -> dict[str, np.ndarray]:
    """What makes h or c at the beginning of a window. Keras kernels are (inputs, outputs), the oldest sample
    first."""
    out = {
        f"encoder.{name}.weight": take(f"Conv_{name}/kernel", window, 1, units)[:, 0, :].T,
        f"encoder.{name}.bias": take(f"Conv_{name}/bias", units),
    }
    if controls:
        out[f"condition.{name}.weight"] = take(f"Dense_cond_{name}/kernel", controls, units).T
        out[f"condition.{name}.bias"] = take(f"Dense_cond_{name}/bias", units)
    return out


def dense(take: Take, source: str, target: str, inputs: int, outputs: int) -> dict[str, np.ndarray]:
    kernel = take(source + "/kernel", inputs, outputs)
    return {target + ".weight": kernel.T, target + ".bias": take(source + "/bias", kernel.shape[1])}


def convert(
    take: Take, controls: list[Control], config: dict[str, Any], sample_rate: float
) -> tuple[Any, ...]:
    """-> (tensors, config, seconds to forget, what was inferred, metadata)"""
    if not take.has("Conv_h/kernel"):
        raise Problem("tensor Conv_h/kernel: missing, so this is no ED-LSTM compressor")
    window, _, units = take("Conv_h/kernel", None, 1, None, most=MAX_WINDOW).shape
    if units > MAX_UNITS:
        raise Problem(f"tensor Conv_h/kernel: has {units} outputs; at most {MAX_UNITS} are supported")
    count = control_count(take)
    if len(controls) != count:
        raise Problem(f"controls: found {len(controls)}; tensor Dense_cond_h/kernel takes {count}")
    tensors = {**begin(take, "h", window, units, count), **begin(take, "c", window, units, count)}
    cell = "LSTM_De/lstm_cell/"
    tensors.update(
        {
            "lstm.weight_ih": take(cell + "kernel", 1, 4 * units).T,
            "lstm.weight_hh": take(cell + "recurrent_kernel", units, 4 * units).T,
            "lstm.bias": take(cell + "bias", 4 * units),
        }
    )
    inner = take("DenseLay/kernel", units, None).shape[1]
    tensors.update(
        {**dense(take, "DenseLay", "dense", units, inner), **dense(take, "OutLay", "output", inner, window)}
    )
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    inferred = {
        "window": window,
        "units": units,
        "controls": f"{count}, called {', '.join(c['name'] for c in controls)} (a guess)" if count else 0,
    }
    return (
        tensors,
        {**config, "window": window},
        2 * window / sample_rate,
        inferred,
        {"latency_samples": window, "receptive_field": 2 * window, "memory_samples": 2 * window},
    )
