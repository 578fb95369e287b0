"""How long a recurrent part remembers: measured by letting it run from the two ends of its state."""

import numpy as np

from .model_file import LONGEST_MEMORY_S

GAIN_TOLERANCE = 1.1e-5  # of a gain in units of 80 dB: 8.7e-4 dB, which changes the sound by -80 dB
SOUND_TOLERANCE = 1e-4   # -80 dBFS


def cell_outputs(tensors, prefix, inputs, start):
    """Output of the cell for each of `inputs` (count, samples), hidden values starting all at `start`."""
    import torch
    hidden = tensors[prefix + ".weight_hh"]
    rows, units = hidden.shape
    cell = (torch.nn.RNN if rows == units else torch.nn.GRU)(1, units, batch_first=True).double()
    with torch.no_grad():
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(cell, name + "_l0").copy_(torch.from_numpy(np.array(tensors[f"{prefix}.{name}"])))
        begin = torch.full((1, len(inputs), units), float(start), dtype=torch.float64)
        h, _ = cell(torch.from_numpy(inputs)[:, :, None], begin)
    return h.numpy() @ tensors[prefix + ".out.weight"][0] + tensors[prefix + ".out.bias"][0]


def last_above(difference, tolerance):
    """How many samples it takes the slowest row of `difference` to stay within `tolerance`."""
    over = np.flatnonzero(np.abs(difference).max(axis=0) > tolerance)
    return int(over[-1]) + 1 if over.size else 0


def test_inputs(low, high, samples):
    """Rest at either end and at 0, and a sound that wanders in between."""
    wander = np.random.default_rng(1).uniform(low, high, samples // 100 + 1).repeat(100)[:samples]
    return np.stack([np.full(samples, high), np.full(samples, low), np.zeros(samples), wander])


def of_cell(tensors, prefix, sample_rate, seconds=1.0):
    """Seconds until two extreme starts sound alike; LONGEST_MEMORY_S where they don't within `seconds`."""
    samples = int(seconds * sample_rate)
    inputs = test_inputs(-0.5, 0.5, samples)
    ends = [cell_outputs(tensors, prefix, inputs, start) for start in (1.0, -1.0)]
    forgotten = last_above(ends[0] - ends[1], SOUND_TOLERANCE)
    return LONGEST_MEMORY_S if forgotten >= samples else forgotten / sample_rate


def of_detector(tensors, prefix, sample_rate):
    """The same for a gain smoother whose time constants a cell chooses. Its gain starts at 80 dB, or at 0, with either end of
    the cell: from one of them the first time constants may be so short that where the gain began is forgotten at once."""
    samples = int(LONGEST_MEMORY_S * sample_rate)
    inputs = test_inputs(-1.0, 0.0, samples)
    ends = []
    for start in (1.0, -1.0):
        raw = np.clip(cell_outputs(tensors, prefix, inputs, start), -80.0, 80.0)
        alpha = np.exp(-(1.0 + np.exp(-raw)) / sample_rate)
        ends += [smooth(inputs, alpha, s) for s in (-1.0, 0.0)]
    return last_above(np.max(ends, axis=0) - np.min(ends, axis=0), GAIN_TOLERANCE) / sample_rate


def smooth(inputs, alpha, start):
    s, out = np.full(len(inputs), start), np.empty_like(inputs)
    for k in range(inputs.shape[1]):
        s = alpha[:, k] * s + (1.0 - alpha[:, k]) * inputs[:, k]
        out[:, k] = s
    return out


def recurrent_network(tensors, layers, gates):
    """torch's module with the weights of nodes/models/recurrent/recurrent_weights.hpp."""
    import torch
    units, inputs = tensors["layers.0.weight_hh"].shape[1], tensors["layers.0.weight_ih"].shape[1]
    cell = (torch.nn.LSTM if gates == 4 else torch.nn.GRU)(inputs, units, layers, batch_first=True).double()
    with torch.no_grad():
        for n in range(layers):
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                getattr(cell, f"{name}_l{n}").copy_(torch.from_numpy(np.array(tensors[f"layers.{n}.{name}"])))
    return cell


def of_recurrent(tensors, layers, gates, controls, config, sample_rate, seconds=1.0, loud_seconds=0.25):
    """Seconds until a network that has just heard something loud sounds like one that has heard nothing, with the knobs low,
    in the middle and high; LONGEST_MEMORY_S where it does not within `seconds`, or without PyTorch."""
    try:
        import torch
    except ImportError:
        return LONGEST_MEMORY_S
    cell = recurrent_network(tensors, layers, gates)
    low, high = (np.array([c[end] * c["to_model"]["scale"] + c["to_model"]["offset"] for c in controls]) for end in ("min", "max"))
    places = np.stack([low, (low + high) / 2, high])

    def run(inputs, state):
        """Each input at each place of the knobs."""
        rows = np.repeat(inputs, len(places), axis=0)[:, :, None]
        knobs = np.broadcast_to(np.tile(places, (len(inputs), 1))[:, None, :], (len(rows), rows.shape[1], len(controls)))
        return cell(torch.from_numpy(np.concatenate([rows, knobs], axis=2)), state)

    quiet = test_inputs(-0.5, 0.5, int(seconds * sample_rate))
    loud = test_inputs(-1.0, 1.0, int(loud_seconds * sample_rate))[[2, 0, 1, 3]]
    sounds, count = len(loud), len(quiet) * len(places)
    rows = (torch.arange(sounds) * len(places)).repeat_interleave(count) + torch.arange(len(places)).repeat(sounds * len(quiet))

    def begin(state):
        """Every quiet input once from a start, in the place of the first loud one, and once after each of the others."""
        state = state.clone()
        state[:, :len(places)] = 0.0
        return state[:, rows]

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # small steps, one after the other
    with torch.no_grad():
        states = run(loud, None)[1]
        h = run(np.tile(quiet, (sounds, 1)), tuple(map(begin, states)) if gates == 4 else begin(states))[0].numpy()
    torch.set_num_threads(threads)
    out = (h @ np.array(tensors["output.weight"])[0] + float(tensors["output.bias"][0])).reshape(sounds, count, -1)
    out = np.tanh(out) if config["final_tanh"] == "tanh" else out
    forgotten = max(last_above(row - out[0], SOUND_TOLERANCE) for row in out[1:])
    return LONGEST_MEMORY_S if forgotten >= quiet.shape[1] else forgotten / sample_rate
