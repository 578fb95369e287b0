"""Reads the pickles in PyTorch's files, and runs nothing. It is an interpreter of its own, for the opcodes
that Python's pickler writes from protocol 2 on. It makes containers, plain values and what the caller's list
of names makes; any other object becomes an Inert. Python's own unpickler is never asked."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

MOST_OPCODES = 1 << 20  # a checkpoint of 30,000 tensors
LONGEST_NAME = 1000


class Damaged(Exception):
    pass


class Inert(dict[str, Any]):
    """In the place of an object of any other class; keeps the items it is given, for dictionaries of other
    names."""

    __slots__ = ()


class Named:
    """What a pickle calls by a name: make(arguments) is what a call makes of them."""

    __slots__ = ("make", "name")

    def __init__(self, make: Callable[[tuple[Any, ...]], Any], name: str = "") -> None:
        self.make, self.name = make, name


NOTHING = Named(lambda arguments: Inert())  # any name that the caller's list lacks


def load(
    content: bytes, at: int, names: dict[tuple[str, str], Named], stored: Callable[[tuple[Any, ...]], Any]
) -> tuple[Any, int]:
    """One pickle of `content` (bytes), which begins at `at`. names: {(module, name): Named}.
    stored(arguments): what a persistent id means. -> (value, where it ends). Raises Damaged."""
    machine = Machine(content, at, names, stored)
    try:
        return machine.run(), machine.at
    except (IndexError, struct.error) as problem:  # an empty stack, an unknown memo, the end of the file
        raise Damaged("its pickle is cut short, or refers to what is not there") from problem
    except UnicodeDecodeError as problem:
        raise Damaged("its pickle holds a text that is none") from problem


class Machine:
    """A mark splits the stack: what lies below it waits in `below`."""

    def __init__(
        self,
        content: bytes,
        at: int,
        names: dict[tuple[str, str], Named],
        stored: Callable[[tuple[Any, ...]], Any],
    ) -> None:
        self.content, self.at, self.names, self.stored = content, at, names, stored
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: list[Any] = []

    def run(self) -> Any:
        content = self.content
        if content[self.at] != 0x80 or not 2 <= content[self.at + 1] <= 5:
            raise Damaged("its pickle is of a protocol that PyTorch does not write")
        self.at += 2
        for _ in range(MOST_OPCODES):
            code = content[self.at]
            self.at += 1
            if code == 0x2E:  # STOP
                if len(self.stack) != 1 or self.below:
                    raise Damaged("its pickle ends before its time")
                return self.stack[0]
            work = OPCODES[code]
            if work is None:
                raise Damaged(f"its pickle holds an opcode ({code:#04x}) that PyTorch does not write")
            work(self)
        raise Damaged(f"its pickle has more than {MOST_OPCODES} opcodes")

    # -------------------------------------------------------------------------------- bytes

    def number(self, layout: str, size: int) -> int:
        (value,) = struct.unpack_from(layout, self.content, self.at)
        self.at += size
        return value

    def bytes(self, count: int) -> bytes:
        end = self.at + count
        if count < 0 or end > len(self.content):
            raise Damaged("its pickle is cut short")
        part = self.content[self.at : end]
        self.at = end
        return part

    def line(self) -> str:
        end = self.content.find(b"\n", self.at, self.at + LONGEST_NAME)
        if end < 0:
            raise Damaged("its pickle holds a name that does not end")
        part = self.content[self.at : end].decode()
        self.at = end + 1
        return part

    # -------------------------------------------------------------------------------- stack and memo

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def mark(self) -> None:
        self.below.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        above, self.stack = self.stack, self.below.pop()
        return above

    def push_all(self, kind: Callable[[list[Any]], Any]) -> None:
        above = self.since_mark()
        self.stack.append(kind(above))

    def drop(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.stack = self.below.pop()

    def put(self, index: int) -> None:
        """As picklers number what they remember: one after the other, in Python 2 from 1 on."""
        if not self.memo and index == 1:
            self.memo.append(None)
        if index != len(self.memo):
            raise Damaged("its pickle remembers things in an order that no pickler has")
        self.memo.append(self.stack[-1])

    def get(self, index: int) -> None:
        self.stack.append(self.memo[index])

    # -------------------------------------------------------------------------------- containers

    def tuple_of(self, count: int) -> None:
        parts = tuple(self.stack[-count:])
        if len(parts) != count:
            raise Damaged("its pickle is cut short")
        self.stack[-count:] = [parts]

    def append(self, values: Sequence[Any]) -> None:
        target = self.stack[-1]
        if type(target) is list:
            target.extend(values)
        elif type(target) is not Inert:
            raise Damaged("its pickle appends to what is no list")

    def set_items(self, items: Sequence[Any]) -> None:
        """Only texts are kept as keys: nothing here has others, and numbers can be made to collide."""
        target = self.stack[-1]
        if type(target) not in (dict, Inert) or len(items) % 2:
            raise Damaged("its pickle gives items to what is no dictionary")
        for key, value in zip(items[::2], items[1::2]):
            if type(key) is str:
                target[key] = value

    def set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.set_items((key, value))

    # -------------------------------------------------------------------------------- objects

    def named(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str:
            raise Damaged("its pickle names something by no text")
        self.stack.append(self.names.get((module, name), NOTHING))

    def named_by_stack(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.named(module, name)

    def call(self, keywords: bool = False) -> None:
        if keywords:
            self.stack.pop()
        arguments, what = self.stack.pop(), self.stack.pop()
        if type(arguments) is not tuple or type(what) not in (Named, Inert):
            raise Damaged("its pickle calls what has no name")
        self.stack.append(what.make(arguments) if type(what) is Named else Inert())

    def build(self) -> None:
        """An object's further state, which nothing here needs."""
        self.stack.pop()
        if type(self.stack[-1]) not in (dict, Inert):
            raise Damaged("its pickle gives a state to what has none")

    def persistent(self) -> None:
        arguments = self.stack.pop()
        if type(arguments) is not tuple:
            raise Damaged("its pickle stores numbers of an unknown kind")
        self.stack.append(self.stored(arguments))

    def frame(self) -> None:
        if self.number("<Q", 8) > len(self.content) - self.at:
            raise Damaged("its pickle is cut short")


Work = Callable[[Machine], Any]  # of an opcode


def text(layout: str, size: int, coding: str = "utf-8", errors: str = "surrogatepass") -> Work:
    return lambda m: m.push(m.bytes(m.number(layout, size)).decode(coding, errors))


def raw(layout: str, size: int) -> Work:
    return lambda m: m.push(m.bytes(m.number(layout, size)))


def whole(layout: str, size: int) -> Work:
    return lambda m: m.push(int.from_bytes(m.bytes(m.number(layout, size)), "little", signed=True))


def plain(layout: str, size: int) -> Work:
    return lambda m: m.push(m.number(layout, size))


def constant(value: Any) -> Work:
    return lambda m: m.push(value)


def table() -> list[Work | None]:
    known: dict[bytes, Work] = {
        b"(": Machine.mark,
        b"0": Machine.drop,
        b"1": Machine.since_mark,
        b"N": constant(None),
        b"\x88": constant(True),
        b"\x89": constant(False),
        b"J": plain("<i", 4),
        b"K": plain("<B", 1),
        b"M": plain("<H", 2),
        b"G": plain(">d", 8),
        b"\x8a": whole("<B", 1),
        b"\x8b": whole("<i", 4),
        b"X": text("<I", 4),
        b"\x8c": text("<B", 1),
        b"\x8d": text("<Q", 8),
        b"U": text("<B", 1, "latin-1"),
        b"T": text("<i", 4, "latin-1"),  # of Python 2
        b"B": raw("<I", 4),
        b"C": raw("<B", 1),
        b"\x8e": raw("<Q", 8),
        b"\x96": raw("<Q", 8),
        b"}": lambda m: m.push({}),
        b"]": lambda m: m.push([]),
        b")": constant(()),
        b"\x8f": lambda m: m.push(Inert()),
        b"t": lambda m: m.push_all(tuple),
        b"\x85": lambda m: m.tuple_of(1),
        b"\x86": lambda m: m.tuple_of(2),
        b"\x87": lambda m: m.tuple_of(3),
        b"\x91": lambda m: m.push_all(lambda _: Inert()),
        b"a": lambda m: m.append((m.stack.pop(),)),
        b"e": lambda m: m.append(m.since_mark()),
        b"\x90": lambda m: m.append(m.since_mark()),
        b"s": Machine.set_item,
        b"u": lambda m: m.set_items(m.since_mark()),
        b"q": lambda m: m.put(m.number("<B", 1)),
        b"r": lambda m: m.put(m.number("<I", 4)),
        b"\x94": lambda m: m.put(len(m.memo)),
        b"h": lambda m: m.get(m.number("<B", 1)),
        b"j": lambda m: m.get(m.number("<I", 4)),
        b"c": lambda m: m.named(m.line(), m.line()),
        b"\x93": Machine.named_by_stack,
        b"R": Machine.call,
        b"\x81": Machine.call,
        b"\x92": lambda m: m.call(keywords=True),
        b"b": Machine.build,
        b"Q": Machine.persistent,
        b"\x95": Machine.frame,
    }
    return [known.get(bytes([code])) for code in range(256)]


OPCODES = table()
