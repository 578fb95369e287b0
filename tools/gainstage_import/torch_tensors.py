"""What PyTorch's pickles may name: storages, tensors over them, and ordered dictionaries. A tensor makes no
numbers of its own until it is asked for them, and stays within its storage."""

from __future__ import annotations

import math
from typing import Any, NoReturn

import numpy as np

from .pickles import Damaged, Inert, Named

KINDS = {
    "Float": "<f4",
    "Double": "<f8",
    "Half": "<f2",
    "BFloat16": "<u2",
    "Long": "<i8",
    "Int": "<i4",
    "Short": "<i2",
    "Char": "i1",
    "Byte": "u1",
    "Bool": "?",
    "ComplexFloat": "<c8",
    "ComplexDouble": "<c16",
}
MOST_DIMENSIONS = 32
LARGEST_NUMBER = 1 << 48  # of elements, in any direction
MOST_ELEMENTS = 1 << 28  # of a tensor


class Storage:
    """count elements of a kind; `numbers` comes with the file's other part."""

    __slots__ = ("kind", "key", "count", "numbers")

    def __init__(self, kind: str, key: str, count: int) -> None:
        self.kind, self.key, self.count = kind, key, count
        self.numbers = np.zeros(0)

    def bytes(self) -> int:
        return self.count * np.dtype(KINDS[self.kind]).itemsize


class Tensor:
    __slots__ = ("storage", "offset", "size", "stride")

    def __init__(self, storage: Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def elements(self) -> int:
        return math.prod(self.size)

    def is_complex(self) -> bool:
        return self.storage.kind.startswith("Complex")

    def float64_bytes(self) -> int:
        return self.elements() * (16 if self.is_complex() else 8)

    def view(self) -> np.ndarray:
        """The elements as they lie in the file, not to be written to; of bfloat16 as whole numbers."""
        numbers = self.storage.numbers
        if not self.elements():
            return np.zeros(self.size, numbers.dtype)
        step = numbers.itemsize
        return np.ndarray(
            self.size, numbers.dtype, numbers, self.offset * step, [n * step for n in self.stride]
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        found = self.view()
        if self.storage.kind == "BFloat16":  # the upper half of a float
            found = (found.astype("u4") << 16).view("f4")
        return np.asarray(found, dtype=dtype)


def make_tensor(arguments: tuple[Any, ...]) -> Tensor:
    """What torch._utils._rebuild_tensor and _v2 are given: storage, offset, size, stride, and what is no
    number."""
    if len(arguments) < 4 or type(arguments[0]) is not Storage:
        raise Damaged("a tensor of no meaning")
    storage, offset, size, stride = arguments[:4]
    if (
        type(size) is not tuple
        or type(stride) is not tuple
        or len(size) != len(stride)
        or len(size) > MOST_DIMENSIONS
    ):
        raise Damaged("a tensor of no meaning")
    if not all(type(n) is int and 0 <= n <= LARGEST_NUMBER for n in (offset, *size, *stride)):
        raise Damaged("a tensor of no meaning")
    if math.prod(size) > MOST_ELEMENTS:
        raise Damaged("a tensor of more numbers than any model has")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride))
    if 0 not in size and last >= storage.count:
        raise Damaged("a tensor reaches beyond its numbers")
    return Tensor(storage, offset, size, stride)


def make_parameter(arguments: tuple[Any, ...]) -> Tensor:
    if not arguments or type(arguments[0]) not in (Tensor, Inert):
        raise Damaged("a parameter of no meaning")
    return arguments[0]


def make_dictionary(arguments: tuple[Any, ...]) -> dict[str, Any]:
    """Python 2 gives an OrderedDict its items as a list of pairs."""
    if not arguments:
        return {}
    items = arguments[0]
    if (
        len(arguments) != 1
        or type(items) is not list
        or not all(type(pair) in (list, tuple) and len(pair) == 2 for pair in items)
    ):
        raise Damaged("a dictionary of no meaning")
    return {key: value for key, value in items if type(key) is str}


def make_kind(kind: str) -> Named:
    def refuse(arguments: tuple[Any, ...]) -> NoReturn:
        raise Damaged("numbers of no meaning")

    return Named(refuse, kind)


TENSOR, PARAMETER = Named(make_tensor), Named(make_parameter)
NAMES = {
    ("collections", "OrderedDict"): Named(make_dictionary),
    ("torch._utils", "_rebuild_tensor"): TENSOR,
    ("torch._utils", "_rebuild_tensor_v2"): TENSOR,
    ("torch._utils", "_rebuild_parameter"): PARAMETER,
    ("torch._utils", "_rebuild_parameter_with_state"): PARAMETER,
    ("torch.nn.parameter", "Parameter"): PARAMETER,
    **{("torch", kind + "Storage"): make_kind(kind) for kind in KINDS},
}


class Storages:
    """The storages that a pickle names, each once. length: of a persistent id in this form of file."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.known: dict[str, Storage] = {}

    def __call__(self, arguments: tuple[Any, ...]) -> Storage:
        if len(arguments) != self.length or arguments[0] != "storage":
            raise Damaged("numbers of an unknown kind")
        kind, key, place, count = arguments[1:5]
        if type(kind) is not Named or kind.name not in KINDS or arguments[5:] not in ((), (None,)):
            raise Damaged("numbers of an unknown kind")
        if type(key) is not str or not key.isascii() or not key.isdigit() or len(key) > 20:
            raise Damaged("numbers by an odd name")
        if type(place) is not str or type(count) is not int or not 0 <= count <= LARGEST_NUMBER:
            raise Damaged("numbers of no meaning")
        storage = self.known.setdefault(key, Storage(kind.name, key, count))
        if (storage.kind, storage.count) != (kind.name, count):
            raise Damaged(f"the numbers {key} are of two kinds")
        return storage
