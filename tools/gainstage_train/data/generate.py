"""Generates a data set with a reference compressor: python3 -m gainstage_train.data.generate
optical|leveling|toy -o FOLDER

optical   the LA-2A's panel in compress mode, one knob. Held-out audio at the trained settings (test) and at
          those between (unseen), the same clip at every setting, so that settings compare.
leveling  the CL 1B's panel, four knobs, a grid of settings with its hardest corner (fast attack, slow
          release).
toy       the digital compressor of the grey-box paper's section 4: thresholds by ratios, pink noise at
          -40 dB on the training targets.

The same arguments give the same samples."""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gainstage_files.libraries import need

need("numpy", "scipy", "soundfile", "numba")

import numpy as np  # noqa: E402

from gainstage_files import standard_streams  # noqa: E402
from gainstage_files.model_file import Control  # noqa: E402
from gainstage_files.parser import Parser  # noqa: E402
from gainstage_files.plain_text import message  # noqa: E402
from gainstage_files.problem import USAGE, Problem  # noqa: E402
from ..compressors import digital, optical  # noqa: E402
from . import noise, recordings, takes, write  # noqa: E402
from .controls import control  # noqa: E402
from .pairs import TEST, TRAIN, UNSEEN, VALIDATION, Pair  # noqa: E402

NOISE_DB, ROOM_FOR_NOISE = -40.0, 0.9


@dataclass(frozen=True)
class Device:
    """play(x, sample_rate, **knobs) -> wet; settings per split: lists of dicts of knobs."""

    title: str
    controls: list[Control]
    play: Callable[..., np.ndarray]
    trained: list[dict[str, float]]
    unseen: list[dict[str, float]]
    noise_db: float | None = None  # pink noise on the training targets


def parse_numbers(text: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError as problem:
        raise Problem(
            f"--settings {text}: expected numbers with commas between, as in 0,50,100", USAGE
        ) from problem
    if not all(0.0 <= number <= 100.0 for number in numbers):
        raise Problem(f"--settings {text}: peak reduction lies in 0..100", USAGE)
    return sorted(set(numbers))


def optical_device(settings: list[float] | None) -> Device:
    """settings: trained values of peak_reduction. Unseen: 5, 15, ... 95, less those trained."""
    trained = settings if settings is not None else [float(value) for value in range(0, 101, 10)]
    unseen = [float(value) for value in range(5, 100, 10) if value not in trained]
    return Device(
        "an optical compressor in the manner of the LA-2A, compress mode",
        [control("peak_reduction", "", 0.0, 100.0, 50.0)],
        optical.la2a,
        [{"peak_reduction": value} for value in trained],
        [{"peak_reduction": value} for value in unseen],
    )


LEVELING_CONTROLS = [
    control("threshold_dbu", "dBu", -40.0, 20.0, -20.0),
    control("ratio", "", 2.0, 10.0, 4.0),
    control("attack_ms", "ms", 0.5, 300.0, 30.0),
    control("release_s", "s", 0.05, 3.0, 0.5),
]
# Per density, the trained places along each knob; attack and release evenly in their logarithm.
LEVELING_GRIDS = {
    "corners": ([-30.0, -10.0], [2.0, 10.0], [0.5, 300.0], [0.05, 3.0]),
    "coarse": ([-40.0, -20.0, 0.0], [2.0, 10.0], [0.5, 12.0, 300.0], [0.05, 3.0]),
    "fine": ([-40.0, -20.0, 0.0], [2.0, 4.0, 10.0], [0.5, 12.0, 300.0], [0.05, 0.4, 3.0]),
}
LEVELING_UNSEEN = ([-25.0], [3.0, 6.0], [3.0, 60.0], [0.15, 1.0])


def leveling_device(density: str) -> Device:
    def grid(axes: tuple[list[float], ...]) -> list[dict[str, float]]:
        names = [each["name"] for each in LEVELING_CONTROLS]
        return [dict(zip(names, values)) for values in itertools.product(*axes)]

    return Device(
        "an optical compressor in the manner of the CL 1B",
        LEVELING_CONTROLS,
        optical.cl1b,
        grid(LEVELING_GRIDS[density]),
        grid(LEVELING_UNSEEN),
    )


def toy_device() -> Device:
    grid = [
        {"threshold": threshold, "ratio": ratio}
        for threshold in (-15.0, -20.0, -25.0, -30.0)
        for ratio in (2.0, 4.0, 6.0, 8.0)
    ]

    def play(x: np.ndarray, sample_rate: float, threshold: float, ratio: float) -> np.ndarray:
        return digital.compress(x, sample_rate, threshold, ratio, attack_ms=20.0, release_ms=50.0)

    return Device(
        "the digital compressor of the grey-box paper's toy problem (20 ms, 50 ms)",
        [control("threshold", "dB", -30.0, -15.0, -20.0), control("ratio", "", 2.0, 8.0, 4.0)],
        play,
        grid,
        [],
        NOISE_DB,
    )


def label(knobs: dict[str, float]) -> str:
    return "-".join(f"{value:g}" for value in knobs.values())


def taken(
    device: Device, random: np.random.Generator, library: recordings.Library, split: str, seconds: float
) -> np.ndarray:
    """A take; where noise is added to what comes of it, it leaves room for that below full scale."""
    return takes.take(random, library, split, seconds) * np.float32(
        1.0 if device.noise_db is None else ROOM_FOR_NOISE
    )


def played(
    device: Device,
    dry: np.ndarray,
    dry_name: str,
    split: str,
    knobs: dict[str, float],
    sample_rate: float,
    random: np.random.Generator,
) -> Pair:
    wet = device.play(dry, sample_rate, **knobs)
    if split == TRAIN and device.noise_db is not None:
        wet = wet + noise.pink(random, len(wet), device.noise_db)
    return Pair(f"{dry_name}@{label(knobs)}", dry, wet, dict(knobs), split)


def training_pairs(
    device: Device, library: recordings.Library, seconds: float, seed: int, pieces: int = 2
) -> Iterator[Pair]:
    """Per setting `pieces` takes of its own; drawn from the same recordings, so neither knob nor material
    tells the other."""
    for number, knobs in enumerate(device.trained):
        for part in range(pieces):
            random = np.random.default_rng([seed, 1, number, part])
            dry = taken(device, random, library, TRAIN, seconds / len(device.trained) / pieces)
            yield played(device, dry, f"train-{number:03d}-{part}", TRAIN, knobs, library.sample_rate, random)


def held_out_pairs(
    device: Device,
    library: recordings.Library,
    split: str,
    settings: list[dict[str, float]],
    seconds: float,
    seed: int,
) -> Iterator[Pair]:
    """The same clip at every setting."""
    if not settings:
        return
    recordings_of = VALIDATION if split == VALIDATION else TEST
    random = np.random.default_rng([seed, 2 if split == VALIDATION else 3])
    dry = taken(device, random, library, recordings_of, max(seconds / len(settings), 4.0))
    for knobs in settings:
        yield played(device, dry, recordings_of, split, knobs, library.sample_rate, random)


def all_pairs(device: Device, library: recordings.Library, minutes: float, seed: int) -> Iterator[Pair]:
    """minutes: of training audio; validation and test are a tenth each, as in the paper, unseen likewise."""
    seconds = 60.0 * minutes
    yield from training_pairs(device, library, seconds, seed)
    yield from held_out_pairs(device, library, VALIDATION, device.trained, 0.1 * seconds, seed)
    yield from held_out_pairs(device, library, TEST, device.trained, 0.125 * seconds, seed)
    unseen_seconds = 0.125 * seconds * len(device.unseen) / len(device.trained)  # the test's clip
    yield from held_out_pairs(device, library, UNSEEN, device.unseen, unseen_seconds, seed)


def device_of(arguments: argparse.Namespace) -> Device:
    if arguments.device == "optical":
        return optical_device(parse_numbers(arguments.settings) if arguments.settings else None)
    if arguments.settings:
        raise Problem(f"--settings: goes with optical; {arguments.device} has a grid (--density)", USAGE)
    return leveling_device(arguments.density) if arguments.device == "leveling" else toy_device()


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="python3 -m gainstage_train.data.generate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("device", choices=["optical", "leveling", "toy"])
    parser.add_argument(
        "-o", "--output", required=True, metavar="FOLDER", help="folder to make; must not hold a data set"
    )
    parser.add_argument("--minutes", type=float, help="training audio in all (20; toy 10)")
    parser.add_argument("--rate", type=float, default=48000.0, help="sample rate, Hz (48000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--settings", help="optical: trained values of peak_reduction, as in 0,50,100 (0,10,...,100)"
    )
    parser.add_argument(
        "--density",
        choices=list(LEVELING_GRIDS),
        default="coarse",
        help="leveling: trained settings per knob",
    )
    parser.add_argument(
        "--recordings", default=recordings.FOLDER, metavar="FOLDER", help="the CC0 recordings"
    )
    return parser.parse_args(arguments)


def generate(arguments: argparse.Namespace) -> str:
    absent = recordings.missing(arguments.recordings)
    if absent:
        raise absent
    device = device_of(arguments)
    minutes = (
        arguments.minutes if arguments.minutes is not None else 10.0 if arguments.device == "toy" else 20.0
    )
    if not 0.1 <= minutes <= 1000.0:
        raise Problem(f"--minutes {minutes:g}: expected 0.1 to 1000", USAGE)
    if not 8000.0 <= arguments.rate <= 192000.0 or arguments.rate != int(arguments.rate):
        raise Problem(f"--rate {arguments.rate:g}: expected a whole number of Hz from 8000 to 192000", USAGE)
    library = recordings.Library(arguments.rate, arguments.recordings)
    source = f"{device.title}; {recordings.SOURCE} and test signals, seed {arguments.seed}"
    return write.folder(
        arguments.output,
        all_pairs(device, library, minutes, arguments.seed),
        device.controls,
        arguments.rate,
        source,
    )


def main() -> int:
    try:
        print(message(generate(parse(sys.argv[1:]))))
    except Problem as problem:
        print(f"{os.path.basename(sys.argv[0])}: {problem}", file=sys.stderr)
        return problem.exit_code
    return 0


def program() -> None:
    standard_streams.run(main)


if __name__ == "__main__":
    program()
