"""What the Python tests share: where things are, and the word for a library that is not there.

ctest sets PYTHONPATH to tools, tests/tools and tests/data."""

import os
import sys

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
TOOLS = os.path.join(SOURCE, "tools")
GAINSTAGE = os.environ.get("GAINSTAGE_BINARY", os.path.join(SOURCE, "build", "gainstage"))

sys.dont_write_bytecode = True


def need(*libraries):
    """Ends the test, with the word for it, where one of Debian's packages python3-... is not installed."""
    for library in libraries:
        try:
            __import__(library)
        except ImportError:
            print(
                f"skipped: training needs {library} (Debian: apt install python3-{library}, or tools/test --train)"
            )
            sys.exit(0)
