"""Command lines that end as ours do: wrong usage is exit code 64, and what strangers have typed steers no
terminal."""

import argparse
import os
import sys
from typing import NoReturn

from .plain_text import message
from .problem import USAGE


def called(otherwise: str) -> str:
    """The name of the command in its help: the one that pip gave it (gainstage-...), or this one."""
    name = os.path.basename(sys.argv[0])
    return name if name.startswith("gainstage-") else otherwise


def file_name(text: str) -> str:
    """For add_argument(type=...): any name but an empty one, which a script's unset variable leaves."""
    if not text:
        raise argparse.ArgumentTypeError("an empty name; expected a file's")
    return text


class Parser(argparse.ArgumentParser):
    def error(self, text: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message(text)}\n")
