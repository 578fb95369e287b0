"""Ctrl-C and its like: asked once, a run saves and ends; asked twice, it ends at once."""

import os
import signal
import time
from typing import Any

from gainstage_files import end_signals

SAME_S = 3.0  # a terminal sends Ctrl-C to all, and torchrun passes it on: two signals within this time are one wish


class Interruption:
    """with Interruption() as interrupted: ... interrupted() says whether to end; `number` is the signal's."""

    def __init__(self) -> None:
        self.number, self._asked_at = 0, 0.0
        self._relayed = "TORCHELASTIC_RUN_ID" in os.environ
        self._before: dict[int, Any] = {}

    def __call__(self) -> bool:
        return self.number != 0

    def __enter__(self) -> "Interruption":
        self._before = {number: signal.signal(number, self._asked) for number in end_signals.heard()}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _asked(self, number: int, _: object) -> None:
        again, now = self.number != 0, time.monotonic()
        if again and now - self._asked_at < SAME_S:
            return
        if not again:
            self.number, self._asked_at = number, now
        if again or not self._relayed:
            for each in self._before:
                signal.signal(each, signal.SIG_DFL)
        if again:
            os.kill(os.getpid(), number)
