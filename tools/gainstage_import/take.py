"""Tensors handed out one by one: what is missing or misshapen is refused by name, what is left over is
known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gainstage_files.problem import Problem


LARGEST = float(np.finfo(np.float32).max)
MOST = 4096  # rows or columns of a tensor whose shape is not known beforehand


class Take:
    """tensors: {name: what has a shape and becomes a float64 array}"""

    def __init__(self, tensors: Mapping[str, Any]) -> None:
        self.tensors = dict(tensors)
        self.left = set(tensors)

    def has(self, name: str) -> bool:
        return name in self.tensors

    def names(self) -> list[str]:
        return list(self.tensors)

    def __call__(self, name: str, *shape: int | None, most: int = MOST) -> np.ndarray:
        """The tensor; `shape` entries of None match 1 to `most`. With no shape: as it is."""
        if name not in self.tensors:
            raise Problem(f"tensor {name}: missing")
        tensor = self.tensors[name]
        if shape and (
            tensor.ndim != len(shape) or any(w not in (None, s) for s, w in zip(tensor.shape, shape))
        ):
            wanted = ", ".join("any" if w is None else str(w) for w in shape)
            raise Problem(f"tensor {name}: has shape {tuple(tensor.shape)}; expected ({wanted})")
        if any(w is None and not 1 <= s <= most for s, w in zip(tensor.shape, shape)):
            raise Problem(f"tensor {name}: has shape {tuple(tensor.shape)}; 1 to {most} are supported")
        tensor = np.asarray(tensor, dtype=np.float64)
        if not np.all(np.isfinite(tensor)):
            raise Problem(f"tensor {name}: holds NaN or infinity")
        if tensor.size and max(tensor.max(), -tensor.min()) > LARGEST:
            raise Problem(f"tensor {name}: holds a number beyond 32-bit range")
        self.left.discard(name)
        return tensor

    def number(self, name: str) -> np.ndarray:
        """A tensor of one element, whatever its shape, as shape (1,)."""
        tensor = self(name)
        if tensor.size != 1:
            raise Problem(f"tensor {name}: has shape {tuple(tensor.shape)}; expected one number")
        return tensor.reshape(1)
