"""Accuracy against how densely the knobs were sampled, and where the knobs stand (Simionato & Fasciani, arXiv
2408.12549): the same amount of audio, spread over few or many settings, judged at settings between them and
at the corners of attack and release."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from gainstage_train.data import generate, recordings
from gainstage_train.data.pairs import TEST, Dataset
from .bench import Bench
from .judged import judged
from .store import Results
from .tables import number, table
from .trial import Trial

NAME, TITLE = "density", "How densely the knobs were sampled"
MINUTES = 10.0
DATA = {
    "optical": {
        "0, 50, 100": "optical --minutes 20 --seed 1 --settings 0,50,100",
        "every 25": "optical --minutes 20 --seed 1 --settings 0,25,50,75,100",
        "every 10": "optical --minutes 20 --seed 1",
    },
    "leveling": {
        density: f"leveling --minutes 20 --seed 1 --density {density}"
        for density in ("corners", "coarse", "fine")
    },
}
MODELS = {"grey box": ("grey_box", {}), "GRU 8": ("gru", {"units": 8})}
CLIP_S, RATE = 8.0, 48000.0
# Trained at no density, so that the same clips judge all.
BETWEEN = {
    "optical": [{"peak_reduction": value} for value in (5.0, 15.0, 35.0, 45.0, 55.0, 65.0, 85.0, 95.0)],
    "leveling": [
        dict(zip(("threshold_dbu", "ratio", "attack_ms", "release_s"), values))
        for values in itertools.product(*generate.LEVELING_UNSEEN)
    ],
}
ATTACKS_MS, RELEASES_S = (0.5, 300.0), (0.05, 3.0)
CORNERS = [
    {"threshold_dbu": -25.0, "ratio": 3.0, "attack_ms": attack, "release_s": release}
    for attack in ATTACKS_MS
    for release in RELEASES_S
]


def trials(bench: Bench) -> list[Trial]:
    return [
        Trial(
            f"{NAME}-{kind}-{density.replace(',', '').replace(' ', '_')}-{model}",
            {
                "kind": kind,
                "density": density,
                "data": data,
                "model": model,
                "settings": given,
                "heard": words,
                "seed": 1,
                "clip_s": CLIP_S,
            },
            work,
            minutes=MINUTES,
        )
        for kind, densities in DATA.items()
        for density, data in densities.items()
        for words, (model, given) in MODELS.items()
    ]


def work(bench: Bench, trial: Trial) -> dict[str, Any]:
    plan = trial.plan
    dataset = bench.data(plan["data"])
    model, facts = bench.trained(trial, plan["model"], plan["settings"], dataset, seed=plan["seed"])
    settings = {tuple(pair.knobs.values()) for pair in dataset.of("train")}
    judges = judge_data(bench, plan["kind"], plan["clip_s"])
    return {
        **facts,
        "trained_settings": len(settings),
        **{name: judged(model, one, ("test",))["test"] for name, one in judges.items()},
    }


def judge_data(bench: Bench, kind: str, clip_s: float) -> dict[str, Dataset]:
    """-> {"between": Dataset, and for the leveling device "corners"}: one clip of held-out audio at every
    setting"""
    device = generate.optical_device(None) if kind == "optical" else generate.leveling_device("coarse")
    library = recordings.Library(RATE, bench.recordings or recordings.FOLDER)
    settings = {"between": BETWEEN[kind], **({"corners": CORNERS} if kind == "leveling" else {})}
    return {
        name: Dataset(
            list(generate.held_out_pairs(device, library, TEST, those, clip_s * len(those), 1)),
            device.controls,
            RATE,
            "",
        )
        for name, those in settings.items()
    }


def section(results: Results) -> str:
    if not results:
        return "Not run yet."
    by = {
        (e["plan"]["kind"], e["plan"]["heard"], e["plan"]["density"]): e["result"] for e in results.values()
    }
    return "\n\n".join(
        part for part in [densities(by), "\n".join(trends(by)), corners(by), *hardest(by)] if part
    )


def densities(by: dict[tuple[str, str, str], dict[str, Any]]) -> str:
    rows = [
        [
            kind,
            density,
            one["trained_settings"],
            heard,
            number(one["between"]["esr"]),
            number(one["between"]["gain"]),
            one["minutes"],
            one["epochs"],
        ]
        for kind, of in DATA.items()
        for density in of
        for heard in MODELS
        for one in [by.get((kind, heard, density))]
        if one
    ]
    return table(
        [
            "device",
            "sampled at",
            "settings",
            "model",
            "ESR between settings",
            "best static gain",
            "minutes",
            "epochs",
        ],
        rows,
    )


def trends(by: dict[tuple[str, str, str], dict[str, Any]]) -> Iterator[str]:
    """For every device and model: does it get better the more densely?"""
    for kind, of in DATA.items():
        for heard in MODELS:
            errors = [
                (density, by[kind, heard, density]["between"]["esr"])
                for density in of
                if (kind, heard, density) in by
            ]
            if len(errors) < 2:
                continue
            falls = [b[1] < a[1] for a, b in zip(errors, errors[1:])]
            said = (
                "better with every step, as the S6 paper finds"
                if all(falls)
                else (
                    "worse with every step, against the S6 paper"
                    if not any(falls)
                    else "no steady course, against the S6 paper"
                )
            )
            yield f"- {kind}, {heard}: {', '.join(f'{density} {number(error)}' for density, error in errors)}: {said}."


def corners(by: dict[tuple[str, str, str], dict[str, Any]]) -> str:
    places = [f"{attack:g} ms, {release:g} s" for attack in ATTACKS_MS for release in RELEASES_S]
    heads = ["leveling, at the corners", *places, "largest over smallest"]
    rows = []
    for heard in MODELS:
        for density in DATA["leveling"]:
            if ("leveling", heard, density) in by:
                errors = corner_errors(by["leveling", heard, density])
                rows.append(
                    [
                        f"{heard}, {density}",
                        *(number(error) for error in errors.values()),
                        number(max(errors.values()) / min(errors.values()), 2),
                    ]
                )
    return table(heads, rows) if rows else ""


def corner_errors(result: dict[str, Any]) -> dict[tuple[float, float], float]:
    """-> {(attack in ms, release in s): ESR}"""
    found = {
        (knobs["attack_ms"], knobs["release_s"]): error for knobs, error in result["corners"]["settings"]
    }
    return {corner: found[corner] for corner in itertools.product(ATTACKS_MS, RELEASES_S)}


def hardest(by: dict[tuple[str, str, str], dict[str, Any]]) -> Iterator[str]:
    models = [
        (heard, density)
        for heard in MODELS
        for density in DATA["leveling"]
        if ("leveling", heard, density) in by
    ]
    if not models:
        return
    worst = [
        max(errors, key=lambda corner: errors[corner])
        for one in models
        for errors in [corner_errors(by["leveling", *one])]
    ]
    paper = (min(ATTACKS_MS), max(RELEASES_S))
    share = float(np.mean([corner == paper for corner in worst]))
    others = sorted(
        {f"{attack:g} ms with {release:g} s" for attack, release in worst if (attack, release) != paper}
    )
    rest = f"; the others find hardest {', '.join(others)}" if others else ""
    yield (
        f"The S6 paper's hardest corner is fast attack with slow release. Here it is so for {round(share * len(models))} of "
        f"{len(models)} models{rest}."
    )
