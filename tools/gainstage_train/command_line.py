"""What the command lines share: options, libraries that are not installed, problems fit to be shown."""

import importlib
import os
import signal
import sys

from gainstage_files.libraries import MISSING_SOFTWARE, missing
from gainstage_files.problem import Problem

NEEDED = ("numpy", "torch", "scipy", "soundfile", "numba")
INTERRUPTED = 130


def add_data_options(parser):
    parser.add_argument("--data", required=True, metavar="FOLDER", help="recordings before and after the device")
    parser.add_argument("--align", action="store_true", help="take out a delay that all recordings share, such as an interface's")


def share_cores(threads, processes):
    """To be called before any library is loaded: OpenBLAS asks only then how many threads to make, takes a core for each, and several
    processes would each take them all (two that teach a TCN then need 0.55 s for a step, not 0.23). The user's own wish stays."""
    if threads or processes > 1:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", str(threads or 1))


def go(module, kind, options):
    """The work of a class of a module, which is loaded once its libraries are known to be there: kind(options).go()"""
    return report(lambda: getattr(importlib.import_module(module, __package__), kind)(options).go())


def report(work):
    """-> the exit code of work(), or of what went wrong, which is said."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())  # a parent may have blocked them: Ctrl-C would do nothing
    lacking = missing(*NEEDED)
    if lacking:
        print(f"error: {lacking}", file=sys.stderr)
        return MISSING_SOFTWARE
    try:
        return work()
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return problem.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
