"""The file beside a model that is being trained, FILE.safetensors.training: all that it takes to go on after
an interruption. It is a safetensors file, so reading it runs nothing: weights, moments and the generators'
states are tensors, the rest is JSON in its metadata. It is replaced as a whole, so that a crash or a full
disk leaves the one before."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import torch

from gainstage_files import foreign_file, new_file, safetensors
from gainstage_files.plain_text import shown
from gainstage_files.problem import NO_INPUT, Problem, cannot_write
from .average import Average
from .models import Model

FORMAT = "gainstage.training"
VERSION = "2"  # 1 was a pickle of PyTorch
FACTS = {"identity": dict, "progress": dict, "unwritten": bool, "moments": dict}
LARGEST_FILE = 8 << 30  # bytes
# What its tensors' names begin with.
MODEL, BEST, AVERAGE, MOMENTS, RANDOM = "model", "best", "average", "moments", "random"


def replace(path: str, content: bytes) -> None:
    """Writes bytes that are nobody else's business: whole or not at all. Raises OSError, and leaves what was
    there."""
    new_file.write(path, content, private=True)


def path_of(output: str) -> str:
    return output + ".training"


def save(
    path: str,
    model: Model,
    best: dict[str, torch.Tensor],
    optimiser: torch.optim.Optimizer,
    average: Average | None,
    facts: dict[str, Any],
) -> None:
    """best: the state dict to go back to; average: of the weights, or None; facts: plain values. Raises
    OSError."""
    state = optimiser.state_dict()
    random = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        random["cuda"] = torch.cuda.get_rng_state()
    parts = {
        MODEL: model.state_dict(),
        BEST: best,
        AVERAGE: average.state_dict() if average else {},
        RANDOM: random,
    }
    tensors = {
        f"{part}/{name}": numbers_of(tensor)
        for part, named in parts.items()
        for name, tensor in named.items()
    }
    # Moments that are no tensors: counts of steps, in some versions of PyTorch.
    plain: dict[str, dict[str, Any]] = {}
    for at, moments in state["state"].items():
        for name, value in moments.items():
            if isinstance(value, torch.Tensor):
                tensors[f"{MOMENTS}/{at}/{name}"] = numbers_of(value)
            else:
                plain.setdefault(str(at), {})[name] = value
    facts = {**facts, "moments": plain}
    replace(
        path,
        safetensors.to_bytes(tensors, {"format": FORMAT, "version": VERSION, "facts": json.dumps(facts)}),
    )


def facts_of(path: str) -> tuple[dict[str, Any] | None, dict[str, torch.Tensor] | None]:
    """-> (facts, tensors by name) of a checkpoint; (None, None) where there is none."""
    if not os.path.exists(path):
        return None, None
    try:
        metadata, tensors = safetensors.parse(foreign_file.read(path, LARGEST_FILE), path)
        if (metadata.get("format"), metadata.get("version")) != (FORMAT, VERSION):
            raise ValueError("it says another format")
        facts = foreign_file.parse_json(metadata["facts"].encode(), path)
        for name, kind in FACTS.items():
            if type(facts[name]) is not kind:
                raise ValueError(name)
        return facts, {name: torch.from_numpy(np.array(array)) for name, array in tensors.items()}
    except (Problem, ValueError, KeyError) as problem:
        if getattr(problem, "exit_code", None) == NO_INPUT:
            raise Problem(str(problem), NO_INPUT) from problem
        raise Problem(
            f"{path}: is damaged, or of an older version of this program, whose files are not read any more (they could run "
            "code); begin anew with --fresh"
        ) from problem


def restore(
    path: str,
    facts: dict[str, Any],
    tensors: dict[str, torch.Tensor],
    model: Model,
    optimiser: torch.optim.Optimizer,
    average: Any,
) -> dict[str, torch.Tensor]:
    """-> the best state dict. Raises Problem where the checkpoint is of another model."""

    def part(name: str) -> dict[str, torch.Tensor]:
        return {key[len(name) + 1 :]: tensor for key, tensor in tensors.items() if key.startswith(name + "/")}

    try:
        state = {int(at): dict(moments) for at, moments in facts["moments"].items()}
        for name, tensor in part(MOMENTS).items():
            at, _, moment = name.partition("/")
            state.setdefault(int(at), {})[moment] = tensor
        best, random = part(BEST), part(RANDOM)
        model.load_state_dict(part(MODEL))
        same_shapes(best, model.state_dict())
        check_moments(state, [parameter for group in optimiser.param_groups for parameter in group["params"]])
        # its settings are those of the schedule, which is the same, and each step sets the rate
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
        if average:
            average.load_state_dict(part(AVERAGE))
        torch.set_rng_state(random["cpu"])
        if "cuda" in random and torch.cuda.is_available():
            torch.cuda.set_rng_state(random["cuda"])
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise Problem(
            f"{path}: does not fit this model ({shown(problem)}); begin anew with --fresh"
        ) from problem
    return best


def numbers_of(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def same_shapes(found: dict[str, torch.Tensor], expected: dict[str, Any]) -> None:
    if {name: tensor.shape for name, tensor in found.items()} != {
        name: tensor.shape for name, tensor in expected.items()
    }:
        raise ValueError("its best weights are of other shapes")


def check_moments(state: dict[int, dict[str, torch.Tensor]], parameters: list[torch.Tensor]) -> None:
    """Each of a parameter's shape, or one number."""
    for at, moments in state.items():
        for name, value in moments.items():
            shape = value.shape if isinstance(value, torch.Tensor) else ()
            if not 0 <= at < len(parameters) or tuple(shape) not in ((), tuple(parameters[at].shape)):
                raise ValueError(f"moment {at}/{name}")
            if not isinstance(value, (torch.Tensor, int, float)):
                raise TypeError(f"moment {at}/{name}")


def must_be_writable(path: str) -> None:
    """Said before hours are spent, not after."""
    with cannot_write(path):
        new_file.must_be_writable(path)
