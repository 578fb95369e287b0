"""The papers' experiments: runs what has not been run yet, and writes tools/gainstage_experiments/RESULTS.md
from all results that are there.

    python3 -m gainstage_experiments                  everything, which takes a day on two cores
    python3 -m gainstage_experiments toy step         these
    python3 -m gainstage_experiments --minutes-scale 0.1   all, each learning for a tenth of the time

A run that is there, with the same plan and at least as long, is not repeated. Ctrl-C ends it, and the same
command goes on where it was."""

import argparse
import os
import sys

from gainstage_files import standard_streams
from gainstage_files.parser import Parser
from gainstage_train import command_line
from gainstage_train.__main__ import above_zero, count

PROGRAM = "python3 -m gainstage_experiments"
HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.abspath(os.path.join(HERE, "..", ".."))
NAMES = ("toy", "families", "density", "ablation", "step", "tones")


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = Parser(prog=PROGRAM, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; or a run's, such as toy-esr (all)"
    )
    parser.add_argument(
        "--minutes-scale", type=above_zero, default=1.0, metavar="X", help="share of every run's time (1)"
    )
    parser.add_argument(
        "--results",
        default=os.path.join(HERE, "results"),
        metavar="FOLDER",
        help="one JSON file per finished run",
    )
    parser.add_argument(
        "--page",
        metavar="FILE.md",
        help="to write (tools/gainstage_experiments/RESULTS.md; beside the results where they are elsewhere)",
    )
    parser.add_argument(
        "--work",
        default=os.path.join(SOURCE, ".cache", "experiments"),
        metavar="FOLDER",
        help="data sets and weights, which are made again where they are missing",
    )
    parser.add_argument(
        "--models", default=os.path.join(SOURCE, "models"), metavar="FOLDER", help="the shipped models"
    )
    parser.add_argument(
        "--recordings", metavar="FOLDER", help="the CC0 recordings, where Debian does not have them"
    )
    parser.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, cuda")
    parser.add_argument("--threads", type=count, default=0, help="of the processor (0: all)")
    parser.add_argument("--list", action="store_true", help="say what would be run, and end")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name.split("-")[0] not in NAMES:
            parser.error(f"{name}: expected {', '.join(NAMES)}, or a run's name (--list shows them)")
    return options


def main(arguments: list[str]) -> int:
    return command_line.go("gainstage_experiments.course", "Course", parse_arguments(arguments))


def program() -> None:
    standard_streams.run(main, sys.argv[1:])


if __name__ == "__main__":
    program()
