"""What every trainable model promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from gainstage_files.model_file import LONGEST_MEMORY_S, Control

# Operations of a tanh, sigmoid, exponential, logarithm: Wright & Valimaki, DAFx 2022, table 1.
TRANSCENDENTAL = 30.0

# Of networks that carry a state through whole recordings.
CARRIED_STATE_RECIPE = {
    "segment_samples": 144000,
    "batch": 32,
    "warm_samples": 24000,
    "tbptt_samples": 1024,
    "rate": 4e-3,
    "loss": "esr",
}


class Model(torch.nn.Module):
    """A model whose equations are those of a node of the runtime: exported and rendered there, it equals
    forward().

    controls: as in the model file (gainstage_files.model_file.control); sample_rate: Hz, the training rate.
    """

    architecture = ""  # of the model file
    name = ""  # on the command line
    frame = 1  # forward() takes multiples of so many samples
    latency_samples = 0  # said in the file; what forward() returns is not delayed by it
    receptive_field = 0  # samples; 0: no end to it
    # segment_samples, batch, warm_samples, tbptt_samples, rate, loss, and others of schedule.py
    recipe: dict[str, Any] = {}

    def __init__(self, controls: list[Control], sample_rate: float) -> None:
        super().__init__()
        self.controls, self.sample_rate = list(controls), float(sample_rate)

    @classmethod
    def idle(cls, settings: dict[str, Any]) -> list[str]:
        """settings: all, by name. -> those that do nothing beside the others."""
        return []

    def conditioning(self, knobs: dict[str, float] | list[dict[str, float]]) -> torch.Tensor:
        """Values by name, in the knobs' units, as a tensor [controls] of what the network hears; a list of
        such: [batch, controls]. A knob that is not named stands at its default."""
        if not isinstance(knobs, dict):
            return torch.stack([self.conditioning(one) for one in knobs])
        heard = [
            float(knobs.get(c["name"], c["default"])) * c["to_model"]["scale"] + c["to_model"]["offset"]
            for c in self.controls
        ]
        return torch.tensor(heard, dtype=torch.float32)

    def forward(self, x: torch.Tensor, knobs: torch.Tensor, state: Any = None) -> Any:
        """x [batch, samples] in -1..1; knobs [batch, controls] as conditioning() gives them, constant in a
        call; state: what the last call returned, None at the start, as after the node's reset(). -> (y
        [batch, samples], state). Pieces, each with the state of the one before, give what one call gives:
        without gradients that is how a long sound is played, so that what it takes stays within a processor's
        cache."""
        if self.training:
            self.first_hears(x, knobs)
        if torch.is_grad_enabled():
            return self.piece(x, knobs, state)
        return self.in_pieces(x, knobs, state)

    def in_pieces(self, x: torch.Tensor, knobs: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        samples = max(self.recipe["tbptt_samples"] // self.frame, 1) * self.frame
        out = []
        for part in x.split(samples, dim=1):
            y, state = self.piece(part, knobs, state)
            out.append(y)
        return torch.cat(out, dim=1), state

    def first_hears(self, x: torch.Tensor, knobs: torch.Tensor) -> None:
        """In training, before anything is played: what of the model is measured, not learned (norm.py)."""

    def piece(self, x: torch.Tensor, knobs: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        """forward() at once."""
        raise NotImplementedError

    def begin_from(self, dry: torch.Tensor, wet: torch.Tensor) -> None:
        """To be called once before training: starts from the best static gain of these [rows, samples], which
        may be far from 1 under heavy compression."""
        gain = float((dry * wet).sum() / dry.square().sum().clamp_min(1e-9))
        with torch.no_grad():
            self.start_at_gain(gain)

    def start_at_gain(self, gain: float) -> None:
        """Of an untrained model, which plays its input at a gain of about 1."""

    def config(self) -> dict[str, Any]:
        """`config` of the model file."""
        raise NotImplementedError

    def tensors(self) -> dict[str, np.ndarray]:
        """name -> float64 array, as nodes/models/FAMILY/FAMILY_weights.hpp names them."""
        raise NotImplementedError

    def seconds_to_forget(self) -> float:
        """Measured on the weights as they are; may take seconds."""
        raise NotImplementedError

    def memory_seconds(self) -> float:
        return min(self.seconds_to_forget(), LONGEST_MEMORY_S)

    def operations(self) -> float:
        """Floating-point operations per sample: multiplications and additions one each, tanh and the like
        TRANSCENDENTAL; what happens only when a knob moves is not counted. As NodeType::operations counts."""
        raise NotImplementedError

    def describe(self) -> str:
        """One line for the card."""
        raise NotImplementedError

    def groups(self, rate: float) -> list[dict[str, Any]]:
        """Parameter groups for Adam at the rate of the recipe (or another)."""
        return [{"params": list(self.parameters()), "lr": rate}]

    def parameter_count(self) -> int:
        return int(sum(np.size(tensor) for tensor in self.tensors().values()))


def detach(state: Any) -> Any:
    """The same state without what it was computed from; any nesting of tensors, tuples, lists and dicts."""
    if torch.is_tensor(state):
        return state.detach()
    if isinstance(state, dict):
        return {key: detach(value) for key, value in state.items()}
    if isinstance(state, (tuple, list)):
        return type(state)(detach(value) for value in state)
    return state


def array(tensor: torch.Tensor) -> np.ndarray:
    """For a file."""
    return tensor.detach().cpu().double().numpy().copy()


def linear_tensors(name: str, layer: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name + ".weight": array(layer.weight), name + ".bias": array(layer.bias)}


def mlp(sizes: tuple[int, ...], activation: type, last_too: bool = False) -> torch.nn.Module:
    """Dense layers of so many inputs and outputs, an activation between them (and after the last)."""
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [torch.nn.Linear(inputs, outputs), activation()]
    return torch.nn.Sequential(*(layers if last_too else layers[:-1]))


def mlp_tensors(name: str, network: torch.nn.Module) -> dict[str, np.ndarray]:
    layers = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
    return {
        key: value
        for n, layer in enumerate(layers)
        for key, value in linear_tensors(f"{name}.{n}", layer).items()
    }
