#!/usr/bin/python3
"""Checkpoints: what they hold, which are refused, and what a full disk leaves."""

import io
import json
import os
import resource
import unittest

import support

support.need("numpy", "torch", "scipy", "soundfile", "numba")

import numpy as np  # noqa: E402
import small  # noqa: E402
import torch  # noqa: E402
from small_training import Trained  # noqa: E402

from gainstage_train import checkpoint, models  # noqa: E402
from gainstage_files import safetensors  # noqa: E402
from gainstage_files.problem import Problem  # noqa: E402


class Checkpoint(Trained):
    def test_a_checkpoint_of_other_settings_or_none_of_ours_is_refused(self):
        training = self.grey_box()
        training.run(lambda: True)
        with self.assertRaisesRegex(Problem, rf"rate {training.schedule.rate:g}, now 0.1.*--fresh"):
            self.grey_box(rate=0.1).resume()
        with open(checkpoint.path_of(self.output), "rb") as file:
            content = file.read()
        for damaged in (b"", b"noise", content[: len(content) // 2]):
            with open(checkpoint.path_of(self.output), "wb") as file:
                file.write(damaged)
            with self.assertRaisesRegex(Problem, "--fresh"):
                self.grey_box().resume()

    def test_a_checkpoint_is_tensors_and_json_and_holds_all_of_a_run(self):
        training = self.grey_box(average_steps=5)
        training.run(lambda: training.at.steps > 2)
        path = checkpoint.path_of(self.output)
        self.assertEqual(os.listdir(os.path.dirname(path)), [os.path.basename(path)])
        with open(path, "rb") as file:
            metadata, tensors = safetensors.parse(file.read(), path)
        self.assertEqual(
            {name.partition("/")[0] for name in tensors}, {"model", "best", "average", "moments", "random"}
        )
        self.assertEqual(json.loads(metadata["facts"])["identity"], training.identity)
        again = self.grey_box(average_steps=5)
        torch.rand(7)
        self.assertTrue(again.resume())
        for mine, its in ((again.model, training.model), (again.average, training.average)):
            for (name, a), b in zip(mine.state_dict().items(), its.state_dict().values()):
                self.assertTrue(torch.equal(a, b) and a.dtype == b.dtype, name)
        for name, tensor in training.best.items():
            self.assertTrue(torch.equal(again.best[name], tensor), name)
        states = [run.optimiser.state_dict() for run in (training, again)]
        self.assertEqual(
            states[0]["param_groups"],
            [
                {**group, "lr": old["lr"]}
                for group, old in zip(states[1]["param_groups"], states[0]["param_groups"])
            ],
        )
        for at, moments in states[0]["state"].items():
            for name, value in moments.items():
                self.assertTrue(
                    torch.equal(torch.as_tensor(value), torch.as_tensor(states[1]["state"][at][name])), name
                )
        self.assertTrue(torch.equal(torch.get_rng_state(), torch.from_numpy(np.array(tensors["random/cpu"]))))
        self.assertEqual((again.at, again.unwritten), (training.at, training.unwritten))

    def test_models_of_all_kinds_can_be_kept(self):
        for name in models.MODELS:
            training = self.training(models.build(name, small.CONTROLS, small.RATE), average_steps=2)
            training.save()
            self.assertTrue(
                self.training(models.build(name, small.CONTROLS, small.RATE), average_steps=2).resume(), name
            )
            self.assertEqual(self.said, [])
            os.unlink(checkpoint.path_of(self.output))

    def test_a_checkpoint_of_before_is_refused_and_runs_nothing(self):
        path, marker = checkpoint.path_of(self.output), self.output + ".was-run"

        class Trap:
            def __reduce__(self):
                return os.mkdir, (marker,)

        program = io.BytesIO()
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), program)
        before = []
        for content in (Trap(), {"facts": "{}", "model": {"w": torch.zeros(1)}}):
            for zipped in (True, False):
                before.append(io.BytesIO())
                torch.save(content, before[-1], _use_new_zipfile_serialization=zipped)
        for content in (program, *before):
            for tail in (b"", b"PK\5\6"):
                with open(path, "wb") as file:
                    file.write(content.getvalue() + tail)
                with self.assertRaisesRegex(Problem, "older version .*--fresh"):
                    self.grey_box().resume()
        os.unlink(path)
        os.mkfifo(path)
        with self.assertRaisesRegex(Problem, "--fresh"):
            self.grey_box().resume()
        self.assertFalse(os.path.exists(marker))

    def test_a_checkpoint_that_lies_is_refused_with_a_sentence(self):
        training = self.grey_box()
        training.run(lambda: True)
        path = checkpoint.path_of(self.output)
        with open(path, "rb") as file:
            metadata, tensors = safetensors.parse(file.read(), path)
        facts = json.loads(metadata["facts"])
        first = next(name for name in tensors if name.startswith("model/"))
        for changed in (
            {"progress": {}},
            {"progress": {**facts["progress"], "steps": "1"}},
            {"progress": {**facts["progress"], "more": 1}},
            {"progress": []},
            {"unwritten": 1},
            {"identity": None},
            {"moments": {"x": {}}},
            {"moments": []},
            {"moments": {"0": {"more": "1"}}},
            {"moments": {"999": {"step": 1}}},
        ):
            self.lie(
                path, safetensors.to_bytes(tensors, {**metadata, "facts": json.dumps({**facts, **changed})})
            )
        for changed in (
            {**metadata, "facts": "[]"},
            {**metadata, "facts": "[" * 100000},
            {**metadata, "version": "1"},
            {"format": "pt"},
        ):
            self.lie(path, safetensors.to_bytes(tensors, changed))
        for name, array in (
            (first, np.zeros(999, "f4")),
            ("random/cpu", np.zeros(3, "u1")),
            ("random/cpu", np.zeros(3, "f4")),
            ("moments/x/exp_avg", np.zeros(3, "f4")),
            ("moments/0/exp_avg", np.zeros(999, "f4")),
            (first.replace("model", "best"), np.zeros(999, "f4")),
            ("model/stranger", np.zeros(3, "f4")),
        ):
            self.lie(path, safetensors.to_bytes({**tensors, name: array}, metadata))
        for part in ("model", "best", "random"):
            self.lie(
                path,
                safetensors.to_bytes(
                    {name: array for name, array in tensors.items() if not name.startswith(part)}, metadata
                ),
            )

    def lie(self, path, content):
        with open(path, "wb") as file:
            file.write(content)
        with self.assertRaisesRegex(Problem, "--fresh"):
            self.grey_box().resume()

    def test_longer_runs_are_no_other_settings(self):
        self.grey_box(epochs=1).run(lambda: True)
        longer = self.grey_box(epochs=7, minutes=3.0, patience=2)
        self.assertTrue(longer.resume())

    def test_a_full_disk_leaves_the_checkpoint_before(self):
        training = self.grey_box()
        training.run(lambda: True)
        path = checkpoint.path_of(self.output)
        with open(path, "rb") as file:
            before = file.read()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(
            resource.RLIMIT_FSIZE, (len(before) // 2, limits[1])
        )  # writes end half way, as on a full disk
        try:
            training.save()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(os.listdir(os.path.dirname(path)), [os.path.basename(path)])
        self.assertTrue(any("the one before stays" in line for line in self.said))


if __name__ == "__main__":
    unittest.main()
