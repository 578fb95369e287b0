"""Data, models, losses, training and evaluation: from recordings of a device to a model file that Gainstage
plays.

python3 -m gainstage_train --help, in tools/ or with tools/ on PYTHONPATH."""
