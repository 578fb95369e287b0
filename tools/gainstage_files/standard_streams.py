"""The standard streams of our command lines, as tools/gainstage/console.hpp has them: standard output carries
the product, and what of it can't be written ends the program with 73; standard error carries messages, and
one that can't be written is lost, nothing else."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Callable
from typing import Any, TextIO, cast

from . import end_signals
from .problem import CANNOT_CREATE

STANDARD_IN, STANDARD_OUT, STANDARD_ERROR = 0, 1, 2


class Outlet(io.TextIOBase):
    """A text stream to a descriptor that throws nothing: what can't be written is lost, and the first reason
    is kept."""

    encoding, errors = "utf-8", "backslashreplace"

    def __init__(self, descriptor: int, is_product: bool) -> None:
        super().__init__()
        self.descriptor, self.is_product = descriptor, is_product
        self.reason: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def isatty(self) -> bool:
        return os.isatty(self.descriptor)

    def write(self, text: str) -> int:
        if self.is_product and self.reason is not None:
            return len(text)  # half a table with an end looks whole
        rest = text.encode(self.encoding, self.errors)
        while rest:
            try:
                rest = rest[os.write(self.descriptor, rest) :]
            except BlockingIOError:
                select.select([], [self.descriptor], [])
            except OSError as problem:
                self.reason = self.reason or problem
                break
        return len(text)


def open_standard() -> Outlet:
    """Descriptors that the starter has closed are opened, or the next file would get their numbers and
    messages. Writing to an output that was closed fails, so that no product is taken for delivered."""
    for descriptor in (STANDARD_IN, STANDARD_OUT, STANDARD_ERROR):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDONLY if descriptor == STANDARD_OUT else os.O_RDWR)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
            os.set_inheritable(descriptor, True)  # programs that we start have them too
    product, messages = Outlet(STANDARD_OUT, True), Outlet(STANDARD_ERROR, False)
    sys.stdout, sys.stderr = cast(TextIO, product), cast(
        TextIO, messages
    )  # TextIO asks for more than print() does
    return product


def finished(code: int, product: Outlet) -> int:
    """-> the exit code: 73 instead of 0 where a part of the product is missing, which is said unless its
    reader went away."""
    reason = product.reason
    if reason is None:
        return code
    if reason.errno == errno.EBADF:
        print(
            "error: standard output: cannot be written: it was closed at the start; run it again and let it lead somewhere",
            file=sys.stderr,
        )
    elif reason.errno != errno.EPIPE:
        print(
            f"error: standard output: cannot be written: {reason.strerror}; a part of it is missing, make room and run it again",
            file=sys.stderr,
        )
    return code or CANNOT_CREATE


def run(main: Callable[..., Any], *arguments: Any) -> None:
    """The whole of a program: its exit code is that of main(*arguments), unless its product was lost or a signal
    asked for the end. Doesn't come back."""
    product = open_standard()
    end_signals.end_in_order()
    try:
        code = main(*arguments)
    except SystemExit as end:
        code = end.code
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    sys.exit(finished(code or 0, product))
