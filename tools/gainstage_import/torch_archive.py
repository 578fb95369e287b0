"""Reads the archives that torch.save() writes from PyTorch 1.6 on, and runs nothing. Such an archive is a zip
file of a pickle and of the numbers of each storage. PyTorch always writes it in one way, which is checked
from the first byte to the last: the records follow one another without a gap, uncompressed, each as the
directory says, each with a name that PyTorch gives. So there is one way to read the file, and nothing in it
that is not read."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from . import pickles
from .pickles import Damaged
from .torch_tensors import KINDS, NAMES, Storages

BEGINNING = b"PK\x03\x04"
LOCAL, CENTRAL = struct.Struct("<4s5H3I2H"), struct.Struct("<4s6H3I5H2I")
FOOTER, END_64, LOCATOR, END = (
    struct.Struct("<4s3I"),
    struct.Struct("<4sQ2H2I4Q"),
    struct.Struct("<4sIQI"),
    struct.Struct("<4s4H2IH"),
)
UTF_8, SIZES_FOLLOW = 1 << 11, 1 << 3  # flags
MOST_RECORDS = 65000
LONGEST_NAME = 1000

# What PyTorch calls its records, after the archive's own name; the numbers' names are counted up.
PICKLE, BYTE_ORDER, ALIGNMENT, NUMBERS = "data.pkl", "byteorder", ".storage_alignment", "data/"
RECORD = re.compile(
    r"data\.pkl|version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id|data/(0|[1-9]\d{0,19})"
)
PROGRAM = re.compile(r"(?i)^(constants|code|attributes|extra|mobile|bytecode)|debug_pkl|\.py$")
VALUES = {
    "version": rb"[1-9]\d?\n",
    BYTE_ORDER: rb"little|big",
    ".format_version": rb"[1-9]\d?",
    ALIGNMENT: rb"[1-9]\d{0,5}",
    ".data/serialization_id": rb"\d{1,60}",
}


@dataclass(slots=True)
class Record:
    """As the directory describes it; `begin` is known once its own header has been read."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    header: int
    begin: int = 0


def load(content: bytes) -> Any:
    """`content`: the file's bytes. -> what was saved, tensors as torch_tensors.Tensor. Raises Damaged."""
    records = records_of(content)

    def part(name: str) -> bytes | None:
        record = records.get(name)
        return None if record is None else content[record.begin : record.begin + record.size]

    for name, expected in VALUES.items():
        value = part(name)
        if value is not None and not re.fullmatch(expected, value):
            raise Damaged(f"its record {name} holds something odd")
    alignment = int(part(ALIGNMENT) or 64)
    if any(record.begin % alignment for record in records.values()):
        raise Damaged("its records do not lie as PyTorch lays them")
    storages = Storages(5)
    body = part(PICKLE) or b""
    saved, end = pickles.load(body, 0, NAMES, storages)
    if end != len(body):
        raise Damaged("something follows its pickle")
    stored = {name for name in records if name.startswith(NUMBERS)}
    if stored != {NUMBERS + key for key in storages.known}:
        raise Damaged("its pickle and its records name other numbers")
    order: Literal["<", ">"] = ">" if part(BYTE_ORDER) == b"big" else "<"
    for key, storage in storages.known.items():
        record = records[NUMBERS + key]
        if record.size != storage.bytes():
            raise Damaged(f"the numbers {key} are {record.size} bytes long, not {storage.bytes()}")
        dtype = np.dtype(KINDS[storage.kind]).newbyteorder(order)
        storage.numbers = np.frombuffer(content, dtype, storage.count, record.begin)
    return saved


# -------------------------------------------------------------------------------- the zip file


def unpack(form: struct.Struct, content: bytes, at: int) -> tuple[Any, ...]:
    if at < 0 or at + form.size > len(content):
        raise Damaged("it is cut short")
    return form.unpack_from(content, at)


def records_of(content: bytes) -> dict[str, Record]:
    """-> {name without the archive's: Record}, each checked."""
    directory, end, count = directory_of(content)
    records, at = [], directory
    for _ in range(count):
        record, at = described(content, at, end)
        records.append(record)
    if at != end:
        raise Damaged("its directory holds more than its records")
    named = by_name(records)
    place = 0
    for record in records:
        place = found(content, record, place, directory)
    if place != directory:
        raise Damaged("something lies between its records and its directory")
    return named


def directory_of(content: bytes) -> tuple[int, int, int]:
    """-> where the directory begins and ends, and how many records it lists. A zip file is read from its end,
    which must be the file's."""
    at = len(content) - END.size
    sign, disk, first_disk, here, count, size, begin, comment = unpack(END, content, at)
    if sign != b"PK\x05\x06" or comment:
        raise Damaged(
            "it does not end as an archive of PyTorch does: something was appended, or it is cut short"
        )
    end = at - LOCATOR.size - END_64.size
    locator = unpack(LOCATOR, content, at - LOCATOR.size)
    long = unpack(END_64, content, end)
    if locator != (b"PK\x06\x07", 0, end, 1) or long[:2] != (b"PK\x06\x06", END_64.size - 12):
        raise Damaged("it does not end as an archive of PyTorch does")
    if (disk, first_disk, here) != (0, 0, count) or long[4:] != (0, 0, count, count, size, begin):
        raise Damaged("its two directories differ")
    if begin + size != end or count > MOST_RECORDS:
        raise Damaged("its directory does not lie where it says")
    return begin, end, count


def described(content: bytes, at: int, end: int) -> tuple[Record, int]:
    """One entry of the directory. -> (Record, where the next begins)"""
    entry = unpack(CENTRAL, content, at)
    (
        sign,
        _,
        _,
        flags,
        method,
        _,
        _,
        crc,
        packed,
        size,
        length,
        extra,
        comment,
        disk,
        internal,
        external,
        header,
    ) = entry
    at += CENTRAL.size
    if sign != b"PK\x01\x02" or at + length > end or length > LONGEST_NAME:
        raise Damaged("its directory is damaged")
    try:
        name = content[at : at + length].decode()
    except UnicodeDecodeError as problem:
        raise Damaged("one of its records has an odd name") from problem
    if (extra, comment, disk, internal, external) != (0, 0, 0, 0, 0) or flags & ~SIZES_FOLLOW != UTF_8:
        raise Damaged("its directory is not as PyTorch writes it")
    return Record(name, flags, method, crc, packed, size, header), at + length


def found(content: bytes, record: Record, place: int, end: int) -> int:
    """Checks the record that must begin at `place`. -> where it ends"""
    if record.method or record.packed != record.size:
        raise Damaged("one of its records is compressed")
    sign, _, flags, method, _, _, crc, packed, size, length, extra = unpack(LOCAL, content, place)
    if record.header != place or sign != BEGINNING:
        raise Damaged("its records do not follow one another")
    at = place + LOCAL.size
    name, padding = content[at : at + length], content[at + length : at + length + extra]
    record.begin = at + length + extra
    place = record.begin + record.size
    if place > end:
        raise Damaged("one of its records reaches into its directory")
    if name != record.name.encode() or flags != record.flags or method:
        raise Damaged("a record and the directory differ")
    if padding != b"FB" + struct.pack("<H", max(0, extra - 4)) + b"Z" * (extra - 4):
        raise Damaged("its records are not padded as PyTorch pads them")
    if zlib.crc32(memoryview(content)[record.begin : place]) != record.crc:
        raise Damaged("the checksum of a record is wrong")
    sizes = (record.crc, record.size, record.size)
    if not flags & SIZES_FOLLOW:
        if (crc, packed, size) != sizes:
            raise Damaged("a record and the directory differ")
        return place
    if (crc, packed, size) != (0, 0, 0) or unpack(FOOTER, content, place) != (b"PK\x07\x08", *sizes):
        raise Damaged("a record and the directory differ")
    return place + FOOTER.size


def by_name(records: list[Record]) -> dict[str, Record]:
    """Their names without the archive's, which all share."""
    out, root = {}, records[0].name.partition("/")[0] if records else ""
    for record in records:
        own, slash, name = record.name.partition("/")
        if PROGRAM.match(name):
            raise Damaged("it is a program in TorchScript")
        if (
            own != root
            or not root
            or not root.isprintable()
            or "\\" in root
            or not slash
            or not RECORD.fullmatch(name)
            or name in out
        ):
            raise Damaged("it holds a record that PyTorch does not write, or one twice")
        out[name] = record
    if PICKLE not in out or "version" not in out or records[0] is not out[PICKLE]:
        raise Damaged("it lacks a record that PyTorch writes")
    return out
