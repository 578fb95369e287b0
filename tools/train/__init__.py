"""Data, models, losses, training and evaluation: from recordings of a device to a model file that Gainstage plays.

Run from tools/, or with tools/ on PYTHONPATH: python3 -m train --help."""

import os
import sys

# The writer of model files is the importer's.
_IMPORT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "import")
if _IMPORT not in sys.path:
    sys.path.insert(0, _IMPORT)
