"""The grey-box paper's toy problem (Wright & Valimaki, DAFx 2022, section 4): a grey box learns a digital
compressor whose threshold, ratio, attack and release are known, from targets with pink noise at -40 dB. What
of it can be read from the weights?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from gainstage_train.models import Model
from .bench import Bench
from .store import Results
from .tables import number, table
from .trial import Trial

NAME, TITLE = "toy", "The toy problem: are the compressor's constants found?"
HOUR, TEN_MINUTES = "toy --minutes 60 --seed 1", "toy --minutes 10 --seed 1"
AS_THE_PAPER = "toy --minutes 160 --seed 1"  # ten minutes at every setting
THRESHOLDS, RATIOS, ATTACK_MS, RELEASE_MS = (-15.0, -20.0, -25.0, -30.0), (2.0, 4.0, 6.0, 8.0), 20.0, 50.0
KNEE_RANGE_DB = 30.0  # the model's
MODEL = {"knee": "soft", "detector": "switching", "makeup": "static"}
# Windows of 2 s, of which 0.25 s warm up: five releases. Targets keep their levels, for the noise is as loud
# at every setting.
RECIPE = {
    "segment_samples": 96000,
    "warm_samples": 12000,
    "tbptt_samples": 4200,
    "batch": 16,
    "rate": 1e-2,
    "balance": "none",
    "patience": 0,
}
# at the start: from a wide knee, which trades against threshold and ratio, the way to a hard one is long
KNEE_DB = 0.5
HARD = 0.0
WIDE = 3.0


@dataclass(frozen=True)
class Run:
    """length: epochs or minutes. knee_db at the start; HARD: of a model without one, as the device. wide: see
    widen(); 1: as the model starts, and not in the plan, so that older results stay valid."""

    loss: str
    data: str
    length: dict
    knee_db: float = KNEE_DB
    wide: float = 1.0

    def plan(self) -> dict[str, Any]:
        knee = {"knee": "hard"} if self.knee_db == HARD else {}
        start = {"start_knee_db": self.knee_db, **({} if self.wide == 1.0 else {"start_wide": self.wide})}
        return {
            "data": self.data,
            "model": "grey_box",
            "settings": {**MODEL, **knee},
            "recipe": {**RECIPE, "loss": self.loss},
            **start,
            "seed": 1,
        }


RUNS = {
    "esr": Run("esr", HOUR, {"epochs": 4}),
    "mste": Run("mste", HOUR, {"epochs": 4}),
    "esr_of_10_minutes": Run("esr", TEN_MINUTES, {"minutes": 4.0}, knee_db=2.0),
    "esr_by_a_hard_knee": Run("esr", HOUR, {"epochs": 20}, knee_db=HARD),
    "esr_by_a_hard_knee_from_a_wide_start": Run("esr", HOUR, {"epochs": 20}, knee_db=HARD, wide=WIDE),
    "esr_of_160_minutes_by_a_hard_knee_from_a_wide_start": Run(
        "esr", AS_THE_PAPER, {"epochs": 8}, knee_db=HARD, wide=WIDE
    ),
}


def trials(bench: Bench) -> list[Trial]:
    return [Trial(f"{NAME}-{name}", run.plan(), work, **run.length) for name, run in RUNS.items()]


def work(bench: Bench, trial: Trial) -> dict[str, Any]:
    plan = trial.plan
    model, facts = bench.trained(
        trial,
        plan["model"],
        plan["settings"],
        bench.data(plan["data"]),
        plan["recipe"],
        plan["seed"],
        lambda model: start(model, plan["start_knee_db"], plan.get("start_wide", 1.0)),
    )
    return {**facts, **recovered(model)}


def start(model: Model, knee_db: float, wide: float) -> None:
    with torch.no_grad():
        widen(model.curve, wide)
        if knee_db == HARD:
            return
        model.curve[-1].bias[2] = float(np.log(knee_db / (KNEE_RANGE_DB - knee_db)))


def widen(network: Any, wide: float) -> None:
    """The conditioning network hears knobs from 0 to 1, where its units start as nearly straight lines: what
    it learns first is one soft bend, and a ratio of 8 is told from 6 by so little that it stays there. From
    steep units on it finds the corners.
    """
    if wide == 1.0:
        return  # as it is
    first, second, last = (layer for layer in network if isinstance(layer, torch.nn.Linear))
    first.weight *= 2.0 * wide  # as if the knobs went from -1 to 1
    first.bias *= wide
    second.weight *= wide
    last.weight /= wide


def recovered(model: Any) -> dict[str, Any]:
    """-> what the weights say the device is: times in ms, and threshold, ratio and knee for every setting of
    the knobs"""
    attack, release = (1e3 * model.log_tau.double().exp()).tolist()
    return {
        "attack_ms": attack,
        "release_ms": release,
        "makeup_db": 20 * float(np.log10(1 + np.tanh(float(model.gain)))),
        "curves": [curve(model, threshold, ratio) for threshold in THRESHOLDS for ratio in RATIOS],
    }


def curve(model: Any, threshold: float, ratio: float) -> dict[str, float]:
    with torch.no_grad():
        knobs = model.conditioning([{"threshold": threshold, "ratio": ratio}])
        found, slope, knee = (float(value) for value in model.curve_values(knobs))
    return {
        "threshold": threshold,
        "ratio": ratio,
        "found_threshold": found,
        "found_ratio": 1 / (1 + slope),
        "knee_db": knee,
    }


def errors(result: dict[str, Any]) -> dict[str, float]:
    """-> {constant: the largest error}: ms, dB, shares of the ratio up to 4 and above"""
    curves = result["curves"]
    share = [(one["ratio"], abs(one["found_ratio"] / one["ratio"] - 1)) for one in curves]
    return {
        "attack_ms": abs(result["attack_ms"] - ATTACK_MS),
        "release_ms": abs(result["release_ms"] - RELEASE_MS),
        "threshold_db": max(abs(one["found_threshold"] - one["threshold"]) for one in curves),
        "ratio_to_4": max(error for ratio, error in share if ratio <= 4),
        "ratio_above": max(e for ratio, e in share if ratio > 4),
    }


GOALS = {
    "attack_ms": (0.1, "attack, ms"),
    "release_ms": (0.1, "release, ms"),
    "threshold_db": (0.3, "threshold, dB"),
    "ratio_to_4": (0.05, "ratio up to 4"),
    "ratio_above": (0.10, "ratio above 4"),
}


def reached(result: dict[str, Any]) -> list[str]:
    """-> the goals that were missed"""
    found = errors(result)
    return [name for name, (goal, _) in GOALS.items() if found[name] > goal]


def in_words(name: str, value: float) -> str:
    return f"{100 * value:.1f} %" if name.startswith("ratio") else f"{value:.3f}"


def section(results: Results) -> str:
    if not results:
        return "Not run yet."
    results = {name.replace("_", " "): entry for name, entry in results.items()}
    largest = [
        [
            loss,
            *(in_words(name, errors(one["result"])[name]) for name in GOALS),
            number(max(curve["knee_db"] for curve in one["result"]["curves"]), 2),
            number(one["result"]["validation_esr"]),
            one["result"]["minutes"],
            one["result"]["epochs"],
        ]
        for loss, one in results.items()
    ]
    goals = [
        "*wanted: at most*",
        *(in_words(name, goal) for name, (goal, _) in GOALS.items()),
        "0 is true",
        None,
        None,
        None,
    ]
    paper = ["*the paper*", "0.02", "0.02", None, None, None, None, None, None, None]
    heads = [
        "learned from",
        *(f"largest error: {words}" for _, words in GOALS.values()),
        "widest knee, dB",
        "ESR, no noise",
        "minutes",
        "epochs",
    ]
    return "\n\n".join(
        [
            table(heads, [*largest, goals, paper]),
            *(verdict(loss, one["result"]) for loss, one in results.items()),
        ]
    )


def verdict(loss: str, result: dict[str, Any]) -> str:
    missed = [GOALS[name][1] for name in reached(result)]
    said = "everything is found within what was wanted" if not missed else f"missed: {'; '.join(missed)}"
    rows = [
        [
            number(t),
            *(
                f"{one['found_threshold']:.2f} dB, {one['found_ratio']:.2f} : 1"
                for r in RATIOS
                for one in result["curves"]
                if (one["threshold"], one["ratio"]) == (t, r)
            ),
        ]
        for t in THRESHOLDS
    ]
    return (
        f"With {loss}, {said}. Attack {result['attack_ms']:.3f} ms of {ATTACK_MS:g}, release {result['release_ms']:.3f} ms "
        f"of {RELEASE_MS:g}, make-up {result['makeup_db']:+.3f} dB of 0; threshold and ratio as the conditioning network says them:\n\n"
        + table(["true threshold, dB", *(f"ratio {ratio:g}" for ratio in RATIOS)], rows)
    )
