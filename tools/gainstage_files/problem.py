"""What went wrong, fit to be shown, with the exit code that says which kind (sysexits)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from .plain_text import message as plain_message

USAGE, DATA, NO_INPUT, UNAVAILABLE, CANNOT_CREATE = 64, 65, 66, 69, 73


class Problem(Exception):
    """`message` names the place, the cause and the remedy; a list holds one message a line. They may hold
    text of strangers, which is cleaned."""

    def __init__(self, message: str | list[str], exit_code: int = DATA) -> None:
        super().__init__(plain_message(message))
        self.exit_code = exit_code


@contextlib.contextmanager
def cannot_write(path: str) -> Iterator[None]:
    """What the system says against writing to `path`, within it, is a Problem."""
    try:
        yield
    except OSError as problem:
        raise Problem(f"{path}: cannot be written: {problem.strerror}", CANNOT_CREATE) from problem
