"""Command lines that end as ours do: wrong usage is exit code 64, and what strangers have typed steers no
terminal."""

import argparse
import sys
from typing import NoReturn

from .plain_text import message
from .problem import USAGE


class Parser(argparse.ArgumentParser):
    def error(self, text: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message(text)}\n")
