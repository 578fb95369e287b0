"""Reads the tensors of a Keras .h5 weight file."""

import os

import numpy as np

from .problem import NO_INPUT, UNAVAILABLE, Problem

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MOST_NUMBERS = 1 << 24  # of one tensor


def is_h5(path):
    try:
        with open(path, "rb") as file:
            return file.read(len(SIGNATURE)) == SIGNATURE
    except OSError:
        return False


def load(path):
    """-> {LAYER/NAME: float64 array}: a layer's name once, as Keras repeats it, and no ":0"."""
    try:
        import h5py
    except ImportError as problem:
        raise Problem("h5py is needed to read Keras files (Debian: apt install python3-h5py)", UNAVAILABLE) from problem
    if not os.path.isfile(path):
        raise Problem(f"{path}: no such file", NO_INPUT)
    found = {}

    def visit(name, item):
        # links to other files are not followed; neither is data that lies in them
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise Problem(f"{path}: tensor {name}: its numbers lie in another file")
            if item.dtype.kind == "f" and item.size is not None:
                if item.size > MOST_NUMBERS:
                    raise Problem(f"{path}: tensor {name}: has {item.size} numbers; at most {MOST_NUMBERS} are expected")
                found[name] = np.array(item, dtype=np.float64)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except Problem:
        raise
    except Exception as problem:  # HDF5 reports damaged files by many types
        raise Problem(f"{path}: is no HDF5 file, or is damaged ({problem})") from problem
    return {short(name): tensor for name, tensor in found.items()}


def short(name):
    parts = name.removesuffix(":0").split("/")
    return "/".join(parts[1:] if len(parts) > 2 and parts[0] == parts[1] else parts)
