#!/usr/bin/env python3
"""Tries everything that may go wrong around the engine, a line a kind: terminal, readers, disk, signals,
files.

    tests/faults.py [BUILD]     BUILD: the folder with the test programs (build)

Each line names a kind, the tests that hold it (test program, words of their names) and whether all of them
passed. Exit code 1 if one did not. tests/README.md says what each promises.
"""

import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

PYTHON = "/usr/bin/python3"  # the distribution's, which has numpy

# kind, then program and a pattern of Catch2's for its tests; or a file of Python tests and a part of their
# names
KINDS = [
    (
        "output that is full or closed",
        "program",
        "outputs that are full or closed*",
        "plain lines that can't*",
        "a message that can't be written*",
    ),
    ("a throw while a session starts", "control", "whatever throws on the way*", "a fault that comes back*"),
    (
        "a hangup and other signals",
        "program",
        "every signal that asks*",
        "a program that was started to outlive*",
        "a terminal that is closed*",
    ),
    ("signals that ask for nothing", "program", "a signal that asks for nothing*"),
    (
        "the limit of processor time, somebody else's alarm",
        "control",
        "the limit of processor time*",
        "somebody else's alarm*",
    ),
    (
        "a reader that goes away",
        "program",
        "a reader of --json that goes away*",
        "a reader that has seen enough*",
    ),
    (
        "a held terminal, a paused reader",
        "program",
        "a reader of --json that is paused*",
        "a terminal that is held*",
    ),
    (
        "descriptors that are closed",
        "control",
        "standard streams that were closed*",
        "a descriptor that is not open*",
    ),
    ("a killed program", "program", "a take whose program is killed*"),
    ("a power cut in the middle of a take", "io", "a recording can be read at every moment*"),
    ("a second Ctrl-C", "program", "a second Ctrl-C*", "three signals end*"),
    ("few descriptors", "program", "with any number of descriptors*"),
    ("a last step of saving that fails", "program", "a recording whose name is taken*"),
    ("a folder that is moved", "control", "a folder that is moved*"),
    ("an earlier take", "program", "run gives a take a number*", "a run that never plays*"),
    ("files beyond 4 GiB and disks that lack room", "io", "what fits into a WAV*", "what has no room*"),
    ("an output that is an input", "program", "render refuses an output*"),
    ("sound from a pipe", "cli", "render plays what comes through a pipe*"),
    (
        "a sound file that was cut short or damaged",
        "io",
        "a WAV that was cut short*",
        "every format that says*",
        "damage in the middle*",
        "an Ogg file*",
        "a file that goes away*",
    ),
    (
        "a sound file that was never finished",
        "io",
        "a header that was never finished*",
        "an unfinished RF64*",
        "an AIFF that was never finished*",
        "a CAF or an AU*",
    ),
    ("chunks behind an unfinished sound", "io", "chunks behind the sound*", "a chunk before the sound*"),
    ("a header that promises hours", "io", "a header that promises hours*", "a FLAC that promises hours*"),
    ("Ogg files of other codecs, chains", "io", "an Opus that lacks*", "of a chain of Ogg streams*"),
    ("other things under a sound file's name", "io", "what only has the name*", "a BW64*"),
    ("a product that can't be written", "program", "a program whose product*"),
    (
        "integers in floats, samples that are no numbers",
        "io",
        "integers in floats*",
        "samples that are no numbers*",
        "numbers that no sound has*",
    ),
    ("a folder or a circle of links as a file", "cli", "a folder or a circle of links*"),
    ("files of another kind", "cli", "files of another kind*"),
    ("names that are not UTF-8", "cli", "names that are not UTF-8*"),
    ("a patch behind a link", "program", "a patch behind links*"),
    ("an output behind a link", "program", "render writes through a link*"),
    ("tables from spreadsheets", "midi", "What a spreadsheet*", "Lines end in CR*"),
    ("lists that move nothing", "cli", "lists of moves*"),
    ("MIDI files that count wrong, RIFF MIDI", "midi", "A header that counts*", "RIFF MIDI*"),
    (
        "controls that send their fine half first",
        "midi",
        "A control that sends its fine half*",
        "Which half comes first is recognised*",
    ),
    (
        "a patch that is mounted alone",
        "control",
        "a file that is written by its other name*",
        "where the system doesn't tell*",
    ),
    ("typography in a patch", "patch", "read_patch: what an office program*"),
    (
        "slips on the command line",
        "cli",
        "a slip in the name*",
        "numbers out of range*",
        "several inputs and*",
        "a name that no audio server*",
        "a patch of many nodes*",
        "many faults of a patch*",
        "numbers for people*",
        "render does the rest of a batch*",
    ),
    (
        "a sound card that is late, asleep, unplugged or hangs",
        "io",
        "ALSA: lost sound*",
        "ALSA: a callback that comes too late*",
        "ALSA: a machine that sleeps*",
        "ALSA: a card that is unplugged*",
        "ALSA: a driver that hangs*",
    ),
    ("links that others planted", "io", "a link that another user*", "a link planted*"),
    ("products of the Python commands", "tools/gainstage_files/standard_streams_test.py", "Streams"),
    (
        "training names that the runtime refuses",
        "tools/gainstage_train/data_test.py",
        "names_that_the_runtime_refuses",
    ),
    ("wet recordings of another clock", "tools/gainstage_train/data_test.py", "another_clock"),
    (
        "loud knobs, and loops that grow",
        "engine",
        "the ceiling of a plain effect*",
        "the ceiling of a loop*",
        "a loop that grows*",
        "a message says that silence*",
        "a node that trips again*",
        "guard: loud knobs*",
    ),
    ("sound above 0 dBFS at an output", "nodes", "output: *"),
    ("the same, and what is told of it", "engine", "guard: *"),
    ("rails and jumps of knobs", "nodes", "rails: *"),
    ("more memory than there is", "engine", "device past: *"),
    ("models that replace each other", "control", "memory: *"),
    ("a flood of messages through a MIDI port", "stage", "ten thousand messages a second through JACK*"),
    ("more messages than a port can hold", "stage", "messages that the queue of a port*"),
    (
        "models that nobody waits for any more",
        "models",
        "settled: a patch that comes*",
        "settled: the end of*",
    ),
    ("bad checkpoints", "tools/gainstage_import/every_bad_file_test.py", "refused"),
    ("signals that end a Python command", "tools/gainstage_files/end_signals_test.py", "Ended"),
    ("calls of the system that fail", "program", "a call of the system that fails*"),
]


def passes_in_python(file, part):
    """The same for a file of Python tests."""
    path = os.pathsep.join(os.path.join(ROOT, folder) for folder in ("tools", "tests/tools", "tests/data"))
    done = subprocess.run(
        [PYTHON, os.path.join(ROOT, "tests", file), "-v", "-k", part],
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if "\nRan 0 tests" in done.stderr:
        return f"no test of {file} is called {part}"
    return "" if done.returncode == 0 and "\nRan " in done.stderr else f"{file} -k {part}"


def passes(build, program, pattern):
    """All tests of this name, of which there is one at least. Returns what is wrong, or nothing."""
    if program.endswith(".py"):
        return passes_in_python(program, pattern)
    command = [os.path.join(build, "test_" + program), pattern]
    listed = subprocess.run(
        [*command, "--list-test-names-only"], capture_output=True, text=True, errors="replace"
    )
    if not listed.stdout.strip():
        return f"no test of {program} is called {pattern}"
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    return "" if done.returncode == 0 else f"test_{program} '{pattern}'"


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build"))
    failed = 0
    for kind, program, *patterns in KINDS:
        faults = [fault for fault in (passes(build, program, pattern) for pattern in patterns) if fault]
        failed += bool(faults)
        print(f"{kind + ' ':.<52} {'failed: ' + ', '.join(faults) if faults else 'right'}", flush=True)
    print(f"{len(KINDS) - failed} kinds right, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
