"""What a long run costs the page: the Jobs tab's answers for a job of a million steps, and the list of 500 jobs.

    python -m benchmarks.job_progress [--steps 1000000] [--jobs 500]

Writes a job whose events.jsonl has real events, and small jobs beside it; starts the page on that folder three times:
with nothing kept, after it has read everything, and again with more steps added. Prints how long `live`, `curve` and
the whole reading take, the seconds of processor time, and the memory of the page's process; then, in Chromium, how long
it is from the address until the job's step is on the screen, and its curve has come.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.page import CHROMIUM, page_on
from trainer.job import Job

STEP_SECONDS = 0.1


def lines(first: int, last: int, total: int) -> Iterator[str]:
    """The events of steps first ... last; after each thousandth of the run an epoch, validation, preview and save."""
    chance, began = random.Random(first), time.time() - total * STEP_SECONDS
    for step in range(first, last + 1):
        moment = round(began + step * STEP_SECONDS, 3)
        loss = 0.07 + 0.06 * math.exp(-6 * step / total) + chance.gauss(0, 0.018)
        epoch = 1 + 100 * (step - 1) // total
        yield json.dumps(
            {"event": "step", "time": moment, "step": step, "total": total, "epoch": epoch, "epochs": 100, "loss": loss,
             "average": loss, "lr": {"unet": 1e-4 * (1 - step / total), "textencoder": 1e-5}, "grad_norm": loss * 7,
             "left_out": 0, "seconds": STEP_SECONDS, "vram_gib": 5.612345678}
        )  # fmt: skip
        if step % max(1, total // 1000) == 0:
            place = {"time": moment, "step": step, "epoch": epoch}
            yield json.dumps({"event": "epoch", **place})
            yield json.dumps({"event": "validation", **place, "loss": loss})
            yield json.dumps({"event": "sample", **place, "file": f"samples/{step}.png", "prompt": "a star", "seed": 1})
            yield json.dumps({"event": "checkpoint", **place, "kind": "lora", "path": f"output/{step}.safetensors"})


def make_jobs(folder: Path, steps: int, jobs: int) -> Job:
    """A job of `steps` steps, the newest, and `jobs` - 1 finished ones of 300."""
    for number in range(jobs - 1):
        job = Job.create(folder / "jobs", f"small{number}", "")
        add(job, 1, 300, 300)
        with job.events_path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"event": "finished", "time": time.time(), "steps": 300}) + "\n")
    long = Job.create(folder / "jobs", "long", "")
    add(long, 1, steps, steps)
    return long


def add(job: Job, first: int, last: int, total: int) -> None:
    """Append steps to a job's events."""
    with job.events_path.open("a", encoding="utf-8", newline="\n") as stream:
        if first == 1:
            stream.write(json.dumps({"event": "started", "time": time.time(), "steps": total, "epochs": 100}) + "\n")
        stream.writelines(f"{line}\n" for line in lines(first, last, total))


def look(folder: Path, job: Job, title: str) -> None:
    """Start the page, and print what the job's answers take until everything is read."""
    with page_on(folder) as (address, process):

        def get(path: str) -> tuple[Any, float]:
            began = time.monotonic()
            with urllib.request.urlopen(f"{address}/api/jobs{path}", timeout=600) as answer:
                content = json.load(answer)
            return content, time.monotonic() - began

        began = time.monotonic()
        spent = sum(process.cpu_times()[:2])
        line, first = get(f"/{job.id}/live")
        detail, second = get(f"/{job.id}")
        curve, third = get(f"/{job.id}/curve")
        share = line["job"]["reading"] or 1
        print(f"{title}: live {first * 1000:.0f} ms, all of it {second * 1000:.0f} ms, curve {third * 1000:.0f} ms: "
              f"step {line['job']['step']}, {len(curve['steps'])} points, {share:.0%} read")  # fmt: skip
        while line["job"]["reading"] is not None:
            time.sleep(0.2)
            line, _ = get(f"/{job.id}/live")
        curve, third = get(f"/{job.id}/curve")
        waited, spent = time.monotonic() - began, sum(process.cpu_times()[:2]) - spent
        print(f"    everything read after {waited:.1f} s ({spent:.1f} s of processor time), "
              f"{len(curve['steps'])} points, {process.memory_info().rss >> 20} MiB")  # fmt: skip
        _, first = get("")
        _, second = get("")
        polls = [get(f"/{job.id}/live")[1] for _ in range(20)]
        print(f"    list of jobs: first {first * 1000:.0f} ms, then {second * 1000:.0f} ms; "
              f"one poll {sorted(polls)[10] * 1000:.0f} ms; {len(detail['files'])} files listed")  # fmt: skip


def show(folder: Path, job: Job, step: int) -> None:
    """Start the page once more, and print how long Chromium takes from the address to step and curve, five times.

    Each look has an empty cache. With it, what was asked for until then, and when Gradio stood.
    """
    from playwright.sync_api import sync_playwright

    with page_on(folder) as (address, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-dev-shm-usage"])
        for look_number in range(1, 6):
            page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))  # noqa: B023 (the page is closed below)
            began = time.monotonic()
            with page.expect_response(lambda answer: "/curve" in answer.url):
                page.goto(f"{address}/#job={job.id}", wait_until="commit")
                page.locator("[data-role=step]", has_text=f"{step} / {step}").wait_for()
                waited, requests = time.monotonic() - began, len(asked)
            curve = time.monotonic() - began
            page.locator(".gradio-container [role=tabpanel]").first.wait_for(state="attached")
            print(f"Chromium, look {look_number}: step after {waited:.2f} s and {requests} requests, "
                  f"curve after {curve:.2f} s, Gradio after {time.monotonic() - began:.2f} s")  # fmt: skip
            page.close()
        browser.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=500)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = make_jobs(folder, chosen.steps, chosen.jobs)
        print(f"{job.events_path.stat().st_size >> 20} MiB of events")
        look(folder, job, "never read before")
        look(folder, job, "the page started again")
        add(job, chosen.steps + 1, chosen.steps + 1000, chosen.steps + 1000)
        look(folder, job, "again, 1000 steps later")
        show(folder, job, chosen.steps + 1000)


if __name__ == "__main__":
    main()
