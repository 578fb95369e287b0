"""Ctrl-C and its like: asked once, a run saves and ends; asked twice, it ends at once."""

import signal


class Interruption:
    """with Interruption() as interrupted: ... interrupted() says whether to end; `number` is the signal's."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self):
        self.number = 0
        self._before = {}

    def __call__(self):
        return self.number != 0

    def __enter__(self):
        self._before = {number: signal.signal(number, self._asked) for number in self.SIGNALS}
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _asked(self, number, _):
        self.number = number
        for each in self.SIGNALS:
            signal.signal(each, signal.SIG_DFL)
