"""Reads the archives that torch.save() writes (a zip file: a pickle, and the numbers of each tensor) and runs nothing: the
pickle may make containers, plain values and arrays; whatever else it names becomes an Inert. Checkpoints of Lightning hold
paths, numbers and states of callbacks beside the weights, which PyTorch's own reader of weights refuses, in some versions even
a float."""

import collections
import io
import math
import pickle
import zipfile

import numpy as np

KINDS = {"Float": "f4", "Double": "f8", "Half": "f2", "BFloat16": "u2", "Long": "i8", "Int": "i4", "Short": "i2", "Char": "i1",
         "Byte": "u1", "Bool": "?", "ComplexFloat": "c8", "ComplexDouble": "c16"}
MOST_ELEMENTS = 1 << 28


class Damaged(Exception):
    pass


class Inert(dict):
    """In the place of an object of any other class; keeps the items it is given, for dictionaries of other names."""
    __hash__ = object.__hash__

    def __new__(cls, *_, **__):
        return dict.__new__(cls)

    def __init__(self, *_, **__):
        super().__init__()

    def __setstate__(self, state):
        pass

    def append(self, value):
        pass

    def extend(self, values):
        pass


class Kind:
    """The type of a storage, by its name."""

    def __init__(self, name):
        self.name = name


def rebuild_tensor(storage, offset, size, stride, *_):
    """What torch._utils._rebuild_tensor_v2 says, within the bounds of the storage."""
    numbers = [offset, *size, *stride]
    if not isinstance(storage, np.ndarray) or len(size) != len(stride) or not all(type(n) is int and n >= 0 for n in numbers):
        raise Damaged("a tensor of no meaning")
    elements = math.prod(size)
    if elements > MOST_ELEMENTS or elements and offset + sum((n - 1) * s for n, s in zip(size, stride)) >= len(storage):
        raise Damaged("a tensor reaches beyond its numbers")
    if not elements:
        return np.zeros(size, storage.dtype)
    steps = [s * storage.itemsize for s in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps).copy()


def rebuild_parameter(tensor, *_):
    return tensor


class Unpickler(pickle.Unpickler):
    def __init__(self, content, numbers):
        super().__init__(io.BytesIO(content))
        self.numbers = numbers

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        # A wall before each function: what a file does to this name is done to nothing else.
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda *arguments: rebuild_tensor(*arguments)
        if (module, name) in (("torch._utils", "_rebuild_parameter"), ("torch._utils", "_rebuild_parameter_with_state")):
            return lambda *arguments: rebuild_parameter(*arguments)
        if module == "torch" and name.endswith("Storage") and name[:-7] in KINDS:
            return Kind(name[:-7])
        return Inert

    def persistent_load(self, pid):
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage" or not isinstance(pid[1], Kind):
            raise Damaged("numbers of an unknown kind")
        return self.numbers(pid[1].name, str(pid[2]))


def member(archive, name):
    """Whole, and no longer than the file itself: torch.save() does not compress."""
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED:
        raise Damaged(f"{name} is compressed")
    return archive.read(info)


def is_archive(path):
    """Raises Damaged for TorchScript, which is a program in such an archive."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any(n.endswith("/constants.pkl") for n in names):
        raise Damaged("it is a program in TorchScript")
    return any(n.endswith("/data.pkl") for n in names)


def load(path):
    """-> what was saved, tensors as arrays. Raises whatever a damaged file leads to."""
    with zipfile.ZipFile(path) as archive:
        root = next(n for n in archive.namelist() if n.endswith("/data.pkl"))[:-len("data.pkl")]
        order = ">" if root + "byteorder" in archive.namelist() and member(archive, root + "byteorder") == b"big" else "<"

        def numbers(kind, key):
            array = np.frombuffer(member(archive, f"{root}data/{key}"), np.dtype(KINDS[kind]).newbyteorder(order))
            if kind == "BFloat16":  # the upper half of a float
                return (array.astype("u4") << 16).view("f4")
            return array

        return Unpickler(member(archive, root + "data.pkl"), numbers).load()
