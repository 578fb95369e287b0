"""The S4 thesis's step response (Yin 2023, section 3.3, figures 3.3, 4.10 and 4.11): levels 0, 1.0, 0.8, 1.0,
0, of the device and of every shipped model that imitates it. The thesis steps a direct voltage, which this
device's coupling capacitors take away, so here the levels are those of a tone of 1 kHz; 0 is -80 dB, the
lowest level of the thesis's figure, so that a gain can be measured there."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np

from gainstage_files import new_file
from gainstage_train import saved_model
from gainstage_train.compressors import optical
from . import shipped
from .bench import Bench
from .store import Results
from .tables import number, table, tenths
from .trial import Trial

NAME, TITLE = "step", "The step response"
RATE, HERTZ = 48000, 1000
STAGES = ((1e-4, 0.5), (1.0, 2.0), (0.8, 1.5), (1.0, 1.5), (1e-4, 3.0))  # level, seconds
KNOBS = (50.0, 75.0, 100.0)  # of peak_reduction; 75 is not trained
HOP = RATE // HERTZ  # one period: 1 ms
PERIODS = 4  # under the window that a gain is measured through
SETTLED = 20  # periods before a stage's end, where its gain is read
KEPT = 20  # of so many measured gains one is kept for the picture
PICTURE = "step.svg"
PARTS = ("gain_error_db", "release_error_db")


def stimulus() -> np.ndarray:
    """float32 [samples]"""
    levels = np.concatenate([np.full(int(seconds * RATE), level) for level, seconds in STAGES])
    return (levels * np.sin(2 * np.pi * HERTZ * np.arange(len(levels)) / RATE)).astype(np.float32)


def gain_db(dry: np.ndarray, wet: np.ndarray) -> np.ndarray:
    """-> the gain at 1 kHz around every period, dB: what else is in the output does not count, neither
    harmonics nor what coupling capacitors do after a step. Not below -100 dB."""
    before, after = (heights(np.asarray(x, np.float64)) for x in (dry, wet))
    return 20 * np.log10(np.maximum(after / before, 1e-5))


def heights(x: np.ndarray) -> np.ndarray:
    """Of 1 kHz in x, under a Hann window around every period"""
    periods = len(x) // HOP
    at = np.arange(PERIODS * HOP)
    phasor = (1 - np.cos(2 * np.pi * (at + 0.5) / len(at))) * np.exp(-2j * np.pi * at / HOP)
    windows = np.lib.stride_tricks.sliding_window_view(x[: periods * HOP], len(at))[::HOP]
    return np.pad(np.abs(windows @ phasor), (PERIODS // 2, PERIODS - 1 - PERIODS // 2), mode="edge")


def bounds() -> np.ndarray:
    """-> periods at which the stages begin, and the end"""
    return np.cumsum([0, *(int(seconds * HERTZ) for _, seconds in STAGES)])


def times(gain: np.ndarray) -> dict[str, float]:
    """-> ms: 1 - 1/e of the way (in dB) down after the first step up; half and nine tenths of the way up
    after the last step down"""
    at = bounds()
    rest, worked, free = (gain[end - SETTLED] for end in (at[1], at[2], at[4]))
    down, up = gain[at[1] : at[2]], gain[at[4] : at[5]]
    return {
        "at_rest_db": rest,
        "at_work_db": worked,
        "attack_ms": until(down, rest, (1 - np.exp(-1)) * (worked - rest)),
        "half_release_ms": until(up, free, 0.5 * (rest - free)),
        "most_release_ms": until(up, free, 0.9 * (rest - free)),
    }


def until(gain: np.ndarray, begin: float, way: float) -> int:
    """-> periods until it has gone so far from where it began, dB; all of them where it never does"""
    gone = (gain - begin) * np.sign(way) >= abs(way)
    return int(np.argmax(gone)) if gone.any() else len(gain)


def errors(gain: np.ndarray, device: np.ndarray) -> dict[str, float]:
    """RMS of the difference in dB: while it is loud, and after it"""
    at = bounds()
    difference = np.square(gain - device)
    return {
        "gain_error_db": np.sqrt(difference[at[1] : at[4]].mean()),
        "release_error_db": np.sqrt(difference[at[4] :].mean()),
    }


def device_gains() -> dict[float, np.ndarray]:
    return {knob: gain_db(stimulus(), optical.la2a(stimulus(), RATE, knob)) for knob in KNOBS}


def trials(bench: Bench) -> list[Trial]:
    plan = {"stages": STAGES, "hertz": HERTZ, "knobs": KNOBS, "periods": PERIODS}
    return [
        Trial(f"{NAME}-device", plan, of_device),
        *(
            Trial(f"{NAME}-{name}", {**plan, **shipped.plan(path)}, work)
            for name, path in shipped.files(bench.models).items()
        ),
    ]


def of_device(bench: Bench, trial: Trial) -> dict[str, list[dict[Any, Any]]]:
    return {"peak_reduction": [of(gain, gain, knob) for knob, gain in device_gains().items()]}


def work(bench: Bench, trial: Trial) -> dict[str, Any]:
    path = shipped.files(bench.models)[trial.key[len(NAME) + 1 :]]
    model = saved_model.from_file(path).to(bench.device)
    dry = stimulus()
    found = [
        of(gain_db(dry, shipped.played(model, dry, {"peak_reduction": knob})), device, knob)
        for knob, device in device_gains().items()
    ]
    return {**shipped.facts(path), **Bench.described(model), "peak_reduction": found}


def of(gain: np.ndarray, device: np.ndarray, knob: float) -> dict[str, Any]:
    return {
        "knob": knob,
        **{name: round(float(value), 3) for name, value in {**times(gain), **errors(gain, device)}.items()},
        "gain_db": [round(float(value), 2) for value in gain[::KEPT]],
    }


# -------------------------------------------------------------------------------- page


def section(results: Results) -> str:
    if len(results) < 2:
        return "Not run yet."
    heads = [
        "",
        "gain at rest, dB",
        "at work",
        "attack, ms",
        "half release, ms",
        "nine tenths",
        "RMS error while loud, dB",
        "after",
    ]
    parts = []
    for place, knob in enumerate(KNOBS):
        rows = []
        for key in sorted(results, key=lambda key: key != "device"):
            result = results[key]["result"]
            one = result["peak_reduction"][place]
            rows.append(
                [
                    shipped.row_name(key, result),
                    *(tenths(one[part]) for part in ("at_rest_db", "at_work_db")),
                    *(
                        milliseconds(one[part])
                        for part in ("attack_ms", "half_release_ms", "most_release_ms")
                    ),
                    *((None, None) if key == "device" else (f"{one[part]:.2f}" for part in PARTS)),
                ]
            )
        parts.append(
            table([f"peak reduction {number(knob)}{' (not trained)' if knob % 10 else ''}", *heads[1:]], rows)
        )
    return "\n\n".join([f"![gain over time]({PICTURE})", *parts, quiet(results)])


def quiet(results: Results) -> str:
    """The thesis's finding on what is too quiet to be compressed"""
    off = {
        f"`{key}`": max(
            abs(one["at_rest_db"] - device["at_rest_db"])
            for one, device in zip(
                entry["result"]["peak_reduction"], results["device"]["result"]["peak_reduction"]
            )
        )
        for key, entry in results.items()
        if key != "device"
    }
    return (
        "The thesis finds that a final product keeps the lowest level almost exactly. Here gains at rest are off by at most "
        + ", ".join(f"{value:.1f} dB ({name})" for name, value in sorted(off.items(), key=lambda one: one[1]))
        + "."
    )


def milliseconds(value: float) -> str:
    """All of the last stage: it took longer."""
    longest = STAGES[-1][1] * HERTZ
    return f"{value:.0f}" if value < longest else f"> {longest:.0f}"


def draw(results: Results, folder: str) -> bool:
    """The picture, where matplotlib is there. -> was it drawn?"""
    try:
        import matplotlib
    except ImportError:
        return False
    if len(results) < 2:
        return False
    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.hashsalt": NAME, "font.size": 8, "path.simplify_threshold": 0.5})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        len(KNOBS), 1, figsize=(8, 2.3 * len(KNOBS)), sharex=True, constrained_layout=True
    )
    time = np.arange(0, bounds()[-1], KEPT) / HERTZ
    for place, (axis, knob) in enumerate(zip(axes, KNOBS)):
        for key, entry in sorted(results.items(), key=lambda one: one[0] == "device"):
            gain = entry["result"]["peak_reduction"][place]["gain_db"]
            look = {"color": "black", "linewidth": 1.6} if key == "device" else {"linewidth": 0.9}
            axis.plot(time, gain, label=key, **look)
        device = results["device"]["result"]["peak_reduction"][place]["gain_db"]
        axis.set_ylim(min(device) - 6, max(device) + 6)
        axis.set_ylabel(f"gain at {knob:g}, dB")
        for begin in bounds()[1:-1]:
            axis.axvline(begin / HERTZ, color="0.85", linewidth=0.6, zorder=0)
    axes[-1].set_xlabel("seconds; the tone's level is -80 dB, 1.0, 0.8, 1.0, -80 dB")
    axes[0].legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncol=5, frameon=False)
    content = io.BytesIO()
    figure.savefig(content, format=os.path.splitext(PICTURE)[1][1:], metadata={"Date": None, "Creator": None})
    new_file.write(os.path.join(folder, PICTURE), content.getvalue())
    pyplot.close(figure)
    return True
