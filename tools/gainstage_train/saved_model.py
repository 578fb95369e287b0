"""A model file back as a model of the training code: of those that were trained here, whose metadata say with
which settings."""

from __future__ import annotations

import numpy as np
import torch

from gainstage_files import foreign_file, safetensors
from gainstage_files.problem import Problem
from . import models
from .models import Model

# Parameters that the file has otherwise than the model: name's end -> (the tensor's end, what to do with it)
DERIVED = {"log_tau": ("detector.tau_s", np.log)}
SUMMED = ("bias_ih_l0", "bias_hh_l0")  # where the file has their sum


def read(path: str) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """-> (metadata, {name: float32 array}) of a model file"""
    try:
        metadata, tensors = safetensors.parse(foreign_file.read(path), path)
    except Problem as problem:
        raise Problem(str(problem), problem.exit_code) from problem
    if "gainstage.format" not in metadata or any(array.dtype != np.float32 for array in tensors.values()):
        raise Problem(f"{path}: is no model file of Gainstage")
    return metadata, tensors


def from_file(path: str) -> Model:
    """-> Model, ready to play"""
    metadata, tensors = read(path)
    try:
        story = foreign_file.parse_json(metadata.get("training", "{}").encode(), path)
        name, settings = story["model"], story["settings"]
        controls = foreign_file.parse_json(metadata["controls"].encode(), path, list)
        model = models.build(name, controls, float(metadata["sample_rate"]), **settings)
    except (Problem, KeyError, ValueError, TypeError, AttributeError, RuntimeError, MemoryError) as problem:
        raise Problem(
            f"{path}: does not say how it was trained, as files of python3 -m gainstage_train do; it can only be rendered"
        ) from problem
    fill(model, tensors, path)
    return model.eval()


def fill(model: Model, tensors: dict[str, np.ndarray], path: str = "the model") -> None:
    """Every parameter from the tensor that shows it."""
    for name, parameter in _numbers(model).items():
        value = _value_of(model, name, parameter, tensors, path)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(np.array(value, dtype=np.float32)).reshape(parameter.shape))
    for name, buffer in model.named_buffers():
        if buffer.dtype == torch.bool:
            buffer.fill_(True)  # what is measured once has been
    for name, made in model.tensors().items():
        if (
            name not in tensors
            or made.shape != tensors[name].shape
            or not np.allclose(made, tensors[name], rtol=1e-5, atol=1e-7)
        ):
            raise Problem(f"{path}: tensor {name} is not what the settings in it make")


def _numbers(model: Model) -> dict[str, torch.Tensor]:
    """-> parameters and buffers of floats by name"""
    return {
        name: value for name, value in model.state_dict(keep_vars=True).items() if value.is_floating_point()
    }


def _value_of(
    model: Model, name: str, parameter: torch.Tensor, tensors: dict[str, np.ndarray], path: str
) -> np.ndarray:
    for end, (tensor, invert) in DERIVED.items():
        if name.endswith(end) and tensor in tensors:
            return invert(tensors[tensor].astype(np.float64))
    shown = _shows(model, parameter)
    if shown is not None and shown in tensors and tensors[shown].size == parameter.numel():
        summed = name.endswith(SUMMED) and not np.array_equal(
            model.tensors()[shown].ravel(), parameter.detach().numpy().ravel()
        )
        return np.zeros(parameter.shape) if summed and name.endswith(SUMMED[1]) else tensors[shown]
    if not isinstance(parameter, torch.nn.Parameter):
        return parameter.numpy()  # a constant
    raise Problem(f"{path}: holds no tensor for {name} of {parameter.numel()} numbers")


def _shows(model: Model, parameter: torch.Tensor) -> str | None:
    """-> the name of the tensor of the file that changes with the parameter"""
    before = model.tensors()
    with torch.no_grad():
        kept = parameter.clone()
        parameter.add_(1.0)
        after = model.tensors()
        parameter.copy_(kept)
    changed = [name for name in before if not np.array_equal(before[name], after[name])]
    return changed[0] if len(changed) == 1 else None
