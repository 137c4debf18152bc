"""Several processes train what one would: two of them, on the processor, talking through gloo."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
import torch.distributed as dist
from place import Place

from trainer.agreement import OWN_TO_A_MACHINE, SECTIONS, same_settings
from trainer.config import ConfigError, parameters, parse
from trainer.job import Job
from trainer.loading.batches import count_batches, deal, plan
from trainer.processes import Elsewhere, Lost, Processes, StopRequested, _name_interface
from trainer.spawning import choose_cards, process_count, refuse_lone_start

ROOT = Path(__file__).parents[2]
NEEDED = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512}
SECTION = "distributed"


def start(place: Place, job: str, **values: object) -> subprocess.Popen[bytes]:
    """`python -m trainer train` as a user types it: it spawns the others itself."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "trainer", "train", place.config(**values), "--job", job]
    with (place.root / f"{job}.log").open("wb") as log:
        return subprocess.Popen(command, cwd=place.root, env=environment, stdout=log, stderr=log)


def train(place: Place, job: str, **values: object) -> int:
    process = start(place, job, **values)
    try:
        return process.wait(240)
    finally:
        process.kill()


def log_of(place: Place, job: str) -> str:
    return (place.root / f"{job}.log").read_text(encoding="utf-8", errors="replace")


def test_two_processes_of_batch_1_train_what_one_of_batch_2_trains(place: Place) -> None:
    # Buckets of 3 and 2 pictures. As one process: batches of 2, 1 | 2. As two: (1, 1), (1, nothing) | (1, 1).
    settings: dict[str, object] = {
        "max_train_epochs": 2, "gradient_accumulation_steps": 2, "flip_aug": True, "noise_offset": 0.1,
        "caption_tag_dropout_rate": 0.3, "max_grad_norm": 0.5, "validation_split": 0.0, "optimizer_type": "SGDNesterov",
        "lr_scheduler": "linear", "save_every_n_epochs": 1,
    }  # fmt: skip
    assert place.train("one", output_name="one", train_batch_size=2, **settings) == 0
    assert train(place, "two", output_name="two", train_batch_size=1, num_processes=2, **settings) == 0, log_of(
        place, "two"
    )
    assert place.losses("two") == pytest.approx(place.losses("one"), rel=1e-4)
    rates = [[event["lr"] for event in place.events(job) if event["event"] == "step"] for job in ("one", "two")]
    assert rates[0] == rates[1]
    torch.testing.assert_close(place.weights("two"), place.weights("one"), rtol=1e-3, atol=1e-6)
    kinds = [event["event"] for event in place.events("two")]
    assert (kinds.count("started"), kinds.count("finished"), kinds.count("step")) == (1, 1, 4)
    names = sorted(path.name for path in (place.root / "output").iterdir() if path.stem.startswith("two"))
    assert names == ["two-000001.safetensors", "two.safetensors"]


def wait_for(condition: Any, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        threading.Event().wait(0.05)


def steps(place: Place, job: str) -> int:
    return sum(event["event"] == "step" for event in place.events(job))


def test_a_stop_is_obeyed_by_all_at_one_step_and_the_run_goes_on_to_the_same_end(place: Place) -> None:
    settings: dict[str, object] = {
        "max_train_epochs": 3, "train_batch_size": 1, "num_processes": 2, "optimizer_type": "SGDNesterov",
        "validation_split": 0.4,
        "cache_latents": False,
    }  # fmt: skip
    alone = {**settings, "train_batch_size": 2, "num_processes": 1}
    assert place.train("whole", output_name="whole", **alone) == 0
    # asked while the first preview is drawn: the first step is the last
    drawn = {"sample_at_first": True, "sample_prompts": "a --w 64 --h 64 --s 60"}
    process = start(place, "part", output_name="part", **settings, **drawn)
    try:
        wait_for(lambda: any(event.get("name") == "sampling" for event in place.events("part")))
        Job(place.root / "part").request("stop")
        assert process.wait(240) == 3, log_of(place, "part")
    finally:
        process.kill()
    told = place.events("part")[-1]
    assert (told["event"], told["step"]) == ("stopped", 1)
    assert place.train("alone", output_name="alone", resume=told["state"], max_train_epochs=3, train_batch_size=1) == 2
    assert "was written by 2 processes, this run has 1" in place.events("alone")[-1]["message"]
    assert train(place, "rest", output_name="part", resume=told["state"], **settings) == 0, log_of(place, "rest")
    assert place.losses("part") + place.losses("rest") == pytest.approx(place.losses("whole"), rel=1e-4)
    measured = [
        [event["loss"] for event in place.events(job) if event["event"] == "validation"] for job in ("rest", "whole")
    ]
    assert len(measured[1]) == 3 and measured[0] == pytest.approx(measured[1], rel=1e-4)  # each measured one of two
    torch.testing.assert_close(place.weights("part"), place.weights("whole"), rtol=1e-3, atol=1e-6)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a matter of Unix")
def test_a_process_that_dies_ends_the_run_with_its_kind_and_a_state(place: Place) -> None:
    process = start(place, "job", max_train_epochs=2000, train_batch_size=1, num_processes=2)
    try:
        wait_for(lambda: steps(place, "job") >= 2)
        other = next(child for child in psutil.Process(process.pid).children() if child.environ().get("RANK") == "1")
        other.send_signal(signal.SIGKILL)
        assert process.wait(90) == 1
    finally:
        process.kill()
    last = place.events("job")[-1]
    assert (last["event"], last["kind"]) == ("failed", "process"), log_of(place, "job")
    assert (
        json.loads((place.root / last["state"] / "progress.json").read_text(encoding="utf-8"))["step"] == last["step"]
    )
    assert Job(place.root / "job").state() == "failed"


def two(store: Any) -> tuple[Processes, Processes]:
    """Two processes' views of what they tell each other, in this one."""
    return Processes(0, 2, _store=store), Processes(1, 2, _store=store)


def test_other_settings_on_another_machine_are_named(tmp_path: Path) -> None:
    main, other = two(dist.HashStore())
    same_settings(parse({**NEEDED, "seed": 1, "train_data_dir": "here"}).config, main)
    with pytest.raises(ConfigError) as caught:
        same_settings(parse({**NEEDED, "seed": 2, "network_dim": 8, "max_data_loader_n_workers": 1}).config, other)
    said = "network_dim is 8 on this machine and None on machine 0; start all machines with the same settings"
    assert [(problem.address, problem.message) for problem in caught.value.problems] == [("network.network_dim", said)]


def test_machines_that_accelerate_starts_each_alone_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    monkeypatch.setenv("MASTER_ADDR", "10.0.0.1")
    with pytest.raises(ConfigError, match="use torchrun, or set num_machines"):
        refuse_lone_start(parse(NEEDED).config.distributed)
    monkeypatch.setenv("WORLD_SIZE", "2")
    refuse_lone_start(parse(NEEDED).config.distributed)


def test_what_may_differ_between_machines_are_parameters() -> None:
    names = {one.name for one in parameters()}
    assert names >= OWN_TO_A_MACHINE
    assert {one.section for one in parameters()} >= set(SECTIONS)


def fields(error: BaseException) -> dict[str, Any]:
    return {"kind": "data", "message": str(error), "advice": "", "traceback": ""}


def test_who_waits_for_a_process_that_failed_hears_why() -> None:
    main, other = two(dist.HashStore())
    with pytest.raises(ValueError, match="no pictures"), other.telling(fields):
        raise ValueError("no pictures")
    with pytest.raises(Elsewhere) as caught, main.telling(fields):
        raise Lost("another process ended")
    assert (caught.value.told["message"], caught.value.told["process"]) == ("no pictures", 2)


def test_who_waits_for_a_process_that_was_stopped_before_the_first_step_stops_too() -> None:
    main, other = two(dist.HashStore())
    main._store.add("gone", 1)
    with pytest.raises(StopRequested), main.telling(fields):
        raise StopRequested
    with pytest.raises(StopRequested), other.telling(fields):
        raise Lost("another process ended")


def test_an_address_that_only_machine_0_can_use_is_refused_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLOO_SOCKET_IFNAME", raising=False)
    with pytest.raises(ConfigError, match="only this machine itself can use; give the one it has on the network"):
        _name_interface("127.0.0.1")


class Picture:
    """What the plan of batches asks of an example."""

    def __init__(self, index: int, bucket: tuple[int, int], repeats: int = 1) -> None:
        self.index, self.bucket, self.repeats, self.group = index, bucket, repeats, 0


PICTURES: list[Any] = [Picture(n, ((64, 64), (96, 64), (64, 96))[n % 3], 1 + n % 4) for n in range(20)]


@pytest.mark.parametrize("processes", [1, 2, 3, 8])
def test_processes_share_the_batches_evenly_and_no_picture_is_lost_or_doubled(processes: int) -> None:
    dealt = deal(PICTURES, 2, 7, 1, processes)
    alone = plan(PICTURES, 2, 7, 1)
    assert len(dealt) == -(-count_batches(PICTURES, 2) // processes)
    assert sorted(index for batches in dealt for batch in batches for index in batch.indices) == sorted(
        index for batch in alone for index in batch.indices
    )
    assert all(1 <= len(batches) <= processes for batches in dealt)
    assert sum(len(batches) < processes for batches in dealt) <= 1


def test_processes_with_one_bucket_train_the_batches_of_one_with_the_sum_of_their_sizes() -> None:
    pictures: list[Any] = [Picture(n, (64, 64)) for n in range(11)]
    together = [tuple(index for batch in batches for index in batch.indices) for batches in deal(pictures, 2, 5, 3, 2)]
    assert together == [batch.indices for batch in plan(pictures, 4, 5, 3)]


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ({}, 1),
        ({"num_processes": 4}, 4),
        ({"gpu_ids": "0,2,3"}, 3),
        ({"gpu_ids": ["0", "1"]}, 2),
        ({"gpu_ids": [0, 1], "num_machines": 2, "main_process_ip": "10.0.0.1"}, 4),
        ({"gpu_ids": "0,1", "num_processes": 1}, 1),
    ],
)
def test_the_number_of_processes_follows_the_cards(values: dict[str, object], count: int) -> None:
    assert process_count(parse({**NEEDED, **values}).config.distributed) == count


def test_the_cards_that_were_asked_for_are_the_only_ones_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "")  # put back after the test
    del os.environ["CUDA_DEVICE_ORDER"]
    choose_cards(parse(NEEDED).config.distributed)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "7" and "CUDA_DEVICE_ORDER" not in os.environ
    choose_cards(parse({**NEEDED, "gpu_ids": "1, 3"}).config.distributed)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1,3"
    assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"  # by speed otherwise, so that 1 may be another card


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"gpu_ids": "one"}, "gpu_ids is one; write each card's number once"),
        ({"gpu_ids": "0,1,0"}, "gpu_ids is 0,1,0; write each"),
        ({"num_machines": 2, "num_processes": 3, "main_process_ip": "x"}, "cannot be shared evenly by 2 machines"),
        ({"num_machines": 2}, "need main_process_ip"),
        ({"num_machines": 2, "num_processes": 2, "main_process_ip": "a\x07b"}, "or the name of a machine is needed"),
        ({"machine_rank": 1}, "there are 1 machines; they are numbered from 0"),
        ({"ddp_static_graph": True, "network_args": ["module_dropout=0.1"]}, "module_dropout breaks"),
    ],
)
def test_places_that_cannot_be_are_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse({**NEEDED, **values})
