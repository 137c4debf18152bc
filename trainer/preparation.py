"""Everything a run needs, made from its configuration before the first step: examples, model, latents, network,
optimizer.

What comes out is in run.py, the loop that uses it in train.py. B batch · C latent channels · h w latent rows, columns
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from trainer import (
    agreement,
    families,
    metadata,
    networks,
    objective,
    optimizers,
    precision,
    previews,
    resuming,
    schedules,
    seeds,
)
from trainer.atomic import WriteError
from trainer.checkpoint import Reserved, State, load_state, reserve_name
from trainer.config import TrainConfig
from trainer.config.rates import trained_rates
from trainer.console import LOG
from trainer.dataset import captions, statistics
from trainer.dataset.problems import RefusedError
from trainer.dataset.report import Done, Lengths, first_step, lengths
from trainer.dataset.scan import Dataset, scan, write_caches
from trainer.events import TERMINAL, EventLog
from trainer.failures import explain
from trainer.families import emphasis, kinds
from trainer.families.base import Family, Target
from trainer.families.modules import lora_tensors
from trainer.families.weights import WeightsError, describe, find_base
from trainer.job import Job
from trainer.leftovers import sweep_run, sweep_tree
from trainer.loading.batches import count_batches, plan
from trainer.loading.latents import FolderStore, Latents, LatentsError, Store, cache_latents, fingerprint, tried_latents
from trainer.loading.npz import NpzStore
from trainer.loading.pixels import Item, item_of, load
from trainer.loading.texts import KeptTexts, write_te_outputs
from trainer.locks import Lock, take_card
from trainer.networks.base import NetworkError
from trainer.networks.network import Network
from trainer.numbers import read_number
from trainer.processes import Processes, StopRequested
from trainer.prompts import read_prompts, too_small
from trainer.quantised import check_quantising, quantise, store_in_fp8
from trainer.run import Microbatch, Run, measured_caption, usable
from trainer.saving import UNNAMED, output_folder
from trainer.states import StateError, newest_state

SMALL_MODEL_WEIGHTS = 50_000_000  # SD 1.5 has 860 million
CACHE_FOLDER = Path(".athanor") / "cache"
TRIED_SIDE = 64
Facts = TypeVar("Facts")
Warn = Callable[[str], None]


def prepare(config: TrainConfig, job: Job, events: EventLog, processes: Processes) -> Run:
    """Make a run ready for its first step (or for the step after the one it was stopped at).

    Raises ConfigError, DatasetError, WeightsError, NetworkError, StateError, OptimizerError, each with the cure, and
    StopRequested when the page asks for it while latents or texts are cached.
    """
    with processes.as_one(lambda error: explain(error, config).fields()):
        agreement.same_settings(config, processes)
    formats = precision.choose(config.precision)
    _check_machine(config, formats.device)
    warn: Warn = partial(_warn, events)
    card = _card(formats.device, job, warn)
    config = _with_newest_state(config, warn)
    resumed = load_state(Path(config.save.resume)) if config.save.resume else None
    if resumed:
        _check_processes(resumed, processes.count, config.save.resume or "")
    base = find_base(config.model.pretrained_model_name_or_path or "")
    settled = kinds.settle(config, describe(base))
    config = settled.config
    if resumed:
        config, changes = resuming.agreed(config, resumed.progress, config.save.resume or "")
        for change in changes:
            warn(change)
    seed = processes.from_main(config.run.seed or 0)
    config = config.model_copy(update={"run": config.run.model_copy(update={"seed": seed})})
    prompts = read_prompts(config.sample.sample_prompts) if config.sample.sample_prompts else ()
    dataset = _scanned(config, warn)
    told = [problem.message for problem in dataset.problems] + [note.message for note in formats.notes]
    told += [note.message for note in settled.notes] + too_small(prompts, settled.family)
    for text in told:
        warn(text)

    base_hashes = _beside(partial(metadata.base_facts, config.model.pretrained_model_name_or_path or "", base))
    caching = Caching(job, events, processes)
    events.emit("phase", name="loading model", done=0, total=1)
    family = families.outline(families.options_from(config))
    _check_network(config, family, resumed)
    store = _store(config, dataset, family)
    _fit_to_processor(family, formats.device)
    if config.network.base_weights:
        family.read("unet", "text_encoders", device="cpu")
        _merge(family, config, warn)
    # one part after the other is read and comes onto the card, so that it never holds the VAE at work beside the U-Net,
    # nor memory the text encoders beside it where their answers are kept
    family.to(formats.device, "vae")
    family.read("vae")
    latents = _latents(config, dataset, family, seed, store, caching, warn)
    if not usable(dataset, latents):
        raise LatentsError("none of the pictures to train on can be used; only held-out ones are left")
    family.to(formats.device, "text_encoders")
    family.read("text_encoders")
    texts = _texts(config, dataset, family, formats, caching, warn)
    if texts is not None:
        previews.remember_prompts(family, prompts)
        family.free_text_encoders()
    precision.give_memory_back(formats.device)
    events.emit("phase", name="loading model", done=0, total=1)
    family.read("unet", device="cpu")
    _fit_to_memory(family, config, formats.device, warn)
    precision.give_memory_back(formats.device)
    network = _network(config, family, formats, seed, warn)
    if config.precision.torch_compile:
        precision.compile_blocks(family.unet, config.precision.dynamo_backend)
        LOG.info("torch_compile: the first step of each picture size makes its code, which can take minutes")
    goes_on = resumed is not None and first_step(config, 1) is None
    done = Done.of(resumed.progress) if resumed and goes_on else None
    optimizer, factors, planned = _optimizer(config, network, dataset, latents, processes.count, done)
    scaler = formats.scaler()
    if resumed:
        for note in resuming.take_over(resumed, network, optimizer, scaler, config):
            warn(note)
        if goes_on:
            at_the_end = resuming.check_length(resumed.progress["step"], planned.steps, config.save.resume or "")
            if at_the_end:
                warn(at_the_end)
    output_dir = output_folder(config.save)
    if processes.main:
        pictures = {folder.path for folder in dataset.reading.folders}  # latents and lists may lie there
        sweep_run(job, [output_dir, output_dir / "sample", *pictures])
        sweep_tree(CACHE_FOLDER)
    reserved = _reserved(config, job, output_dir, resumed, processes, warn)
    named = reserved.name if config.save.output_name is not None else None
    facts = _facts(config, dataset, family, planned.epochs, planned.steps, latents, named, resumed,
                   processes.count)  # fmt: skip
    run = Run(
        config=config, job=job, events=events, seed=seed, device=formats.device, family=family, dataset=dataset,
        latents=latents,
        texts=texts, network=network, optimizer=optimizer, factors=factors, scaler=scaler,
        noise_schedule=objective.noise_schedule(
            family.zero_terminal_snr, config.loss.zero_terminal_snr_weights and family.prediction == "v"
        ).to(formats.device), prompts=prompts,
        held_out=_held_out(config, dataset, latents), epochs=planned.epochs, total_steps=planned.steps,
        steps_per_epoch=planned.steps_per_epoch, output_dir=output_dir,
        name=reserved, card=card,
        facts=facts, base_hashes=base_hashes, processes=processes, resumed=resumed,
    )  # fmt: skip
    with processes.as_one(lambda error: explain(error, config).fields()):
        agreement.same_files(run)
    for change in agreement.changes(run):
        warn(change)
    for note in family.notes:
        if note not in told:
            warn(note)
    _tell_start(run)
    return run


def _tell_start(run: Run) -> None:
    """The event that a run is ready for its first step."""
    config = run.config
    run.events.emit(
        "started", name=run.output_name, steps=run.total_steps, epochs=run.epochs,
        images=run.dataset.num_images, reg_images=run.dataset.num_reg_images,
        batches_per_epoch=run.facts.batches_per_epoch, network=config.network.network_module,
        base_model=run.facts.base.name, seed=run.seed, resumed_from=config.save.resume, device=str(run.device),
        output=run.output_dir / f"{run.output_name}.{config.save.save_model_as}",
    )  # fmt: skip


def _scanned(config: TrainConfig, warn: Warn) -> Dataset:
    """The pictures and captions of a run. Raises DatasetError with every mistake in them."""
    dataset = scan(config)
    if dataset.errors():
        raise RefusedError(dataset.errors())
    try:
        write_caches(dataset)
    except WriteError as fault:
        warn(str(fault))  # the next run reads the folder again
    return dataset


def _reserved(
    config: TrainConfig, job: Job, folder: Path, resumed: State | None, processes: Processes, warn: Warn
) -> Reserved:
    """The name that the run saves under, another one than asked for where that is taken."""
    wanted = config.save.output_name or UNNAMED["end"]
    own = resumed is not None and resuming.continues_name(config, resumed.progress, wanted)
    if resumed and own:
        wanted = resumed.progress["output_name"]
    if not processes.main:
        return Reserved(wanted)
    reserved = reserve_name(folder, wanted, str(job.path), own)
    if reserved.warning:
        warn(reserved.warning)
    return reserved


def _card(device: torch.device, job: Job, warn: Warn) -> Lock | None:
    """Tell when another run computes on the same card: that is slow, and a common reason to run out of memory."""
    if device.type != "cuda":
        return None
    lock, other = take_card(str(torch.cuda.get_device_properties(device).uuid), str(job.path))
    if other is not None:
        warn(f"{other} trains on this graphics card too; both are slower and have to share its memory")
    return lock


@dataclass(frozen=True)
class Caching:
    """Tells how far caching is, and looks whether the run is to end there."""

    job: Job
    events: EventLog
    processes: Processes

    def told(self, name: str) -> Callable[[int, int], None]:
        """For the progress of what is called `name`: done, total."""

        def progress(done: int, total: int) -> None:
            self.events.emit("phase", name=name, done=done, total=total)
            self.look()

        return progress

    def look(self) -> None:
        """Raises StopRequested: in the main process when the page asks for it, in others when that one has ended."""
        if not self.processes.main:
            if (self.job.last_event() or {}).get("event") in TERMINAL:
                raise StopRequested
        elif self.job.requested("stop"):
            self.job.obey("stop")
            _warn(self.events, "stopped before the first step: nothing was trained, so there is no state to go on from")
            raise StopRequested


def _beside(work: Callable[[], Facts]) -> Future[Facts]:
    """The result of `work`, done in a thread that never keeps the program from ending."""
    result: Future[Facts] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=run, name="hashing", daemon=True).start()
    return result


def _with_newest_state(config: TrainConfig, warn: Warn) -> TrainConfig:
    """`resume` may name the folder of a run's states: its newest whole one is meant, and newer ones are told."""
    if not config.save.resume:
        return config
    newest, passed = newest_state(Path(config.save.resume))
    if newest is None:
        return config  # one state, or what is told when it is read
    for fault in passed:
        warn(f"{fault}; an older state is taken")
    return config.model_copy(update={"save": config.save.model_copy(update={"resume": str(newest)})})


def _warn(events: EventLog, message: str) -> None:
    LOG.warning(message)
    events.emit("warning", message=message)


def _fit_to_processor(family: Family, device: torch.device) -> None:
    """One thread for a small model on the processor: its operations are too short to share.

    Two threads on a busy machine of two cores made a step of the demo take up to 29 s in place of 0.15 s.
    """
    if device.type == "cpu" and _is_small(family):
        torch.set_num_threads(1)


def _is_small(family: Family) -> bool:
    return sum(weight.numel() for weight in family.unet.parameters()) < SMALL_MODEL_WEIGHTS


def _merge(family: Family, config: TrainConfig, warn: Warn) -> None:
    """Make the LoRAs of base_weights part of the base model."""
    section = config.network
    for number, name in enumerate(section.base_weights):
        strengths = section.base_weights_multiplier
        strength = float(read_number(strengths[number])) if number < len(strengths) else 1.0
        for note in networks.merge(family.layers(), lora_tensors(Path(name)), strength, name):
            warn(note)


def _fit_to_memory(family: Family, config: TrainConfig, device: torch.device, warn: Warn) -> None:
    """The U-Net onto the device; attention, weights in fewer bits, train mode: all that comes before a network.

    Weights that are to be made smaller never lie on the device as they are.
    """
    section = config.precision
    if section.xformers:
        try:
            family.unet.enable_xformers_memory_efficient_attention()
        except (ImportError, ValueError, ModuleNotFoundError, RuntimeError):
            warn("xformers cannot be used here; PyTorch's own attention is used, which is as fast")
    if section.fp8_base or section.fp8_base_unet:
        store_in_fp8([family.unet, *(family.text_encoders if section.fp8_base else [])])
    elif section.quantize_base:
        quantise(family.unet, section.quantize_base, device)
    if family.dtype != torch.float32:
        precision.keep_norms_narrow(family.unet)
    family.to(device, "unet")
    if not _is_small(family):
        # full-size SD 1.5 on a processor: 7 % less time a step; the demo's small model is slower so
        family.unet.to(memory_format=torch.channels_last)
    family.train_mode(section.gradient_checkpointing)


def _items(dataset: Dataset) -> list[tuple[Item, bool]]:
    """Every picture as it is trained, training ones first, and whether it may be mirrored."""
    found = [(example, dataset.folders[example.folder]) for example in [*dataset.examples, *dataset.validation]]
    return [(item_of(example, folder.options, folder.root), folder.options.flip_aug) for example, folder in found]


def _store(config: TrainConfig, dataset: Dataset, family: Family) -> Store | None:
    """Where latents are kept between runs. Raises LatentsError when files beside pictures would have one name."""
    section = config.cache
    if not (section.cache_latents and section.cache_latents_to_disk):
        return None
    if not section.cache_as_npz:
        return FolderStore(CACHE_FOLDER / "latents")
    store = NpzStore("_sdxl" if family.name == "sdxl" else "_sd", family.latent_scale, section.skip_cache_check)
    for item, _ in _items(dataset):
        store.claim(item)
    return store


def _latents(
    config: TrainConfig, dataset: Dataset, family: Family, seed: int, store: Store | None, caching: Caching, warn: Warn
) -> Latents:
    """Cached or direct latents of all examples, training ones first."""
    items, flips = [item for item, _ in _items(dataset)], [flip for _, flip in _items(dataset)]
    section = config.cache
    if not section.cache_latents:
        readers = min(config.run.max_data_loader_n_workers, os.cpu_count() or 1)
        return tried_latents(
            items, load, family.encode_images, seed, readers, progress=caching.told("reading pictures"), warn=warn
        )
    kept = cache_latents(
        items, load, family.encode_images, f"{fingerprint(family.vae)} x {family.latent_scale}",
        flip=flips, batch_size=section.vae_batch_size,
        store=store, trust_dates=section.skip_cache_check,
        progress=caching.told("caching latents"), warn=warn, look=caching.look,
    )  # fmt: skip
    family.free_vae(for_good=not config.sample.sample_prompts)
    return kept


def _texts(
    config: TrainConfig, dataset: Dataset, family: Family, formats: precision.Formats, caching: Caching, warn: Warn
) -> KeptTexts | None:
    """Kept text encodings, when captions and text encoders never change."""
    if not config.cache.cache_text_encoder_outputs:
        return None
    caption = config.caption
    identity = "|".join(
        [fingerprint(encoder) for encoder in family.text_encoders]
        + [str(part) for part in (caption.clip_skip, caption.max_token_length, caption.weighted_captions)]
        + [str(formats.dtype), family.name]
    )
    kept = KeptTexts(
        family.encode_captions,
        identity,
        CACHE_FOLDER / "texts" if config.cache.cache_text_encoder_outputs_to_disk else None,
        str if caption.weighted_captions else emphasis.plain,
    )
    still = seeds.python_random(0)
    examples = [*dataset.examples, *dataset.validation]
    used = [
        captions.process(example.caption, dataset.folders[example.folder].captions, still, 1, 0, 1)
        for example in examples
    ]
    measured = [measured_caption(dataset, example) for example in dataset.validation]
    kept.prepare([*used, *measured], caching.told("caching text"))
    if config.cache.cache_as_npz and family.name == "sdxl":
        width = int(family.text_encoders[0].config.hidden_size)
        for example, text in zip(examples, used, strict=True):
            write_te_outputs(example.path, text, kept, width, warn, dataset.folders[example.folder].root)
    return kept


def _check_machine(config: TrainConfig, device: torch.device) -> None:
    """Whether the optimizer and the quantised base run here at all, tried with one small weight.

    Raises OptimizerError, ConfigError.
    """
    section, rates = config.optimizer, trained_rates(config)
    weight = nn.Parameter(torch.zeros(TRIED_SIDE, TRIED_SIDE, device=device))
    group = {"params": [weight], "lr": max(rates.values()), "name": max(rates, key=lambda name: rates[name])}
    optimizers.build(section.optimizer_type, [group], section.learning_rate, section.optimizer_args)
    if config.precision.quantize_base:
        check_quantising(config.precision.quantize_base, device)


def _check_network(config: TrainConfig, family: Family, resumed: State | None) -> None:
    """Whether the network fits the base model and the files it begins with, known before any weight is read.

    Raises NetworkError, StateError, WeightsError.
    """
    for name in config.network.base_weights:
        merged, tensors = networks.of_file(family.layers(), lora_tensors(Path(name)), name)
        merged.usable(tensors, name)
    layers, state, like = _adapted(config, family)
    network = networks.plan(layers, networks.network_options(config.network), like)
    if state:
        network.usable(state, config.network.network_weights or "")
    if resumed:
        _check_state(resumed, network, config.save.resume or "")


def check_loras(config: TrainConfig) -> str | None:
    """Why the LoRAs of network_weights and base_weights cannot be used, as a start would find; None when they can.

    Of the base model only headers are read. None too where that itself cannot be used, which is said elsewhere.
    """
    try:
        base = find_base(config.model.pretrained_model_name_or_path or "")
        settled = kinds.settle(config, describe(base)).config
        family = families.outline(families.options_from(settled))
    except WeightsError:
        return None
    try:
        _check_network(settled, family, None)
    except (NetworkError, WeightsError) as error:
        return str(error)
    return None


def _adapted(
    config: TrainConfig, family: Family
) -> tuple[list[Target], Mapping[str, Tensor], Mapping[str, Tensor] | None]:
    """The layers of the trained parts, the tensors to begin with, and those that decide which layers get what."""
    section = config.network
    state: Mapping[str, Tensor] = lora_tensors(Path(section.network_weights)) if section.network_weights else {}
    left_out = {"text_encoder": section.network_train_unet_only, "unet": section.network_train_text_encoder_only}
    layers = [layer for layer in family.layers() if not left_out[layer.part]]
    state = networks.renamed(layers, state)
    return layers, state, state if section.dim_from_weights else None


def _network(config: TrainConfig, family: Family, formats: precision.Formats, seed: int, warn: Warn) -> Network:
    """The network, attached, on the device, with the weights it continues from."""
    section = config.network
    layers, state, like = _adapted(config, family)
    network = networks.attach(layers, networks.network_options(section), seed, like)
    if state:
        for note in network.load(state, section.network_weights or ""):
            warn(note)
    network.to(formats.device)
    for parameter in network.parameters():
        parameter.data = parameter.data.to(formats.network_dtype)
    return network.train()


def _optimizer(
    config: TrainConfig, network: Network, dataset: Dataset, latents: Latents, processes: int, done: Done | None
) -> tuple[torch.optim.Optimizer, list[schedules.Factor], Lengths]:
    """Optimizer, one schedule a group, and how long the run is."""
    section = config.optimizer
    rates = trained_rates(config)
    text: float | tuple[float, float] = rates.get("textencoder", 0.0)
    if isinstance(section.text_encoder_lr, tuple):
        text = rates.get("textencoder 1", 0.0), rates.get("textencoder 2", 0.0)
    groups = network.groups(text, rates.get("unet", 0.0))
    made = optimizers.build(
        section.optimizer_type, [{"params": list(group.parameters), "lr": group.lr,
        "name": group.label} for group in groups],
        section.learning_rate, section.optimizer_args,
    )  # fmt: skip
    table = optimizers.find(section.optimizer_type)
    own_rate = table.decides_rate(section.optimizer_args)
    schedule = schedules.FLAT if own_rate or table.schedule_free else config.schedule
    length = config.run
    planned = lengths(
        count_batches(usable(dataset, latents), dataset.batch_sizes),
        length.gradient_accumulation_steps,
        length.max_train_epochs,
        length.max_train_steps,
        processes,
        done,
    )
    factors: list[schedules.Factor] = []
    for group, told in zip(made.param_groups, groups, strict=True):
        group["initial_rate"] = None if own_rate else told.lr
        factors.append(schedules.build(schedule, planned.steps, section.learning_rate, told.lr))
    return made, factors, planned


def _check_processes(state: State, count: int, path: str) -> None:
    """A state says how many batches of the epoch are done: what a batch is depends on the number of processes."""
    then = int(state.progress.get("processes", 1))
    if then != count:
        raise StateError(f"{path} was written by {then} processes, this run has {count}; set num_processes to {then}")


def _check_state(state: State, network: Network, path: str) -> None:
    """Raises StateError when the weights of a state are not those of the network that the settings ask for."""
    misfit = network.misfit(state.network)
    if misfit:
        raise StateError(
            f"{path} does not fit these settings: {misfit}; resume with the network and optimizer settings of the run "
            "that wrote it"
        )


def _held_out(config: TrainConfig, dataset: Dataset, latents: Latents) -> list[Microbatch]:
    """The batches a validation goes over: always the same ones."""
    count = len(dataset.examples)
    readable = [example for example in dataset.validation if count + example.index not in latents.skipped]
    batches = plan(readable, dataset.batch_sizes, 0, 0)
    return [Microbatch(0, position, tuple(count + index for index in batch.indices), torch.ones(len(batch.indices)),
                       len(batch.indices))
            for position, batch in enumerate(batches)]  # fmt: skip


def _facts(
    config: TrainConfig,
    dataset: Dataset,
    family: Family,
    epochs: int,
    steps: int,
    latents: Latents,
    name: str | None,
    resumed: State | None,
    processes: int,
) -> metadata.RunFacts:
    """What every file of the run says about it."""
    optimizer = optimizers.metadata_string(config.optimizer.optimizer_type, config.optimizer.optimizer_args)
    progress = resumed.progress if resumed else {}
    return metadata.RunFacts(
        session_id=progress.get("session_id", secrets.randbits(32)), started_at=progress.get("started_at", time.time()),
        base=metadata.FileFacts(Path(config.model.pretrained_model_name_or_path or "").name),
        family=family.name, prediction=family.prediction, optimizer=optimizer,
        num_train_images=dataset.num_train_repeats, num_reg_images=dataset.num_reg_repeats,
        num_validation_images=len(dataset.validation),
        batches_per_epoch=-(-count_batches(usable(dataset, latents), dataset.batch_sizes) // processes),
        processes=processes,
        num_epochs=epochs,
        max_train_steps=steps,
        seed=config.run.seed or 0, output_name=name, tag_frequency=statistics.tag_frequency(dataset),
        bucket_info=statistics.bucket_info(dataset) if config.dataset.enable_bucket else None,
        dataset_dirs=statistics.folder_counts(dataset, False), reg_dataset_dirs=statistics.folder_counts(dataset, True),
        vae=metadata.model_file_facts(Path(config.model.vae)) if config.model.vae else None,
        datasets=statistics.listed(dataset), thumbnail=metadata.thumbnail(config.save.metadata_thumbnail),
    )  # fmt: skip
