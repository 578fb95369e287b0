"""Several processes that train one model, on one machine or on several: how they find each other, and what they send.

torch.distributed carries it: gloo over TCP, NCCL between GPUs. Rank 0 leads: it alone writes files and talks. Only tensors and JSON go over the
network, so a stranger who gets in can spoil a training, but run nothing."""

import atexit
import contextlib
import datetime
import fcntl
import glob
import hashlib
import json
import os
import queue
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

import torch
from torch import distributed

from gainstage_files.plain_text import shown
from gainstage_files.problem import UNAVAILABLE, USAGE, Problem

VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # as torchrun sets them
ARRIVAL_S = 600.0  # until all processes have read their data
ANSWER_S = 300.0  # for a piece of work
REST_S = 7200.0  # for the next batch: rank 0 may validate in between
LOOK_S = 0.05
BEAT_S = 1.0  # each process shows that it is alive, until all have met
SILENCE_S = 60.0  # without a sign of life it is taken for dead
TO_READ_S = 5.0
SIOCGIFADDR = 0x8915  # of Linux


class Lost(Exception):
    """The connection to another process has ended, or its answer takes too long."""


class Place:
    """This process among several that were started apart. Before they work, they talk through a store: JSON by name."""

    def __init__(self, rank: int, size: int, address: str, port: int) -> None:
        self.rank, self.size, self.address, self.port = rank, size, address, port
        local = os.environ.get("LOCAL_RANK", "0")
        if not local.isdecimal():
            raise Problem(f"LOCAL_RANK={local}: expected a number from 0 on, as torchrun gives it", USAGE)
        self.local_rank = int(local)
        self.facts: list[dict] = []
        self.store = self._open()
        self.met = threading.Event()
        self.heart = threading.Thread(target=self._beat, daemon=True, name="heart")
        self.heart.start()
        atexit.register(self._be_still)  # if Python ends while the thread is in the store, the process aborts

    # -------------------------------------------------------------------------------- how they find each other

    def _open(self) -> distributed.Store:
        """Rank 0 listens, or torchrun does. The others try until somebody listens."""
        by_torchrun = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
        if self.rank > 0 or by_torchrun:
            self._wait_for_listener()
        try:
            store = distributed.TCPStore(
                self.address,
                self.port,
                self.size,
                self.rank == 0 and not by_torchrun,
                datetime.timedelta(seconds=ARRIVAL_S),
                wait_for_workers=False,
            )
        except (RuntimeError, ValueError) as problem:
            raise Problem(
                f"rank {self.rank}: {self.address}:{self.port} (MASTER_ADDR, MASTER_PORT) can't be used: "
                f"{first_line(problem)}; give an address of rank 0's machine and a free port",
                UNAVAILABLE,
            ) from problem
        return distributed.PrefixStore(
            f"gainstage/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store
        )

    def _wait_for_listener(self) -> None:
        end = time.monotonic() + ARRIVAL_S
        while True:
            try:
                socket.create_connection((self.address, self.port), timeout=5.0).close()
                return
            except OSError as problem:
                if time.monotonic() > end:
                    raise Problem(
                        f"rank {self.rank}: nobody listens at {self.address}:{self.port} (MASTER_ADDR, MASTER_PORT) after "
                        f"{ARRIVAL_S:.0f} s ({problem.strerror or problem}): is rank 0 running, and does a firewall let it through?",
                        UNAVAILABLE,
                    ) from problem
            time.sleep(LOOK_S)

    # -------------------------------------------------------------------------------- what they agree on

    def agree(self, facts: Mapping[str, object]) -> None:
        """Compares facts ({name: text or number}) with those of the others. Raises Problem in all processes if they differ."""
        self._set("facts", {"all": facts, "pid": os.getpid(), "host": socket.gethostname()})
        self.facts = [self._await("facts", rank) for rank in range(self.size)]
        self._be_still()
        expected = self.facts[0]["all"]
        for rank, its in enumerate(self.facts):
            other = [
                f"{name} {shown(its['all'].get(name))}, not {shown(value)}"
                for name, value in expected.items()
                if its["all"].get(name) != value
            ]
            if other:
                self._leave_together()
                raise Problem(
                    f"rank {rank} (on {self.facts[rank]['host']}) trains something else than rank 0: {'; '.join(other)}; give every "
                    "process the same recordings, options and version of Gainstage and PyTorch",
                    USAGE,
                )

    def tell_failure(self, text: str, code: int) -> None:
        """Ends the others, who wait in agree(). Those that it can't reach find out by themselves."""
        with contextlib.suppress(RuntimeError):
            self._set("failed", {"text": text, "code": code})
            self._leave_together()

    def _leave_together(self) -> None:
        """Rank 0 holds the store, so it stays until the others have read, for some seconds at most."""
        with contextlib.suppress(RuntimeError):
            self._set("left", {})
            end = time.monotonic() + TO_READ_S
            while (
                self.rank == 0
                and time.monotonic() < end
                and not all(self._has("left", rank) for rank in range(self.size))
            ):
                time.sleep(LOOK_S)

    def _set(self, name: str, value: object) -> None:
        self.store.set(f"{name}/{self.rank}", json.dumps(value))
        self.store.add(f"{name}/{self.rank}/there", 1)  # PyTorch 1.13 can't ask whether a name is there

    def _has(self, name: str, rank: int) -> bool:
        return self.store.add(f"{name}/{rank}/there", 0) > 0

    def _beat(self) -> None:
        with contextlib.suppress(RuntimeError):  # rank 0 has ended: whoever waits for it finds out
            self.store.add(f"beats/{self.rank}", 1)
            while not self.met.wait(BEAT_S):
                self.store.add(f"beats/{self.rank}", 1)

    def _be_still(self) -> None:
        atexit.unregister(self._be_still)
        self.met.set()
        self.heart.join(TO_READ_S)

    def _must_live(self, lives: dict[int, tuple[int, float]]) -> None:
        """lives: {rank: (its beats, when they were counted first)}. One that has not come yet may be late; one that came and is silent
        is dead."""
        now = time.monotonic()
        for rank in range(self.size):
            beats = self.store.add(f"beats/{rank}", 0)
            counted, since = lives.get(rank, (0, now))
            if beats != counted:
                lives[rank] = beats, now
            elif beats > 0 and now - since > SILENCE_S:
                raise Problem(
                    f"rank {rank} came to {self.address}:{self.port} and has given no sign of life for {SILENCE_S:.0f} s: it has ended, "
                    "or can't be reached any more; its own message says why. Start the same commands again",
                    UNAVAILABLE,
                )

    def _await(self, name: str, rank: int) -> dict:
        """Looks again and again. Python hears no Ctrl-C while it waits inside the store."""
        end = time.monotonic() + ARRIVAL_S
        lives: dict[int, tuple[int, float]] = {}
        try:
            while not self._has(name, rank):
                self._must_live(lives)
                for other in range(self.size):
                    if other != self.rank and self._has("failed", other):
                        failed = json.loads(self.store.get(f"failed/{other}"))
                        self._leave_together()
                        raise Problem(f"rank {other} can't begin: {failed['text']}", failed["code"])
                if time.monotonic() > end:
                    raise Problem(
                        f"rank {rank} of {self.size} has not come to {self.address}:{self.port} within {ARRIVAL_S:.0f} s: start it "
                        f"with RANK={rank} (torchrun: --node_rank), or check the network between the machines",
                        UNAVAILABLE,
                    )
                time.sleep(LOOK_S)
            return json.loads(self.store.get(f"{name}/{rank}"))
        except RuntimeError as problem:
            raise Problem(
                f"rank 0 at {self.address}:{self.port} has ended before the work began: its own message says why",
                UNAVAILABLE,
            ) from problem

    def group(self, device: str) -> "Group":
        return Group(self.store, self.rank, self.size, device, interface_to(self.address, self.port))

    def name_of(self, rank: int) -> str:
        return f"rank {rank} (process {self.facts[rank]['pid']} on {self.facts[rank]['host']})"


def started_apart() -> Place | None:
    """-> the Place that torchrun or the user has given this process in the environment; None if it is the only one"""
    said = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    if said.get("WORLD_SIZE", "1") == "1":
        return None
    lacking = [name for name in VARIABLES if name not in said]
    if lacking:
        raise Problem(
            f"WORLD_SIZE={said['WORLD_SIZE']} in the environment says that several processes train together, but "
            f"{', '.join(lacking)} is missing: start them by torchrun, or set {', '.join(VARIABLES)} in each",
            USAGE,
        )
    numbers = {}
    for name, least, most in (
        ("WORLD_SIZE", 1, 1 << 16),
        ("RANK", 0, int(said["WORLD_SIZE"]) - 1 if said["WORLD_SIZE"].isdigit() else 0),
        ("MASTER_PORT", 1, 65535),
    ):
        if not said[name].isdigit() or not least <= int(said[name]) <= most:
            raise Problem(
                f"{name}={shown(said[name])} in the environment: expected a whole number from {least} to {most}",
                USAGE,
            )
        numbers[name] = int(said[name])
    return Place(numbers["RANK"], numbers["WORLD_SIZE"], said["MASTER_ADDR"], numbers["MASTER_PORT"])


def versions() -> dict[str, str]:
    """-> the software that decides about the weights"""
    code = hashlib.sha256()
    for path in sorted(
        glob.glob(os.path.join(glob.escape(os.path.dirname(__file__)), "**", "*.py"), recursive=True)
    ):
        with open(path, "rb") as file:
            code.update(file.read())
    return {"PyTorch": torch.__version__, "program": code.hexdigest()[:8]}


def interface_to(address: str, port: int) -> str | None:
    """-> the name of the network interface that leads there, None if it is unknown. gloo would take the one of the machine's own name, and on
    Debian that is 127.0.1.1."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect((address, port))
        own = socket.inet_aton(way.getsockname()[0])
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):
                if fcntl.ioctl(way, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))[20:24] == own:
                    return name
    return None


def loopback() -> str | None:
    return next((name for _, name in socket.if_nameindex() if name in ("lo", "lo0")), None)


def first_line(problem: BaseException) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0]


# ------------------------------------------------------------------------------------ what they send


class Group:
    """The connections among `size` processes. All of them call its methods in the same order. Raises Lost."""

    def __init__(
        self,
        store: distributed.Store,
        rank: int,
        size: int,
        device: str = "cpu",
        interface: str | None = None,
    ) -> None:
        """device: of the gradients. Returns when all are connected."""
        self.rank, self.size = rank, size
        self.jobs: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self.results: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self.working: distributed.ProcessGroup = None
        self.resting, self.gpus = self.working, self.working
        self.thread = threading.Thread(target=self._serve, daemon=True, name="group")
        self.thread.start()
        try:
            with interface_for_gloo(interface, always=interface == loopback()):
                self._aside(lambda: self._connect(store, str(device).startswith("cuda")))
        except Lost:
            self.close()
            raise

    def _connect(self, store: distributed.Store, on_gpus: bool) -> None:
        answer = datetime.timedelta(seconds=ANSWER_S)
        distributed.init_process_group(
            "gloo", store=store, rank=self.rank, world_size=self.size, timeout=answer
        )
        self.working = distributed.group.WORLD
        self.resting = distributed.new_group(backend="gloo", timeout=datetime.timedelta(seconds=REST_S))
        self.gpus = distributed.new_group(backend="nccl", timeout=answer) if on_gpus else None

    def announce(self, tensor: torch.Tensor) -> None:
        """Sends rank 0's `tensor` to all, who may have to wait long for it."""
        self._aside(lambda: distributed.broadcast(tensor, 0, group=self.resting))

    def spread(self, tensor: torch.Tensor) -> None:
        """Sends rank 0's `tensor` to all."""
        self._aside(lambda: distributed.broadcast(tensor, 0, group=self._way_of(tensor)))

    def collect(self, tensors: list[torch.Tensor], mine: torch.Tensor) -> None:
        """Sends each rank's `mine` to all. They come in the order of ranks, so that sums are the same every time."""
        self._aside(lambda: distributed.all_gather(tensors, mine, group=self._way_of(mine)))

    def missing(self) -> list[int]:
        """-> the ranks that can't be reached any more. Call it after Lost, and nothing but close() after it."""
        return [rank for rank in range(self.size) if rank != self.rank and not self._reaches(rank)]

    def close(self) -> None:
        with contextlib.suppress(Lost):
            self._aside(self._disconnect)
        self.jobs.put(None)
        self.thread.join(TO_READ_S)  # if Python ends before gloo's thread does, the process aborts

    def _disconnect(self) -> None:
        self.working = self.resting = self.gpus = None
        if distributed.is_initialized():
            distributed.destroy_process_group()

    def _reaches(self, rank: int) -> bool:
        try:
            self._aside(lambda: distributed.isend(torch.zeros(1), rank, group=self.working))
        except Lost:
            return False
        return True

    def _way_of(self, tensor: torch.Tensor) -> distributed.ProcessGroup:
        """NCCL waits for ever for a process that has ended, so gloo asks first whether all are there."""
        if not tensor.is_cuda:
            return self.working
        distributed.all_reduce(torch.zeros(1), group=self.working)
        return self.gpus

    def _aside(self, work: Callable[[], object]) -> None:
        """Runs work() on the other thread. Python hears signals while this thread waits, but not inside gloo."""
        self.jobs.put(work)
        problem = self.results.get()
        if problem is not None:
            raise Lost(first_line(problem)) from problem

    def _serve(self) -> None:
        while (work := self.jobs.get()) is not None:
            try:
                work()
                self.results.put(None)
            except (RuntimeError, ValueError) as problem:
                self.results.put(problem)


@contextlib.contextmanager
def interface_for_gloo(name: str | None, always: bool = False) -> Iterator[None]:
    """Within it gloo takes this network interface. Unless `always`, the user's choice comes first."""
    variable = "GLOO_SOCKET_IFNAME"
    chosen = os.environ.get(variable)
    if name is None or (chosen is not None and not always):
        yield
        return
    os.environ[variable] = name
    try:
        yield
    finally:
        del os.environ[variable]
        if chosen is not None:
            os.environ[variable] = chosen


class Parcel:
    """Some numbers and then tensors in one piece of memory, to be sent at once.

    bytes: uint8 [all of it]; numbers: float64 [count]; parts: a view for each tensor, of its shape and type.
    """

    def __init__(self, tensors: list[torch.Tensor], numbers: int, device: str = "cpu") -> None:
        sizes = [tensor.numel() * tensor.element_size() for tensor in tensors]
        self.bytes = torch.zeros(8 * numbers + sum(sizes), dtype=torch.uint8, device=device)
        self.numbers = self.bytes[: 8 * numbers].view(torch.float64)
        self.parts, at = list(tensors), 8 * numbers
        # Large elements come first, because a view begins at a multiple of its element's size.
        for index in sorted(range(len(tensors)), key=lambda index: -tensors[index].element_size()):
            tensor, size = tensors[index], sizes[index]
            self.parts[index] = self.bytes[at : at + size].view(tensor.dtype).view(tensor.shape)
            at += size

    def put(self, tensors: Iterable[torch.Tensor | None]) -> None:
        """None means zeros."""
        with torch.no_grad():
            for part, tensor in zip(self.parts, tensors):
                part.zero_() if tensor is None else part.copy_(tensor)

    def take_to(self, tensors: Iterable[torch.Tensor]) -> None:
        with torch.no_grad():
            for part, tensor in zip(self.parts, tensors):
                tensor.copy_(part)

    def put_text(self, text: str) -> None:
        """Writes it where the tensors would be, cut to their size."""
        rest = self.bytes[8 * len(self.numbers) :]
        content = text.encode()[: len(rest)]
        rest.zero_()
        rest[: len(content)] = torch.tensor(list(content), dtype=torch.uint8)

    def text(self) -> str:
        return bytes(self.bytes[8 * len(self.numbers) :].cpu().numpy()).rstrip(b"\0").decode(errors="replace")


def why_it_ended(exit_code: int | None) -> str:
    """exit_code: of multiprocessing; None if the process still runs."""
    if exit_code is None:
        return "does not answer"
    if exit_code >= 0:
        return f"has ended with exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    return f"has ended, killed by {name}"
