"""A trainer that only burns down: it writes the events, log and files of a real one, to test the page fast.

Run as the real one is: `python candle.py CONFIG --job DIR`. What it does is told by save.training_comment in the
config: `steps=40 seconds=0.01 sample=10 save=20 lines=0 stubborn=0 fail=0 crash=0 flood=0`.
"""

from __future__ import annotations

import json
import math
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import tomlkit
from PIL import Image, ImageDraw

from trainer.atomic import atomic_write
from trainer.events import EventLog
from trainer.job import Job

HEADER = json.dumps({"lora_unet_wax.lora_down.weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
WEIGHTS = len(HEADER).to_bytes(8, "little") + HEADER + bytes(4)  # a LoRA of one number
DEFAULTS = {
    "steps": 40,
    "seconds": 0.01,
    "sample": 10,
    "save": 20,
    "stubborn": 0,
    "fail": 0,
    "crash": 0,
    "flood": 0,
    "lines": 1,
}


def main() -> int:
    job = Job(Path(sys.argv[3]))
    job.prepare()
    config = tomlkit.parse(job.config_path.read_text(encoding="utf-8")).unwrap()
    save = config.get("save", {})
    words = dict(word.split("=") for word in str(save.get("training_comment", "")).split() if "=" in word)
    options = {name: float(words.get(name, value)) for name, value in DEFAULTS.items()}
    events = EventLog(job.events_path)
    if options["stubborn"]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    first = int(Path(save["resume"]).name.split("-")[1]) if save.get("resume") else 0
    return burn(job, events, options, first, str(save.get("output_name", "candle")))


def burn(job: Job, events: EventLog, options: dict[str, float], first: int, name: str) -> int:
    total, began = int(options["steps"]), time.time()
    events.emit("started", name=name, steps=total, epochs=4, images=15, reg_images=0, batches_per_epoch=total // 4,
                network="lora", base_model="sd-models/candle.safetensors",
                output=f"output/{name}.safetensors")  # fmt: skip
    print("正在加载模型 loading the model <script>window.__pwned = 1</script>", flush=True)
    events.emit("phase", name="loading model", done=0, total=1)
    events.emit("phase", name="training", done=0, total=total)
    for line in range(int(options["flood"])):
        print(f"flood line {line}", flush=line % 500 == 0)
    chance = random.Random(7)
    mean = 0.0
    for step in range(first + 1, total + 1):
        time.sleep(options["seconds"])
        loss = 0.07 + 0.06 * math.exp(-6 * step / total) + chance.gauss(0, 0.018)
        mean = loss if step == first + 1 else mean + (loss - mean) / min(step - first, 50)
        print(
            f"\rsteps: {100 * step // total:3d}%|{'█' * (20 * step // total):20s}| {step}/{total} loss={loss:.4f}",
            end="",
            flush=True,
        )
        if options["lines"] and step % 10 == 0:
            print(f"\nstep {step} 平均 loss {mean:.4f}", flush=True)
        events.emit("step", step=step, total=total, epoch=1 + 4 * (step - 1) // total, epochs=4, loss=loss,
        average=mean,
                    lr={"unet": 1e-4 * (1 - step / total), "text_encoder": 1e-5}, grad_norm=0.5,
                    seconds=max(options["seconds"], 0.001),
                    vram_gib=5.6)  # fmt: skip
        if step % max(1, total // 4) == 0:
            events.emit("epoch", epoch=4 * step // total, epochs=4)
        marks(job, events, options, step, total, name)
        if job.requested("stop") and not options["stubborn"]:
            job.obey("stop")
            events.emit("stopped", step=step, state=str(state(job, events, step)))
            return 3
        if options["fail"] and step >= options["fail"]:
            events.emit("failed", kind="out_of_memory", message="The GPU ran out of memory at step 20.",
                        advice="Lower train_batch_size or the resolution, or switch gradient_checkpointing on.",
                        changes={"precision.gradient_checkpointing": True, "no.parameter": 1},
                        traceback="Traceback (most recent call last):\n  "
                        "torch.OutOfMemoryError <img src=x onerror='window.__pwned=1'>")  # fmt: skip
            print("\nTraceback (most recent call last):\nOutOfMemoryError", flush=True)
            return 1
        if options["crash"] and step >= options["crash"]:
            return 9
    path = job.path.parents[1] / "output" / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, WEIGHTS)
    events.emit("checkpoint", kind="lora", path=path, step=total, epoch=4, bytes=path.stat().st_size)
    events.emit("finished", path=path, steps=total, seconds=time.time() - began)
    print("\nfinished", flush=True)
    return 0


def marks(job: Job, events: EventLog, options: dict[str, float], step: int, total: int, name: str) -> None:
    """Previews and saves on their steps, and when they are asked for."""
    epoch = 1 + 4 * (step - 1) // total
    if (options["sample"] and step % int(options["sample"]) == 0) or job.requested("sample"):
        job.obey("sample")
        for seed in (42, 43):
            picture = Image.new("RGB", (256, 256), (30, 60, 30 + seed))
            reach = 20 + 90 * step // total
            ImageDraw.Draw(picture).ellipse(
                (128 - reach, 128 - reach, 128 + reach, 128 + reach), fill=(230, 120, 40 + 200 * (seed - 42))
            )
            file = f"samples/{step:06d}-{seed}.png"
            picture.save(job.path / file)
            events.emit(
                "sample", step=step, epoch=epoch, file=file, prompt=f"a star, seed {seed} <b>bold</b>", seed=seed
            )
    if (options["save"] and step % int(options["save"]) == 0) or job.requested("save"):
        job.obey("save")
        state(job, events, step)


def state(job: Job, events: EventLog, step: int) -> Path:
    folder = job.states / f"step-{step}"
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write(folder / "manifest.json", "{}")
    events.emit("checkpoint", kind="state", path=folder, step=step, epoch=1, bytes=2)
    return folder


if __name__ == "__main__":
    sys.exit(main())
