"""Writes Gainstage's model file: safetensors (8-byte little-endian header length, JSON header, raw tensors), with
what the runtime needs to know in `__metadata__`. The same input gives the same bytes."""

import json
import os
import struct
import tempfile

import numpy as np

from .problem import CANNOT_CREATE, Problem

# From 80 dB of gain reduction down to what changes the sound by -80 dB, ln(80 dB / 8.7e-4 dB): see memory_samples.
TIME_CONSTANTS_TO_FORGET = 11.43
LONGEST_MEMORY_S = 10.0


def control(name, unit, low, high, default, scale=1.0, offset=0.0):
    """A knob; the network receives value * scale + offset."""
    return {"name": name, "unit": unit, "min": low, "max": high, "default": default,
            "to_model": {"scale": scale, "offset": offset}}


def metadata(architecture, config, sample_rate, controls, latency_samples=0, receptive_field=0, memory_samples=0,
             **others):
    """The keys of `__metadata__`. `others` (license, author, source: text; training: object) are kept as they are."""
    def compact(value):
        return json.dumps(value, sort_keys=True, allow_nan=False)

    keys = {"gainstage.format": "1", "architecture": architecture, "config": compact(config),
            "sample_rate": f"{sample_rate:g}", "controls": compact(controls),
            "latency_samples": str(int(latency_samples)), "receptive_field": str(int(receptive_field)),
            "memory_samples": str(int(memory_samples))}
    for key, value in others.items():
        keys[key] = value if isinstance(value, str) else compact(value)
    return keys


def to_bytes(tensors, keys):
    """tensors: name -> numpy array (stored as 32-bit floats); keys: name -> text."""
    header, data = {"__metadata__": keys}, bytearray()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name], dtype="<f4")
        if not np.all(np.isfinite(array)):
            raise Problem(f"tensor {name}: holds NaN, infinity or a number beyond 32-bit range")
        begin = len(data)
        data += array.tobytes()
        header[name] = {"dtype": "F32", "shape": list(np.shape(tensors[name])), "data_offsets": [begin, len(data)]}
    text = json.dumps(header, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(data)


def write(path, tensors, keys):
    """Whole or not at all: a runtime that watches the file never sees half of it."""
    content = to_bytes(tensors, keys)
    folder = os.path.dirname(os.path.abspath(path))
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except OSError as problem:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise Problem(f"{path}: cannot be written: {problem.strerror}", CANNOT_CREATE) from problem
