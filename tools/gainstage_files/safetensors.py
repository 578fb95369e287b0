"""safetensors files: 8 bytes of little-endian length, a JSON header of that length, and raw numbers. Read
strictly: the numbers follow one another without a gap or an overlap, up to the file's last byte."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np

from . import foreign_file
from .plain_text import shown
from .problem import Problem

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
NAMES = {np.dtype(kind): name for name, kind in DTYPES.items()}
LARGEST_HEADER, LONGEST_NAME, MOST_DIMENSIONS = 16 << 20, 1000, 32


def to_bytes(tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> bytes:
    """tensors: name -> numpy array of one of DTYPES; metadata: name -> text. The same input gives the same
    bytes."""
    header: dict[str, Any] = {"__metadata__": metadata}
    parts, end = [], 0
    for name in sorted(tensors):
        array = np.asarray(tensors[name])
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [begin, end]}
        parts.append(array.tobytes())
    text = json.dumps(header, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([struct.pack("<Q", len(text)), text, *parts])


def parse(content: bytes, where: str) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """-> ({name: text} of the metadata, {name: array}), the arrays over `content` itself. Raises Problem."""
    header, begin = header_of(content, where)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise Problem(f"{where}: __metadata__: expected texts")
    tensors, places = {}, []
    for name, entry in header.items():
        tensors[name], place = tensor_of(f"{where}: tensor {shown(name)}", entry, content, begin)
        places.append(place)
    end = begin
    for first, last in sorted(places):
        if first != end:
            raise Problem(f"{where}: its tensors overlap, or leave a gap")
        end = last
    if end != len(content):
        raise Problem(f"{where}: is {len(content)} bytes long; its header describes {end}")
    return metadata, tensors


def header_of(content: bytes, where: str) -> tuple[dict[str, Any], int]:
    """-> (the header, where the numbers begin)"""
    length = struct.unpack_from("<Q", content)[0] if len(content) >= 8 else 0
    if not 2 <= length <= min(LARGEST_HEADER, len(content) - 8) or content[8:9] != b"{":
        raise Problem(f"{where}: is no safetensors file, or is cut short")
    return foreign_file.parse_json(content[8 : 8 + length], where), 8 + length


def tensor_of(where: str, entry: Any, content: bytes, begin: int) -> tuple[np.ndarray, tuple[int, int]]:
    """-> (array, (where it begins in the file, where it ends))"""
    if (
        not isinstance(entry, dict)
        or set(entry) != {"dtype", "shape", "data_offsets"}
        or len(where) > 2 * LONGEST_NAME
    ):
        raise Problem(f"{where}: expected dtype, shape and data_offsets")
    shape, offsets = entry["shape"], entry["data_offsets"]
    for numbers, most in ((shape, MOST_DIMENSIONS), (offsets, 2)):
        if (
            type(numbers) is not list
            or len(numbers) > most
            or not all(type(n) is int and 0 <= n <= len(content) for n in numbers)
        ):
            raise Problem(f"{where}: expected whole numbers that the file has room for")
    if len(offsets) != 2 or not isinstance(entry["dtype"], str) or entry["dtype"] not in DTYPES:
        raise Problem(f"{where}: expected data_offsets of two numbers, and a dtype of {', '.join(DTYPES)}")
    dtype = np.dtype(DTYPES[entry["dtype"]])
    first, last = offsets
    if math.prod(shape) * dtype.itemsize != last - first or begin + last > len(content):
        raise Problem(f"{where}: its shape and its place in the file don't agree")
    return np.ndarray(shape, dtype, content, begin + first), (begin + first, begin + last)
