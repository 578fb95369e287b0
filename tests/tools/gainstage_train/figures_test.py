#!/usr/bin/python3
"""What the trainer says while it learns and at its end: figures, the bar on a terminal, the verdict beside a plain gain."""

import fcntl
import io
import os
import re
import select
import struct
import termios
import types
import unittest

import support

support.need("numpy", "torch", "scipy", "soundfile", "numba")

from gainstage_train import card, display, run  # noqa: E402
from gainstage_train.evaluation import Row  # noqa: E402
from gainstage_train.figures import change, duration, error, figure  # noqa: E402
from gainstage_train.progress import Progress  # noqa: E402
from gainstage_train.report import table, verdict  # noqa: E402

INFINITE, NO_NUMBER = float("inf"), float("nan")


class Terminal:
    """A real one, of `columns`; 0: it doesn't know its width."""

    def __init__(self, columns):
        self.screen, inside = os.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.stream = open(inside, "w", encoding="utf-8")

    def text(self):
        """What was written."""
        self.stream.flush()
        text = b""
        while select.select([self.screen], [], [], 0)[0]:
            text += os.read(self.screen, 4096)
        self.stream.close()
        os.close(self.screen)
        return text.decode()


def training(elapsed_s, share, esr=6.422325868333398e-5):
    at = types.SimpleNamespace(elapsed_s=elapsed_s, best_esr=esr)
    return types.SimpleNamespace(at=at, share_done=lambda: share, epochs_done=lambda: 2.3141592)


def row(esr, gain, amount, split="test"):
    scores = {
        name: types.SimpleNamespace(
            esr=value, mae=value, mse=value, dc=value, mr_stft=value, mste=value, samples=48000
        )
        for name, value in (("model", esr), ("gain", gain), ("curve", gain))
    }
    return Row(split, {"amount": amount}, 48000.0, **scores)


class Figures(unittest.TestCase):
    def test_three_digits_of_any_size(self):
        for value, text in (
            (0.0067, "0.00670"),
            (0.08, "0.0800"),
            (1.0, "1.00"),
            (12.34, "12.3"),
            (123.4, "123"),
            (45678.0, "45678"),
            (0.00012345, "0.000123"),
            (0.00001234, "1.23e-5"),
            (6.4e-11, "6.40e-11"),
            (0.99999, "1.00"),
            (-0.25, "-0.250"),
            (0.0, "0"),
            (INFINITE, "infinite"),
            (NO_NUMBER, "none"),
        ):
            self.assertEqual(figure(value), text)

    def test_whatever_is_not_zero_never_looks_like_it(self):
        for power in range(-300, 300):
            self.assertRegex(figure(10.0**power), "[1-9]")

    def test_an_error_has_its_decibels(self):
        self.assertEqual(error(0.01234), "0.0123 (-19.1 dB)")
        self.assertEqual(error(INFINITE), "infinite")

    def test_a_change_has_its_sign(self):
        self.assertEqual([change(value) for value in (1.2e-9, -0.5, 0.0)], ["+1.20e-9", "-0.500", "0"])

    def test_times(self):
        self.assertEqual(
            [duration(seconds) for seconds in (0.2, 59, 61, 3599, 7500)],
            ["1 s", "59 s", "2 min", "1 h 00 min", "2 h 05 min"],
        )


class Screen(unittest.TestCase):
    def test_behind_the_bar(self):
        self.assertEqual(
            display.state(training(222.0, 0.25, 0.0123)),
            "3:42, 12 min left at most, epoch 2.31, best esr 0.0123",
        )
        self.assertEqual(display.state(training(1.0, 0.001, 0.5)), "0:01, epoch 2.31, best esr 0.500")

    @unittest.skipIf(display.tqdm is None, "tqdm is not installed")
    def test_a_terminal_gets_a_bar_without_rates_and_digits(self):
        for columns in (0, 100):
            with self.subTest(columns=columns):
                terminal = Terminal(columns)
                shown = display.Display(stream=terminal.stream)
                shown.show(training(100.0, 1 / 15.57))
                shown.say("a line")
                shown.close()
                text = terminal.text()
                self.assertRegex(text, r"  6 %\|.*\| 1:40, 25 min left at most, epoch 2.31, best esr 6.42e-5")
                self.assertRegex(text, r"\ra line\r\n")
                self.assertNotRegex(text, r"it/s|/100|[0-9]\.[0-9]{6}")
                self.assertLessEqual(max(len(line) for line in re.split(r"[\r\n]", text)), columns or 80)

    def test_a_file_gets_lines_alone(self):
        stream = io.StringIO()
        shown = display.Display(stream=stream)
        shown.show(training(100.0, 0.5))
        shown.say("a line")
        shown.close()
        self.assertEqual(stream.getvalue(), "a line\n")

    def test_a_check(self):
        at = Progress(elapsed_s=250.0, loss_sum=0.0141, loss_count=1)
        at.judge(0.0123456, 0.0123456, 3.25)
        self.assertEqual(
            at.said("esr"), "   4:10  epoch    3.25  esr 0.0123 (-19.1 dB)  (training 0.0141)  best so far"
        )
        at.judge(0.5, 0.00001, 3.5)
        self.assertEqual(at.said("mae"), "   4:10  epoch    3.50  esr 1.00e-5 (-50.0 dB)  mae 0.500")


class Verdict(unittest.TestCase):
    def test_a_model_that_is_worth_its_training(self):
        self.assertEqual(
            run.verdict(0.0067, 0.0085), "best esr 0.00670 (-21.7 dB), a plain gain has 0.00850 (-20.7 dB)"
        )

    def test_one_that_is_not_says_so(self):
        for esr in (0.0085, 0.0067, INFINITE, NO_NUMBER):
            said = run.verdict(esr, 0.0067)
            self.assertIn(
                "a plain gain has 0.00670 (-21.7 dB): the model is no better than a plain gain. Train it longer",
                said,
            )

    def test_of_many_settings(self):
        self.assertEqual(
            verdict([row(0.01, 0.1, 0), row(0.02, 0.1, 1)]),
            "Closer to the device than a plain gain at every setting.",
        )
        self.assertEqual(
            verdict([row(0.01, 0.1, 0), row(0.2, 0.1, 1), row(0.3, 0.1, 1, "unseen")]),
            "No better than a plain gain at: amount 1 (held-out audio); amount 1 (held-out audio and knobs).",
        )
        self.assertEqual(verdict([row(0.2, 0.1, 0)]), "No better than a plain gain at any setting.")

    def test_small_errors_in_a_table_and_on_a_card(self):
        rows = [row(0.0000123456, 0.0067, 0)]
        rows[0].worst = (0.01, "wet/a.wav", 1.5)
        for text in (table(rows), card.held_out(rows), card.failures(rows)):
            self.assertIn("1.23e-5", text)
            self.assertIn("0.00670", text)
            self.assertIsNone(re.search(r"\b0\.0+\b", text), text)

    def test_the_same_loss_stands_once_on_a_card(self):
        story = {"loss": "esr", "validation_loss": 0.03021, "validation_esr": 0.03021}
        self.assertEqual(card.validation(story), "esr 0.0302 (-15.2 dB)")
        self.assertEqual(card.validation({**story, "loss": "mae"}), "mae 0.0302, esr 0.0302 (-15.2 dB)")
        self.assertEqual(card.validation({}), "not recorded")


if __name__ == "__main__":
    unittest.main()
