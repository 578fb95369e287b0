"""The one road for files that these tools write: made beside their place under a name that nobody can
foresee, whole on the disk, and only then named. What had the name before is there until then, and stays if
anything fails."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Sequence
from typing import IO, Any

MOST_LINKS = 40  # as the kernel has it
PRIVATE = 0o600
_LOOK = getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK) | os.O_CLOEXEC
_THROUGH = _LOOK | os.O_DIRECTORY
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Place:
    """A name in a folder that is held open: whoever moves the folder can't lead a writer or a reader
    elsewhere. Every link on the way is followed, the last one too; but in a folder where others may write,
    only if it belongs to the user, to root, or to the folder's owner, for anybody else may have planted it.
    Whoever reads trusts the members of a folder's group. `loose_folder`: the first on the way where others
    may replace what is in it, or None. Raises OSError.

    reads: members of the folder's group are trusted. makes_folders: those on the way that are missing are
    made.
    """

    def __init__(self, path: str, reads: bool = False, makes_folders: bool = False) -> None:
        self.path = path
        self.folder: int | None = None
        self.found: os.stat_result | None = None
        self.loose_folder: str | None = None
        self._reads, self._makes_folders, self._links, self._walked = reads, makes_folders, 0, ""
        self._names: list[str] = []
        try:
            self._start(os.fspath(path))
            self.name = self._walk()
        except BaseException:
            self.close()
            raise

    def _start(self, path: str) -> None:
        if os.path.isabs(path) or self.folder is None:
            self.close()
            self._walked = "/" if os.path.isabs(path) else ""
            self.folder = os.open(self._walked or ".", _THROUGH)
        names = [name for name in path.split("/") if name]
        self._names = names + (["."] if not names or path.endswith("/") else []) + self._names

    def _walk(self) -> str:
        while True:
            name = self._names.pop(0)
            last = not self._names
            if last and name in (".", ".."):
                raise IsADirectoryError(errno.EISDIR, "it is a folder", self.path)
            assert self.folder is not None
            folder = os.fstat(self.folder)
            if self.loose_folder is None and _lets_others_replace(folder):
                self.loose_folder = self._walked or "."
            try:
                self.found = os.stat(name, dir_fd=self.folder, follow_symlinks=False)
            except FileNotFoundError:
                self.found = None
                if last:
                    return name
                if not self._makes_folders:
                    raise
                self._make(name)
            if self.found is not None and stat.S_ISLNK(self.found.st_mode):
                self._follow(name, folder)
            elif last:
                return name
            else:
                before, self.folder = self.folder, os.open(name, _THROUGH | os.O_NOFOLLOW, dir_fd=self.folder)
                self._walked = os.path.join(self._walked, name)
                os.close(before)

    def _make(self, name: str) -> None:
        try:
            os.mkdir(name, dir_fd=self.folder)
        except FileExistsError:  # somebody else has made it; a link is refused when it is entered
            pass

    def _follow(self, name: str, folder: os.stat_result) -> None:
        """The link that is judged is the one that is followed, whatever takes its name meanwhile."""
        self._links += 1
        if self._links > MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self.path)
        owner, target = self._link(name)
        shared = folder.st_mode & (stat.S_IWOTH if self._reads else stat.S_IWGRP | stat.S_IWOTH)
        if shared and owner not in (os.geteuid(), 0, folder.st_uid):
            raise PermissionError(
                errno.EPERM,
                f"{name} is a link that another user ({owner}) has put into a folder where everybody may "
                "write",
                self.path,
            )
        self._start(target)

    def _link(self, name: str) -> tuple[int, str]:
        """-> (its owner, its target)"""
        if not hasattr(os, "O_PATH"):
            assert self.found is not None
            target = os.readlink(name, dir_fd=self.folder)
            if os.stat(name, dir_fd=self.folder, follow_symlinks=False).st_ino != self.found.st_ino:
                raise OSError(errno.ELOOP, "somebody exchanges its links", self.path)
            return self.found.st_uid, target
        link = os.open(name, _LOOK | os.O_NOFOLLOW, dir_fd=self.folder)
        try:
            return os.fstat(link).st_uid, os.readlink("", dir_fd=link)
        finally:
            os.close(link)

    def close(self) -> None:
        if self.folder is not None:
            os.close(self.folder)
            self.folder = None

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def opened(path: str) -> IO[bytes]:
    """-> a regular file to read, unbuffered. Nothing else is opened, and nothing is waited for. Raises
    OSError."""
    try:
        with Place(path, reads=True) as place:
            if place.found is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            if stat.S_ISDIR(place.found.st_mode):
                raise IsADirectoryError(errno.EISDIR, "it is a folder", path)
            if not stat.S_ISREG(place.found.st_mode):
                raise OSError(errno.EINVAL, "is no regular file", path)
            handle = os.open(place.name, _READ, dir_fd=place.folder)
    except ValueError as problem:  # a NUL in the name
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from problem
    file = os.fdopen(handle, "rb", buffering=0)
    # between the two looks the name may have come to mean something else
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "is no regular file", path)
    return file


def make_folders(path: str) -> None:
    """The folder and those above it that are missing. Raises OSError."""
    Place(os.path.join(path, "any"), makes_folders=True).close()


def note_on_loose_folder(path: str) -> str | None:
    """Where others may replace what is written: a sentence that says so; else None."""
    try:
        with Place(path) as place:
            folder = place.loose_folder
    except OSError:  # whoever writes the file says so
        return None
    return folder and (
        f"{folder}: other users may write to this folder, and replace or delete what is in it; write into a folder of your "
        "own, or make it sticky (chmod +t)"
    )


def write(path: str, content: bytes, private: bool = False) -> None:
    """content: bytes. private: nobody else may read it. Raises OSError and leaves what was there; if the
    content is whole and only its name can't be had, it is kept, and the error says where."""
    with Place(path) as place:
        mode = _mode(place, private)
        growing = _made(place)
        try:
            with os.fdopen(growing.fd, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                os.fchmod(file.fileno(), mode)
        except BaseException:
            os.unlink(growing.name, dir_fd=place.folder)
            raise
        try:
            os.replace(growing.name, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
        except OSError as problem:
            kept = _shown(place, growing.name)
            raise OSError(
                problem.errno, f"{problem.strerror}; what was made is kept as {kept}", path
            ) from problem


def must_be_writable(path: str) -> None:
    """Said before hours are spent, not after. Raises OSError."""
    with Place(path) as place:
        _mode(place, False)
        probe = _made(place)
        os.close(probe.fd)
        os.unlink(probe.name, dir_fd=place.folder)


def must_differ(output: str, inputs: Sequence[str | None]) -> None:
    """Raises OSError if the output is one of the inputs, however it is reached. Inputs may be None."""
    for path in inputs:
        if path and os.path.exists(output) and os.path.exists(path) and os.path.samefile(output, path):
            raise OSError(errno.EINVAL, f"it is read as well, as {path}, and would be lost", output)


def _lets_others_replace(folder: os.stat_result) -> bool:
    """A folder of the user's own group is not shared with others: many systems give each user one."""
    shared = folder.st_mode & stat.S_IWOTH or (
        folder.st_mode & stat.S_IWGRP and folder.st_gid != os.getegid()
    )
    return bool(shared) and not folder.st_mode & stat.S_ISVTX


class _Growing:
    def __init__(self, fd: int, name: str) -> None:
        self.fd, self.name = fd, name


def _made(place: Place) -> _Growing:
    name = f".{place.name[:60]}.{secrets.token_hex(8)}.part"
    return _Growing(os.open(name, _NEW, PRIVATE, dir_fd=place.folder), name)


def _mode(place: Place, private: bool) -> int:
    """Of the finished file. Refuses what can't be replaced."""
    if place.found is None:
        mask = os.umask(0o077)
        os.umask(mask)
        return PRIVATE if private else 0o666 & ~mask
    if stat.S_ISDIR(place.found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", place.path)
    if not stat.S_ISREG(place.found.st_mode):
        raise OSError(errno.EINVAL, "it is no file", place.path)
    if not os.access(place.name, os.W_OK, dir_fd=place.folder):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), place.path)
    return PRIVATE if private else stat.S_IMODE(place.found.st_mode)


def _shown(place: Place, growing: str) -> str:
    """A name that people see, for what has lost its own: `a.unfinished.wav`."""
    stem, extension = os.path.splitext(place.name)
    for number in range(1, 1000):
        name = f"{stem}.unfinished{'' if number == 1 else f'-{number}'}{extension}"
        try:
            os.link(growing, name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
            os.unlink(growing, dir_fd=place.folder)
            return os.path.join(os.path.dirname(place.path), name)
        except FileExistsError:
            continue
        except OSError:
            break
    return os.path.join(os.path.dirname(place.path), growing)
