"""Libraries that a command needs. This module itself needs none."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys

MISSING_SOFTWARE = 78
DEBIAN = "/usr/bin/python3"  # the Python that Debian's packages are for, and those of most systems


def missing(*libraries: str) -> str | None:
    """What to do about the first of them that is not there, in a sentence that names this Python; or None."""
    for library in libraries:
        try:
            importlib.import_module(library)
        except ImportError:
            return f"{library} is not installed for {sys.executable}: {remedy(library, libraries)}"
    return None


def remedy(library: str, libraries: tuple[str, ...]) -> str:
    """The system's package helps the system's Python alone, and may be there when another Python runs: it is asked for `libraries`. None
    of them: no other program is started."""
    by_pip = f"{sys.executable} -m pip install {library}"
    by_package = f"apt install python3-{library}" if shutil.which("apt") else None
    if runs_debian():
        return by_package or f"install this system's package of {library} for Python, or {by_pip}"
    if libraries and os.path.exists(DEBIAN) and has(DEBIAN, libraries):
        return f"{DEBIAN} has it; begin the command with that, or {by_pip}"
    if os.path.exists(DEBIAN) and by_package:
        return f"{by_package} and begin the command with {DEBIAN}, or {by_pip}"
    return by_pip


def runs_debian() -> bool:
    """Whether this is the system's Python itself, and not one in a virtual environment."""
    same = os.path.realpath(sys.executable) == os.path.realpath(DEBIAN)
    return same and sys.prefix == sys.base_prefix


def has(python: str, libraries: tuple[str, ...]) -> bool:
    """Whether another Python finds all of them."""
    look = "import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, sys.argv[1:])))"
    try:
        done = subprocess.run([python, "-c", look, *libraries], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def need(*libraries: str) -> None:
    """Ends the program where one of them is missing."""
    lacking = missing(*libraries)
    if lacking:
        print(f"error: {lacking}", file=sys.stderr)
        sys.exit(MISSING_SOFTWARE)
