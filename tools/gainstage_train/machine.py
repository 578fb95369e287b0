"""Where a run happens: the device, the threads, and words for both."""

import ctypes
import platform

import torch

from gainstage_files.problem import UNAVAILABLE, Problem

from .processes import Place


def chosen_device(name: str, place: Place | None = None) -> str:
    """auto: a GPU if there is one. Of processes that were started apart (place), each takes one of its machine's GPUs."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if place and name == "cuda" and torch.cuda.is_available():
        there = torch.cuda.device_count()
        if place.local_rank >= there:
            raise Problem(
                f"rank {place.rank} is process {place.local_rank + 1} of this machine, which has {there} GPU{'s' if there > 1 else ''}: "
                "start at most one process for each (torchrun --nproc_per_node), or give --device cpu",
                UNAVAILABLE,
            )
        name = f"cuda:{place.local_rank}"
        torch.cuda.set_device(name)
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as problem:
        raise Problem(
            f"--device {name}: is not here ({str(problem).splitlines()[0]})", UNAVAILABLE
        ) from problem
    return name


def use_threads(threads: int, processes: int = 1) -> None:
    """threads: of each process. 0: one if there are several processes; else the libraries choose, or OMP_NUM_THREADS. The compiled recurrences
    use one thread anyway, and numba's own setting would undo PyTorch's, because both use one OpenMP."""
    if threads or processes > 1:
        torch.set_num_threads(threads or 1)


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
KEPT_BYTES = 1 << 30


def keep_memory() -> None:
    """Makes glibc keep large pieces of memory from one step of learning to the next. Otherwise it returns them to the system, which hands them
    out again page by page, emptied: 5 to 17 % of a step of S4D or TCN. Without glibc nothing happens."""
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    for option in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
        set_option(option, KEPT_BYTES)


PARTS = "/proc/self/maps"  # lists what this process has loaded, on Linux


def slow_products() -> bool:
    """Whether the reference BLAS multiplies matrices, as in Debian's PyTorch if no other is installed. A step of learning then takes 1.4 (grey
    box) to 6.7 times as long (TCN): runtime/DECISIONS.md."""
    try:
        with open(PARTS, encoding="utf-8", errors="replace") as parts:
            return any("/blas/libblas.so" in line for line in parts)
    except OSError:
        return False


def in_words(device: str, processes: int = 1) -> str:
    """Doesn't name the machine."""
    if str(device).startswith("cuda"):
        return (
            f"{processes} x {torch.cuda.get_device_name(device)}"
            if processes > 1
            else torch.cuda.get_device_name(device)
        )
    cores = processes * torch.get_num_threads()  # of all machines
    return f"{cores} core{'s' if cores > 1 else ''} ({platform.machine()})"
