"""Libraries that a command needs. This module itself needs none."""

from __future__ import annotations

import sys
from typing import Any

MISSING_SOFTWARE = 78


def missing(*libraries: Any) -> Any:
    """What to do about the first of them that is not there, in a sentence that names this Python; or None."""
    for library in libraries:
        try:
            __import__(library)
        except ImportError:
            return (
                f"{library} is not installed for {sys.executable}: apt install python3-{library} (for Debian's /usr/bin/python3), or "
                f"{sys.executable} -m pip install {library}"
            )
    return None


def need(*libraries: Any) -> None:
    """Ends the program where one of them is missing."""
    lacking = missing(*libraries)
    if lacking:
        print(f"error: {lacking}", file=sys.stderr)
        sys.exit(MISSING_SOFTWARE)
