"""What the tests of the importer share: its packages on the path, and the libraries that are here. Without numpy a test program ends,
and says why."""

import os
import sys

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
IMPORT = os.path.join(SOURCE, "tools", "import")
sys.dont_write_bytecode = True
sys.path.insert(0, IMPORT)

try:
    import numpy as np
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
