"""Writes Gainstage's model file: safetensors (8-byte little-endian header length, JSON header, raw tensors),
with what the runtime needs to know in `__metadata__`. The same input gives the same bytes."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

import numpy as np

from . import new_file, safetensors
from .problem import Problem, cannot_write

Control = dict[str, Any]  # a knob, as control() makes it

# From 80 dB of gain reduction down to what changes the sound by -80 dB, ln(80 dB / 8.7e-4 dB): see
# memory_samples.
TIME_CONSTANTS_TO_FORGET = 11.43
LONGEST_MEMORY_S = 10.0

# The rule of the runtime (runtime/model/describe.cpp, runtime/resolve/resolve_model.cpp); a test compares the
# two.
RESERVED_NAMES = ("type", "model", "rate", "smooth_ms", "bypass", "mute", "link", "start")
LONGEST_NAME, MOST_CONTROLS, MOST_STEPS = 64, 64, 1024


def name_fault(name: str) -> Any:
    """Why the runtime refuses a knob of this name, or None."""
    if name in RESERVED_NAMES:
        return "every node has a setting of this name"
    if not re.fullmatch("[a-z][a-z0-9_]*", name, re.ASCII) or len(name) > LONGEST_NAME:
        return f"a knob's name has a-z, 0-9 and _, a letter first, at most {LONGEST_NAME}"
    return None


def usable_name(name: Any, taken: Any = ()) -> Any:
    """The nearest name that the runtime accepts and that is not taken: "Peak Reduction (dB)" ->
    peak_reduction_db."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    out = re.sub("[^a-z0-9]+", "_", plain).strip("_")
    if not out or not out[0].isalpha():
        out = ("knob_" + out).strip("_")
    out = out[: LONGEST_NAME - 8].strip("_")
    if out in RESERVED_NAMES:
        out += "_knob"
    number, first = 2, out
    while out in taken:
        out, number = f"{first}_{number}", number + 1
    return out


def control(
    name: str, unit: str, low: float, high: float, default: float, scale: float = 1.0, offset: float = 0.0
) -> dict[str, Any]:
    """A knob; the network receives value * scale + offset."""
    return {
        "name": name,
        "unit": unit,
        "min": low,
        "max": high,
        "default": default,
        "to_model": {"scale": scale, "offset": offset},
    }


def metadata(
    architecture: str,
    config: dict[str, Any],
    sample_rate: float,
    controls: list[Control],
    latency_samples: int = 0,
    receptive_field: int = 0,
    memory_samples: int = 0,
    **others: Any,
) -> dict[str, str]:
    """The keys of `__metadata__`. `others` (license, author, source: text; training: object) are kept as they
    are."""

    def compact(value: Any) -> str:
        return json.dumps(value, sort_keys=True, allow_nan=False)

    for each in controls:
        fault = name_fault(each["name"])
        if fault:
            raise Problem(f"knob {each['name']}: {fault}; name it {usable_name(each['name'])}")
    keys = {
        "gainstage.format": "1",
        "architecture": architecture,
        "config": compact(config),
        "sample_rate": f"{sample_rate:g}",
        "controls": compact(controls),
        "latency_samples": str(int(latency_samples)),
        "receptive_field": str(int(receptive_field)),
        "memory_samples": str(int(memory_samples)),
    }
    for key, value in others.items():
        keys[key] = value if isinstance(value, str) else compact(value)
    return keys


def to_bytes(tensors: dict[str, np.ndarray], keys: dict[str, str]) -> bytes:
    """tensors: name -> numpy array (stored as 32-bit floats); keys: name -> text."""
    arrays = {name: np.asarray(tensor, dtype="<f4") for name, tensor in tensors.items()}
    for name, array in sorted(arrays.items()):
        if not np.all(np.isfinite(array)):
            raise Problem(f"tensor {name}: holds NaN, infinity or a number beyond 32-bit range")
    return safetensors.to_bytes(arrays, keys)


def write(path: str, tensors: dict[str, np.ndarray], keys: dict[str, str]) -> None:
    """Whole or not at all: a runtime that watches the file never sees half of it."""
    content = to_bytes(tensors, keys)
    with cannot_write(path):
        new_file.write(path, content)
