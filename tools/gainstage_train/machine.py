"""Where a run happens: the device, the threads, and words for both."""

import ctypes
import platform

import torch

from gainstage_files.problem import UNAVAILABLE, Problem


def chosen_device(name):
    """auto: a GPU if there is one"""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as problem:
        raise Problem(f"--device {name}: is not here ({str(problem).splitlines()[0]})", UNAVAILABLE) from problem
    return name


def use_threads(threads, processes=1):
    """Of each process. 0: one where there are several, else as the libraries find right, OMP_NUM_THREADS if it is
    set. The compiled recurrences use one thread anyway, and numba's own setting would undo PyTorch's: both sit on one OpenMP."""
    if threads or processes > 1:
        torch.set_num_threads(threads or 1)


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
KEPT_BYTES = 1 << 30


def keep_memory():
    """Every step of learning gives back what the next one asks for again. Left to itself, glibc returns large pieces to the system,
    which hands them out page by page, emptied: measured, 5 to 17 % of a step of S4D or TCN. Where there is no glibc, nothing happens."""
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    for option in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
        set_option(option, KEPT_BYTES)


PARTS = "/proc/self/maps"  # what this process is made of, where the system is Linux


def slow_products():
    """Whether matrices are multiplied by the reference BLAS, as Debian's PyTorch does where no other is installed. A step of learning
    then takes 1.4 (grey box) to 6.7 times as long (TCN): runtime/DECISIONS.md."""
    try:
        with open(PARTS, encoding="utf-8", errors="replace") as parts:
            return any("/blas/libblas.so" in line for line in parts)
    except OSError:
        return False


def in_words(device, processes=1):
    """Without the machine's name."""
    if str(device).startswith("cuda"):
        return torch.cuda.get_device_name(device)
    cores = processes * torch.get_num_threads()
    return f"{cores} core{'s' if cores > 1 else ''} ({platform.machine()})"
