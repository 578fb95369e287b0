"""S4D compressor: Yin 2023 and Yin et al., arXiv 2403.16331. Reads the state dicts of the authors' published
code in its three states (thesis, paper, and the one over the layer of state-spaces/s4), of the thesis'
fixed-parameter models too. What the tensors are called in the result: nodes/models/s4d/s4d_weights.hpp."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from gainstage_files.model_file import Control, control
from gainstage_files.problem import Problem
from . import checkpoint
from .checkpoint import Weight
from .settings import is_one_of
from .take import Take

ARCHITECTURE = "s4d"
PLACES = 64  # of a fixed-parameter model's sequence
OWN_NAMES = (
    "control_parameter_mlp.",
    "expand.",
    "contract.",
    "blocks.",
    "tanh.",
    *(f"model.{i}." for i in range(PLACES)),
)
SAMPLE_RATE = 44100  # fixed in the published code
# What the tensors don't say; the first is the published code's.
CONFIG = {
    "activation": ("PReLU", "ReLU", "GELU", "tanh", "sigmoid", "PTanh", "Identity"),
    "product": (False, True),  # the network's output times the input
    "tanh_before_product": (False, True, "ptanh"),  # the thesis' code has its PTanh there
    "final_tanh": ("tanh", "none", "ptanh"),
    "front_decibels": (False, True),  # the network hears 20 log10 max(|x|, 1e-4)
    "to_amplitude": (False, True),  # its output is a level in dB
    "disc": ("zoh", "bilinear"),
    "model_version": (4, 3, 2, 1),
}  # of a fixed-parameter model: where its activations are
HYPER_PARAMETERS = {
    "take_side_chain": "product",
    "side_chain_tanh": "tanh_before_product",
    "final_tanh": "final_tanh",
    "activation": "activation",
    "convert_to_decibels": "front_decibels",
    "convert_to_amplitude": "to_amplitude",
}
LA_2A = [{**control("limit", "", 0.0, 1.0, 0.0), "steps": 2}, control("peak_reduction", "", 0.0, 100.0, 50.0)]
QUIET = (
    "training_criterion",
    "validation_criterion",
    "criterion",
    "loss",
)  # buffers of losses: not part of the sound
NORM_EPSILON = 1e-5
FORGOTTEN = 1e-4  # -80 dB
MAX_BLOCKS, MAX_CHANNELS, MAX_MODES = 16, 256, 64


def load(path: str) -> tuple[dict[str, Weight], dict[str, Any]]:
    """-> (tensors, what the hyper-parameters of a Lightning checkpoint say)"""
    tensors, hyper_parameters = checkpoint.load_with_hyper_parameters(path, OWN_NAMES)
    said: dict[str, Any] = {}
    for name, key in HYPER_PARAMETERS.items():
        value = hyper_parameters.get(name)
        if is_one_of(value, CONFIG[key]):
            said[key] = value
    if not said.get("product", False):
        said.pop("tanh_before_product", None)  # which the published code then leaves out
    return tensors, said


# What is conditioned, and by how many numbers: none of a fixed-parameter model's.
def CONTROLS(take: Take) -> list[Control]:
    return (
        LA_2A
        if any(
            n.startswith("control_parameter_mlp.") or n.endswith(ADAPTOR + ".weight") for n in take.names()
        )
        else []
    )


# -------------------------------------------------------------------------------- parts

ADAPTOR = ".film.conditional_information_adaptor"


def rename(take: Take, prefix: str, target: str, *shape: int | None) -> dict[str, np.ndarray]:
    """A linear layer under its new name."""
    return {
        f"{target}.weight": take(prefix + ".weight", *shape),
        f"{target}.bias": take(prefix + ".bias", shape[0]),
    }


def read_conditioning(take: Take, controls: int) -> tuple[dict[str, np.ndarray], int]:
    """-> (layers, each followed by ReLU; how many numbers they say)"""
    places = sorted(
        int(m[1])
        for m in (re.fullmatch(r"control_parameter_mlp\.(\d{1,4})\.weight", n) for n in take.names())
        if m
    )
    width = controls
    out: dict[str, np.ndarray] = {}
    for layer, place in enumerate(places):
        weight = take(f"control_parameter_mlp.{place}.weight", None, None)
        if weight.shape[1] != width:
            raise Problem(
                f"tensor control_parameter_mlp.{place}.weight: has shape {weight.shape}; expected (any, {width})"
                + (f" for {controls} controls: name as many as it has with --config" if layer == 0 else "")
            )
        width = weight.shape[0]
        out[f"conditioning.{layer}.weight"], out[f"conditioning.{layer}.bias"] = weight, take(
            f"control_parameter_mlp.{place}.bias", width
        )
    return out, width


def read_activation(take: Take, name: str, kind: str) -> tuple[np.ndarray | None, str]:
    """The learned number of PReLU (one, or one a channel) or PTanh; -> ({name in the block: numbers}, kind as
    found)"""
    if take.has(name + ".weight"):
        return take(name + ".weight", None), "PReLU"
    if take.has(name + ".a"):
        return take.number(name + ".a"), "PTanh"
    if kind in ("PReLU", "PTanh"):
        raise Problem(
            f"tensor {name}.{'weight' if kind == 'PReLU' else 'a'}: missing, so the activation is no {kind}; say "
            "which it is with --config: activation"
        )
    return None, kind


def first_of(take: Take, prefix: str, *names: str) -> str:
    """The first of these names that is there; the first of all where none is."""
    return prefix + next((name for name in names if take.has(prefix + name)), names[0])


def complex_of(take: Take, name: str, channels: int, modes: int) -> np.ndarray:
    """(channels, modes, 2), or fewer rows shared by turns, behind any number of dimensions of 1."""
    tensor = take(name)
    while tensor.ndim > 3 and tensor.shape[0] == 1:
        tensor = tensor[0]
    if (
        tensor.ndim != 3
        or tensor.shape[0] < 1
        or channels % tensor.shape[0]
        or tensor.shape[1:] != (modes, 2)
    ):
        raise Problem(f"tensor {name}: has shape {take(name).shape}; expected ({channels}, {modes}, 2)")
    return shared(tensor, channels)


def shared(tensor: np.ndarray, channels: int) -> np.ndarray:
    """Rows that channels share by turns, one each."""
    return np.tile(tensor, (channels // tensor.shape[0],) + (1,) * (tensor.ndim - 1))


def rows_of(take: Take, name: str, channels: int, columns: int | None = None) -> np.ndarray:
    tensor = take(name)
    tensor = tensor[:, None] if tensor.ndim == 1 else tensor
    if (
        tensor.ndim != 2
        or tensor.shape[0] < 1
        or channels % tensor.shape[0]
        or columns not in (None, tensor.shape[1])
    ):
        raise Problem(
            f"tensor {name}: has shape {take(name).shape}; expected ({channels}, {columns or 'any'})"
        )
    return shared(tensor, channels)


def read_ssm(take: Take, prefix: str, channels: int) -> dict[str, np.ndarray]:
    """dt = exp(log_dt), A = -exp(log_a_real) + i a_imag, B, C, D: the thesis' own layer (B = 1), or the
    diagonal kernel of state-spaces/s4, whose releases differ in names. Its fourth release (inv_dt, A_real, B
    of four dimensions) keeps -Im A.
    """
    kernel = prefix + "kernel." if any(n.startswith(prefix + "kernel.") for n in take.names()) else prefix
    a_name = first_of(take, kernel, "log_A_real", "A_real", "inv_A_real")
    log_a_real = take(a_name, None, None, most=max(MAX_CHANNELS, MAX_MODES))
    if log_a_real.shape[1] > MAX_MODES:
        raise Problem(
            f"tensor {a_name}: has shape {log_a_real.shape}; at most {MAX_MODES} modes are supported"
        )
    modes = log_a_real.shape[1]
    log_a_real = rows_of(take, a_name, channels, modes)
    a_imag = rows_of(take, kernel + "A_imag", channels, modes)
    out = {"log_a_real": log_a_real, "c": complex_of(take, kernel + "C", channels, modes)}
    negated = False
    if take.has(kernel + "B"):
        negated = take(kernel + "B").ndim == 4
        out["b"] = complex_of(take, kernel + "B", channels, modes)
    out["a_imag"] = -a_imag if negated else a_imag
    log_dt = rows_of(take, first_of(take, kernel, "log_dt", "inv_dt"), channels)
    if log_dt.shape[1] not in (1, modes):
        raise Problem(
            f"tensor {first_of(take, kernel, 'log_dt', 'inv_dt')}: has {log_dt.shape[1]} columns; expected 1 or {modes}"
        )
    out["log_dt"] = log_dt
    d = take(prefix + "D")
    if d.size != channels:
        raise Problem(f"tensor {prefix}D: has shape {d.shape}; expected ({channels})")
    out["d"] = d.reshape(channels)
    return out


def read_norm(take: Take, prefix: str, channels: int) -> dict[str, np.ndarray]:
    """Running statistics of a BatchNorm in either place, or none."""
    name = next(
        (p for p in (prefix + "batchnorm.", prefix + "film.batchnorm.") if take.has(p + "running_mean")), None
    )
    if name is None:
        return {}
    take.left.discard(name + "num_batches_tracked")
    variance = take(name + "running_var", channels)
    if np.any(variance < 0):
        raise Problem(f"tensor {name}running_var: holds a negative variance")
    return {"norm.mean": take(name + "running_mean", channels), "norm.variance": variance}


def read_film(take: Take, prefix: str, channels: int, width: int, controls: int) -> dict[str, np.ndarray]:
    adaptor = prefix + ADAPTOR[1:]
    if not take.has(adaptor + ".bias") and not controls:
        return {}
    film = {"film.bias": take(adaptor + ".bias", 2 * channels)}
    if controls or take.has(adaptor + ".weight"):
        film["film.weight"] = take(adaptor + ".weight", 2 * channels, width)
    return film


def read_residual(take: Take, name: str, channels: int) -> dict[str, np.ndarray]:
    return {"residual": take(name, channels, 1, 1).reshape(channels)} if take.has(name) else {}


# -------------------------------------------------------------------------------- layouts


def add(out: dict[str, np.ndarray], block: int, tensors: dict[str, np.ndarray]) -> None:
    out.update({f"blocks.{block}.{name}": tensor for name, tensor in tensors.items()})


def read_conditional(
    take: Take, config: dict[str, Any], controls: int
) -> tuple[dict[str, np.ndarray], int, tuple[str, ...], dict[str, Any]]:
    """blocks.I.{linear, activation1, s4, batchnorm, film, activation2, residual_connection}"""
    out, width = read_conditioning(take, controls)
    channels = take("expand.weight", None, 1, most=MAX_CHANNELS).shape[0]
    out.update(rename(take, "expand", "expand", channels, 1))
    depth = 1 + max(
        (int(m[1]) for m in (re.match(r"blocks\.(\d{1,4})\.", n) for n in take.names()) if m), default=-1
    )
    check_depth(depth)
    kinds: tuple[str, ...] = (config["activation"],) * 2
    for i in range(depth):
        prefix = f"blocks.{i}."
        slopes = [read_activation(take, f"{prefix}activation{k}", config["activation"]) for k in (1, 2)]
        kinds = tuple(kind for _, kind in slopes)
        add(out, i, {f"activation{k + 1}.factor": s for k, (s, _) in enumerate(slopes) if s is not None})
        add(out, i, rename(take, prefix + "linear", "linear", channels, channels))
        add(
            out,
            i,
            {f"ssm.{name}": tensor for name, tensor in read_ssm(take, prefix + "s4.", channels).items()},
        )
        add(out, i, read_norm(take, prefix, channels))
        add(out, i, read_film(take, prefix, channels, width, controls))
        add(out, i, read_residual(take, prefix + "residual_connection.weight", channels))
    out.update(rename(take, "contract", "contract", 1, channels))
    return out, depth, kinds, {}


def check_depth(depth: int) -> None:
    if depth > MAX_BLOCKS:
        raise Problem(f"{depth} blocks or more; at most {MAX_BLOCKS} are supported")


FIXED_LAYERS = {
    1: {"s4": 1, "activation2": 3},
    2: {"linear": 0, "activation1": 1, "s4": 3},
    3: {"linear": 0, "s4": 2, "activation2": 4},
    4: {"linear": 0, "activation1": 1, "s4": 3, "activation2": 5},
}


def fixed_version(take: Take, prefix: str, config: dict[str, Any]) -> int:
    """Where the layers of a fixed-parameter model's block are; versions 2 and 4 look alike unless activations
    learn."""
    place = next(
        (
            int(m[1])
            for m in (re.match(re.escape(prefix) + r"model\.(\d{1,4})\.C$", n) for n in take.names())
            if m
        ),
        None,
    )
    if place not in (1, 2, 3):
        raise Problem(f"tensor {prefix}model.N.C: missing, so this block has no S4 layer")
    if place != 3:
        return {1: 1, 2: 3}[place]
    if take.has(prefix + "model.1.weight") or take.has(prefix + "model.1.a"):
        return 4 if take.has(prefix + "model.5.weight") or take.has(prefix + "model.5.a") else 2
    return 2 if config["model_version"] == 2 else 4


def read_fixed(
    take: Take, config: dict[str, Any]
) -> tuple[dict[str, np.ndarray], int, tuple[str, ...], dict[str, Any]]:
    """model.N of a sequence: expand (behind a converter to decibels, or not), blocks, contract."""
    first = next((i for i in range(3) if take.has(f"model.{i}.weight")), 1)
    channels = take(f"model.{first}.weight", None, 1, most=MAX_CHANNELS).shape[0]
    out = rename(take, f"model.{first}", "expand", channels, 1)
    depth = 0
    while any(n.startswith(f"model.{first + 1 + depth}.model.") for n in take.names()):
        depth += 1
        check_depth(depth)
    kinds: tuple[str, ...] = (config["activation"],) * 2
    for i in range(depth):
        prefix = f"model.{first + 1 + i}."
        version = fixed_version(take, prefix, config)
        at = {name: f"{prefix}model.{place}" for name, place in FIXED_LAYERS[version].items()}
        if "linear" in at:
            add(out, i, rename(take, at["linear"], "linear", channels, channels))
        slopes = [
            read_activation(take, at[k], config["activation"]) if k in at else (None, "Identity")
            for k in ("activation1", "activation2")
        ]
        kinds = tuple(kind for _, kind in slopes)
        add(out, i, {f"activation{k + 1}.factor": s for k, (s, _) in enumerate(slopes) if s is not None})
        add(
            out,
            i,
            {f"ssm.{name}": tensor for name, tensor in read_ssm(take, at["s4"] + ".", channels).items()},
        )
        add(out, i, read_residual(take, prefix + "residual_connection.1.weight", channels))
    out.update(rename(take, f"model.{first + 1 + depth}", "contract", 1, channels))
    decibels = first == 2
    return out, depth, kinds, {"front_decibels": decibels, "to_amplitude": decibels}


# -------------------------------------------------------------------------------- memory


def log_poles(ssm: dict[str, np.ndarray], disc: str) -> tuple[np.ndarray, np.ndarray]:
    """ln of each pole a sample at the trained rate, and B / A, by which both methods reach the same resting
    value."""
    a = -np.exp(ssm["log_a_real"]) + 1j * ssm["a_imag"]
    z = np.exp(ssm["log_dt"]) * a
    b = ssm["b"][..., 0] + 1j * ssm["b"][..., 1] if "b" in ssm else 1.0
    with np.errstate(divide="ignore"):
        return (z if disc == "zoh" else 2.0 * np.arctanh(z / 2.0)), b / a


def samples_to_forget(ssm: dict[str, np.ndarray], disc: str, deviation: np.ndarray) -> float:
    """Until what the layer still says of inputs within +-1, long gone, is -80 dB of its channel's
    deviation."""
    ln_pole, gain = log_poles(ssm, disc)
    c = ssm["c"][..., 0] + 1j * ssm["c"][..., 1]
    decay = np.maximum(-ln_pole.real, 1e-12)
    left = 2.0 * np.abs(c * gain * np.expm1(ln_pole)) / -np.expm1(-decay) / (FORGOTTEN * deviation[:, None])
    return float((np.log(np.maximum(left, 1.0)) / decay).max())


def seconds_to_forget(tensors: dict[str, np.ndarray], depth: int, disc: str, sample_rate: float) -> float:
    """The blocks follow one another: the sum of theirs."""
    samples = 0.0
    for i in range(depth):
        prefix = f"blocks.{i}."
        ssm = {n[len(prefix) + 4 :]: t for n, t in tensors.items() if n.startswith(prefix + "ssm.")}
        variance = tensors.get(prefix + "norm.variance", np.ones(len(ssm["d"])))
        samples += samples_to_forget(ssm, disc, np.sqrt(variance + NORM_EPSILON))
    return samples / sample_rate


# -------------------------------------------------------------------------------- all of it


def convert(
    take: Take, controls: list[Control], config: dict[str, Any], sample_rate: float
) -> tuple[dict[str, np.ndarray], dict[str, Any], float, dict[str, Any]]:
    """-> (tensors, config, seconds to forget, what was inferred)"""
    fixed = not take.has("expand.weight") and any(re.match(r"model\.\d\.", n) for n in take.names())
    if fixed and controls:
        raise Problem("controls: a fixed-parameter model has none")
    tensors, depth, kinds, inferred = (
        read_fixed(take, config) if fixed else read_conditional(take, config, len(controls))
    )
    if not depth:
        raise Problem("tensor blocks.0.s4.C: missing, so this is no S4D compressor")
    if set(kinds) & {"PReLU", "PTanh"}:
        inferred["activation"] = " and ".join(dict.fromkeys(kinds))
    before = {False: "none", True: "tanh"}.get(config["tanh_before_product"], "ptanh")
    final = config["final_tanh"]
    if take.has("tanh.a"):
        tensors["tanh.factor"] = take.number("tanh.a")
        if before != "ptanh":
            inferred["final_tanh"] = final = "ptanh"
    elif "ptanh" in (before, final):
        raise Problem(
            "tensor tanh.a: missing, so there is no PTanh; say what there is with --config: final_tanh"
        )
    if not fixed:
        inferred["model_version"] = "conditional"
    take.left -= {name for name in take.left if name.startswith(QUIET)}
    flags = {key: inferred.get(key, config[key]) for key in ("product", "front_decibels", "to_amplitude")}
    said = {
        "activation1": kinds[0],
        "activation2": kinds[1],
        "discretisation": config["disc"],
        "final_tanh": final,
        "tanh_before_product": before,
        **flags,
    }
    return tensors, said, seconds_to_forget(tensors, depth, config["disc"], sample_rate), inferred
