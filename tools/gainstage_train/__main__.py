"""Teaches a model to sound like a device, from recordings of what went in and what came out.

    python3 -m gainstage_train grey_box --data my-compressor/ -o models/my-compressor.safetensors --minutes 30

While it learns, every better model is written to the file, and a patch that is playing it under
`gainstage run --rehearse` takes it up with a cross-fade. Ctrl-C ends it, and the same command goes on where
it was. At the end a card beside the file (.md) says what was learned, and how well.

FOLDER holds the recordings and pairs.csv, which says which file is which and where the knobs were;
tools/gainstage_train/README.md shows one."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from gainstage_files import standard_streams
from gainstage_files.parser import Parser, called
from . import command_line

PROGRAM = "python3 -m gainstage_train"
NAMES = ("grey_box", "s4d", "s6", "ed_lstm", "ed_lstm_carried", "tcn", "lstm", "gru")
DEFAULT_MINUTES = 30.0


def above_zero(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {text}")
    return value


def zero_or_more(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number, 0 or more, found {text}")
    return value


def count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"expected a whole number, 0 or more, found {text}")
    return value


def number_of(text: str) -> int:
    if count(text) == 0:
        raise argparse.ArgumentTypeError("expected a whole number above 0, found 0")
    return count(text)


def setting(text: str) -> tuple[str, Any]:
    """key=value -> (key, number, truth value, list or text)"""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"expected name=value, found {text}")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = Parser(
        prog=called(PROGRAM), description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "model",
        choices=NAMES,
        metavar="MODEL",
        help=f"the kind of model: {', '.join(NAMES)}; grey_box is the lightest to play, and a good first one",
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE.safetensors", help="the model file to write"
    )
    command_line.add_data_options(parser)
    parser.add_argument(
        "--sample-rate", type=above_zero, metavar="HZ", help="of the model; otherwise that of the recordings"
    )
    usual = parser.add_argument_group("how long")
    usual.add_argument(
        "--minutes", type=above_zero, help=f"of training, at most; without --epochs {DEFAULT_MINUTES:g}"
    )
    usual.add_argument("--epochs", type=count, help="how often to go through the recordings, at most")
    usual.add_argument(
        "--patience",
        type=count,
        metavar="N",
        help="end after N checks in a row without a better model (40; 0: never)",
    )
    usual.add_argument(
        "--fresh", action="store_true", help="begin anew where an interrupted run could be taken up again"
    )
    model = parser.add_argument_group("the model")
    model.add_argument(
        "--set",
        type=setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="options",
        help="a size or a choice of this kind of model, such as channels=16; a wrong name lists what there is",
    )
    model.add_argument(
        "--seed", type=count, default=1, help="chooses the first weights and the order of learning (1)"
    )
    model.add_argument("--title", help="what it imitates, for the card; otherwise as the data say")
    model.add_argument("--license", help="under which the model may be used, for the file and the card")
    model.add_argument("--author", help="who made it, for the file")
    model.add_argument(
        "--from",
        dest="start",
        metavar="FILE.safetensors",
        help="a model like it that has learned already, to go on from: by new recordings, or for longer",
    )
    learning = parser.add_argument_group("how it learns (each model has its own recipe; these overrule it)")
    learning.add_argument(
        "--loss", help="what to make small: esr, mae, mse, mste, mr_stft ... or a sum such as mae+0.1*mr_stft"
    )
    learning.add_argument("--rate", type=above_zero, help="how large its steps are")
    learning.add_argument(
        "--schedule", choices=("cosine", "plateau", "constant"), help="how the rate falls (cosine)"
    )
    learning.add_argument(
        "--balance",
        choices=("settings", "none"),
        help="settings: each setting of the knobs counts alike (usual); none: loud ones count more",
    )
    learning.add_argument("--batch", type=number_of, help="recordings heard side by side")
    learning.add_argument(
        "--segment", type=above_zero, metavar="SECONDS", help="length of each, with its warming up"
    )
    learning.add_argument(
        "--warm", type=zero_or_more, metavar="SECONDS", help="of it, heard before anything counts"
    )
    learning.add_argument("--step", type=above_zero, metavar="SECONDS", help="heard for one step of learning")
    learning.add_argument("--clip", type=zero_or_more, help="keeps steps below this size (1; 0: does not)")
    learning.add_argument(
        "--average-steps",
        type=count,
        metavar="N",
        help="judges and keeps the mean of the weights of about so many last steps, which jumps less from "
        "check to check (0: the last ones)",
    )
    machine = parser.add_argument_group("the machine")
    machine.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, cuda")
    machine.add_argument(
        "--processes",
        type=number_of,
        default=1,
        metavar="N",
        help="so many share every step of learning, each on a "
        "core of its own (1); torchrun starts them on several machines or GPUs",
    )
    machine.add_argument(
        "--threads",
        type=count,
        default=0,
        help="of each process; more than one hardly helps (0: all cores for one "
        "process, one each for several)",
    )
    machine.add_argument("--quiet", action="store_true", help="say nothing but what is wrong")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    command_line.share_cores(options.threads, options.processes)
    return command_line.go(".run", "Run", options)


def program() -> None:
    standard_streams.run(main, sys.argv[1:])


if __name__ == "__main__":
    program()
