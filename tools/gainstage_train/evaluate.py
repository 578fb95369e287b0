"""How far model files are from recordings, on audio and at knob settings that they were not trained on,
beside the best plain gain and the best curve without memory.

    python3 -m gainstage_train.evaluate models/my-compressor.safetensors --data my-compressor/

With --through build/gainstage every clip is also played by `gainstage render`, through a patch of that model,
and both sets of numbers are shown with their difference."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from gainstage_files import standard_streams
from gainstage_files.parser import Parser, called
from . import command_line

if TYPE_CHECKING:
    from .data.pairs import Dataset

PROGRAM = "python3 -m gainstage_train.evaluate"
SPLITS = ("train", "validation", "test", "unseen")


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = Parser(
        prog=called(PROGRAM), description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", metavar="FILE.safetensors")
    command_line.add_data_options(parser)
    parser.add_argument(
        "--split",
        action="append",
        choices=SPLITS,
        dest="splits",
        help="which of them; may be repeated (test and unseen)",
    )
    parser.add_argument(
        "--through", metavar="GAINSTAGE", help="the program, to play the clips through as well"
    )
    parser.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, cuda")
    parser.add_argument("--threads", type=int, default=0, help="of the processor (0: all)")
    parser.add_argument("--json", action="store_true", help="one JSON object per file")
    return parser.parse_args(arguments)


def evaluate(file: Any, model: Any, dataset: Dataset, splits: Any, program: Any) -> Any:
    """-> [Row]"""
    from .evaluation import measure
    from .runtime import Runtime

    runtime = Runtime(program, file, model.architecture, model.sample_rate) if program else None
    return measure(model, dataset, splits, runtime)


def as_json(file: Any, model: Any, rows: Any) -> Any:
    from .evaluation import mean
    from .report import splits_of

    def of(row: Any) -> Any:
        values = {
            "split": row.split,
            "knobs": row.knobs,
            "seconds": row.model.samples / model.sample_rate,
            "model": row.model.values(),
            "static_gain": {"esr": row.gain.esr, "mae": row.gain.mae},
            "static_curve": {"esr": row.curve.esr, "mae": row.curve.mae},
            "loudest_error": dict(zip(("height", "clip", "second"), row.worst)),
        }
        return (
            {**values, "through": row.through.values(), "largest_difference": row.difference}
            if row.through
            else values
        )

    means = {
        split: {part: mean(group, part, "esr") for part in ("model", "gain", "curve")}
        for split, group in splits_of(rows).items()
    }
    return {
        "file": file,
        "architecture": model.architecture,
        "parameters": model.parameter_count(),
        "operations_per_sample": model.operations(),
        "mean_esr": means,
        "rows": [of(row) for row in rows],
    }


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    return command_line.report(lambda: work(options))


def work(options: Any) -> Any:
    from gainstage_files import plain_text

    from . import data
    from .machine import chosen_device, use_threads
    from gainstage_files.problem import Problem
    from .saved_model import from_file
    from .report import table, verdict

    device = chosen_device(options.device)
    use_threads(options.threads)
    asked, datasets = options.splits or ("test", "unseen"), {}
    for file in options.files:
        model = from_file(file).to(device)
        if model.sample_rate not in datasets:
            datasets[model.sample_rate] = data.load(options.data, options.align, model.sample_rate)
        dataset = datasets[model.sample_rate]
        splits = [split for split in asked if dataset.of(split)]
        if not splits:
            raise Problem(
                f"{options.data}: holds no recordings of the split {' or '.join(asked)}; --split chooses others"
            )
        rows = evaluate(file, model, dataset, splits, options.through)
        if options.json:
            print(json.dumps(as_json(file, model, rows)), flush=True)
        else:
            print(
                f"{plain_text.message(file)}: {model.describe()}\n{plain_text.page(table(rows))}\n{verdict(rows)}\n",
                flush=True,
            )
    return 0


def program() -> None:
    standard_streams.run(main, sys.argv[1:])


if __name__ == "__main__":
    program()
