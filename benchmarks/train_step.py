"""Seconds and memory of a training step: this trainer against a plain diffusers + peft loop, on the same weights.

    python benchmarks/make_sd15.py sd15.safetensors
    python -m benchmarks.train_step sd15.safetensors --resolution 128 --threads 1            # a processor
    python -m benchmarks.train_step sd15.safetensors --precision bf16 --compile --steps 20    # an NVIDIA card, 512 px
    python -m benchmarks.train_step sdxl.safetensors --precision bf16 --batch 4 --compile     # 1024 px
    python -m benchmarks.train_step sdxl.safetensors --precision bf16 --checkpointing --quantize nf4

Both train a LoRA of the same rank on the same layers of the U-Net, from latents and texts that are encoded beforehand,
with AdamW, clipping and a loss that is read every step. Ours is the whole loop (trainer.train.step: data, schedule,
report, events). Each runs in a process of its own; they take turns of a few steps, so that a busy machine slows both.
Memory: at its highest during the steps, and since the process began. The hardware's limit is a large matrix product
measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# TFLOP of a LoRA step at batch 1: forward, and backward to the activations, which costs as much
KNOWN_TERAFLOPS = {("sd1", 512): 1.61, ("sdxl", 1024): 13.5}
DTYPES = {"no": "float32", "fp16": "float16", "bf16": "bfloat16"}
GIB = 2**30


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("--resolution", type=int, help="side in pixels; default 512, for SDXL 1024")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--precision", choices=DTYPES, default="no")
    parser.add_argument("--checkpointing", action="store_true", help="for both")
    parser.add_argument("--compile", action="store_true", help="ours with torch_compile")
    parser.add_argument("--quantize", choices=("int8", "nf4"), help="ours with quantize_base")
    parser.add_argument("--optimizer", default="AdamW", help="ours; the plain loop always has AdamW")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3, help="of each side in a round")
    parser.add_argument("--threads", type=int, help="of each process; default all")
    parser.add_argument("--alone", action="store_true", help="without the plain loop")
    parser.add_argument("--worker", choices=("ours", "plain"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        _worker(options)
    else:
        _compare(options)


def _compare(options: argparse.Namespace) -> None:
    names = ["ours"] if options.alone else ["ours", "plain"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"}
    if options.threads:
        environment["OMP_NUM_THREADS"] = str(options.threads)
    workers = {}
    for name in names:  # one after the other: loading is when most memory is needed
        command = [sys.executable, "-m", "benchmarks.train_step", *sys.argv[1:], "--worker", name]
        worker = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        workers[name] = worker, _answer(worker)
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for name, (worker, _) in workers.items():
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
            rounds[name].append(_answer(worker))
    for worker, _ in workers.values():
        worker.communicate("")
    first = workers["ours"][1]
    peak, teraflops = max(one["peak_tflops"] for one in rounds["ours"]), first["teraflops"]
    print(f"{first['device']}, {first['family']} at {first['side']} px, batch {options.batch}, rank {options.rank}, "
          f"{options.precision}; matrix peak {peak:.3f} TFLOP/s; {teraflops:.3f} TFLOP a step")  # fmt: skip
    for name, told in rounds.items():
        seconds, processor = (statistics.median(one[what] for one in told) for what in ("seconds", "processor"))
        print(f"{name:6} {seconds:.4f} s a step, {processor:.4f} s of processor time, "
              f"{teraflops / seconds / peak:.1%} of the peak; memory {told[-1]['steps_gib']:.2f} GiB in the steps, "
              f"{told[-1]['whole_gib']:.2f} in all")  # fmt: skip
    for what, title in (("seconds", "time"), ("processor", "processor time")) if len(names) == 2 else ():
        pairs = zip(rounds["plain"], rounds["ours"], strict=True)
        print(f"plain / ours in {title}: {statistics.median(plain[what] / ours[what] for plain, ours in pairs):.2f}")


def _answer(worker: subprocess.Popen[str]) -> dict[str, Any]:
    """The next line of JSON; what else the trainer prints is passed over."""
    assert worker.stdout is not None
    for line in worker.stdout:
        if line.startswith("ANSWER "):
            found: dict[str, Any] = json.loads(line.removeprefix("ANSWER "))
            return found
    raise SystemExit(f"a worker ended with {worker.wait()}")


def _worker(options: argparse.Namespace) -> None:
    """Prepare, then do a round of steps for every line on the standard input."""
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with tempfile.TemporaryDirectory() as folder:
        base = options.base.resolve()
        about: dict[str, Any] = {"device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu"}
        os.chdir(folder)
        kind = _kind(base)
        side = options.resolution or (1024 if kind == "sdxl" else 512)
        made = _our_step(base, side, options) if options.worker == "ours" else _plain_step(base, side, options)
        one_step, unet = made
        for _ in range(2 if device.type == "cpu" else 8):  # compiles, fills allocators
            one_step()
        about |= {"family": kind, "side": side}
        if options.worker == "ours":
            known = KNOWN_TERAFLOPS.get((kind, side))
            about["teraflops"] = known * options.batch if known else _counted_teraflops(one_step)
        _print(about)
        meter = Meter(device)
        for _ in sys.stdin:
            peak = matrix_peak(device, DTYPES[options.precision])
            _synchronize(device)
            began, processor = time.perf_counter(), time.process_time()
            for _ in range(options.steps):
                one_step()
            _synchronize(device)
            _print({
                "seconds": (time.perf_counter() - began) / options.steps,
                "processor": (time.process_time() - processor) / options.steps, "peak_tflops": peak, **meter.gib(),
            })  # fmt: skip


def matrix_peak(device: Any, dtype: str) -> float:
    """TFLOP/s of the best of ten large matrix products. Measured in every round, as a busy machine hides it."""
    import torch

    side = 8192 if device.type == "cuda" else 1536
    one, two = (torch.randn(side, side, device=device).to(getattr(torch, dtype)) for _ in range(2))
    best = float("inf")
    for _ in range(10):
        _synchronize(device)
        began = time.perf_counter()
        one @ two
        _synchronize(device)
        best = min(best, time.perf_counter() - began)
    return float(2 * side**3 / best / 1e12)


def _our_step(base: Path, side: int, options: argparse.Namespace) -> tuple[Callable[[], object], Any]:
    """The trainer's own step, on a folder of drawn pictures."""
    from PIL import Image

    from trainer.config import parse
    from trainer.curves import Curves
    from trainer.events import EventLog
    from trainer.job import Job
    from trainer.preparation import prepare
    from trainer.processes import Processes
    from trainer.reporting import Progress, Report
    from trainer.train import step

    folder = Path("train") / "1000_noise"
    folder.mkdir(parents=True)
    for number in range(options.batch):
        Image.effect_noise((side, side), 80).convert("RGB").save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(f"noise, number {number}", encoding="utf-8")
    values = {
        "pretrained_model_name_or_path": str(base), "train_data_dir": "train", "resolution": side,
        "caption_extension": ".txt", "train_batch_size": options.batch, "network_dim": options.rank,
        "network_alpha": options.rank, "network_train_unet_only": True, "learning_rate": 1e-4, "cache_latents": True,
        "cache_text_encoder_outputs": True, "max_train_steps": 100_000, "optimizer_type": options.optimizer, "seed": 1,
        "mixed_precision": options.precision, "gradient_checkpointing": options.checkpointing,
        "torch_compile": options.compile, "quantize_base": options.quantize, "no_half_vae": True,
    }  # fmt: skip
    config = parse({name: value for name, value in values.items() if value is not None}).config
    job = Job(Path("job"))
    job.prepare()
    run = prepare(config, job, EventLog(job.events_path), Processes())
    progress, report = Progress(), Report(run, Curves(config, "step"))
    windows = (window for epoch in range(1, 1000) for window in run.windows(epoch, 0))
    run.network.train()
    return lambda: step(run, progress, next(windows), report), run.family.unet


def _plain_step(base: Path, side: int, options: argparse.Namespace) -> tuple[Callable[[], object], Any]:
    """What examples of diffusers do: add_adapter, autocast, mean square, AdamW. Only the U-Net stays in memory."""
    import torch
    import torch.nn.functional as F
    from diffusers import DDPMScheduler
    from diffusers.training_utils import cast_training_params
    from peft import LoraConfig

    from trainer import families
    from trainer.config import parse

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = getattr(torch, DTYPES[options.precision])
    values = {"pretrained_model_name_or_path": str(base), "train_data_dir": "train", "resolution": side,
              "mixed_precision": options.precision, "no_half_vae": True}  # fmt: skip
    family = families.load(families.options_from(parse(values).config), device)
    with torch.no_grad():
        texts = family.encode_captions([f"noise, number {number}" for number in range(options.batch)])
        pixels = torch.rand(options.batch, 3, side, side) * 2 - 1
        latents = family.encode_images(pixels, torch.Generator().manual_seed(0)).cpu()
    unet = family.unet
    del family
    wanted = ["to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2"]
    unet.add_adapter(LoraConfig(r=options.rank, lora_alpha=options.rank, target_modules=wanted))
    cast_training_params(unet)
    unet.train()
    if options.checkpointing:
        unet.enable_gradient_checkpointing()
    parameters = [parameter for parameter in unet.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4)
    scheduler: Any = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    added = None
    if unet.config.addition_embed_type == "text_time":
        sizes = torch.tensor([[side, side, 0, 0, side, side]] * options.batch, device=device)
        added = {"text_embeds": texts.pooled, "time_ids": sizes}

    def one_step() -> None:
        batch, states = latents.to(device, dtype), texts.context.to(device, dtype)
        noise = torch.randn_like(batch)
        timesteps = torch.randint(0, 1000, (options.batch,), device=device)
        noisy = scheduler.add_noise(batch, noise, timesteps)
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            prediction = unet(noisy, timesteps, states, added_cond_kwargs=added).sample
            loss = F.mse_loss(prediction.float(), noise.float())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        loss.item()

    return one_step, unet


def _counted_teraflops(one_step: Callable[[], object]) -> float:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.compiler.set_stance("force_eager"), FlopCounterMode(display=False) as counter:  # blind for compiled code
        one_step()
    return float(counter.get_total_flops() / 1e12)


def _kind(base: Path) -> str:
    from trainer.families.weights import describe

    return describe(base).family or "sd1"


def _synchronize(device: Any) -> None:
    if device.type == "cuda":
        import torch

        torch.cuda.synchronize()


class Meter:
    """The highest memory since it was made, and since the process began: of the card, or resident (Linux only)."""

    def __init__(self, device: Any) -> None:
        self._cuda = device.type == "cuda"
        self._before = self._highest()
        if self._cuda:
            import torch

            torch.cuda.reset_peak_memory_stats()
        else:
            Path("/proc/self/clear_refs").write_text("5")

    def gib(self) -> dict[str, float]:
        """Both, in GiB."""
        now = self._highest()
        return {"steps_gib": now, "whole_gib": max(now, self._before)}

    def _highest(self) -> float:
        if self._cuda:
            import torch

            return float(torch.cuda.max_memory_allocated() / GIB)
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / GIB


def _print(values: dict[str, Any]) -> None:
    print(f"\nANSWER {json.dumps(values)}", flush=True)


if __name__ == "__main__":
    main()
