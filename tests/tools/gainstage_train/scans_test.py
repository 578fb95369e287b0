#!/usr/bin/python3
"""The recurrences that models train through: compiled and plain loops say the same, and their gradients are
right."""

import unittest

import support

support.need("numba", "numpy", "torch")

import torch  # noqa: E402

from gainstage_train.models import cells, scans, shaping  # noqa: E402

torch.set_num_threads(1)


def some(*shape, low=-1.0, high=1.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(sum(shape))
    return (low + (high - low) * torch.rand(*shape, generator=generator, dtype=torch.float64)).to(dtype)


def poles(channels, modes):
    """Within the unit circle, one of them slow."""
    radius, angle = some(channels, modes, low=0.6, high=0.999), some(channels, modes, low=0.0, high=1.0)
    return torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], 2)


# name -> (function of (arguments, plain), arguments)
SCANS = {
    "smooth": (
        lambda a, plain: scans.smooth(*a, plain=plain),
        lambda: (some(9, 3), some(9, 3, low=0.0), some(3)),
    ),
    "switching": (
        lambda a, plain: scans.switching(*a, plain=plain),
        lambda: (some(40, 3), some(3, low=0.3), some(3, low=0.0, high=0.2), some(3)),
    ),
    "diagonal": (
        lambda a, plain: scans.diagonal(*a, plain=plain),
        lambda: (some(2, 70, 3), poles(2, 2), some(2, 2, 2), some(2), some(2, 2, 2, 3)),
    ),
    "selective": (
        lambda a, plain: scans.selective(*a, plain=plain),
        lambda: (
            some(2, 70, 3),
            some(2, 70, 3, low=0.01, high=0.3),
            some(3, 70, 3),
            some(3, 70, 3),
            some(2, 3, low=0.1),
            some(2, 3, 3),
        ),
    ),
}


class Scans(unittest.TestCase):
    def test_gradients_are_those_of_small_differences(self):
        for name, (scan, arguments) in SCANS.items():
            given = tuple(a.clone().requires_grad_() for a in arguments())
            for plain in (False, True):
                with self.subTest(name, plain=plain):
                    self.assertTrue(
                        torch.autograd.gradcheck(lambda *a: scan(a, plain), given, atol=1e-6, rtol=1e-5)
                    )

    def test_the_compiled_loops_say_what_the_plain_ones_say(self):
        """Measured: at most 4e-15."""
        for name, (scan, arguments) in SCANS.items():
            with self.subTest(name):
                for one, other in zip(scan(arguments(), False), scan(arguments(), True)):
                    self.assertLess(float((one - other).abs().max()), 1e-12)

    def test_a_scan_in_pieces_is_the_scan_at_once(self):
        goal, share = some(300, 4), some(300, 4, low=0.0, high=0.1)
        whole, end = scans.smooth(goal, share)
        first, state = scans.smooth(goal[:77], share[:77])
        second, state = scans.smooth(goal[77:], share[77:], state)
        self.assertTrue(torch.equal(torch.cat([first, second]), whole) and torch.equal(state, end))

    def test_a_slow_pole_in_single_precision_keeps_its_resting_value(self):
        """Time constant 1 s: a state of 32 bits would stop short of 1 by 0.3 %. Measured: 6e-8."""
        share = torch.full((20 * 48000, 1), 1.0 / 48000.0)
        end = scans.smooth(torch.ones_like(share), share)[0][-1]
        self.assertLess(abs(float(end) - 1.0), 1e-6)

    def test_the_switch_is_found_whatever_the_sound(self):
        """The plain form guesses and looks again, until every guess was right. In 64 bits no sample falls on
        the other side."""
        goal = some(3000, 5)
        for fall, rise in ((0.9, 0.001), (0.001, 0.9), (0.05, 0.05)):
            one, other = (
                scans.switching(goal, torch.tensor(fall).double(), torch.tensor(rise).double(), plain=plain)[
                    0
                ]
                for plain in (False, True)
            )
            self.assertLess(float((one - other).abs().max()), 1e-12)


# name -> (function of (arguments, plain), arguments); more samples than the compiled loops work on at once
SHAPES = {
    "taps": (lambda a, plain: shaping.taps(*a, plain=plain), lambda: (some(3, 283, 2), some(3, 4), some(3))),
    "leaky": (lambda a, plain: shaping.leaky(*a, plain=plain), lambda: (some(3, 50, 2), some(3))),
    "one slope for all": (lambda a, plain: shaping.leaky(*a, plain=plain), lambda: (some(3, 50, 2), some(1))),
    "shaped": (
        lambda a, plain: shaping.shaped(*a, plain=plain),
        lambda: (
            some(2, 280, 2),
            some(2, 2),
            some(2, 2),
            some(2),
            some(2, low=0.5),
            some(2, 281, 2)[:, :280],
        ),
    ),
    "shaped with one slope": (
        lambda a, plain: shaping.shaped(*a, plain=plain),
        lambda: (some(2, 40, 3), some(2, 3), some(2, 3), some(1), some(2, low=0.5), some(2, 41, 3)[:, :40]),
    ),
}


class Shapes(unittest.TestCase):
    def test_gradients_are_those_of_small_differences(self):
        for name, (shape, arguments) in SHAPES.items():
            given = tuple(a.clone().requires_grad_() for a in arguments())
            for plain in (False, True):
                with self.subTest(name, plain=plain):
                    self.assertTrue(
                        torch.autograd.gradcheck(lambda *a: shape(a, plain), given, atol=1e-6, rtol=1e-5)
                    )

    def test_the_compiled_loops_say_what_the_plain_ones_say(self):
        """Output and gradients, in 32 bits as they train. Measured: at most 1.6e-5, of sums over 560
        numbers."""
        for name, (shape, arguments) in SHAPES.items():
            with self.subTest(name):
                for one, other in zip(*(self.played(shape, arguments(), plain) for plain in (False, True))):
                    self.assertLess(float((one - other).abs().max()), 1e-4)

    def played(self, shape, arguments, plain):
        given = [a.float().requires_grad_() for a in arguments]
        y = shape(given, plain)
        (y * some(*y.shape, dtype=torch.float32)).sum().backward()
        return [y, *(one.grad for one in given)]


class Cells(unittest.TestCase):
    def cell(self, kind, units=5):
        torch.manual_seed(1)
        return cells.Cell(kind, 2, units).double()

    def start(self, kind, units, lanes):
        state = some(units, lanes)
        return (state, some(units + 1, lanes)[:units]) if kind == "lstm" else state

    def test_they_are_those_of_pytorch(self):
        """Output, state and every gradient, of few units (without BLAS) and more (with). Measured: at most
        2e-13."""
        for kind in cells.Cell.KINDS:
            for units in (5, 18):
                with self.subTest(kind, units=units):
                    results = [self.played(kind, units, plain) for plain in (False, True)]
                    for one, other in zip(*results):
                        self.assertLess(float((one - other).abs().max()), 1e-10)

    def played(self, kind, units, plain):
        cell = self.cell(kind, units)
        x, held = some(50, 1, 3).requires_grad_(), some(3, 1).requires_grad_()
        state = self.start(kind, units, 3)
        h, end = cell(x, held, state, plain=plain)
        ends = end if kind == "lstm" else (end,)
        (h * some(50, units, 3)).sum().add(sum((e * some(units, 3)).sum() for e in ends)).backward()
        return [h, *ends, x.grad, held.grad, *(p.grad for p in cell.parameters())]

    def test_a_state_that_windows_begin_anew_has_the_right_gradients(self):
        """ED-LSTM that carries its state: h is given at every window, c is added to."""
        windows, w, units, lanes = 3, 4, 2, 2
        given = [
            some(windows * w, 1, lanes),
            some(4 * units, 1),
            some(4 * units, units),
            some(4 * units, lanes),
            some(windows, units, lanes),
            some(windows, units, lanes),
            some(units, lanes),
            some(units, lanes),
        ]
        given = [g.requires_grad_() for g in given]

        def steps(x, w_ih, w_hh, base, begin_h, begin_c, h, c):
            return cells.LstmSteps.apply(x, w_ih, w_hh, base, begin_h, begin_c, w, h, c)

        self.assertTrue(torch.autograd.gradcheck(steps, given, atol=1e-6, rtol=1e-5))

    def test_the_fast_tanh_is_one(self):
        """Measured: 3e-7 off at most."""
        cell = cells.Cell("rnn", 1, 1)
        with torch.no_grad():
            for p in cell.parameters():
                p.zero_()
            cell.network.weight_ih_l0.fill_(1.0)
            x = torch.linspace(-20.0, 20.0, 4001)
            h, _ = cell(x[:, None, None])
        self.assertLess(float((h[:, 0, 0] - torch.tanh(x)).abs().max()), 1e-6)


if __name__ == "__main__":
    unittest.main()
