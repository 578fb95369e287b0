"""Signals by which somebody asks a program to end: the user, a terminal that is closed, a session manager, a failing power supply."""

from __future__ import annotations

import signal
import sys
from types import FrameType

SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGPWR")
    if hasattr(signal, name)
)


def heard() -> tuple[int, ...]:
    """-> those that nobody chose to ignore, as nohup does with SIGHUP."""
    return tuple(number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN)


def end_in_order() -> None:
    """From now on the first of them ends the program with 128 + its number, and all files in work are cleared away. The second
    ends it at once."""
    for number in heard():
        signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> None:
    for each in heard():
        signal.signal(each, signal.SIG_DFL)
    sys.exit(128 + number)
