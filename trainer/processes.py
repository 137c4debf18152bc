"""What several processes that train one LoRA do together: meet, add up gradients, agree, fail as one.

Each holds the whole model and the same weights; each takes its part of a step's pictures. Gradients are added up by
one explicit all-reduce a step rather than by DistributedDataParallel: only the few weights of the network have any, the
loop keeps its shape, and the loss of a step travels along. Who starts the processes is in spawning.py.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psutil
import torch
import torch.distributed as dist
from torch import Tensor, nn

from trainer.config import ConfigError, Problem
from trainer.spawning import STOPPED as STOPPED_CODE

if TYPE_CHECKING:
    from trainer.config.distributed import Distributed
    from trainer.events import EventLog
    from trainer.job import Job

USUAL_PATIENCE_MINUTES = 120  # previews of the main process are waited for
LOOK_SECONDS = 0.5
STOPPED = "stopped"  # in the place of a failure's kind
MEETING_SECONDS = 120  # for connections between processes that are all there
FAREWELL_SECONDS = 10.0  # for the others to read why the process failed that holds what they tell each other


class Elsewhere(RuntimeError):
    """Another process of the run failed. told: its failure's fields (kind, message, advice, traceback)."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(str(told["message"]))
        self.told = told


class Lost(RuntimeError):
    """Another process of the run is gone, or does not answer any more."""


class StopRequested(Exception):
    """A run was asked to stop before its first step, when there is nothing yet that could be saved."""


@dataclass
class Processes:
    """This process among those of its run. rank 0 is the main one, which writes files and talks to the user."""

    rank: int = 0
    count: int = 1
    as_view: bool = False  # ddp_gradient_as_bucket_view
    static: bool = False  # ddp_static_graph
    _store: Any = None
    _told: bool = False  # the others know why this run failed
    _trained: Tensor | None = field(default=None, repr=False)  # which weights had gradients at the first step

    @property
    def main(self) -> bool:
        """True in the process that writes."""
        return self.rank == 0

    def from_main(self, value: int) -> int:
        """The main process's value, in all."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], dtype=torch.int64)
        with _answering():
            dist.broadcast(shared, 0)
        return int(shared)

    def any_of(self, flags: Sequence[bool]) -> list[bool]:
        """Each flag: whether it is set in any process."""
        return [found > 0 for found in self.sum_of([float(flag) for flag in flags])]

    def compare(self, subject: str, values: Mapping[str, str]) -> list[tuple[str, str, str]]:
        """(name, here, in the main process) of the values that differ from the main process's; there always none.

        All processes name the same subject, once.
        """
        if self.count == 1:
            return []
        if self.main:
            self._store.set(subject, json.dumps(values))
            return []
        with _answering():
            theirs = json.loads(self._store.get(subject))
        names = [name for name in {**theirs, **values} if theirs.get(name) != values.get(name)]
        return [(name, values.get(name, "nothing"), theirs.get(name, "nothing")) for name in names]

    def sum_of(self, values: Sequence[float]) -> list[float]:
        """Each value summed over the processes."""
        if self.count == 1:
            return list(values)
        shared = torch.tensor(values, dtype=torch.float64)
        with _answering():
            dist.all_reduce(shared)
        return [float(value) for value in shared]

    @contextlib.contextmanager
    def as_one(self, explain: Callable[[BaseException], dict[str, Any]]) -> Iterator[None]:
        """An error in the block of one process is an error in all: Elsewhere in those where nothing went wrong.

        explain: turns an exception into a failure's fields, for the others. Raises Lost when one does not answer.
        """
        if self.count == 1:
            yield
            return
        fault: Exception | None = None
        try:
            yield
        except Lost:
            raise
        except Exception as error:
            fault = error
            self._tell(explain(error))
        failed = torch.tensor([fault is not None], dtype=torch.int32)
        with _answering():
            dist.all_reduce(failed, dist.ReduceOp.MAX)
        if fault is not None:
            raise fault
        if failed:
            raise Elsewhere(self._heard() or {})

    @contextlib.contextmanager
    def telling(self, explain: Callable[[BaseException], dict[str, Any]]) -> Iterator[None]:
        """Around all that the processes do together: who fails tells the others why, wherever they are by then.

        explain: turns an exception into a failure's fields. Raises Elsewhere, not Lost, where the reason is known.
        """
        if self.count == 1:
            yield
            return
        try:
            yield
        except Exception as error:
            cause = error.__cause__ if isinstance(error.__cause__, (Lost, Elsewhere)) else error
            if isinstance(cause, Lost) and (told := self._heard()) is not None:
                self._part()
                if told["kind"] == STOPPED:
                    raise StopRequested from error
                if cause is error:
                    raise Elsewhere(told) from error
                error.__cause__ = Elsewhere(told)  # what was kept stays told too
                raise
            if not isinstance(cause, (Lost, Elsewhere)) and not self._told:
                self._tell({"kind": STOPPED} if isinstance(error, StopRequested) else explain(error))
            self._part()
            raise

    def _tell(self, failure: dict[str, Any]) -> None:
        self._told = True
        with contextlib.suppress(RuntimeError):
            self._store.set("failure", json.dumps({**failure, "process": self.rank + 1}, default=str))

    def _heard(self) -> dict[str, Any] | None:
        """Why another process failed, if it could tell."""
        with contextlib.suppress(RuntimeError):
            if self._store.check(["failure"]):
                return dict(json.loads(self._store.get("failure")))
        return None

    def _part(self) -> None:
        """End the connections, so that nobody waits any longer; the main process stays until the others have heard."""
        with contextlib.suppress(RuntimeError, AssertionError):
            dist.destroy_process_group()
        with contextlib.suppress(RuntimeError):
            gone = self._store.add("gone", 1)
            deadline = time.monotonic() + FAREWELL_SECONDS
            while self.main and gone < self.count and time.monotonic() < deadline:
                time.sleep(0.1)
                gone = self._store.add("gone", 0)

    def add_up(self, trained: Sequence[nn.Parameter], losses: Sequence[Tensor]) -> list[Tensor]:
        """Sum gradients and losses over the processes, in one all-reduce; returns the losses.

        A weight that has a gradient in one process gets one in all. The sums are the same bits everywhere, so weights
        and optimizers stay alike without being compared.
        """
        if self.count == 1:
            return list(losses)
        had = self._with_gradients(trained)
        moved = [weight for weight, has in zip(trained, had.tolist(), strict=True) if has]
        parts = [
            torch.zeros_like(weight, dtype=torch.float32) if weight.grad is None else weight.grad.float()
            for weight in moved
        ]
        flat = torch.cat([*(part.flatten() for part in parts), *(loss.float().reshape(1) for loss in losses)])
        with _answering():
            dist.all_reduce(flat)
        place = 0
        for weight in moved:
            summed = flat[place : place + weight.numel()].view_as(weight)
            place += weight.numel()
            if self.as_view and weight.dtype == torch.float32:
                weight.grad = summed
            else:
                weight.grad = summed.to(weight.dtype, copy=True)
        return list(flat[place:])

    def _with_gradients(self, trained: Sequence[nn.Parameter]) -> Tensor:
        """(number of weights,) int8: 1 where any process has a gradient. On the CPU, so no GPU is waited for."""
        if self.static and self._trained is not None:
            return self._trained
        had = torch.tensor([weight.grad is not None for weight in trained], dtype=torch.int8)
        with _answering():
            dist.all_reduce(had, dist.ReduceOp.MAX)
        self._trained = had
        return had

    def leave(self) -> None:
        """Take leave of the others, at the end of a run that went well."""
        if self.count > 1:
            with contextlib.suppress(RuntimeError):
                dist.barrier()
                dist.destroy_process_group()


def join(section: Distributed, waiting: contextlib.AbstractContextManager[object]) -> Processes:
    """Meet the other processes, where the environment says that there are some (torchrun's variables).

    waiting: around the time in which the others are waited for. Raises ConfigError when this machine has too few cards
    or no way to the main one, Lost when the others do not come.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Processes()
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    on_cards = torch.cuda.is_available()
    if on_cards:
        cards, here = torch.cuda.device_count(), int(os.environ.get("LOCAL_WORLD_SIZE", local + 1))
        if here > cards:
            said = "{count} processes were asked for on this machine, which has {cards} cards; lower num_processes"
            raise ConfigError([Problem("distributed.num_processes", said, {"count": here, "cards": cards})])
        torch.cuda.set_device(local)
    patience = timedelta(minutes=section.ddp_timeout or USUAL_PATIENCE_MINUTES)
    several_machines = int(os.environ.get("LOCAL_WORLD_SIZE", "1")) < count
    if several_machines:
        _name_interface(os.environ["MASTER_ADDR"])
    with waiting, _answering():
        store, _, _ = next(iter(dist.rendezvous("env://", rank, count, timeout=patience)))
        backend = "cpu:gloo,cuda:nccl" if on_cards else "gloo"
        meeting = timedelta(seconds=MEETING_SECONDS)
        dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=meeting)
        dist.distributed_c10d._set_pg_timeout(patience, dist.group.WORLD)
    own = dist.PrefixStore("athanor", store)
    return Processes(rank, count, section.ddp_gradient_as_bucket_view, section.ddp_static_graph, own)


class Waiting:
    """Tells that the others are waited for, and ends the process when its job is asked to stop meanwhile.

    The library that waits hears of no signal, and the others may come in an hour.
    """

    def __init__(self, job: Job, events: EventLog) -> None:
        self._job = job
        self._events = events
        self._over = threading.Event()

    def __enter__(self) -> None:
        self._events.emit("phase", name="waiting for the other processes", done=0, total=0)
        threading.Thread(target=self._watch, name="waiting", daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            if self._job.requested("stop"):
                self._events.emit("stopped", step=None, state=None)
                os._exit(STOPPED_CODE)


def _name_interface(address: str) -> None:
    """Tell gloo by which network the other machines reach this one.

    Alone it offers the address of the machine's name, which on Debian and Ubuntu is 127.0.1.1: of use to nobody else.
    Raises ConfigError when the main machine's address is one that only that machine itself can use.
    """
    try:
        family, _, _, _, place = socket.getaddrinfo(address, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(place)  # sends nothing; the system chooses the way
            own = probe.getsockname()[0]
    except OSError as error:
        said = "{address} cannot be reached from this machine ({reason}); check main_process_ip and the network"
        raise ConfigError(
            [Problem("distributed.main_process_ip", said, {"address": address, "reason": error.strerror or error})]
        ) from None
    if ipaddress.ip_address(own.split("%")[0]).is_loopback:
        said = "{address} is an address that only this machine itself can use; give the one it has on the network"
        raise ConfigError([Problem("distributed.main_process_ip", said, {"address": address})])
    for name, addresses in psutil.net_if_addrs().items():
        if own in {entry.address for entry in addresses}:
            os.environ.setdefault("GLOO_SOCKET_IFNAME", name)


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        said = "another process of this run ended or did not answer in time"
        raise Lost(f"{said} ({str(error).splitlines()[0][:200]})") from error
