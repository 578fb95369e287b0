"""Reads the tensors of a TensorFlow checkpoint (PREFIX.index and PREFIX.data-00000-of-00001) without TensorFlow.

The index is a sorted table as LevelDB writes them (its doc/table_format.md), uncompressed; its values are protocol buffers
(tensorflow/core/protobuf/tensor_bundle.proto). The data file is raw little-endian numbers. No length in either is trusted."""

import os
import struct

import numpy as np

from .problem import NO_INPUT, Problem

MAGIC = 0xDB4775248B80FB57
DTYPES = {1: "<f4", 2: "<f8"}  # float, double; what else a checkpoint holds (counters, texts) is no weight
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
DATA = ".data-00000-of-00001"
LARGEST_FILE = 1 << 28


class Damaged(Exception):
    pass


def prefix_of(path):
    """PREFIX of a path to either file or to neither."""
    for ending in (".index", DATA):
        if path.endswith(ending):
            return path[:-len(ending)]
    return path


def is_bundle(path):
    return os.path.isfile(prefix_of(path) + ".index")


def load(path):
    """-> {name: float64 array}, names without TensorFlow's suffix; optimizer slots and counters left out."""
    prefix = prefix_of(path)
    index, data = read(prefix + ".index"), read(prefix + DATA)
    try:
        entries = dict(entries_of(index))
        check_header(entries.pop("", b""))
        return {name[:-len(SUFFIX)]: tensor_of(name, entry, data) for name, entry in entries.items() if is_weight(name, entry)}
    except (Damaged, UnicodeDecodeError) as problem:
        raise Problem(f"{prefix}.index: is no TensorFlow checkpoint, or is damaged ({problem})") from problem


def read(path):
    if not os.path.isfile(path):
        raise Problem(f"{path}: no such file", NO_INPUT)
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as problem:
        raise Problem(f"{path}: cannot be read: {problem.strerror}", NO_INPUT) from problem
    if len(content) > LARGEST_FILE:
        raise Problem(f"{path}: is larger than {LARGEST_FILE >> 20} MiB")
    return content


def is_weight(name, entry):
    return (name.endswith(SUFFIX) and not name.startswith(("optimizer/", "keras_api/", "save_counter")) and
            ".OPTIMIZER_SLOT" not in name and fields(entry).get(1, [0])[0] in DTYPES)


# ------------------------------------------------------------------------------------------------ the table

def varint(content, at):
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


def block(content, handle):
    """The block that `handle` (offset, size) points to."""
    offset, at = varint(handle, 0)
    size, _ = varint(handle, at)
    if offset + size + 5 > len(content):
        raise Damaged("a block lies beyond the end")
    if content[offset + size] != 0:
        raise Damaged("a block is compressed, which is not supported")
    return content[offset:offset + size]


def rows(content):
    """-> (key, value) of each entry of a block; a key repeats the beginning of the one before."""
    if len(content) < 4:
        raise Damaged("a block is too short")
    restarts, = struct.unpack("<I", content[-4:])
    end = len(content) - 4 - 4 * restarts
    at, key = 0, b""
    while at < end:
        shared, at = varint(content, at)
        added, at = varint(content, at)
        length, at = varint(content, at)
        if shared > len(key) or at + added + length > end:
            raise Damaged("an entry lies beyond its block")
        key = key[:shared] + content[at:at + added]
        yield key, content[at + added:at + added + length]
        at += added + length


def entries_of(content):
    """-> (name, entry as bytes) of the whole table."""
    if len(content) < 48 or struct.unpack("<Q", content[-8:])[0] != MAGIC:
        raise Damaged("it does not end as a table does")
    footer = content[-48:]
    _, at = varint(footer, 0)
    _, at = varint(footer, at)
    for _, handle in rows(block(content, footer[at:])):
        for key, value in rows(block(content, handle)):
            yield key.decode(), value


# ------------------------------------------------------------------------------------------------ what it says

def fields(message):
    """-> {field number: [values]} of a protocol buffer: numbers, and bytes of what has a length."""
    out, at = {}, 0
    while at < len(message):
        tag, at = varint(message, at)
        kind, length = tag & 7, 0
        if kind == 0:
            value, at = varint(message, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
            value = int.from_bytes(message[at:at + length], "little")
        elif kind == 2:
            length, at = varint(message, at)
            value = message[at:at + length]
        else:
            raise Damaged("an entry is of an unknown kind")
        if at + length > len(message):
            raise Damaged("an entry is cut short")
        at += length
        out.setdefault(tag >> 3, []).append(value)
    return out


def number(found, field):
    value = found.get(field, [0])[0]
    if not isinstance(value, int):
        raise Damaged("an entry holds something else than a number")
    return value


def check_header(entry):
    header = fields(entry)
    if number(header, 1) != 1:
        raise Damaged(f"its data lie in {number(header, 1)} files; only one is supported")
    if number(header, 2) != 0:
        raise Damaged("it is big-endian, which is not supported")


def tensor_of(name, entry, data):
    found = fields(entry)
    shape = []
    for message in found.get(2, []):
        for dimension in fields(message).get(2, []) if isinstance(message, bytes) else []:
            shape.append(number(fields(dimension), 1) if isinstance(dimension, bytes) else 0)
    dtype = np.dtype(DTYPES[number(found, 1)])
    offset, size, count = number(found, 4), number(found, 5), 1
    for width in shape:
        count *= width
    if 7 in found or number(found, 3) != 0:
        raise Damaged(f"tensor {name} is in parts, which is not supported")
    if count * dtype.itemsize != size or offset + size > len(data):
        raise Damaged(f"tensor {name}: its size, shape and place in the data file don't agree")
    part = data[offset:offset + size]
    if 6 in found and masked_crc(part) != number(found, 6):
        raise Damaged(f"tensor {name}: its checksum is wrong")
    return np.frombuffer(part, dtype).reshape(shape).astype(np.float64)


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC = crc_table()


def masked_crc(part):
    """CRC-32C, rotated and offset as TensorFlow stores it."""
    crc = 0xFFFFFFFF
    for byte in part:
        crc = crc >> 8 ^ CRC[(crc ^ byte) & 255]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
