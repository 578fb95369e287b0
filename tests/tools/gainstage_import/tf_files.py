"""TensorFlow's checkpoint files (an index and its data), made from tensors and as a test wants them
damaged."""

import os
import struct

from importing import np  # noqa: F401  first: it finds the importer

from gainstage_import import tf_bundle

SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def varint(number):
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def field(number, value):
    return (
        varint(number << 3) + varint(value)
        if isinstance(value, int)
        else varint(number << 3 | 2) + varint(len(value)) + value
    )


def table_block(rows):
    """Keys share what they have in common with the one before."""
    out, last = b"", b""
    for key, value in rows:
        shared = len(os.path.commonprefix([last, key]))
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    return out + struct.pack("<II", 0, 1)


def write_bundle(prefix, tensors, dtype="<f4", change=lambda entries: None):
    data, entries = b"", {"": field(1, 1) + field(2, 0)}
    for name in sorted(tensors):
        numbers = tensors[name].astype(dtype).tobytes()
        shape = b"".join(field(2, field(1, width)) for width in tensors[name].shape)
        crc = varint(6 << 3 | 5) + struct.pack("<I", tf_bundle.masked_crc(numbers))
        entries[name + SUFFIX] = (
            field(1, {"<f4": 1, "<f8": 2}[dtype])
            + field(2, shape)
            + field(4, len(data))
            + field(5, len(numbers))
            + crc
        )
        data += numbers
    entries["save_counter" + SUFFIX] = field(1, 9) + field(5, 8)
    entries["optimizer/v/1" + SUFFIX] = field(1, 1) + field(5, 4)
    change(entries)
    rows = sorted((name.encode(), entry) for name, entry in entries.items())
    out, handles = b"", []
    for part in (rows[:3], rows[3:]):
        block = table_block(part)
        handles.append((part[-1][0], varint(len(out)) + varint(len(block))))
        out += block + b"\0" + bytes(4)
    index = table_block(handles)
    handle = varint(len(out)) + varint(len(index))
    out += index + b"\0" + bytes(4)
    out += (varint(0) + varint(0) + handle).ljust(40, b"\0") + struct.pack("<Q", tf_bundle.MAGIC)
    for ending, content in ((".index", out), (tf_bundle.DATA, data)):
        with open(prefix + ending, "wb") as file:
            file.write(content)
