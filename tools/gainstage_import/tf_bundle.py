"""Reads the tensors of a TensorFlow checkpoint (PREFIX.index and PREFIX.data-00000-of-00001) without
TensorFlow.

The index is a sorted table as LevelDB writes them (its doc/table_format.md), uncompressed; its values are
protocol buffers (tensorflow/core/protobuf/tensor_bundle.proto). The data file is raw little-endian numbers.
No length in either is trusted."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from gainstage_files import foreign_file
from gainstage_files.plain_text import shown
from gainstage_files.problem import Problem

MAGIC = 0xDB4775248B80FB57
DTYPES = {1: "<f4", 2: "<f8"}  # float, double; what else a checkpoint holds (counters, texts) is no weight
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
DATA = ".data-00000-of-00001"
LARGEST_INDEX = 4 << 20  # bytes; published ones have a hundredth
MOST_ENTRIES = 1 << 14
LONGEST_KEY, LARGEST_ENTRY, MOST_DIMENSIONS = 1000, 4096, 8


class Damaged(Exception):
    pass


def prefix_of(path: str) -> str:
    """PREFIX of a path to either file or to neither."""
    for ending in (".index", DATA):
        if path.endswith(ending):
            return path[: -len(ending)]
    return path


def is_bundle(path: str) -> bool:
    return os.path.isfile(prefix_of(path) + ".index")


def load(path: str) -> dict[str, np.ndarray]:
    """-> {name: float64 array}, names without TensorFlow's suffix; optimizer slots and counters left out."""
    prefix = prefix_of(path)
    index, data = foreign_file.read(prefix + ".index", LARGEST_INDEX), foreign_file.read(prefix + DATA)
    try:
        entries: dict[str, dict[int, list[Any]]] = {name: fields(entry) for name, entry in entries_of(index)}
        header: dict[int, list[Any]] = {}
        check_header(entries.pop("", header))
        weights = {
            name: array_of(name, entry, data) for name, entry in entries.items() if is_weight(name, entry)
        }
        if sum(array.nbytes for array in weights.values()) > len(data):
            raise Damaged("its tensors ask for more numbers than the data file holds")
        for name, array in weights.items():
            check_sum(name, entries[name], array)
        return {name[: -len(SUFFIX)]: array.astype(np.float64) for name, array in weights.items()}
    except (Damaged, UnicodeDecodeError) as problem:
        raise Problem(
            f"{prefix}.index: is no TensorFlow checkpoint, or is damaged ({shown(problem)})"
        ) from problem


def is_weight(name: str, entry: dict[int, list[Any]]) -> bool:
    return (
        name.endswith(SUFFIX)
        and not name.startswith(("optimizer/", "keras_api/", "save_counter"))
        and ".OPTIMIZER_SLOT" not in name
        and number(entry, 1) in DTYPES
    )


# -------------------------------------------------------------------------------- the table


def varint(content: bytes, at: int) -> tuple[int, int]:
    """-> (number, where it ends)"""
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise Damaged("it ends within a number")
        number |= (content[at] & 127) << shift
        at += 1
        if content[at - 1] < 128:
            return number, at
    raise Damaged("a number is too long")


def block(content: bytes, handle: bytes, begin: int) -> tuple[bytes, int]:
    """The block that `handle` (offset, size) points to, which must not begin before `begin`. -> (it, where it
    ends): blocks follow one another, so that none is read twice."""
    offset, at = varint(handle, 0)
    size, _ = varint(handle, at)
    if offset + size + 5 > len(content):
        raise Damaged("a block lies beyond the end")
    if offset < begin:
        raise Damaged("a block lies within another")
    if content[offset + size] != 0:
        raise Damaged("a block is compressed, which is not supported")
    return content[offset : offset + size], offset + size + 5


def rows(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """-> (key, value) of each entry of a block; a key repeats the beginning of the one before."""
    if len(content) < 4:
        raise Damaged("a block is too short")
    (restarts,) = struct.unpack("<I", content[-4:])
    end = len(content) - 4 - 4 * restarts
    at, key = 0, b""
    while at < end:
        shared, at = varint(content, at)
        added, at = varint(content, at)
        length, at = varint(content, at)
        if shared > len(key) or at + added + length > end:
            raise Damaged("an entry lies beyond its block")
        if shared + added > LONGEST_KEY or length > LARGEST_ENTRY:
            raise Damaged("an entry is longer than TensorFlow writes them")
        key = key[:shared] + content[at : at + added]
        yield key, content[at + added : at + added + length]
        at += added + length


def entries_of(content: bytes) -> Iterator[tuple[str, bytes]]:
    """-> (name, entry as bytes) of the whole table."""
    if len(content) < 48 or struct.unpack("<Q", content[-8:])[0] != MAGIC:
        raise Damaged("it does not end as a table does")
    footer = content[-48:]
    _, at = varint(footer, 0)
    _, at = varint(footer, at)
    handles, _ = block(content, footer[at:], 0)
    begin, count = 0, 0
    for _, handle in rows(handles):
        data, begin = block(content, handle, begin)
        for key, value in rows(data):
            count += 1
            if count > MOST_ENTRIES:
                raise Damaged(f"it lists more than {MOST_ENTRIES} tensors")
            yield key.decode(), value


# -------------------------------------------------------------------------------- what it says


def fields(message: bytes) -> dict[int, list[Any]]:
    """-> {field number: [values]} of a protocol buffer: numbers, and bytes of what has a length."""
    out: dict[int, list[Any]] = {}
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        kind, length = tag & 7, 0
        value: Any
        if kind == 0:
            value, at = varint(message, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
            value = int.from_bytes(message[at : at + length], "little")
        elif kind == 2:
            length, at = varint(message, at)
            value = message[at : at + length]
        else:
            raise Damaged("an entry is of an unknown kind")
        if at + length > len(message):
            raise Damaged("an entry is cut short")
        at += length
        out.setdefault(tag >> 3, []).append(value)
    return out


def number(found: dict[int, list[Any]], field: int) -> int:
    value = found.get(field, [0])[0]
    if not isinstance(value, int):
        raise Damaged("an entry holds something else than a number")
    return value


def check_header(header: dict[int, list[int]]) -> None:
    if number(header, 1) != 1:
        raise Damaged(f"its data lie in {number(header, 1)} files; only one is supported")
    if number(header, 2) != 0:
        raise Damaged("it is big-endian, which is not supported")


def array_of(name: str, found: dict[int, list[Any]], data: bytes) -> np.ndarray:
    """The tensor's numbers where they lie in the data file."""
    shape = []
    for message in found.get(2, []):
        for dimension in fields(message).get(2, []) if isinstance(message, bytes) else []:
            shape.append(number(fields(dimension), 1) if isinstance(dimension, bytes) else 0)
    dtype = np.dtype(DTYPES[number(found, 1)])
    offset, size = number(found, 4), number(found, 5)
    if 7 in found or number(found, 3) != 0:
        raise Damaged(f"tensor {name} is in parts, which is not supported")
    possible = len(shape) <= MOST_DIMENSIONS and all(width <= len(data) for width in shape)
    if not possible or math.prod(shape) * dtype.itemsize != size or offset + size > len(data):
        raise Damaged(f"tensor {name}: its size, shape and place in the data file don't agree")
    return np.ndarray(shape, dtype, data, offset)


def check_sum(name: str, found: dict[int, list[Any]], array: np.ndarray) -> None:
    if 6 in found and masked_crc(array.reshape(-1).view("u1")) != number(found, 6):
        raise Damaged(f"tensor {name}: its checksum is wrong")


# -------------------------------------------------------------------------------- checksums


def crc_table() -> np.ndarray:
    table = np.arange(256, dtype="u4")
    for _ in range(8):
        table = table >> 1 ^ np.where(table & 1, np.uint32(0x82F63B78), np.uint32(0))
    return table


CRC = crc_table()
CRC_LIST = CRC.tolist()
CRC_PAIRS = CRC[np.arange(65536) & 255] ^ (
    np.arange(65536, dtype="u4") >> np.uint32(8)
)  # of the lower byte; then of both
CRC_PAIRS = CRC[CRC_PAIRS & 255] ^ CRC_PAIRS >> np.uint32(8)
FEW = 2048  # bytes, for which a loop is as good


def advanced(step: np.ndarray, states: np.ndarray) -> np.ndarray:
    """`states` of the register after what `step` says of each of its bits: a matrix of 32 columns over
    GF(2)."""
    out = np.zeros_like(states)
    for bit in range(32):
        out ^= step[bit] * (states >> np.uint32(bit) & np.uint32(1))
    return out


def zeros(count: int) -> np.ndarray:
    """What `count` zero bytes make of each bit of the register."""
    bits = np.uint32(1) << np.arange(32, dtype="u4")
    step, out = CRC[bits & 255] ^ bits >> np.uint32(8), bits
    while count:
        out = advanced(step, out) if count & 1 else out
        step, count = advanced(step, step), count >> 1
    return out


def crc_of(part: bytes | np.ndarray) -> int:
    """Long parts are cut into lanes of one length, zeros before the first, whose registers run side by side
    and are joined by pairs."""
    if len(part) < FEW:
        crc = 0xFFFFFFFF
        for byte in bytes(part):
            crc = crc >> 8 ^ CRC_LIST[(crc ^ byte) & 255]
        return crc ^ 0xFFFFFFFF
    lanes = 1 << min(16, (len(part) // 256).bit_length())
    length = -(-len(part) // (2 * lanes)) * 2
    padded = np.zeros(lanes * length, "u1")
    padded[len(padded) - len(part) :] = np.frombuffer(part, "u1")
    states = np.zeros(lanes, "u4")
    for pairs in np.ascontiguousarray(padded.view("<u2").reshape(lanes, length // 2).T):
        states = CRC_PAIRS[(states ^ pairs).astype("u2")] ^ states >> np.uint32(16)
    step = zeros(length)
    while len(states) > 1:
        states = advanced(step, states[::2]) ^ states[1::2]
        step = advanced(step, step)
    begun = advanced(zeros(len(part)), np.array([0xFFFFFFFF], "u4"))
    return int(states[0] ^ begun[0]) ^ 0xFFFFFFFF


def masked_crc(part: bytes | np.ndarray) -> int:
    """CRC-32C, rotated and offset as TensorFlow stores it."""
    crc = crc_of(part)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
