"""Converts a published checkpoint into a Gainstage model file.

    tools/import_model grey_box model.ckpt -o my-compressor.safetensors --config facts.json

facts.json may give what the checkpoint doesn't say, or say it otherwise: sample_rate, controls,
memory_samples, license, author, source, training, and the family's own keys (grey_box: mlp_activation "tanh"
or "relu"; s4d: activation, product, tanh_before_product, final_tanh, front_decibels, to_amplitude, disc "zoh"
or "bilinear", model_version; see its CONFIG). Exit codes: 0 done, 64 usage, 65 the checkpoint or facts.json
can't be used, 66 file not found, 69 h5py is missing, 73 the result can't be written, 78 numpy is missing. No
code in a checkpoint is ever run: it is read by readers of our own, PyTorch is not needed."""

from __future__ import annotations

import argparse
import math
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gainstage_files.libraries import need

need("numpy")

from gainstage_files import model_file, new_file, standard_streams  # noqa: E402
from gainstage_files.parser import Parser  # noqa: E402
from gainstage_files.plain_text import LONGEST_LINE, shown  # noqa: E402
from gainstage_files.problem import Problem, cannot_write  # noqa: E402
from . import checkpoint, ed_lstm, grey_box, gru, lstm, s4d, s6, settings, tcn  # noqa: E402
from .take import Take  # noqa: E402

if TYPE_CHECKING:
    from gainstage_files.model_file import Control

FAMILIES = {family.ARCHITECTURE: family for family in (ed_lstm, grey_box, gru, lstm, s4d, s6, tcn)}
MOST_NOTES = 20  # of tensors that are left out


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = Parser(
        prog="import_model", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("checkpoint", help="PyTorch: a state dict or a Lightning .ckpt; or the family's JSON")
    parser.add_argument("-o", "--output", required=True, metavar="OUT.safetensors")
    parser.add_argument("--config", metavar="FACTS.json")
    return parser.parse_args(arguments)


def note(text: str) -> None:
    print(f"note: {shown(text, LONGEST_LINE)}", file=sys.stderr)


def note_left_out(names: list[str]) -> None:
    for name in names[:MOST_NOTES]:
        note(f"tensor {name}: not known to this family, left out")
    if len(names) > MOST_NOTES:
        note(f"{len(names) - MOST_NOTES} more tensors: left out as well")


def converted(
    family: ModuleType, take: Take, controls: list[Control], asked: dict[str, Any], sample_rate: float
) -> tuple[Any, ...]:
    """The family's conversion. Tensors that no network has may break its arithmetic, which is their fault."""
    if len(controls) > settings.MOST_CONTROLS:
        raise Problem(
            f"controls: the tensors take {len(controls)}; at most {settings.MOST_CONTROLS} are supported"
        )
    try:
        return family.convert(take, controls, asked, sample_rate)
    except (ValueError, TypeError, ArithmeticError, LookupError) as problem:
        raise Problem(f"its tensors make no {family.ARCHITECTURE} ({problem})") from problem


def must_stay(output: str, *inputs: Any) -> None:
    with cannot_write(output):
        new_file.must_differ(output, inputs)


def convert(options: argparse.Namespace) -> None:
    family = FAMILIES[options.family]
    must_stay(options.output, options.checkpoint, options.config)
    given = settings.read(options.config, family)
    tensors, found = checkpoint.load_for(family, options.checkpoint)
    for key in (k for k in found if k not in given):
        note(f"{key}: {found[key]}, as the checkpoint says")
    facts = {**found, **given}
    take = Take(tensors)
    usual = family.SAMPLE_RATE(take) if callable(family.SAMPLE_RATE) else family.SAMPLE_RATE
    sample_rate = facts.get("sample_rate", usual)
    known = family.CONTROLS(take) if callable(family.CONTROLS) else family.CONTROLS
    controls = facts.get("controls", known)
    asked = {key: facts.get(key, choices[0]) for key, choices in family.CONFIG.items()}
    tensors, config, forgets_s, inferred, *more = converted(family, take, controls, asked, sample_rate)
    for name, value in inferred.items():
        note(f"{name}: {value}, as its tensors are shaped")
    note_left_out(sorted(take.left))
    for key in (k for k in ("sample_rate", *family.CONFIG) if k not in facts and k not in inferred):
        note(
            f"{key}: {({'sample_rate': sample_rate, **asked, **config})[key]}, as in the published code; say otherwise with --config"
        )
    memory_samples = math.ceil(min(forgets_s, model_file.LONGEST_MEMORY_S) * sample_rate)
    others = {
        "source": f"{os.path.basename(options.checkpoint)} (imported)",
        **{key: given[key] for key in (*settings.TEXTS, "training") if key in given},
    }
    keys = model_file.metadata(
        family.ARCHITECTURE,
        config,
        sample_rate,
        controls,
        **{
            "memory_samples": given.get("memory_samples", memory_samples),
            **(more[0] if more else {}),
            **others,
        },
    )
    loose = new_file.note_on_loose_folder(options.output)
    if loose:
        note(loose)
    model_file.write(options.output, tensors, keys)


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    try:
        convert(options)
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
