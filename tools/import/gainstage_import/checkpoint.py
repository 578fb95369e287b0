"""Reads a PyTorch checkpoint's tensors, and nothing but tensors: no code in the file is ever run."""

import json
import os
import pickle

import numpy as np

from . import torch_archive
from .problem import NO_INPUT, UNAVAILABLE, Problem

# What wrappers put before a module's own names.
PREFIXES = ("model.", "module.", "net.", "network.", "_orig_mod.")


def strip_prefixes(name, own):
    """`own`: how the family's own names begin; they are never taken for a wrapper's."""
    while not name.startswith(own):
        prefix = next((p for p in PREFIXES if name.startswith(p)), None)
        if prefix is None:
            break
        name = name[len(prefix):]
    return name


def load_for(family, path):
    """-> ({name: float64 array}, {what the checkpoint itself says of the keys that --config may give}). By the family's own
    `load(path)` where it has one, which may choose by content (is_json)."""
    return family.load(path) if hasattr(family, "load") else (load(path, family.OWN_NAMES), {})


def is_json(path):
    """Whether the file begins as a JSON object does."""
    try:
        with open(path, "rb") as file:
            return file.read(64).lstrip().startswith(b"{")
    except OSError:
        return False  # load() says it


def load_json(path):
    """-> the JSON object in the file."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except OSError as problem:
        raise Problem(f"{path}: cannot be read: {problem.strerror}", NO_INPUT) from problem
    except (ValueError, RecursionError) as problem:
        raise Problem(f"{path}: is not JSON, or is damaged: {problem}") from problem
    if not isinstance(content, dict):
        raise Problem(f"{path}: expected a JSON object")
    return content


def array_of(name, value):
    """Nested lists of numbers as a float64 array."""
    try:
        array = np.array(value)
    except ValueError as problem:
        raise Problem(f"tensor {name}: its rows differ in length") from problem
    if array.size and array.dtype.kind not in "iuf":
        raise Problem(f"tensor {name}: expected an array of numbers")
    return array.astype(np.float64)


def load(path, own):
    """-> {name: float64 array}. A plain state dict, or a Lightning checkpoint (its `state_dict`)."""
    return load_with_hyper_parameters(path, own)[0]


def load_with_hyper_parameters(path, own):
    """-> (the same, {what a Lightning checkpoint says of how its module was built})"""
    if not os.path.isfile(path):
        raise Problem(f"{path}: no such file", NO_INPUT)
    try:
        content = torch_archive.load(path) if torch_archive.is_archive(path) else load_old(path)
    except PermissionError as problem:
        raise Problem(f"{path}: cannot be read: {problem.strerror}", NO_INPUT) from problem
    except Problem:
        raise
    except torch_archive.Damaged as problem:
        raise Problem(f"{path}: holds no plain tensors: {problem}. Where it was trained, save the weights alone: "
                      "torch.save(model.state_dict(), FILE)") from problem
    except Exception as problem:  # damaged archives are reported by many types
        raise Problem(f"{path}: is no PyTorch checkpoint, or is damaged ({problem})") from problem
    said = {}
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        said = content.get("hyper_parameters")
        content = content["state_dict"]
    if isinstance(content, torch_archive.Inert):
        raise Problem(f"{path}: holds more than tensors. Where it was trained, save the weights alone: "
                      "torch.save(model.state_dict(), FILE)")
    if not isinstance(content, dict) or not any(isinstance(v, np.ndarray) for v in content.values()):
        raise Problem(f"{path}: holds no state dict")
    tensors = {}
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, np.ndarray):
            continue
        name = strip_prefixes(name, own)
        if name in tensors:
            raise Problem(f"{path}: tensor {name} is there twice, under two prefixes")
        if np.iscomplexobj(value):
            value = np.stack([value.real, value.imag], axis=-1)
        tensors[name] = value.astype(np.float64)
    return tensors, said if isinstance(said, dict) else {}


def load_old(path):
    """As PyTorch before 1.6 saved: what its own reader of weights makes of it."""
    try:
        import torch
    except ImportError as problem:
        raise Problem("PyTorch is needed to read a checkpoint as old as this one (Debian: apt install python3-torch)",
                      UNAVAILABLE) from problem
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as problem:
        # without torch's advice to load it all the same, which would run the file's code
        what = str(problem).rsplit("error: ", 1)[-1]
        raise Problem(f"{path}: holds more than tensors, or is no checkpoint ({what}). Where it was trained, save "
                      "the weights alone: torch.save(model.state_dict(), FILE)") from problem

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value

    return plain(content)
