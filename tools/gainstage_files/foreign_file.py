"""Files from strangers: each is read once, by one descriptor, and judged by the bytes that were read. What a
file may make of itself is bounded by its own size."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from . import new_file
from .plain_text import shown
from .problem import NO_INPUT, Problem

LARGEST_FILE = 128 << 20  # bytes
LARGEST_JSON = 32 << 20
MOST_LISTS = 1 << 19  # and objects in it
SPARE_NUMBERS = 16 << 20  # bytes: what small files may ask for
SPARE_MEMORY = 300 << 20


def read(path: str, largest: int = LARGEST_FILE) -> bytes:
    """-> the bytes of a regular file. Nothing is waited for: neither a FIFO nor a device is opened, and a
    file that grows meanwhile is refused."""
    try:
        with new_file.opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > largest:
                raise Problem(f"{path}: is {size} bytes long; at most {largest} are read")
            content = read_at_most(file, size + 1)
    except FileNotFoundError as problem:
        raise Problem(f"{path}: no such file", NO_INPUT) from problem
    except OSError as problem:
        if problem.errno == errno.EINVAL:
            raise Problem(f"{path}: {problem.strerror}") from problem
        raise Problem(f"{path}: cannot be read: {problem.strerror}", NO_INPUT) from problem
    if len(content) != size:
        raise Problem(f"{path}: changes while it is read; try again once it is written")
    return content


def read_at_most(file: IO[bytes], count: int) -> bytes:
    """-> up to `count` bytes, fewer only at the file's end"""
    parts, left = [], count
    while left:
        part = file.read(left)
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def begins_with(path: str, *beginnings: Any) -> bool:
    """Whether a regular file begins with one of these bytes, spaces left out. False where there is none:
    read() says why."""
    try:
        with new_file.opened(path) as file:
            return file.read(64).lstrip().startswith(beginnings)
    except OSError:
        return False


# -------------------------------------------------------------------------------- bounds


def check_numbers(asked: int, size: int, what: str = "its tensors") -> None:
    """`asked`: bytes that numbers of a file of `size` bytes take as float64. A file of bytes grows to eight
    times its size."""
    if asked > 8 * size + SPARE_NUMBERS:
        raise Problem(
            f"{what} ask for {asked >> 20} MiB of numbers, more than a file of {size} bytes can hold"
        )


@contextlib.contextmanager
def bounded_memory(size: int) -> Iterator[None]:
    """For readers in C that trust sizes in a file of `size` bytes: whatever they ask for beyond ten times the
    file and some spare fails, and is a Problem. Where the system knows no such limit nothing is bounded."""
    try:
        import resource

        with open("/proc/self/statm", "rb") as file:
            in_use = int(file.read().split()[0]) * resource.getpagesize()
        before = resource.getrlimit(resource.RLIMIT_AS)
        limit = in_use + 10 * size + SPARE_MEMORY
        limit = limit if before[0] == resource.RLIM_INFINITY else min(limit, before[0])
        resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    except (ImportError, OSError, ValueError):
        yield
        return
    try:
        yield
    except MemoryError as problem:
        raise Problem("asks for more memory than a file of its size may take") from problem
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


# -------------------------------------------------------------------------------- JSON


def read_json(path: str, largest: int = LARGEST_JSON) -> dict[str, Any]:
    """-> the JSON object in the file."""
    return parse_json(read(path, largest), path)


def parse_json(content: bytes, where: str, kind: type | tuple[type, ...] = dict) -> Any:
    """-> what a text of bytes holds, of this kind, as the runtime reads it too: no key twice, no halves of characters. Its tree
    takes 6 times the text and some spare at most, judged before it is built."""
    if (
        tree_bytes(content) > 6 * len(content) + (SPARE_MEMORY >> 1)
        or content.count(b"[") + content.count(b"{") > MOST_LISTS
    ):
        raise Problem(f"{where}: nests or lists more than a text of {len(content)} bytes may")
    try:
        found = json.loads(content.decode("utf-8-sig"), object_pairs_hook=without_repeats)
        if b"\\ud" in content.lower():
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError as problem:
        raise Problem(f"{where}: is nested too deeply") from problem
    except UnicodeEncodeError as problem:
        raise Problem(
            f"{where}: a text has half a character (\\ud800 to \\udfff); write the whole one"
        ) from problem
    except KeyTwice as problem:
        raise Problem(f"{where}: {problem}") from problem
    except ValueError as problem:
        at = problem.pos if isinstance(problem, json.JSONDecodeError) else 0
        cause = why_no_json(content, at) or f"is not JSON, or is damaged: {problem}"
        raise Problem(f"{where}: {cause}") from problem
    if not isinstance(found, kind):
        raise Problem(
            f"{where}: expected a JSON {'object' if kind is dict else 'array' if kind is list else 'object or array'}"
        )
    return found


class KeyTwice(ValueError):
    """An object has two values for one name."""


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for number, key in enumerate(keys) if key in keys[:number])
        raise KeyTwice(f"the key {shown(json.dumps(twice))} stands there twice")
    return found


def why_no_json(content: bytes, at: int) -> str | None:
    """What an editor or a word processor has done to it, where it was found at this character; None: something else."""
    if not content.strip():
        return "is empty"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16 text; save the file as UTF-8"
    if b"\0" in content:
        return "a binary file; expected a text file"
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "not UTF-8 text; save the file as UTF-8"
    if not re.match("\\s*[\u201c\u201d\u201e\u2018\u2019]", text[at:]):
        return None
    return f'line {text[:at].count(chr(10)) + 1}: typographic quotation marks; write those of the keyboard: "'


def tree_bytes(content: bytes) -> int:
    """At most what Python makes of a JSON text: of each object, list, entry, text and number, as CPython 3.11
    counts them."""
    return sum(
        cost * content.count(sign)
        for sign, cost in ((b"{", 232), (b"[", 120), (b":", 120), (b",", 40), (b'"', 30))
    )


def array_of(name: str, value: Any) -> np.ndarray:
    """Nested lists of numbers as a float64 array."""
    for numbers in innermost(name, value):
        if not set(map(type, numbers)) <= {int, float, bool}:
            raise Problem(f"tensor {name}: expected an array of numbers")
    try:
        array = np.array(value)
    except (ValueError, OverflowError) as problem:
        raise Problem(f"tensor {name}: its rows differ in length") from problem
    if array.size and array.dtype.kind not in "iuf":
        raise Problem(f"tensor {name}: expected an array of numbers")
    return array.astype(np.float64)


def innermost(name: str, value: Any, depth: int = 0) -> Iterator[list[Any]]:
    """The lists in a list that hold no lists, or all of it as one."""
    if not isinstance(value, list):
        yield [value]
    elif not any(isinstance(part, list) for part in value):
        yield value
    elif depth == 8:
        raise Problem(f"tensor {name}: is nested too deeply")
    elif not all(isinstance(part, list) for part in value):
        raise Problem(f"tensor {name}: its rows differ in length")
    else:
        for part in value:
            yield from innermost(name, part, depth + 1)


# -------------------------------------------------------------------------------- for people


def quoted(value: Any) -> str:
    """A value of a foreign JSON text for a message; of lists and objects the kind alone."""
    kinds: dict[type, str] = {list: "a list", dict: "an object"}
    return kinds.get(type(value)) or shown(json.dumps(value))
