"""How long a model whose states decay by what it hears remembers: measured, by playing it."""

from __future__ import annotations


import torch

from gainstage_import import memory, s6_memory
from .model import LONGEST_MEMORY_S, Model

LOUD_S, PROBE_S = 0.25, 1.0


def seconds(model: Model) -> float:
    """Until the model sounds after loud noise as it does after silence, within -80 dBFS, at rest and while
    the sound wanders, with all knobs low and all high. Where that is beyond the probe's end, by the pace at
    which the difference shrinks.
    """

    def whole(length_s: float) -> int:
        return int(length_s * model.sample_rate) // model.frame * model.frame

    quiet = torch.from_numpy(memory.test_inputs(-0.5, 0.5, whole(PROBE_S))).float().repeat(2, 1)
    knobs = torch.stack(
        [model.conditioning({c["name"]: c[end] for c in model.controls}) for end in ("min", "max")]
    )
    knobs = knobs.repeat_interleave(len(quiet) // 2, dim=0)
    loud = torch.rand(len(quiet), whole(LOUD_S), generator=torch.Generator().manual_seed(1)) * 2.0 - 1.0
    device = next(model.parameters()).device
    quiet, knobs, loud = (tensor.to(device) for tensor in (quiet, knobs, loud))
    with torch.no_grad():
        state = model.in_pieces(loud, knobs, None)[1]
        ends = [model.in_pieces(quiet, knobs, begin)[0] for begin in (state, None)]
    samples = s6_memory.samples_to_forget((ends[0] - ends[1]).abs().amax(dim=0).double().cpu().numpy())
    return min(samples / model.sample_rate, LONGEST_MEMORY_S)
