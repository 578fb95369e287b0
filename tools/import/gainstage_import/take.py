"""Tensors handed out one by one: what is missing or misshapen is refused by name, what is left over is known."""

import numpy as np

from .problem import Problem


class Take:
    def __init__(self, tensors):
        self.tensors = dict(tensors)
        self.left = set(tensors)

    def has(self, name):
        return name in self.tensors

    def names(self):
        return list(self.tensors)

    def __call__(self, name, *shape):
        """The tensor; `shape` entries of None match any size. With no shape: as it is."""
        if name not in self.tensors:
            raise Problem(f"tensor {name}: missing")
        tensor = self.tensors[name]
        if shape and (tensor.ndim != len(shape) or any(w not in (None, s) for s, w in zip(tensor.shape, shape))):
            wanted = ", ".join("any" if w is None else str(w) for w in shape)
            raise Problem(f"tensor {name}: has shape {tuple(tensor.shape)}; expected ({wanted})")
        if not np.all(np.isfinite(tensor)):
            raise Problem(f"tensor {name}: holds NaN or infinity")
        self.left.discard(name)
        return tensor

    def number(self, name):
        """A tensor of one element, whatever its shape, as shape (1,)."""
        tensor = self(name)
        if tensor.size != 1:
            raise Problem(f"tensor {name}: has shape {tuple(tensor.shape)}; expected one number")
        return tensor.reshape(1)
