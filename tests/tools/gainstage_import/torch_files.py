"""PyTorch's files, made without PyTorch: the zip archive as it writes it byte for byte, the form before 1.6,
and their pickles opcode by opcode, so that a test may spoil any part of them."""

import math
import struct
import zlib

import numpy as np

KINDS = {
    "float32": "Float",
    "float64": "Double",
    "float16": "Half",
    "int64": "Long",
    "uint8": "Byte",
    "bool": "Bool",
}


# -------------------------------------------------------------------------------- pickles


def name(module, what):
    return b"c" + module.encode() + b"\n" + what.encode() + b"\n"


def text(value):
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value):
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def tup(*parts):
    return b"(" + b"".join(parts) + b"t"


def table(items):
    return b"}(" + b"".join(text(key) + value for key, value in items) + b"u"


def storage(kind, key, count, *more):
    return (
        tup(text("storage"), name("torch", kind + "Storage"), text(key), text("cpu"), number(count), *more)
        + b"Q"
    )


def tensor(kind, key, count, size, stride, offset=0, old=False):
    hooks = name("collections", "OrderedDict") + b")R"
    return (
        name("torch._utils", "_rebuild_tensor_v2")
        + tup(
            storage(kind, key, count, *([b"N"] if old else [])),
            number(offset),
            tup(*map(number, size)),
            tup(*map(number, stride)),
            b"\x89",
            hooks,
        )
        + b"R"
    )


def pickle(body):
    return b"\x80\x02" + body + b"."


class Saved:
    """The pickle of a value, and the storages that it names."""

    def __init__(self, value, old=False):
        self.old, self.storages = old, []
        self.body = pickle(self.of(value))

    def of(self, value):
        if isinstance(value, np.ndarray):
            key = str(len(self.storages))
            strides = [math.prod(value.shape[place + 1 :]) for place in range(value.ndim)]
            self.storages.append((key, value))
            return tensor(KINDS[value.dtype.name], key, value.size, value.shape, strides, old=self.old)
        if isinstance(value, dict):
            return table([(key, self.of(each)) for key, each in value.items()])
        if isinstance(value, bytes):
            return value  # opcodes
        return {
            bool: lambda: b"\x88" if value else b"\x89",
            int: lambda: number(value),
            str: lambda: text(value),
            float: lambda: b"G" + struct.pack(">d", value),
            type(None): lambda: b"N",
        }[type(value)]()


# -------------------------------------------------------------------------------- archives


class Record:
    """One record of an archive; each part may be given otherwise than PyTorch gives it."""

    def __init__(self, name, data, **changes):
        self.name, self.data = name.encode() if isinstance(name, str) else name, data
        self.flags, self.method, self.crc, self.size, self.extra, self.comment = (
            0x0808 if data else 0x0800,
            0,
            zlib.crc32(data),
            len(data),
            b"",
            b"",
        )
        self.local_name, self.padding, self.header = self.name, None, None
        self.__dict__.update(changes)

    def local(self, at):
        begin = at + 30 + len(self.local_name)
        padding = self.padding
        if padding is None:
            room = -(begin + 4) % 64
            padding = b"FB" + struct.pack("<H", room) + b"Z" * room
        out = struct.pack(
            "<4s5H3I2H",
            b"PK\3\4",
            0,
            self.flags,
            self.method,
            0,
            0,
            0,
            0,
            0,
            len(self.local_name),
            len(padding),
        )
        out += self.local_name + padding + self.data
        if self.flags & 8:
            out += struct.pack("<4s3I", b"PK\7\10", self.crc, self.size, self.size)
        return out

    def central(self, at):
        return (
            struct.pack(
                "<4s6H3I5H2I",
                b"PK\1\2",
                0,
                0,
                self.flags,
                self.method,
                0,
                0,
                self.crc,
                self.size,
                self.size,
                len(self.name),
                len(self.extra),
                len(self.comment),
                0,
                0,
                0,
                at if self.header is None else self.header,
            )
            + self.name
            + self.extra
            + self.comment
        )


def archive(records, before=b"", between=b"", after=b"", comment=b"", long=True):
    """-> the bytes of an archive. before, between, after: what PyTorch does not write there; long: with the
    directory's 64-bit form."""
    parts, directory, at = [before], [], len(before)
    for record in records:
        directory.append(record.central(at))
        parts.append(record.local(at))
        at += len(parts[-1])
    out = b"".join(parts) + between
    begin, count = len(out), len(records)
    out += b"".join(directory)
    end = len(out)
    if long:
        out += struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 798, 45, 0, 0, count, count, end - begin, begin)
        out += struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    return (
        out
        + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, end - begin, begin, len(comment))
        + comment
        + after
    )


def records_of(body, storages, root="archive"):
    """storages: [(key, bytes)]"""
    return [
        Record(f"{root}/data.pkl", body),
        *(Record(f"{root}/data/{key}", data) for key, data in storages),
        Record(f"{root}/version", b"3\n"),
    ]


def archive_of(value):
    """-> bytes of an archive of dictionaries, arrays, plain values and opcodes"""
    saved = Saved(value)
    return archive(records_of(saved.body, [(key, array.tobytes()) for key, array in saved.storages]))


# -------------------------------------------------------------------------------- before 1.6

SYSTEM = pickle(
    table(
        [
            ("protocol_version", b"M\xe9\x03"),
            ("little_endian", b"\x88"),
            ("type_sizes", table([("short", b"K\x02"), ("int", b"K\x04"), ("long", b"K\x04")])),
        ]
    )
)
MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


def old_form(body, storages, system=SYSTEM, form=pickle(b"M\xe9\x03")):
    """storages: [(key, how many numbers, bytes)]"""
    keys = pickle(b"](" + b"".join(text(key) for key, _, _ in storages) + b"e")
    return (
        MAGIC
        + form
        + system
        + body
        + keys
        + b"".join(struct.pack("<q", count) + data for _, count, data in storages)
    )


def old_form_of(value):
    saved = Saved(value, old=True)
    return old_form(saved.body, [(key, array.size, array.tobytes()) for key, array in saved.storages])


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)
    return path


def programs(marker):
    """An object of class os.system and the like, made by each way that a pickle has. Whoever runs one makes
    the file `marker`."""
    call = tup(text(f"touch '{marker}'"))
    return [
        name("os", "system") + call + b"R",
        name("posix", "system") + call + b"\x81",
        b"\x8c\x02os\x8c\x06system\x93" + call + b"R",
        name("builtins", "eval") + tup(text("1/0")) + b"R",
        name("os", "system") + call + b"}\x92",
        name("builtins", "getattr")
        + tup(name("torch", "FloatStorage"), text("__init__"))
        + b"R"
        + call
        + b"R",
        name("torch._utils", "_rebuild_tensor_v2.__globals__") + call + b"R",
        name("collections", "OrderedDict") + b")R" + table([("__class__", name("os", "system"))]) + b"b",
        name("torch", "load") + call + b"R",
        name("torch.jit", "load") + call + b"R",
    ]
