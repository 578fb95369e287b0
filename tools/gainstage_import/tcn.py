"""Temporal convolutional networks: Steinmetz & Reiss, AES 152nd Convention, 2022. Reads the state dicts and
Lightning checkpoints of the authors' published code (micro-tcn), its re-training's JSON, and plain state
dicts of steerable-nafx (conditioned by the controls themselves, convolutions with bias, no output layer).
What the tensors are called in the result: nodes/models/tcn/tcn_weights.hpp."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from gainstage_files import foreign_file
from gainstage_files.model_file import LONGEST_MEMORY_S, Control, control
from gainstage_files.problem import Problem
from . import checkpoint
from .settings import WholeNumbers, is_one_of, is_rate
from .take import Take

ARCHITECTURE = "tcn"
OWN_NAMES = ("gen.", "blocks.", "output.")
SAMPLE_RATE = 44100
# What the tensors don't say; the first is the published code's.
CONFIG = {
    "dilation_growth": WholeNumbers(10, 1, 1024),
    "stack_size": WholeNumbers(10, 1, 32),  # after so many blocks the dilation begins again
    "causal": (True, False),
    "residual_delay": (1, 0),  # the published causal crop is one sample late
    "start": ("silence", "zeros"),
    "final_tanh": ("tanh", "none"),
    "norm_epsilon": (1e-5,),
}
LA_2A = [{**control("limit", "", 0.0, 1.0, 0.0), "steps": 2}, control("peak_reduction", "", 0.0, 1.0, 0.5)]
QUIET = re.compile(
    r"(stft|l1|loss|criterion)\..*|.*\.num_batches_tracked|.*\.conv1b\.(weight|bias)"
)  # which nothing runs
MAX_BLOCKS, MAX_CHANNELS, MAX_TAPS = 32, 256, 256
MAX_STATE_FLOATS = 32 << 20  # what the blocks remember, per channel


# -------------------------------------------------------------------------------- reading


def load(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """-> (tensors by the names of the published code, what the checkpoint says besides)"""
    if checkpoint.is_json(path):
        return of_json(path, foreign_file.read_json(path))
    tensors, said = checkpoint.load_with_hyper_parameters(path, OWN_NAMES)
    facts = {
        key: said[key] for key in ("dilation_growth", "stack_size", "causal") if is_choice(key, said.get(key))
    }
    if "output.weight" not in tensors:
        facts["final_tanh"] = "none"
    return tensors, facts


def is_choice(key: str, value: Any) -> bool:
    return is_one_of(value, CONFIG[key])


def part(where: str, of: Any, key: str, kind: type) -> Any:
    value = of.get(key) if isinstance(of, dict) else None
    if not isinstance(value, kind):
        raise Problem(f"{where}: {key}: expected {'an object' if kind is dict else 'an array'}")
    return value


def of_json(path: str, content: dict[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """{config, gen: [...], blocks: [...], output}: layers with their weights as nested lists."""
    config = part(path, content, "config", dict)
    if not is_one_of(content.get("arch", "direct"), ("direct",)):
        raise Problem(f"{path}: arch: found {foreign_file.quoted(content['arch'])}; expected \"direct\"")
    layers: dict[str, Any] = {
        f"gen.{2 * m}": layer
        for m, layer in enumerate(part(path, content, "gen", list) if "gen" in content else [])
    }
    epsilons = set()
    for n, block in enumerate(part(path, content, "blocks", list)):
        where = f"{path}: blocks[{n}]"
        layers[f"blocks.{n}.conv1"] = part(where, block, "conv1", dict)
        check_dilation(where, block["conv1"], n, config)
        norm = part(where, block, "bn", dict)
        epsilon = norm.get("eps", 1e-5)
        epsilons.add(epsilon if isinstance(epsilon, float) else None)
        layers[f"blocks.{n}.film.bn"] = norm
        if isinstance(block.get("adaptor"), dict):
            layers[f"blocks.{n}.film.adaptor"] = block["adaptor"]
        layers[f"blocks.{n}.relu"] = part(where, block, "prelu", dict)
        layers[f"blocks.{n}.res"] = part(where, block, "res", dict)
    layers["output"] = part(path, content, "output", dict)
    tensors = {}
    for name, layer in layers.items():
        for key in ("weight", "bias", "running_mean", "running_var"):
            if isinstance(layer, dict) and layer.get(key) is not None:
                tensors[f"{name}.{key}"] = foreign_file.array_of(f"{name}.{key}", layer[key])
    facts = {
        key: config[key]
        for key in ("dilation_growth", "stack_size", "causal")
        if is_choice(key, config.get(key))
    }
    rate = config.get("sample_rate")
    if is_rate(rate):
        facts["sample_rate"] = rate
    if len(epsilons) != 1 or not isinstance(next(iter(epsilons)), float):
        raise Problem(f"{path}: blocks: bn: eps: expected one number for all")
    facts["norm_epsilon"] = epsilons.pop()
    return tensors, facts


def check_dilation(where: str, conv: dict[str, Any], number: int, config: dict[str, Any]) -> None:
    growth: Any = config.get("dilation_growth")
    stack: Any = config.get("stack_size", MAX_BLOCKS)
    if (
        isinstance(conv.get("dilation"), int)
        and is_choice("dilation_growth", growth)
        and is_choice("stack_size", stack)
        and conv["dilation"] != growth ** (number % stack)
    ):
        raise Problem(
            f"{where}: conv1: dilation: found {conv['dilation']}; expected {growth ** (number % stack)}, as "
            f"config's dilation_growth of {growth} makes it"
        )


def CONTROLS(take: Take) -> list[Control]:
    """Of the published code: as many knobs as the first conditioning layer has inputs."""
    if take.has("gen.0.weight"):
        count = take("gen.0.weight", None, None).shape[1]
        return LA_2A if count == 2 else [control(f"control_{n + 1}", "", 0.0, 1.0, 0.5) for n in range(count)]
    if take.has("blocks.0.film.adaptor.weight"):
        count = take("blocks.0.film.adaptor.weight", None, None).shape[1]
        return [control(f"control_{n + 1}", "", -10.0, 10.0, 0.0) for n in range(count)]
    return []


# -------------------------------------------------------------------------------- converting


def first_of(take: Take, prefix: str, *names: str) -> str:
    """The first of several names for the same tensor."""
    return next((prefix + name for name in names if take.has(prefix + name)), prefix + names[0])


def read_conditioning(take: Take, controls: int) -> tuple[dict[str, np.ndarray], int]:
    """-> (layers, each followed by ReLU, and how many numbers they say)"""
    places = sorted(
        int(m[1]) for m in (re.fullmatch(r"gen\.(\d{1,4})\.weight", n) for n in take.names()) if m
    )
    width = controls
    out: dict[str, np.ndarray] = {}
    for layer, place in enumerate(places):
        weight = take(f"gen.{place}.weight", None, None)
        if weight.shape[1] != width:
            raise Problem(
                f"tensor gen.{place}.weight: has shape {weight.shape}; expected (any, {width})"
                + (f" for {controls} controls: name as many as it has with --config" if layer == 0 else "")
            )
        width = len(weight)
        out[f"conditioning.{layer}.weight"] = weight
        out[f"conditioning.{layer}.bias"] = take(f"gen.{place}.bias", width)
    return out, width


def read_block(take: Take, number: int, inputs: int, width: int) -> dict[str, np.ndarray]:
    """-> tensors of the block in the result"""
    old, new = f"blocks.{number}.", f"blocks.{number}."
    name = first_of(take, old, "conv1.weight", "conv.weight")
    conv = take(name, None, None, None)
    channels, group, taps = conv.shape
    if inputs % max(group, 1) or channels % max(inputs // max(group, 1), 1):
        raise Problem(
            f"tensor {name}: has shape {conv.shape}; expected ({channels}, {inputs}, {taps}), or groups of them"
        )
    if not (1 <= channels <= MAX_CHANNELS and 1 <= taps <= MAX_TAPS):
        raise Problem(
            f"tensor {name}: has shape {conv.shape}; at most {MAX_CHANNELS} channels of {MAX_TAPS} taps are supported"
        )
    out = {new + "conv.weight": conv}
    bias = name[: -len("weight")] + "bias"
    if take.has(bias):
        out[new + "conv.bias"] = take(bias, channels)
    for norm in ("film.bn.", "bn."):
        if take.has(old + norm + "running_mean"):
            out[new + "norm.mean"] = take(old + norm + "running_mean", channels)
            out[new + "norm.variance"] = take(old + norm + "running_var", channels)
    if take.has(old + "film.adaptor.weight") or width:
        out[new + "film.weight"] = take(old + "film.adaptor.weight", 2 * channels, width)
        out[new + "film.bias"] = take(old + "film.adaptor.bias", 2 * channels)
    elif take.has(old + "bn.weight"):
        out[new + "film.bias"] = np.concatenate(
            [take(old + "bn.weight", channels), take(old + "bn.bias", channels)]
        )
    slope = take(first_of(take, old, "relu.weight", "act.weight", "prelu.weight", "activation.weight"), None)
    if len(slope) not in (1, channels):
        raise Problem(f"tensor {old}relu.weight: has shape {slope.shape}; expected ({channels},) or (1,)")
    residual = take(old + "res.weight", channels, None, 1)
    if residual.shape[1] not in (1, inputs) or residual.shape[1] == 1 and channels % inputs:
        raise Problem(
            f"tensor {old}res.weight: has shape {residual.shape}; expected ({channels}, {inputs}, 1) or "
            f"({channels}, 1, 1)"
        )
    return {**out, new + "slope": slope, new + "residual.weight": residual[:, :, 0]}


def spans(tensors: dict[str, np.ndarray], blocks: int, config: dict[str, Any]) -> list[tuple[int, int]]:
    """How far back each block looks, and the floats of a row of its input."""
    out, inputs = [], 1
    for n in range(blocks):
        channels, _, taps = tensors[f"blocks.{n}.conv.weight"].shape
        span = (taps - 1) * config["dilation_growth"] ** (n % config["stack_size"])
        out.append((max(span, config["residual_delay"]), inputs if inputs == 1 else -(-inputs // 16) * 16))
        inputs = channels
    return out


def check_size(
    tensors: dict[str, np.ndarray], blocks: int, config: dict[str, Any], sample_rate: float
) -> int:
    """-> receptive field"""
    looks_back = spans(tensors, blocks, config)
    field = 1 + sum(span for span, _ in looks_back)
    growth = config["dilation_growth"]
    if field - 1 > LONGEST_MEMORY_S * sample_rate:
        raise Problem(
            f"dilation_growth: {growth} makes a receptive field of {field} samples, longer than {LONGEST_MEMORY_S:g} s"
        )
    if sum(span * width for span, width in looks_back) > MAX_STATE_FLOATS:
        raise Problem(
            f"dilation_growth: {growth} makes blocks that remember more than {MAX_STATE_FLOATS} numbers a channel"
        )
    return field


def convert(
    take: Take, controls: list[Control], config: dict[str, Any], sample_rate: float
) -> tuple[Any, ...]:
    """-> (tensors, config, seconds to forget, what was inferred, sizes)"""
    numbers = [int(m[1]) for m in (re.match(r"blocks\.(\d{1,4})\.", name) for name in take.names()) if m]
    if not numbers:
        raise Problem("tensor blocks.0.conv1.weight: missing, so this is no temporal convolutional network")
    blocks = max(numbers) + 1
    if blocks > MAX_BLOCKS:
        raise Problem(f"tensor blocks.{blocks - 1}: at most {MAX_BLOCKS} blocks are supported")
    tensors, width = read_conditioning(take, len(controls))
    inputs = 1
    for n in range(blocks):
        tensors.update(read_block(take, n, inputs, width))
        inputs = len(tensors[f"blocks.{n}.conv.weight"])
    if take.has("output.weight"):
        tensors["output.weight"] = take("output.weight", 1, inputs, 1)[:, :, 0]
        tensors["output.bias"] = take("output.bias", 1)
    elif inputs != 1:
        raise Problem(f"tensor output.weight: missing, and the last block has {inputs} channels")
    take.left = {name for name in take.left if not QUIET.fullmatch(name)}
    if not config["causal"]:
        config = {**config, "residual_delay": 0}  # its paths meet in the middle
    field = check_size(tensors, blocks, config, sample_rate)
    looks_ahead = 0 if config["causal"] else (field - 1) - (field - 1) // 2
    inferred = {
        "blocks": blocks,
        "channels": len(tensors["blocks.0.conv.weight"]),
        "taps": tensors["blocks.0.conv.weight"].shape[2],
    }
    sizes = {"receptive_field": field, "memory_samples": field, "latency_samples": looks_ahead}
    return tensors, config, field / sample_rate, inferred, sizes
