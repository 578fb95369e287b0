"""Every family, both baselines and the six grey boxes of Wright & Valimaki's table 1 (DAFx 2022) on the same
optical data."""

from __future__ import annotations

from typing import Any

from gainstage_train import saved_model, settings
from . import shipped
from .bench import Bench
from .judged import judged
from .store import Results
from .tables import compared, number, ranked, table
from .trial import Trial

NAME, TITLE = "families", "All families on the same data"
DATA = "optical --minutes 20 --seed 1"
MINUTES = 30.0


def grey(knee: str, detector: str, makeup: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """Static make-up learns from MSTE, as in the paper; all else from the ESR."""
    return (
        "grey_box",
        {"knee": knee, "detector": detector, "makeup": makeup},
        {"loss": "mste" if makeup == "static" else "esr"},
    )


# name -> (model, settings, recipe over the model's own)
KINDS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "grey-1": grey("hard", "one_pole", "static"),
    "grey-2": grey("hard", "switching", "static"),
    "grey-3": grey("soft", "rnn", "static"),
    "grey-4": grey("hard", "one_pole", "gru"),
    "grey-5": grey("hard", "switching", "gru"),
    "grey-6": grey("hard", "rnn", "gru"),
    "gru-8": ("gru", {"units": 8}, {}),
    "gru-32": ("gru", {"units": 32}, {}),
    "lstm-32": ("lstm", {"units": 32}, {}),
    "s4d": ("s4d", {}, {}),
    "s6": ("s6", {}, {}),
    "tcn": ("tcn", {}, {}),
    "ed_lstm": ("ed_lstm", {}, {}),
    "ed_lstm_carried": ("ed_lstm_carried", {}, {}),
}
WORDS = {
    "grey-1": "grey box 1: hard, one-pole, static",
    "grey-2": "grey box 2: hard, switching, static",
    "grey-3": "grey box 3: soft, RNN, static",
    "grey-4": "grey box 4: hard, one-pole, GRU",
    "grey-5": "grey box 5: hard, switching, GRU",
    "grey-6": "grey box 6: hard, RNN, GRU",
    "gru-8": "GRU 8",
    "gru-32": "GRU 32",
    "lstm-32": "LSTM 32",
    "s4d": "S4D",
    "s6": "S6",
    "tcn": "TCN",
    "ed_lstm": "ED-LSTM",
    "ed_lstm_carried": "ED-LSTM, state carried",
}
# Published numbers, on recordings of real devices.
TABLE_1 = {
    "gru-8": 0.041,
    "gru-32": 0.023,
    "grey-1": 0.095,
    "grey-2": 0.089,
    "grey-3": 0.092,
    "grey-4": 0.045,
    "grey-5": 0.031,
    "grey-6": 0.032,
}  # ESR, LA-2A
THESIS = {"s4d": 8.55e-3, "tcn": 1.44e-2, "lstm-32": 1.10e-1}  # MAE, LA-2A; causal TCN-300
S6_FIRST = ("s4d", "lstm-32", "ed_lstm")  # LA-2A and CL 1B: S6 before each of these, no numbers


def trials(bench: Bench) -> list[Trial]:
    there = shipped.files(bench.models)
    done = {kind_of(shipped.facts(path)) for path in there.values()}
    return [
        *(
            Trial(f"{NAME}-shipped-{name}", {**shipped.plan(path), "data": DATA}, judge)
            for name, path in there.items()
        ),
        *(
            Trial(
                f"{NAME}-{name}",
                {"data": DATA, "model": model, "settings": given, "recipe": recipe, "seed": 1},
                work,
                minutes=MINUTES,
            )
            for name, (model, given, recipe) in KINDS.items()
            if name not in done
        ),
    ]


def judge(bench: Bench, trial: Trial) -> dict[str, Any]:
    path = shipped.files(bench.models)[trial.key[len(f"{NAME}-shipped-") :]]
    model = saved_model.from_file(path).to(bench.device)
    return {**shipped.facts(path), **Bench.described(model), **judged(model, bench.data(DATA))}


def work(bench: Bench, trial: Trial) -> dict[str, Any]:
    plan, dataset = trial.plan, bench.data(DATA)
    model, facts = bench.trained(
        trial, plan["model"], plan["settings"], dataset, plan["recipe"], plan["seed"]
    )
    return {"model": plan["model"], "settings": plan["settings"], **facts, **judged(model, dataset)}


def kind_of(result: dict[str, Any]) -> str | None:
    """The one of KINDS whose place a shipped model takes; None where it is like none of them. What a family's
    size is counts for the recurrent ones only, whose sizes have names of their own."""
    name = result["model"]
    whole = {**settings.known(name), **result["settings"]}
    telling = {"grey_box": ("knee", "detector", "makeup"), "gru": ("units",), "lstm": ("units",)}.get(
        name, ()
    )
    for kind, (model, given, _) in KINDS.items():
        if model == name and all({**settings.known(model), **given}[key] == whole[key] for key in telling):
            return kind
    return None


def rows_of(results: Results) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """-> {kind or shipped name: result}: a shipped one instead of one that was trained here"""
    found: dict[str, dict[str, Any]] = {}
    named: dict[str, str] = {}
    for name, entry in results.items():
        result = entry["result"]
        kind = kind_of(result) if "shipped" in result else name
        key = kind or name
        if key not in found or "shipped" in result:
            found[key] = result
            named[key] = WORDS.get(kind or "") or result["description"]
    return found, named


def section(results: Results) -> str:
    found, named = rows_of(results)
    if not found:
        return "Not run yet."
    order = sorted(found, key=lambda key: found[key]["test"]["esr"])
    return "\n\n".join(
        [
            sizes(found, named, order),
            metrics(found, named, order, "test"),
            metrics(found, named, order, "unseen"),
            seen_and_unseen(found, named),
            rankings(found),
        ]
    )


def sizes(found: dict[str, dict[str, Any]], named: dict[str, str], order: list[str]) -> str:
    heads = [
        "model",
        "weights",
        "parameters",
        "operations a sample",
        "learned from",
        "minutes",
        "epochs",
        "on",
    ]
    return table(
        heads,
        [
            [
                named[key],
                f"`{one['shipped']}`" if "shipped" in one else "made for this table",
                one["parameters"],
                f"{one['operations']:.0f}",
                one.get("loss"),
                one.get("minutes"),
                one.get("epochs"),
                one.get("machine"),
            ]
            for key in order
            for one in [found[key]]
        ],
    )


def metrics(found: dict[str, dict[str, Any]], named: dict[str, str], order: list[str], split: str) -> str:
    words = {
        "test": "Held-out audio at trained settings",
        "unseen": "Held-out audio at settings that were not trained",
    }[split]
    heads = [f"{words}", "ESR", "MAE", "MSE", "MR-STFT", "MSTE"]
    rows = [
        [
            named[key],
            *(number(found[key][split][metric]) for metric in ("esr", "mae", "mse", "mr_stft", "mste")),
        ]
        for key in order
    ]
    first = found[order[0]][split]
    rows += [
        ["*best curve without memory*", number(first["curve"])],
        ["*best static gain*", number(first["gain"])],
    ]
    return table(heads, [[*row, *[None] * (len(heads) - len(row))] for row in rows])


def seen_and_unseen(found: dict[str, dict[str, Any]], named: dict[str, str]) -> str:
    ratios = {named[key]: one["unseen"]["esr"] / one["test"]["esr"] for key, one in found.items()}
    first = next(iter(found.values()))
    plain = first["unseen"]["gain"] / first["test"]["gain"]
    return (
        f"ESR at settings that were not trained over that at trained ones: {ranked(ratios)}; of the best static gain, which knows "
        f"no difference, {number(plain)}. In the grey-box paper it is 0.87 to 0.97: a model hears no difference there."
    )


def rankings(found: dict[str, dict[str, Any]]) -> str:
    ours = {metric: {key: one["test"][metric] for key, one in found.items()} for metric in ("esr", "mae")}
    told = {key: WORDS[key].split(":")[0] for key in WORDS}

    def line(title: str, theirs: dict[str, float], metric: str) -> str:
        names = {key: value for key, value in theirs.items() if key in found}
        if len(names) < 2:
            return f"- {title}: too few of its models have been run."
        here = {told[key]: ours[metric][key] for key in names}
        return (
            f"- {title}: {ranked({told[k]: v for k, v in names.items()})}. Here: {ranked(here)}. "
            f"{compared(here, {told[k]: v for k, v in names.items()})}"
        )

    lines = [
        line("Table 1 of the grey-box paper, ESR", TABLE_1, "esr"),
        line("Table 4.1 of the S4 thesis, MAE", THESIS, "mae"),
    ]
    if "s6" in found and any(key in found for key in S6_FIRST):
        those = {told[key]: ours["esr"][key] for key in ("s6", *S6_FIRST) if key in found}
        first = {name: float(name != told["s6"]) for name in those}
        lines.append(
            f"- The S6 paper finds S6 before S4D, LSTM and the encoder-decoder. Here, by ESR: {ranked(those)}. "
            f"{compared(those, first)}"
        )
    return "\n".join(lines)
