"""What the command lines share: options, missing libraries, messages of problems."""

import importlib
import os
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from gainstage_files.libraries import MISSING_SOFTWARE, missing
from gainstage_files.problem import Problem

NEEDED = ("numpy", "torch", "scipy", "soundfile", "numba")


def add_data_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--data", required=True, metavar="FOLDER", help="recordings before and after the device"
    )
    parser.add_argument(
        "--align",
        action="store_true",
        help="take out a delay that all recordings share, such as an interface's",
    )


def share_cores(threads: int, processes: int) -> None:
    """Call it before any library is loaded: OpenBLAS decides then how many threads it makes, one for each core. Several processes would each
    take all cores (two that train a TCN then need 0.55 s a step instead of 0.23). The user's own choice stays.
    """
    apart = os.environ.get("WORLD_SIZE", "1") != "1"  # by torchrun
    if threads or processes > 1 or apart:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", str(threads or 1))
    if processes > 1 or apart:
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # it warns of each address that it tries


def go(module: str, kind: str, options: Namespace) -> int:
    """Calls kind(options).go() of a module. The module is loaded when its libraries are known to be there."""
    return report(lambda: getattr(importlib.import_module(module, __package__), kind)(options).go())


def report(work: Callable[[], int]) -> int:
    """Prints the Problem that work() raises. -> the exit code"""
    # A parent may have blocked them, and then Ctrl-C would do nothing.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
    lacking = missing(*NEEDED)
    if lacking:
        print(f"error: {lacking}", file=sys.stderr)
        return MISSING_SOFTWARE
    try:
        return work()
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return problem.exit_code
