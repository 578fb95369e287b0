"""What becomes of single tones: the gain and the colour that the device and every shipped model that imitates
it give to 220 Hz, from very quiet to loud, and what they leave of silence. Clips say how far a model is off
in all; tones, what that sounds like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gainstage_train import saved_model
from gainstage_train.compressors import optical
from . import shipped, step
from .bench import Bench
from .store import Results
from .tables import number, table, tenths
from .trial import Trial

NAME, TITLE = "tones", "Tones"
RATE, HERTZ = 48000, 220
SECONDS, MEASURED = 1.5, 0.5  # of a tone; of its end, which holds whole periods
LEVELS_DB = (-60.0, -40.0, -20.0, -6.0)  # peak, full scale 0
KNOBS = (12.0, 30.0, 50.0)  # of peak_reduction; 12 is not trained
HARMONICS = range(2, 8)
LEAST_DB = -140.0  # what silence is said to be
SILENT_KNOBS = (0.0, 50.0)
STEP_DOWN = ((-6.0, 1.0), (-40.0, 3.0))  # level, seconds, of 1 kHz: after which it lets go, at KNOBS[-1]


def tone(level_db: float) -> np.ndarray:
    """float32 [samples]"""
    return (10 ** (level_db / 20) * np.sin(2 * np.pi * HERTZ * np.arange(int(SECONDS * RATE)) / RATE)).astype(
        np.float32
    )


def heard(dry: np.ndarray, wet: np.ndarray) -> dict[str, float]:
    """-> gain of the tone, dB; what its harmonics have in all, percent of it; the loudest of them"""
    before, after = (lines(x) for x in (dry, wet))
    colour = after[list(HARMONICS)]
    return {
        "gain_db": 20 * np.log10(max(after[1], 1e-9) / before[1]),
        "harmonics_percent": 100 * np.sqrt(np.square(colour).sum()) / max(after[1], 1e-9),
        "loudest": HARMONICS[int(np.argmax(colour))],
    }


def lines(x: np.ndarray) -> np.ndarray:
    """-> heights of the tone's multiples, from 0 on"""
    end = np.asarray(x, np.float64)[-int(MEASURED * RATE) :]
    return np.abs(np.fft.rfft(end))[:: int(MEASURED * HERTZ)] / len(end)


def level_of_silence(wet: np.ndarray) -> float:
    wet = np.asarray(wet, np.float64)
    return 20 * np.log10(max(np.sqrt(np.square(wet[-int(MEASURED * RATE) :]).mean()), 10 ** (LEAST_DB / 20)))


def release(play: Callable[..., Any]) -> list[int]:
    """-> ms after the step down: until half and nine tenths of the gain, in dB, are back of what its end
    has"""
    dry = np.concatenate(
        [
            10 ** (level / 20) * np.sin(2 * np.pi * step.HERTZ * np.arange(int(seconds * RATE)) / RATE)
            for level, seconds in STEP_DOWN
        ]
    ).astype(np.float32)
    gain = step.gain_db(dry, play(dry, KNOBS[-1]))
    at = int(STEP_DOWN[0][1] * step.HERTZ)
    worked, free = gain[at - step.SETTLED], gain[-step.SETTLED]
    return [step.until(gain[at:], worked, share * (free - worked)) for share in (0.5, 0.9)]


def answers(play: Callable[..., Any]) -> dict[str, list[Any]]:
    """play(sound, knob) -> sound"""
    found = [
        {"knob": knob, "tones": [rounded(heard(tone(level), play(tone(level), knob))) for level in LEVELS_DB]}
        for knob in KNOBS
    ]
    silence = np.zeros(int(SECONDS * RATE), np.float32)
    return {
        "peak_reduction": found,
        "silence_db": [round(float(level_of_silence(play(silence, knob))), 1) for knob in SILENT_KNOBS],
        "release_ms": release(play),
    }


def rounded(one: dict[str, float]) -> dict[str, float]:
    return {name: value if name == "loudest" else round(float(value), 3) for name, value in one.items()}


def trials(bench: Bench) -> list[Trial]:
    plan = {
        "hertz": HERTZ,
        "levels_db": LEVELS_DB,
        "knobs": KNOBS,
        "seconds": [SECONDS, MEASURED],
        "silent_knobs": SILENT_KNOBS,
        "step_down": STEP_DOWN,
    }
    return [
        Trial(f"{NAME}-device", plan, of_device),
        *(
            Trial(f"{NAME}-{name}", {**plan, **shipped.plan(path)}, work)
            for name, path in shipped.files(bench.models).items()
        ),
    ]


def of_device(bench: Bench, trial: Trial) -> dict[str, list[Any]]:
    return answers(lambda sound, knob: optical.la2a(sound, RATE, knob))


def work(bench: Bench, trial: Trial) -> dict[str, Any]:
    path = shipped.files(bench.models)[trial.key[len(NAME) + 1 :]]
    model = saved_model.from_file(path).to(bench.device)
    found = answers(lambda sound, knob: shipped.played(model, sound, {"peak_reduction": knob}))
    return {**shipped.facts(path), **Bench.described(model), **found}


# -------------------------------------------------------------------------------- page


def section(results: Results) -> str:
    if len(results) < 2:
        return "Not run yet."
    parts = []
    for place, knob in enumerate(KNOBS):
        heads = [
            f"peak reduction {number(knob)}{' (not trained)' if knob % 10 else ''}",
            *(f"{level:.0f} dBFS" for level in LEVELS_DB),
        ]
        rows = [
            [
                shipped.row_name(key, results[key]["result"]),
                *map(cell, results[key]["result"]["peak_reduction"][place]["tones"]),
            ]
            for key in sorted(results, key=lambda key: key != "device")
        ]
        parts.append(table(heads, rows))
    return "\n\n".join([*parts, rest(results)])


def rest(results: Results) -> str:
    heads = [
        "",
        *(f"left of silence at {knob:.0f}, dBFS" for knob in SILENT_KNOBS),
        f"half back after {STEP_DOWN[0][1]:.0f} s at {STEP_DOWN[0][0]:.0f} dBFS, ms",
        "nine tenths",
    ]
    rows = []
    for key in sorted(results, key=lambda key: key != "device"):
        one = results[key]["result"]
        rows.append(
            [
                shipped.row_name(key, one),
                *(f"{level:.1f}" if level > LEAST_DB else "nothing" for level in one["silence_db"]),
                *one["release_ms"],
            ]
        )
    return table(heads, rows)


def cell(one: dict[str, float]) -> str:
    return f"{tenths(one['gain_db'])} dB, {number(one['harmonics_percent'], 2)} % ({one['loudest']})"
