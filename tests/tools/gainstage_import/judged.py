"""Imports bad checkpoints, many in a row, and says of each what it took, and of all what the system heard."""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest

from support import TOOLS

SECONDS, SPARE, TIMES = (
    2.0,
    300 << 20,
    10,
)  # what a bad file may take at most: of the processor; bytes, and times its size

# Imports every file of a list, a few in a process of their own, once Python has started. A line each: exit code,
# seconds of the processor, peak of its memory, what was said.
MEASURED = """
import contextlib, io, json, os, sys, time
from gainstage_import import __main__ as import_model, conversion
try:
    import h5py
except ImportError:
    pass

def measured(family, path, *more):
    said = io.StringIO()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak begins anew
    begin = time.process_time()
    with contextlib.redirect_stderr(said):
        code = import_model.main([family, path, "-o", sys.argv[1], *more])
    seconds = time.process_time() - begin
    with open("/proc/self/status") as file:
        peak = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    return [code, seconds, peak, said.getvalue()[-2000:]]

cases, together = json.load(open(sys.argv[2])), int(sys.argv[3])
for first in range(0, len(cases), together):
    child = os.fork()
    if not child:
        for case in cases[first : first + together]:
            os.write(1, (json.dumps(measured(*case)) + "\\n").encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, cases[first]
"""

# What changes files, starts programs or reaches others.
CALLS = (
    "open,openat,openat2,creat,truncate,ftruncate,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,"
    "symlinkat,mkdir,mkdirat,rmdir,mknod,mknodat,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,setxattr,"
    "execve,execveat,socket,connect,bind,sendto,kill,ptrace"
)
OPENS_TO_WRITE = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)")


def strace(log):
    """The words before a command that is to be watched. Skips the test where that can't be."""

    def skip(reason):
        print(f"skipped: {reason}")
        raise unittest.SkipTest(reason)

    if not shutil.which("strace"):
        skip("what the importer asks of the system is seen by strace (Debian: apt install strace)")
    probe = subprocess.run(["strace", "-f", "-qq", "-o", os.devnull, "true"], capture_output=True, text=True)
    if probe.returncode:
        skip(f"strace may not trace here: {probe.stderr.strip()}")
    return ["strace", "-f", "-qq", "--seccomp-bpf", "-s", "200", "-e", "trace=" + CALLS, "-o", log]


def unwanted(log, harmless=("/dev/null",)):
    """The calls that succeeded and did more than read a file, but for the start of the watched program itself and
    the files that the test needs."""
    found, started = [], False
    with open(log, encoding="utf-8", errors="replace") as file:
        for line in file:
            call = line.split(" ", 1)[1].lstrip()
            if call.startswith(("+++", "---")) or " = -1 " in call:
                continue
            if call.startswith(("open", "<... open")) and not OPENS_TO_WRITE.search(call):
                continue
            if call.startswith("execve(") and not started:
                started = True
                continue
            if not any(f'"{name}"' in call for name in harmless):
                found.append(call.strip())
    return found


def measured(test, cases, output, folder, watched_by=(), together=1):
    """Each of (family, path, more words ...) -> (exit code, seconds, bytes, what was said). together: so many in a process."""
    listing = os.path.join(folder, "cases.json")
    with open(listing, "w", encoding="utf-8") as file:
        json.dump(cases, file)
    done = subprocess.run(
        [*watched_by, sys.executable, "-B", "-c", MEASURED, output, listing, str(together)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    test.assertEqual(done.returncode, 0, done.stderr[-2000:])
    results = [json.loads(line) for line in done.stdout.splitlines()]
    test.assertEqual(len(results), len(cases))
    return results


def judge(test, path, size, code, seconds, memory, said):
    with test.subTest(os.path.basename(path)):
        test.assertEqual(code, 65, said)
        test.assertRegex(said, "(?m)^error: ")
        test.assertLess(seconds, SECONDS)
        test.assertLess(memory, TIMES * size + SPARE)


def importer(family, path, output):
    return [sys.executable, "-B", os.path.join(TOOLS, "import_model"), family, path, "-o", output]
