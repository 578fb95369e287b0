"""The importer's problems: what went wrong, fit to be shown, with the exit code that says which kind (sysexits)."""

from gainstage_import.problem import CANNOT_CREATE, DATA, NO_INPUT, UNAVAILABLE, USAGE, Problem

__all__ = ["CANNOT_CREATE", "DATA", "NO_INPUT", "UNAVAILABLE", "USAGE", "Problem"]
