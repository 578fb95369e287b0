"""Writes the card beside a model file: what it imitates, from which data, how far it is from them where it
was not trained, and where it fails. Made anew it keeps what somebody wrote under "How it sounds".

    python3 -m gainstage_train.card models/my-compressor.safetensors --data my-compressor/"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gainstage_files import standard_streams
from gainstage_files.parser import Parser, called
from gainstage_files.plain_text import message
from . import command_line
from .figures import decibels, error, figure

if TYPE_CHECKING:
    from .data.pairs import Dataset
    from .models import Model

PROGRAM = "python3 -m gainstage_train.card"
SOUND = "## How it sounds"
SILENT = "Nobody has described it yet."
LARGEST_CARD = 4 << 20  # bytes
MOST_SETTINGS = 40  # in a table: of more, the worst


def path_of(file: str) -> str:
    return file[: -len(".safetensors")] + ".md" if file.endswith(".safetensors") else file + ".md"


def metadata_of(file: str) -> dict[str, str]:
    """-> `__metadata__` of a model file"""
    from gainstage_files import foreign_file, safetensors

    return safetensors.parse(foreign_file.read(file), file)[0]


def write(file: str, model: Model, dataset: Dataset, shown: Callable[..., Any] = lambda pair: None) -> str:
    """-> the card's path. model: as the file has it."""
    from gainstage_files import new_file
    from .evaluation import measure
    from gainstage_files.problem import cannot_write

    splits = [split for split in ("test", "unseen") if dataset.of(split)] or ["validation"]
    rows = measure(model, dataset, splits, shown=shown)
    path = path_of(file)
    text = card(file, model, dataset, rows, sound_notes(path))
    with cannot_write(path):
        new_file.write(path, text.encode())
    return path


def sound_notes(path: str) -> str:
    """What the card that is there says about the sound."""
    if not os.path.exists(path):
        return SILENT
    from gainstage_files import foreign_file

    text = foreign_file.read(path, LARGEST_CARD).decode("utf-8", "replace")
    found = re.search(rf"^{SOUND}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return found.group(1).strip() if found and found.group(1).strip() else SILENT


def card(file: str, model: Model, dataset: Dataset, rows: Any, notes: Any) -> str:
    metadata = metadata_of(file)
    story = json.loads(metadata.get("training", "{}"))
    name = os.path.basename(file)[: -len(".safetensors")]
    parts = [
        f"# {name}",
        introduction(dataset, story),
        facts(file, model, metadata, story),
        "## On recordings that it was not trained on",
        held_out(rows),
        "## Where it fails",
        failures(rows),
        SOUND,
        notes,
    ]
    return "\n\n".join(parts) + "\n"


def introduction(dataset: Dataset, story: dict[str, Any]) -> str:
    source = dataset.source.rstrip(".")
    return (
        f"It imitates {story['title']}. {source[:1].upper()}{source[1:]}."
        if story.get("title")
        else f"Learned from {source}."
    )


def facts(file: str, model: Model, metadata: dict[str, str], story: dict[str, Any]) -> str:
    rate, memory = model.sample_rate, int(metadata["memory_samples"])
    lines = {
        "model": model.describe(),
        "knobs": "; ".join(knob(control) for control in model.controls) or "none",
        "size": f"{model.parameter_count():,} parameters, {os.path.getsize(file):,} bytes",
        "work": f"{model.operations():,.0f} operations a sample",
        "rate, latency": f"{rate:g} Hz, {latency(model)}",
        "remembers": f"{memory / rate:.2g} s (to -80 dB)",
        "data": story.get("data", "not recorded"),
        "training": history(story),
        "validation": validation(story),
        "made by": f"`{command(story)}`",
        "licence": metadata.get("license", "not said"),
    }
    return "\n".join(["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in lines.items())])


def knob(control: dict[str, Any]) -> str:
    unit = control["unit"] and " " + control["unit"]
    return (
        f"`{control['name']}` {control['min']:g}..{control['max']:g}{unit} (starts at {control['default']:g})"
    )


def latency(model: Model) -> str:
    return f"late by {model.latency_samples} samples" if model.latency_samples else "no latency"


def validation(story: dict[str, Any]) -> str:
    if "loss" not in story:
        return "not recorded"
    also = "" if story["loss"] == "esr" else f"{story['loss']} {figure(story['validation_loss'])}, "
    return f"{also}esr {error(story['validation_esr'])}"


def history(story: dict[str, Any]) -> str:
    if "epochs" not in story:
        return "not recorded"
    before = (
        f" after {story['minutes_before']:g} min before (`--from`)" if story.get("minutes_before") else ""
    )
    return (
        f"{story['epochs']:g} epochs to the best of {story['validations']} validations, {story['minutes']:g} min on "
        f"{story['machine']}{before}; loss {story['loss']}, seed {story['seed']}, {story['date']}"
    )


def held_out(rows: Any) -> str:
    from .evaluation import mean
    from .report import SPLIT_WORDS, knobs_in_words, splits_of

    def line(name: str, group: Any) -> str:
        minutes = sum(row.model.samples for row in group) / rows[0].sample_rate / 60
        esr, gain, curve = (mean(group, part, "esr") for part in ("model", "gain", "curve"))
        mae, spectra, energies = (mean(group, "model", metric) for metric in ("mae", "mr_stft", "mste"))
        return (
            f"| {name} | {figure(minutes)} | {error(esr)} | {figure(gain)} | {figure(curve)} | {figure(mae)} | {figure(spectra)} | "
            f"{figure(energies)} |"
        )

    lines = [
        "| | min | ESR | best plain gain | best static curve | MAE | MR-STFT | MSTE |",
        "| --- " * 8 + "|",
    ]
    for split, group in splits_of(rows).items():
        lines.append(line(f"**{SPLIT_WORDS[split]}**", group))
        shown = sorted(group, key=lambda row: -row.model.esr)[:MOST_SETTINGS]
        lines += [line(knobs_in_words(row.knobs), [row]) for row in group if row in shown and len(group) > 1]
    return "\n".join(lines) + (
        "\n\nESR is behind a DC blocker; of several settings the mean is given. The gain and the curve are fitted "
        "to the very recordings that they are judged on, one for each setting."
    )


def failures(rows: Any) -> str:
    from .report import knobs_in_words, verdict

    worst = max(rows, key=lambda row: row.model.esr)
    height, clip, second = max(row.worst for row in rows)
    text = (
        f"Farthest from the device at {knobs_in_words(worst.knobs)}: ESR {figure(worst.model.esr)}, where the best plain gain has "
        f"{figure(worst.gain.esr)}. The loudest error, {2 * decibels(height):.1f} dBFS, is {second:.2f} s into {clip}."
    )
    return f"{text} {verdict(rows)}"


def command(story: dict[str, Any]) -> str:
    settings = "".join(
        f" --set {key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in story.get("settings", {}).items()
    )
    minutes = f" --minutes {story['limit_minutes']:g}" if story.get("limit_minutes") else ""
    epochs = f" --epochs {story['limit_epochs']}" if story.get("limit_epochs") else ""
    given = "".join(
        f" --{name.replace('_', '-')} {f'{value:g}' if isinstance(value, float) else value}"
        for name, value in story.get("given", {}).items()
    )
    return (
        f"python3 -m gainstage_train {story.get('model', 'MODEL')} --data FOLDER -o FILE --loss {story.get('loss', 'esr')} "
        f"--seed {story.get('seed', 1)}{minutes}{epochs}{given}{settings}{' --from FILE' if story.get('minutes_before') else ''}"
    )


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = Parser(
        prog=called(PROGRAM), description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", metavar="FILE.safetensors")
    command_line.add_data_options(parser)
    return parser.parse_args(arguments)


def work(options: Any) -> Any:
    from . import data
    from .saved_model import from_file

    for file in options.files:
        model = from_file(file)
        print(message(write(file, model, data.load(options.data, options.align, model.sample_rate))))
    return 0


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    return command_line.report(lambda: work(options))


def program() -> None:
    standard_streams.run(main, sys.argv[1:])


if __name__ == "__main__":
    program()
