"""Libraries that a command needs. This module itself needs none."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

MISSING_SOFTWARE = 78
DEBIAN = "/usr/bin/python3"  # the Python that Debian's packages are for


def missing(*libraries: str) -> str | None:
    """What to do about the first of them that is not there, in a sentence that names this Python; or None."""
    for library in libraries:
        try:
            importlib.import_module(library)
        except ImportError:
            return f"{library} is not installed for {sys.executable}: {remedy(library, libraries)}"
    return None


def remedy(library: str, libraries: tuple[str, ...]) -> str:
    """Debian's package helps Debian's Python alone, and may be there when another Python runs."""
    by_pip = f"{sys.executable} -m pip install {library}"
    if runs_debian() or not os.path.exists(DEBIAN):
        return f"apt install python3-{library}" if runs_debian() else by_pip
    if has(DEBIAN, libraries):
        return f"{DEBIAN} has it; begin the command with that, or {by_pip}"
    return f"apt install python3-{library} and begin the command with {DEBIAN}, or {by_pip}"


def runs_debian() -> bool:
    """Whether this is Debian's Python itself, and not one in a virtual environment."""
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
