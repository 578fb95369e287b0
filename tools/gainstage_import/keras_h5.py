"""Reads the tensors of a Keras .h5 weight file. The HDF5 library is only shown the file's bytes: it can open
no other file, loads no plug-in, and gets no more memory than a file of this size may take."""

from __future__ import annotations

import io
import math
import os
from types import ModuleType
from typing import Any

import numpy as np

from gainstage_files import foreign_file
from gainstage_files.libraries import remedy
from gainstage_files.plain_text import shown
from gainstage_files.problem import UNAVAILABLE, Problem

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MOST_OBJECTS, MOST_DEPTH = 4096, 8
LONGEST_NAME = 1000


def is_h5(path: str) -> bool:
    return foreign_file.begins_with(path, SIGNATURE)


def load(path: str) -> dict[str, np.ndarray]:
    """-> {LAYER/NAME: float64 array}: a layer's name once, as Keras repeats it, and no ":0"."""
    os.environ["HDF5_PLUGIN_PRELOAD"] = "::"  # which forbids the library to look for filters
    try:
        import h5py
    except ImportError as problem:
        raise Problem(
            f"to read Keras files, install h5py: {remedy('h5py', ())}",
            UNAVAILABLE,
        ) from problem
    content = foreign_file.read(path)
    if not content.startswith(SIGNATURE):
        raise Problem(f"{path}: is no HDF5 file")
    try:
        with foreign_file.bounded_memory(len(content)), h5py.File(io.BytesIO(content), "r") as file:
            return tensors_of(file, len(content), h5py)
    except Problem as problem:
        raise Problem(f"{path}: {problem}", problem.exit_code) from problem
    except Exception as problem:  # HDF5 reports damaged files by many types
        raise Problem(f"{path}: is no HDF5 file, or is damaged ({shown(problem)})") from problem


def tensors_of(file: Any, size: int, h5py: ModuleType) -> dict[str, np.ndarray]:
    """Every data set of floats, its numbers in the file itself: together no more than the file's size."""
    out, seen, left = {}, {address(file, h5py)}, size
    waiting = [("", file, 0)]
    while waiting:
        name, item, depth = waiting.pop()
        if isinstance(item, h5py.Dataset):
            left -= stored_bytes(name, item)
            if left < 0:
                raise Problem(f"tensor {name}: its numbers and those before are more than the file holds")
            if item.dtype.kind == "f" and item.shape is not None:
                out[short(name)] = np.array(item, dtype=np.float64)
            continue
        if depth > MOST_DEPTH:
            raise Problem(f"group {name}: is nested too deeply")
        parts = []
        for part in item:
            # links to other files or names are not followed
            if not isinstance(item.get(part, getlink=True), h5py.HardLink):
                continue
            if len(part) > LONGEST_NAME or len(seen) == MOST_OBJECTS:
                raise Problem("it holds more than a weight file does")
            found = item[part]
            if isinstance(found, (h5py.Group, h5py.Dataset)) and address(found, h5py) not in seen:
                seen.add(address(found, h5py))
                parts.append((f"{name}/{part}".lstrip("/"), found, depth + 1))
        waiting += reversed(parts)
    return out


def address(item: Any, h5py: ModuleType) -> int:
    return h5py.h5o.get_info(item.id).addr


def stored_bytes(name: str, item: Any) -> int:
    """What a data set takes; Problem where its numbers don't lie in the file as Keras puts them."""
    if item.external or item.is_virtual:
        raise Problem(f"tensor {name}: its numbers lie in another file")
    if item.dtype.kind != "f" or item.shape is None:
        return 0  # not read
    if len(item.shape) > 8:
        raise Problem(f"tensor {name}: has {len(item.shape)} dimensions")
    if item.chunks is not None or item.id.get_create_plist().get_nfilters():
        raise Problem(f"tensor {name}: is in parts or compressed, which Keras does not write")
    count = math.prod(item.shape)
    if item.id.get_storage_size() != count * item.id.get_type().get_size():
        raise Problem(f"tensor {name}: its numbers are not all in the file")
    return count * max(1, item.dtype.itemsize)


def short(name: str) -> str:
    parts = name.removesuffix(":0").split("/")
    return "/".join(parts[1:] if len(parts) > 2 and parts[0] == parts[1] else parts)
