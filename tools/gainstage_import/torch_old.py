"""Reads what torch.save() wrote before PyTorch 1.6, and runs nothing: three pickles that say which form this
is, the pickle of what was saved, one of the storages' names, and then the numbers of each storage, up to the
file's last byte."""

from __future__ import annotations

import struct
from typing import Any, NoReturn

import numpy as np

from . import pickles
from .pickles import Damaged, Inert
from .torch_tensors import KINDS, NAMES, Storages

BEGINNING = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # a pickle of 0x1950a86a20f9469cfc6c
FORM = 1001


def load(content: bytes) -> Any:
    """`content`: the file's bytes. -> what was saved, tensors as torch_tensors.Tensor. Raises Damaged."""
    form, at = pickles.load(content, len(BEGINNING), {}, refuse)
    system, at = pickles.load(content, at, {}, refuse)
    if (
        form != FORM
        or type(system) is not dict
        or system.get("protocol_version") != FORM
        or type(system.get("little_endian")) is not bool
    ):
        raise Damaged("it is of a form that is not known")
    storages = Storages(6)

    def stored(arguments: tuple[Any, ...]) -> Any:
        return Inert() if arguments[:1] == ("module",) else storages(arguments)  # a class, with its source

    saved, at = pickles.load(content, at, NAMES, stored)
    keys, at = pickles.load(content, at, {}, refuse)
    if (
        type(keys) is not list
        or not all(type(key) is str for key in keys)
        or sorted(keys) != sorted(storages.known)
    ):
        raise Damaged("its pickle and its numbers differ in names")
    for key in keys:
        storage = storages.known[key]
        if at + 8 > len(content) or struct.unpack_from("<q", content, at)[0] != storage.count:
            raise Damaged(f"the numbers {key} are not as many as they should be, or it is cut short")
        begin = at + 8
        at = begin + storage.bytes()
        if at > len(content):
            raise Damaged("it is cut short")
        storage.numbers = np.frombuffer(content, KINDS[storage.kind], storage.count, begin)
    if at != len(content):
        raise Damaged("something follows its numbers")
    return saved


def refuse(_: Any) -> NoReturn:
    raise Damaged("it is of a form that is not known")
