"""Each setting of a run that goes on from a state: followed, kept, refused or told; by table, by words, by effect."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from place import DEFAULTS, Place, same

from trainer import networks, optimizers, resuming
from trainer.checkpoint import State
from trainer.config import LISTS, parameters, parse
from trainer.families.base import Target
from trainer.networks import NetworkOptions
from trainer.networks.arguments import MODULES
from trainer.states import StateError

NEEDED: dict[str, object] = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512, "seed": 1}
STATE = "jobs/first/state/t-state"
LENGTH: dict[str, object] = {"max_train_epochs": None, "shuffle_caption": False, "max_grad_norm": 0}


def test_every_parameter_is_in_the_table_once() -> None:
    addresses = [address for text in resuming._TREATMENTS.values() for address in text.split()]
    assert len(addresses) == len(set(addresses))
    assert set(addresses) == {one.address for one in parameters()} | {f"dataset.{name}" for name in LISTS}


def test_arguments_with_a_treatment_of_their_own_are_arguments_of_some_method() -> None:
    known = {name for methods in MODULES.values() for method in methods.values() for name in method.known}
    assert set(resuming.ARGUMENTS["network.network_args"]) <= known


def sentences(now: dict[str, object], then: dict[str, object] | None = None) -> list[str]:
    """What a run with the settings `now` says about a state of the settings `then`."""
    before = parse({**NEEDED, **(then or {})}).config
    progress = {"seed": before.run.seed, "settings": json.loads(json.dumps(resuming.recorded(before)))}
    return resuming.agreed(parse({**NEEDED, **now}).config, progress, "s")[1]


def changed(name: str, now: str, then: str) -> list[str]:
    return [f"{name} is {now}, it was {then} when the state was saved; the new value acts from here on"]


@pytest.mark.parametrize(
    ("now", "then", "expected"),
    [
        ({}, {}, []),
        ({"unet_lr": 1e-3}, {"unet_lr": "1e-4"}, changed("unet_lr", "0.001", "0.0001")),
        ({"text_encoder_lr": "1e-4,1e-5"}, {}, changed("text_encoder_lr", "0.0001, 1e-05", "empty")),
        ({"lr_scheduler": "cosine"}, {}, changed("lr_scheduler", "cosine", "constant")),
        ({"train_batch_size": 2}, {}, changed("train_batch_size", "2", "1")),
        ({"gradient_accumulation_steps": 4}, {}, changed("gradient_accumulation_steps", "4", "1")),
        ({"max_train_epochs": 4}, {"max_train_epochs": 2}, changed("max_train_epochs", "4", "2")),
        ({"resolution": "512,768"}, {}, changed("resolution", "512,768", "512,512")),
        ({"flip_aug": True}, {}, changed("flip_aug", "on", "off")),
        ({"mixed_precision": "bf16"}, {}, changed("mixed_precision", "bf16", "no")),
        ({"min_snr_gamma": 5}, {}, changed("min_snr_gamma", "5", "empty")),
        ({"output_name": "b"}, {"output_name": "a"}, changed("output_name", "b", "a")),
        ({"network_args": ["rank_dropout=0.1"]}, {}, changed("network_args rank_dropout", "0.1", "0")),
        ({"optimizer_args": ["weight_decay=0.1"]}, {}, changed("optimizer_args weight_decay", "0.1", "empty")),
        ({"vae": "/home/me/other.safetensors"}, {},
         ["vae is not what it was when the state was saved; the new one acts from here on"]),
        ({"seed": 2}, {}, ["seed is 2 in the settings, the state was trained with 1; the state's value is kept"]),
        ({"seed": None}, {}, []),
        ({"network_alpha": 4}, {},
         ["network_alpha is 4 in the settings, the state was trained with 1; the state's value is kept"]),
        ({"network_args": ["conv_dim=4", "conv_alpha=2"]}, {"network_args": ["conv_dim=4"]},
         ["network_args conv_alpha is 2 in the settings, the state was trained with 1; the state's value is kept"]),
        ({"network_weights": "other.safetensors"}, {},
         ["network_weights has no effect on a run that goes on from a state, whose weights are taken"]),
        ({"save_every_n_steps": 5, "sample_sampler": "euler", "sdpa": True, "cache_latents": True}, {}, []),
        ({"optimizer_type": "adamw", "network_dim": 4}, {}, []),  # what an empty field means
        ({"network_args": ["algo=locon"], "network_module": "lycoris.kohya"},
         {"network_args": ["algo=lora"], "network_module": "lycoris.kohya"}, []),
    ],
)  # fmt: skip
def test_what_acts_or_is_kept_is_a_sentence_with_both_values(
    now: dict[str, object], then: dict[str, object], expected: list[str]
) -> None:
    assert sentences(now, then) == expected


LYCORIS: dict[str, object] = {"network_module": "lycoris.kohya"}


@pytest.mark.parametrize(
    ("now", "then", "words"),
    [
        ({"optimizer_type": "Lion"}, {}, "optimizer_type is Lion, but the state was trained with AdamW; set it back"),
        ({"network_dim": 8}, {}, "network_dim is 8, but the state was trained with 4"),
        ({"network_module": "networks.lora_fa"}, {}, "network_module is networks.lora_fa, .* with networks.lora;"),
        ({"network_args": ["conv_dim=4"]}, {}, "network_args conv_dim is 4, but the state was trained with empty"),
        ({**LYCORIS, "network_args": ["algo=loha"]}, LYCORIS, "network_args algo is loha, .* with locon"),
        ({**LYCORIS, "network_args": ["dora_wd=True"]}, LYCORIS, "network_args dora_wd is on, .* with off"),
        ({"network_train_unet_only": True}, {}, "network_train_unet_only is on, but the state was trained with off"),
        ({"optimizer_args": ["amsgrad=True"]}, {}, "optimizer_args amsgrad is on"),
    ],
)
def test_what_would_not_fit_the_state_is_refused_with_the_cure(
    now: dict[str, object], then: dict[str, object], words: str
) -> None:
    with pytest.raises(StateError, match=words) as caught:
        sentences(now, then)
    assert "go on from the LoRA file with network_weights" in str(caught.value)


def test_a_state_keeps_no_path_in_readable_form() -> None:
    config = parse({**NEEDED, "vae": "/home/me/vae.pt", "subsets": [{"image_dir": "/home/me/cats"}]}).config
    assert "/home/me" not in json.dumps(resuming.recorded(config))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Place:
    """A run of 3 steps that has kept its state."""
    place = Place(tmp_path_factory.mktemp("first"), base)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place.root)
        settings = {**LENGTH, "max_train_steps": 3, "save_state_on_train_end": True}
        assert place.train("jobs/first", **settings) == 0
    return place


@pytest.fixture
def goes_on(first: Place, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Train one more step from the state under a job's name, with settings of its own; returns the exit code."""
    monkeypatch.chdir(first.root)

    def train(job: str, state: str = STATE, **values: object) -> int:
        settings = {**LENGTH, "max_train_steps": 4, "output_name": "t", "resume": state, **values}
        return first.train(f"jobs/{job}", **settings)

    return train


def made(place: Place, job: str) -> dict[str, torch.Tensor]:
    """The LoRA that a job has finished with."""
    return safetensors.torch.load_file(place.root / place.events(f"jobs/{job}")[-1]["path"])


def warnings(place: Place, job: str) -> list[str]:
    return [event["message"] for event in place.events(f"jobs/{job}") if event["event"] == "warning"]


@pytest.fixture
def plain(first: Place, goes_on: Any) -> dict[str, torch.Tensor]:
    """The LoRA after one more step with the settings of the state."""
    if not (first.root / "jobs" / "plain").exists():
        assert goes_on("plain") == 0
        assert [text for text in warnings(first, "plain") if "state" in text] == changed("max_train_steps", "4", "3")
    return made(first, "plain")


def test_alpha_and_seed_are_the_states_and_the_name_is_the_settings(
    first: Place, goes_on: Any, plain: dict[str, torch.Tensor]
) -> None:
    assert goes_on("other", network_alpha=1, seed=8, output_name="other") == 0
    said = warnings(first, "other")
    assert "network_alpha is 1 in the settings, the state was trained with 2; the state's value is kept" in said
    assert "seed is 8 in the settings, the state was trained with 7; the state's value is kept" in said
    assert changed("output_name", "other", "t")[0] in said
    assert same(made(first, "other"), plain)
    assert Path(first.events("jobs/other")[-1]["path"]).name == "other.safetensors"


def test_a_state_without_settings_keeps_its_alpha_too(
    first: Place, goes_on: Any, plain: dict[str, torch.Tensor]
) -> None:
    old = shutil.copytree(first.root / STATE, first.root / "jobs" / "old-state", dirs_exist_ok=True)
    progress = json.loads((old / "progress.json").read_text(encoding="utf-8"))
    del progress["settings"]
    data = json.dumps(progress).encode()
    (old / "progress.json").write_bytes(data)
    manifest = json.loads((old / "manifest.json").read_text(encoding="utf-8"))
    manifest["progress.json"] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (old / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert goes_on("old", state="jobs/old-state", network_alpha=1) == 0
    assert any(
        "its alpha is 2, the settings say 1; the state's is used and kept" in one for one in warnings(first, "old")
    )
    assert same(made(first, "old"), plain)


def test_another_rate_and_weight_decay_act_from_the_first_new_step_on(
    first: Place, goes_on: Any, plain: dict[str, torch.Tensor]
) -> None:
    """One step of AdamW moves a weight by the rate times (a direction + weight_decay * the weight)."""
    usual_rate, rate, usual_decay, decay = float(str(DEFAULTS["unet_lr"])), 3e-2, 0.01, 0.5
    assert goes_on("faster", unet_lr=rate, optimizer_args=[f"weight_decay={decay}"]) == 0
    step = next(event for event in first.events("jobs/faster") if event["event"] == "step")
    assert step["lr"]["unet"] == rate
    assert changed("unet_lr", "0.03", "0.01")[0] in warnings(first, "faster")
    before = safetensors.torch.load_file(first.root / STATE / "network.safetensors")
    after = made(first, "faster")
    key = "lora_unet_mid_block_attentions_0_proj_in.lora_down.weight"
    direction = (plain[key] - before[key]) / usual_rate + usual_decay * before[key]
    expected = before[key] + rate * (direction - decay * before[key])
    torch.testing.assert_close(after[key], expected, rtol=1e-3, atol=1e-5)
    assert (expected - plain[key]).abs().max() > 1e-2


def test_another_schedule_acts_at_the_place_of_the_state(first: Place, goes_on: Any) -> None:
    assert goes_on("linear", lr_scheduler="linear", train_batch_size=1, mixed_precision="bf16") == 0
    step = next(event for event in first.events("jobs/linear") if event["event"] == "step")
    assert step["step"] == 4 and step["lr"]["unet"] == pytest.approx(1e-2 * (1 - 3 / 4))
    names = [text.split()[0] for text in warnings(first, "linear") if "the new value acts" in text]
    assert set(names) == {"lr_scheduler", "train_batch_size", "mixed_precision", "max_train_steps"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"max_train_steps": 2}, "the state is at step 3, but the run has 2 steps in all; raise max_train_epochs or"),
        ({"optimizer_type": "Lion"}, "optimizer_type is Lion, but the state was trained with AdamW"),
        ({"network_dim": 4}, "network_dim is 4, but the state was trained with 2"),
        ({"text_encoder_lr": 0}, "the state trains textencoder, unet, these settings train unet"),
        ({"resume": "train"}, "resume train holds no training state; choose a state folder"),
    ],
    ids=str,
)
def test_what_cannot_go_on_ends_before_the_first_step(
    first: Place, goes_on: Any, values: dict[str, object], words: str
) -> None:
    shutil.rmtree(first.root / "jobs" / "refused", ignore_errors=True)
    assert goes_on("refused", **values) == 2
    assert words in first.events("jobs/refused")[-1]["message"]


def test_a_state_at_the_end_of_the_run_gives_its_lora_and_says_so(first: Place, goes_on: Any) -> None:
    assert goes_on("end", max_train_steps=3) == 0
    assert any(
        "the state is at step 3, the last of the run: nothing is trained" in one for one in warnings(first, "end")
    )
    assert same(made(first, "end"), made(first, "first"))


def one_layer(module: torch.nn.Module, optimizer_type: str) -> tuple[Any, torch.optim.Optimizer]:
    """A network over one layer, and its optimizer."""
    target = Target("lora_unet_x_proj_in", module, "unet", "x.proj_in", frozenset({"Transformer2DModel"}))
    network = networks.attach([target], NetworkOptions(rank=2, alpha=2), 0)
    group = {"params": list(network.parameters()), "lr": 0.1, "name": "unet"}
    optimizer = optimizers.build(
        optimizer_type, [group], 0.1, ["relative_step=False"] * (optimizer_type == "AdaFactor")
    )
    optimizer.param_groups[0]["initial_rate"] = 0.1
    return network, optimizer


def step(network: Any, optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    """One step on gradients that are a function of the weights; the weights afterwards, as rows."""
    for weight in network.parameters():
        weight.grad = torch.cos(weight.detach()) + 0.1
    optimizer.step()
    return [weight.detach().clone().flatten() for weight in network.parameters()]


LINEAR, CONVOLUTION = torch.nn.Linear(6, 4), torch.nn.Conv2d(6, 4, 1)


@pytest.mark.parametrize(("then", "now"), [(LINEAR, CONVOLUTION), (CONVOLUTION, LINEAR)], ids=["to conv", "to linear"])
def test_a_state_goes_on_where_the_base_has_convolutions_for_linear_layers_and_the_reverse(
    then: torch.nn.Module, now: torch.nn.Module
) -> None:
    scaler, config = torch.amp.GradScaler("cpu", enabled=False), parse({**NEEDED, "resume": "s"}).config
    network, optimizer = one_layer(then, "AdamW")
    step(network, optimizer)
    state = State({"seed": 1}, network.state_dict(), optimizer.state_dict())
    other, its_optimizer = one_layer(now, "AdamW")
    assert other.misfit(state.network) is None
    assert resuming.take_over(state, other, its_optimizer, scaler, config) == []
    for ours, theirs in zip(step(other, its_optimizer), step(network, optimizer), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_moments_that_have_no_other_shape_are_refused_with_the_cure() -> None:
    scaler, config = torch.amp.GradScaler("cpu", enabled=False), parse({**NEEDED, "resume": "s"}).config
    network, optimizer = one_layer(LINEAR, "AdaFactor")
    step(network, optimizer)
    state = State({"seed": 1}, network.state_dict(), optimizer.state_dict())
    other, its_optimizer = one_layer(CONVOLUTION, "AdaFactor")
    with pytest.raises(StateError, match="a base model in another form"):
        resuming.take_over(state, other, its_optimizer, scaler, config)
