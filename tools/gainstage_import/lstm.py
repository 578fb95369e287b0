"""Networks of long short-term memory: see recurrent.py."""

from . import recurrent
from .recurrent import CONFIG, CONTROLS, OWN_NAMES, SAMPLE_RATE  # noqa: F401

ARCHITECTURE = "lstm"


def load(path):
    return recurrent.load(path, ARCHITECTURE)


def convert(take, controls, config, sample_rate):
    return recurrent.convert(take, controls, config, sample_rate, recurrent.GATES[ARCHITECTURE])
