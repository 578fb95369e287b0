#!/usr/bin/python3
"""Files that the Python tools write: whole, under names that nobody can foresee, and never by somebody else's
link."""

import os
import stat
import tempfile
import unittest
from unittest import mock

from gainstage_files import new_file

SOMEBODY = 65534


class NewFile(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)

    def path(self, name):
        return os.path.join(self.folder, name)

    def put(self, name, content=b"old"):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def content(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def refusal(self, action, *arguments):
        with self.assertRaises(OSError) as caught:
            action(*arguments)
        return caught.exception.strerror

    def test_replaces_as_a_whole(self):
        path = self.put("a.json")
        os.chmod(path, 0o640)
        new_file.write(path, b"new")
        self.assertEqual(self.content("a.json"), b"new")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o640)
        self.assertEqual(os.listdir(self.folder), ["a.json"])

    def test_a_new_file_follows_the_umask_and_a_private_one_does_not(self):
        before = os.umask(0o022)
        self.addCleanup(os.umask, before)
        new_file.write(self.path("a"), b"")
        new_file.write(self.path("b"), b"", private=True)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("a")).st_mode), 0o644)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("b")).st_mode), 0o600)

    def test_grows_under_a_random_private_name(self):
        names = set()

        def look(fd):
            names.update(os.listdir(self.folder))
            self.assertEqual(stat.S_IMODE(os.fstat(fd).st_mode), 0o600)

        with mock.patch("os.fsync", look):
            for _ in range(2):
                new_file.write(self.path("a"), b"x")
                os.unlink(self.path("a"))
        self.assertEqual(len(names), 2)
        for name in names:
            self.assertRegex(name, r"^[.]a[.][0-9a-f]{16}[.]part$")

    def test_a_failure_leaves_what_was_there_and_nothing_else(self):
        path = self.put("a")
        with mock.patch("os.fsync", side_effect=OSError(28, "No space left on device")):
            self.assertEqual(self.refusal(new_file.write, path, b"new"), "No space left on device")
        self.assertEqual(os.listdir(self.folder), ["a"])
        self.assertEqual(self.content("a"), b"old")

    def test_what_is_whole_is_kept_when_the_last_step_fails(self):
        path = self.put("a.json")
        with mock.patch("os.replace", side_effect=OSError(5, "Input/output error")):
            said = self.refusal(new_file.write, path, b"new")
        self.assertEqual(
            said, f"Input/output error; what was made is kept as {self.path('a.unfinished.json')}"
        )
        self.assertEqual(self.content("a.json"), b"old")
        self.assertEqual(self.content("a.unfinished.json"), b"new")

    def test_writes_through_links_of_its_own(self):
        os.symlink("real", self.path("link"))
        new_file.write(self.path("link"), b"new")
        self.assertTrue(os.path.islink(self.path("link")))
        self.assertEqual(self.content("real"), b"new")

    def test_refuses_folders_pipes_and_missing_folders(self):
        os.mkfifo(self.path("pipe"))
        for action in (lambda path: new_file.write(path, b""), new_file.must_be_writable):
            self.assertEqual(self.refusal(action, self.folder), "it is a folder")
            self.assertEqual(self.refusal(action, self.folder + "/"), "it is a folder")
            self.assertEqual(self.refusal(action, self.path("pipe")), "it is no file")
            self.assertEqual(self.refusal(action, self.path("none/a")), "No such file or directory")
        self.assertEqual(os.listdir(self.folder), ["pipe"])

    def test_asking_leaves_nothing(self):
        new_file.must_be_writable(self.path("a"))
        self.assertEqual(os.listdir(self.folder), [])

    def test_an_output_is_no_input(self):
        path = self.put("a")
        os.link(path, self.path("hard"))
        os.symlink("a", self.path("soft"))
        for name in ("a", "hard", "soft"):
            self.assertEqual(
                self.refusal(new_file.must_differ, self.path(name), [None, path]),
                f"it is read as well, as {path}, and would be lost",
            )
        new_file.must_differ(self.path("b"), [path, None])

    @unittest.skipUnless(os.geteuid() == 0, "links of other users are planted by root")
    def test_never_follows_a_planted_link(self):
        shared = self.path("shared")
        os.mkdir(shared)
        os.chmod(shared, 0o1777)
        self.put("precious")
        for target, path in ((self.path("precious"), "out"), (self.folder, "out/precious")):
            link = os.path.join(shared, "out")
            os.symlink(target, link)
            os.lchown(link, SOMEBODY, SOMEBODY)
            for action in (lambda path: new_file.write(path, b"new"), new_file.must_be_writable):
                self.assertEqual(
                    self.refusal(action, os.path.join(shared, path)),
                    "out is a link that another user (65534) has put into a folder where everybody may write",
                )
            os.unlink(link)
        self.assertEqual(self.content("precious"), b"old")

    @unittest.skipUnless(os.geteuid() == 0, "links of other users are planted by root")
    def test_reads_through_no_planted_link(self):
        shared = self.path("shared")
        os.mkdir(shared)
        link = os.path.join(shared, "in")
        os.symlink(self.put("secret"), link)
        os.lchown(link, SOMEBODY, SOMEBODY)
        os.chmod(shared, 0o1777)
        self.assertIn("in is a link that another user (65534)", self.refusal(new_file.opened, link))
        os.chmod(shared, 0o1775)  # a band's folder
        with new_file.opened(link) as file:
            self.assertEqual(file.read(), b"old")

    def test_opens_regular_files_alone_and_waits_for_nobody(self):
        os.mkfifo(self.path("pipe"))
        os.symlink("pipe", self.path("link"))
        for path in (self.path("pipe"), self.path("link"), "/dev/zero"):
            self.assertEqual(self.refusal(new_file.opened, path), "is no regular file")
        for path in (self.folder, self.folder + "/"):
            self.assertEqual(self.refusal(new_file.opened, path), "it is a folder")
        for path in (self.path("none"), self.path("none/a"), self.path("a\0b")):
            self.assertEqual(self.refusal(new_file.opened, path), "No such file or directory")

    def test_makes_folders_on_the_way(self):
        for path in ("a/b", "a/b/", "a/b/c"):
            new_file.make_folders(self.path(path))
        self.assertTrue(os.path.isdir(self.path("a/b/c")))
        self.put("file")
        self.assertEqual(self.refusal(new_file.make_folders, self.path("file")), "Not a directory")

    @unittest.skipUnless(os.geteuid() == 0, "links of other users are planted by root")
    def test_makes_no_folder_through_a_planted_link(self):
        os.mkdir(self.path("shared"))
        os.mkdir(self.path("mine"))
        os.symlink(self.path("mine"), self.path("shared/way"))
        os.lchown(self.path("shared/way"), SOMEBODY, SOMEBODY)
        os.chmod(self.path("shared"), 0o1777)
        for path in ("shared/way", "shared/way/new"):
            self.assertIn(
                "way is a link that another user", self.refusal(new_file.make_folders, self.path(path))
            )
        self.assertEqual(os.listdir(self.path("mine")), [])

    def test_tells_of_a_folder_where_others_may_replace_files(self):
        os.mkdir(self.path("loose"))
        for mode, told in ((0o700, False), (0o1777, False), (0o777, True)):
            os.chmod(self.path("loose"), mode)
            note = new_file.note_on_loose_folder(self.path("loose/a"))
            self.assertEqual(bool(note), told, note)
        self.assertTrue(note.startswith(self.path("loose") + ": other users may write to this folder"))


if __name__ == "__main__":
    unittest.main()
