"""Converts a published checkpoint into a Gainstage model file.

    tools/import_model grey_box model.ckpt -o my-compressor.safetensors --config facts.json

facts.json is one object. Each key may be left out; a note then says what is taken instead:

    {"sample_rate": 44100,
     "controls": [{"name": "peak_reduction", "unit": "", "min": 0, "max": 100, "default": 50,
                   "to_model": {"scale": 0.02, "offset": -1}}],
     "memory_samples": 48000, "license": "MIT", "author": "...", "source": "...", "training": {"data": "..."}}

controls are the knobs, in the order of the network's inputs; each input is the knob's value * scale + offset.
Without to_model the network gets the value as it is. A family has keys of its own, such as mlp_activation
("tanh" or "relu") of grey_box; a key that is not known lists those that are.

Exit codes: 0 done, 64 usage, 65 the checkpoint or facts.json can't be used, 66 file not found, 69 h5py is
missing, 73 the result can't be written, 78 numpy is missing, 128 and its number for a signal. The importer reads checkpoints itself: it never
runs code in them, and needs no PyTorch."""

from __future__ import annotations

import argparse
import sys

from gainstage_files import standard_streams
from gainstage_files.libraries import need
from gainstage_files.parser import Parser, called, file_name
from gainstage_files.plain_text import shown
from gainstage_files.problem import Problem

FAMILIES = ("ed_lstm", "grey_box", "gru", "lstm", "s4d", "s6", "tcn")


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    name = called("import_model")
    parser = Parser(
        prog=name,
        description=__doc__.replace("tools/import_model", name) if name != "import_model" else __doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument(
        "checkpoint", type=file_name, help="PyTorch: a state dict or a Lightning .ckpt; or the family's JSON"
    )
    parser.add_argument("-o", "--output", required=True, type=file_name, metavar="OUT.safetensors")
    parser.add_argument(
        "--config", type=file_name, metavar="FACTS.json", help="what the checkpoint does not say: see above"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    need("numpy")  # after the help, which works without it
    from . import conversion

    try:
        conversion.convert(options)
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return problem.exit_code
    except (MemoryError, RecursionError) as problem:
        print(
            f"error: {shown(options.checkpoint)}: takes more {'memory' if isinstance(problem, MemoryError) else 'depth'} than there is",
            file=sys.stderr,
        )
        return 65
    return 0


def program() -> None:
    standard_streams.run(main, sys.argv[1:])


if __name__ == "__main__":
    program()
