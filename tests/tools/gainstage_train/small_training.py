"""Trainings that take a second, for the tests of the loop."""

import os
import tempfile
import unittest

import support

support.need("numpy", "torch", "scipy", "soundfile", "numba")

import small  # noqa: E402
import torch  # noqa: E402

from gainstage_train import models  # noqa: E402
from gainstage_train.schedule import Schedule  # noqa: E402
from gainstage_train.train import Training  # noqa: E402

torch.set_num_threads(1)


class Trained(unittest.TestCase):
    """Makes small trainings; `written` and `said` keep what they write and say."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.output = os.path.join(folder.name, "m.safetensors")
        self.data = small.dataset(6.0)
        self.written, self.said = [], []

    def training(self, model=None, write=None, **given):
        torch.manual_seed(1)
        model = model or small.Curve(small.CONTROLS, small.RATE)
        schedule = Schedule.made(model.recipe, **{"epochs": 3, **given})
        schedule.fit(model.frame, 6 * small.RATE)
        write = write or (lambda model, at: self.written.append(at.best))
        return Training(model, self.data, schedule, self.output, schedule.identity(), write, self.said.append)

    def grey_box(self, **given):
        torch.manual_seed(2)
        model = models.build(
            "grey_box", small.CONTROLS, small.RATE, detector_units=2, makeup_units=2, hidden=[4]
        )
        return self.training(
            model, segment_samples=24000, warm_samples=4000, tbptt_samples=4000, batch=4, **given
        )
