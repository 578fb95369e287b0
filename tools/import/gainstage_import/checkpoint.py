"""Reads a PyTorch checkpoint's tensors, and nothing but tensors: no code in the file is ever run."""

import os
import pickle

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


def load(path, own):
    """-> {name: float64 array}. A plain state dict, or a Lightning checkpoint (its `state_dict`)."""
    try:
        import torch
    except ImportError as problem:
        raise Problem("PyTorch is needed to read checkpoints (Debian: apt install python3-torch)",
                      UNAVAILABLE) from problem
    if not os.path.isfile(path):
        raise Problem(f"{path}: no such file", NO_INPUT)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except PermissionError as problem:
        raise Problem(f"{path}: cannot be read: {problem.strerror}", NO_INPUT) from problem
    except pickle.UnpicklingError as problem:
        # without torch's advice to load it all the same, which would run the file's code
        what = str(problem).rsplit("error: ", 1)[-1]
        raise Problem(f"{path}: holds more than tensors, or is no checkpoint ({what}). Where it was trained, save "
                      "the weights alone: torch.save(model.state_dict(), FILE)") from problem
    except Exception as problem:  # torch reports damaged archives by many types
        raise Problem(f"{path}: is no PyTorch checkpoint, or is damaged ({problem})") from problem
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not any(isinstance(v, torch.Tensor) for v in content.values()):
        raise Problem(f"{path}: holds no state dict")
    tensors = {}
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            continue
        name = strip_prefixes(name, own)
        if name in tensors:
            raise Problem(f"{path}: tensor {name} is there twice, under two prefixes")
        tensors[name] = value.detach().cpu().double().numpy()
    return tensors
