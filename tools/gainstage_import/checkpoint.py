"""Reads a PyTorch checkpoint's tensors, and nothing but tensors: no code in the file is ever run."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from gainstage_files import foreign_file
from gainstage_files.plain_text import shown
from gainstage_files.problem import Problem
from . import torch_archive, torch_old
from .pickles import Damaged, Inert
from .torch_tensors import Tensor

# What wrappers put before a module's own names.
PREFIXES = ("model.", "module.", "net.", "network.", "_orig_mod.")
LONGEST_NAME = 1000  # of a tensor
MOST_TENSORS = 1 << 16
SAVE_WEIGHTS = "Where it was trained, save the weights alone: torch.save(model.state_dict(), FILE)"


def strip_prefixes(name: str, own: tuple[str, ...]) -> str:
    """`own`: how the family's own names begin; they are never taken for a wrapper's."""
    while not name.startswith(own):
        prefix = next((p for p in PREFIXES if name.startswith(p)), None)
        if prefix is None:
            break
        name = name[len(prefix) :]
    return name


def load_for(family: ModuleType, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """-> ({name: float64 array or Weight}, {what the checkpoint itself says of the keys that --config may
    give}). By the family's own `load(path)` where it has one, which may choose by content (is_json)."""
    return family.load(path) if hasattr(family, "load") else (load(path, family.OWN_NAMES), {})


def is_json(path: str) -> bool:
    """Whether the file begins as a JSON object does."""
    return foreign_file.begins_with(path, b"{")


def load(path: str, own: tuple[str, ...]) -> dict[str, Weight]:
    """-> {name: Weight}. A plain state dict, or a Lightning checkpoint (its `state_dict`)."""
    return load_with_hyper_parameters(path, own)[0]


def load_with_hyper_parameters(path: str, own: tuple[str, ...]) -> tuple[dict[str, Weight], dict[str, Any]]:
    """-> (the same, {what a Lightning checkpoint says of how its module was built})"""
    content = foreign_file.read(path)
    saved, said = saved_in(content, path), None
    if isinstance(saved, dict) and isinstance(saved.get("state_dict"), dict):
        said = saved.get("hyper_parameters")
        saved = saved["state_dict"]
    if isinstance(saved, Inert):
        raise Problem(f"{path}: holds more than tensors. {SAVE_WEIGHTS}")
    if not isinstance(saved, dict) or not any(isinstance(value, Tensor) for value in saved.values()):
        raise Problem(f"{path}: holds no state dict")
    if len(saved) > MOST_TENSORS:
        raise Problem(f"{path}: lists {len(saved)} tensors; at most {MOST_TENSORS} are read")
    tensors = {}
    for name, value in saved.items():
        if not isinstance(value, Tensor):
            continue
        if len(name) > LONGEST_NAME:
            raise Problem(f"{path}: tensor {shown(name, 60)}: its name is too long")
        name = strip_prefixes(name, own)
        if name in tensors:
            raise Problem(f"{path}: tensor {name} is there twice, under two prefixes")
        tensors[name] = value
    foreign_file.check_numbers(
        sum(map(Tensor.float64_bytes, tensors.values())), len(content), f"{path}: its tensors"
    )
    return {name: Weight(value) for name, value in tensors.items()}, said if isinstance(said, dict) else {}


def saved_in(content: bytes, path: str) -> Any:
    """-> what torch.save() was given."""
    reader = next((form for form in (torch_archive, torch_old) if content.startswith(form.BEGINNING)), None)
    if reader is None:
        raise Problem(f"{path}: is no PyTorch checkpoint, or is damaged")
    try:
        return reader.load(content)
    except Damaged as problem:
        raise Problem(f"{path}: holds no plain tensors: {problem}. {SAVE_WEIGHTS}") from problem


class Weight:
    """A tensor as float64, a complex one as pairs. Numbers are only made of what a family takes."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor, self.shape = tensor, (*tensor.size, 2) if tensor.is_complex() else tensor.size
        self.ndim = len(self.shape)

    def __array__(self, dtype: Any = np.float64, copy: bool | None = None) -> np.ndarray:
        array = np.asarray(self.tensor)
        if self.tensor.is_complex():
            array = np.stack([array.real, array.imag], axis=-1)
        return array.astype(dtype)
