"""The S4 thesis's ablations (Yin 2023, sections 3.3 and 4.1): one size changed at a time at one setting of
the knobs, every training of equally many epochs; and with the knobs, with and without the final product and
the final tanh."""

from __future__ import annotations

from typing import Any

from .bench import Bench
from .judged import judged
from .store import Results
from .tables import compared, number, table
from .trial import Trial

NAME, TITLE = "ablation", "S4D taken apart"
FIXED, KNOBS = "optical --minutes 3 --seed 1 --settings 100", "optical --minutes 20 --seed 1"
EPOCHS, KNOBS_MINUTES = 20, 30.0
BASE = {"channels": 16, "modes": 4, "blocks": 4, "product": True, "final_tanh": "none", "activation": "PReLU"}
ENDS: dict[str, dict[str, Any]] = {
    "product, no tanh": {},
    "product, tanh": {"final_tanh": "tanh"},
    "no product, no tanh": {"product": False},
    "no product, tanh": {"product": False, "final_tanh": "tanh"},
}
CHANGES: dict[str, dict[str, dict[str, Any]]] = {
    "ends": ENDS,
    "activation": {
        "PReLU": {},
        **{kind: {"activation": kind} for kind in ("GELU", "ReLU", "tanh", "sigmoid")},
    },
    "blocks": {"2 blocks": {"blocks": 2}, "4 blocks": {}, "6 blocks": {"blocks": 6}},
    "state order": {"4 modes": {}, "8 modes": {"modes": 8}, "16 modes": {"modes": 16}},
    "channels": {"8 channels": {"channels": 8}, "16 channels": {}, "32 channels": {"channels": 32}},
}
# Table 4.1, ESR, with knobs
THESIS = {
    "product, no tanh": 0.118,
    "product, tanh": 0.151,
    "no product, no tanh": 0.112,
    "no product, tanh": 0.0934,
}
RECIPE = {"segment_samples": 96000, "warm_samples": 24000, "patience": 0}


def trials(bench: Bench) -> list[Trial]:
    fixed: dict[str, Trial] = {}
    for group in CHANGES.values():
        for name, change in group.items():
            fixed.setdefault(
                key_of(change),
                Trial(f"{NAME}-{key_of(change)}", plan(FIXED, change, RECIPE), work, epochs=EPOCHS),
            )
    knobs = [
        Trial(f"{NAME}-knobs-{key_of(change)}", plan(KNOBS, change, {}), work, minutes=KNOBS_MINUTES)
        for change in ENDS.values()
    ]
    return [*fixed.values(), *knobs]


def plan(data: str, change: dict[str, Any], recipe: dict[str, int]) -> dict[str, Any]:
    return {"data": data, "model": "s4d", "settings": {**BASE, **change}, "recipe": recipe, "seed": 1}


def key_of(change: dict[str, Any]) -> str:
    """Of a file's name."""
    return "-".join(f"{name}_{value}".lower() for name, value in change.items()) or "base"


def work(bench: Bench, trial: Trial) -> dict[str, Any]:
    dataset = bench.data(trial.plan["data"])
    name, given, recipe, seed = (trial.plan[part] for part in ("model", "settings", "recipe", "seed"))
    model, facts = bench.trained(trial, name, given, dataset, recipe, seed)
    return {**facts, **judged(model, dataset, ("test",))}


def section(results: Results) -> str:
    if not results:
        return "Not run yet."
    parts = []
    for title, group in CHANGES.items():
        rows = [
            [name, *line(results[key_of(change)]["result"])]
            for name, change in group.items()
            if key_of(change) in results
        ]
        if len(rows) > 1:
            parts.append(table([f"{title}, peak reduction 100", *HEADS], rows))
    rows = [
        [name, *line(results[key]["result"])]
        for name, change in ENDS.items()
        for key in ["knobs-" + key_of(change)]
        if key in results
    ]
    if rows:
        parts.append(table(["ends, all settings of the knob", *HEADS], rows))
    return "\n\n".join(part for part in [*parts, comparisons(results)] if part) or "Too few runs yet."


HEADS = ["test ESR", "MAE", "MR-STFT", "validation ESR", "parameters", "operations", "minutes", "epochs"]


def line(result: dict[str, Any]) -> list[Any]:
    test = result["test"]
    return [
        number(test["esr"]),
        number(test["mae"]),
        number(test["mr_stft"]),
        number(result["validation_esr"]),
        result["parameters"],
        f"{result['operations']:.0f}",
        result["minutes"],
        result["epochs"],
    ]


def esr(results: Results, change: dict[str, Any], prefix: str = "") -> float | None:
    entry = results.get(prefix + key_of(change))
    return entry["result"]["test"]["esr"] if entry else None


def comparisons(results: Results) -> str:
    """The thesis's findings, each against what is in the tables."""

    def errors(group: str, prefix: str = "") -> dict[str, float]:
        return {
            name: value
            for name, change in CHANGES[group].items()
            for value in [esr(results, change, prefix)]
            if value is not None
        }

    lines = []
    kinds = errors("activation")
    if len(kinds) == 5:
        linear, bounded = (
            max(kinds[k] for k in ("PReLU", "GELU", "ReLU")),
            min(kinds[k] for k in ("tanh", "sigmoid")),
        )
        lines.append(
            f"- Thesis: PReLU, GELU and ReLU before tanh and sigmoid. Here {'so' if linear < bounded else 'not throughout'}: "
            f"{', '.join(f'{name} {number(value)}' for name, value in sorted(kinds.items(), key=lambda one: one[1]))}."
        )
    for group, words in (
        ("blocks", "two blocks little worse than four or six, which are alike"),
        ("state order", "little to choose between orders"),
        ("channels", "more channels are better, and more so than more order"),
    ):
        found = errors(group)
        if len(found) == 3:
            lines.append(
                f"- Thesis: {words}. Here {', '.join(f'{name} {number(value)}' for name, value in found.items())}; the worst has "
                f"{number(max(found.values()) / min(found.values()), 2)} times the ESR of the best."
            )
    ends = errors("ends")
    if len(ends) == 4:
        better = max(v for k, v in ends.items() if k.startswith("product")) < min(
            v for k, v in ends.items() if k.startswith("no")
        )
        lines.append(
            f"- Thesis, one setting: with the product better than without. Here {'so' if better else 'not throughout'}: "
            f"{', '.join(f'{name} {number(value)}' for name, value in sorted(ends.items(), key=lambda one: one[1]))}."
        )
    knobs = errors("ends", "knobs-")
    if len(knobs) > 1:
        lines.append(
            f"- Thesis, with the knobs (Table 4.1, ESR): without the product better than with. Here "
            f"{', '.join(f'{name} {number(value)}' for name, value in sorted(knobs.items(), key=lambda one: one[1]))}. "
            f"{compared(knobs, THESIS)}"
        )
    return "\n".join(lines)
