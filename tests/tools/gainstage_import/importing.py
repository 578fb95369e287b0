"""The libraries that the importer's tests find. Without numpy a test program ends, and says why."""

import sys

try:
    import numpy as np  # noqa: F401  the tests take it from here
except ImportError:
    print("skipped: the importer needs numpy (Debian: apt install python3-numpy)")
    sys.exit(0)
try:
    import h5py
except ImportError:
    h5py = None
try:
    import torch
except ImportError:
    torch = None
