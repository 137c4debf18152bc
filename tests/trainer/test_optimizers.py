"""Every optimizer of the table is built, stepped and restored; names, arguments and messages."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest
import torch

from trainer import optimizers
from trainer.checkpoint import State, load_state, save_state
from trainer.optimizers import OPTIMIZERS, OptimizerError, build, find, metadata_string, restore

torch.set_num_threads(1)
INSTALLED = [name for name, optimizer in OPTIMIZERS.items() if optimizer.availability() is None]


def weights(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    sizes = ((80, 64), (64,), (8, 4, 3, 3))
    return [torch.nn.Parameter(torch.randn(size, generator=generator).to(dtype)) for size in sizes]


def made(name, parameters, args=()):
    rate = 1.0 if OPTIMIZERS[name].adaptive else 1e-2
    return build(name, [{"params": [p], "lr": rate, "name": f"part {i}"} for i, p in enumerate(parameters)], rate, args)


def steps(optimizer, parameters, count):
    for _ in range(count):
        sum(p.square().sum() for p in parameters).backward()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # bitsandbytes speaks of triton on a CPU
            optimizer.step()
        optimizer.zero_grad()


@pytest.mark.parametrize("name", INSTALLED)
def test_every_installed_optimizer_makes_the_loss_smaller(name):
    parameters = weights()
    before = sum(float(p.detach().square().sum()) for p in parameters)
    steps(made(name, parameters), parameters, 5)
    assert sum(float(p.detach().square().sum()) for p in parameters) < before


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("name", INSTALLED)
def test_an_optimizer_restored_from_a_saved_state_goes_on_with_the_same_numbers(name, dtype, tmp_path):
    straight = weights(dtype)
    optimizer = made(name, straight)
    steps(optimizer, straight, 3)
    resumed = [torch.nn.Parameter(p.detach().clone()) for p in straight]
    folder = save_state(tmp_path / "state", State({}, {"weight": straight[0].detach()}, optimizer.state_dict()))
    restored = made(name, resumed)
    restore(restored, load_state(folder).optimizer)
    torch.manual_seed(0)  # some round by chance; the loop seeds every step
    steps(optimizer, straight, 3)
    torch.manual_seed(0)
    steps(restored, resumed, 3)
    assert all(torch.equal(one, other) for one, other in zip(straight, resumed, strict=True))


# what computes the same in another way, or prints
NO_OTHER_NUMBERS = {"foreach", "fused", "log_every"}
FOR_BF16 = {"kahan_sum", "stochastic_rounding", "factored_fp32"}
OTHER_VALUES = {
    "weight_decay": 0.3, "eps1": 0.3, "eps2": 0.3, "d0": 1e-3, "momentum": 0.7, "min_8bit_size": 8192,
    "growth_rate": 1.0001, "etas": "0.3,1.5", "step_sizes": "0.001,0.002",
}  # fmt: skip
BESIDE = {"weight_decay": 0.1, "momentum": 0.5, "d0": 1e-2, "weight_decouple": True}  # many act on these only


def other_value(argument):
    default = argument.default
    if argument.name in OTHER_VALUES:
        return OTHER_VALUES[argument.name]
    if argument.kind == "bool":
        return not default
    if argument.name == "eps":
        return "0.1,0.2" if isinstance(default, tuple) else 0.3
    if isinstance(default, tuple):
        return ",".join(str(number / 2) for number in default)
    return (default or 0) + 2 if argument.kind == "int" else (default or 1.0) / 2


def after_some_steps(name, values, dtype, steady=False):
    """The weights after rising and falling gradients at a rising rate; steady: after ones that point to zero."""
    parameters = weights(dtype)
    optimizer = made(name, parameters, [f"{key}={value}" for key, value in values.items()])
    full, draws = optimizer.param_groups[0]["lr"], torch.Generator().manual_seed(1)
    torch.manual_seed(0)  # some round by chance
    for step in range(40 if steady else 7):
        for group in optimizer.param_groups if full is not None else ():
            group["lr"] = full * min(1, (step + 1) / 7)
        for parameter in parameters:
            drawn = torch.randn(parameter.shape, generator=draws) * (0.1 if step % 2 else 1.0)
            parameter.grad = parameter.detach() + (0 if steady else drawn.to(dtype))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            optimizer.step()
    return torch.cat([parameter.detach().flatten() for parameter in parameters]), optimizer


@pytest.mark.parametrize("name", INSTALLED)
def test_every_declared_argument_changes_what_the_optimizer_does(name):
    arguments, reference = OPTIMIZERS[name].arguments, {}
    for argument in arguments.values():
        growing = argument.name in ("growth_rate", "d_limiter")
        without = {argument.name, "d0"} if growing else {argument.name}
        beside = {key: value for key, value in BESIDE.items() if key in arguments and key not in without}
        case = argument.name in FOR_BF16, growing, tuple(beside)
        if argument.high == 0:
            with pytest.raises(OptimizerError, match=f"{argument.name}=0.5 must be at least 0 and at most 0"):
                made(name, weights(), [f"{argument.name}=0.5"])
            continue
        dtype = torch.bfloat16 if case[0] else torch.float32
        changed, optimizer = after_some_steps(name, {**beside, argument.name: other_value(argument)}, dtype, growing)
        if argument.name in NO_OTHER_NUMBERS:
            assert optimizer.param_groups[0].get(argument.name, other_value(argument)) == other_value(argument)
            continue
        if case not in reference:
            reference[case] = after_some_steps(name, beside, dtype, growing)[0]
        assert not torch.equal(changed, reference[case]), argument.name


@pytest.mark.parametrize("name", INSTALLED)
def test_the_recorded_module_is_the_one_that_defines_the_class(name):
    optimizer = OPTIMIZERS[name]
    parameters = weights()
    assert type(made(name, parameters)).__module__ == optimizer.defined_in


def test_the_four_that_guides_use_are_in_the_table_first():
    assert list(OPTIMIZERS)[:4] == ["AdamW", "AdamW8bit", "Lion", "Prodigy"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("", "AdamW"),
        ("adamw8BIT", "AdamW8bit"),
        ("torch.optim.AdamW", "AdamW"),
        ("prodigyopt.Prodigy", "Prodigy"),
        ("DAdaptation", "DAdaptAdamPreprint"),
        ("dadaptation.experimental.DAdaptAdanIP", "DAdaptAdanIP"),
        ("bitsandbytes.optim.AdEMAMix8bit", "AdEMAMix8bit"),
        ("prodigyplus.ProdigyPlusScheduleFree", "ProdigyPlusScheduleFree"),
        ("pytorch_optimizer.CAME", "CAME"),
        ("transformers.optimization.Adafactor", "AdaFactor"),
        ("torch.optim.SGD", "SGD"),
        ("RMSprop", "RMSprop"),
    ],
)
def test_names_are_understood_as_sd_scripts_and_guides_write_them(written, name):
    assert find(written).name == name


def test_an_unknown_optimizer_is_refused_with_the_nearest_name():
    with pytest.raises(OptimizerError, match="optimizer_type 'AdamW4bit' is unknown; did you mean 'AdamW8bit'?"):
        find("AdamW4bit")


@pytest.mark.parametrize("path", ["os.system", "somewhere.AdamW", "torch.optim.LBFGS", "bitsandbytes.AdamW4bit"])
def test_a_class_path_outside_the_table_is_never_imported(path):
    with pytest.raises(OptimizerError, match="unknown"):
        build(path, [{"params": weights()}], 1e-3)


@pytest.mark.parametrize(
    ("name", "args", "recorded"),
    [
        ("AdamW", ["weight_decay=0.1"], "torch.optim.adamw.AdamW(weight_decay=0.1)"),
        ("AdamW8bit", [], "bitsandbytes.optim.adamw.AdamW8bit"),
        ("Prodigy", ["d0=1e-3", "betas=0.9,0.99"], "prodigyopt.prodigy.Prodigy(d0=0.001,betas=(0.9, 0.99))"),
        ("AdEMAMix8bit", ["alpha=8.0"], "bitsandbytes.optim.ademamix.AdEMAMix8bit(alpha=8.0)"),
        ("pytorch_optimizer.CAME", [], "pytorch_optimizer.optimizer.came.CAME"),
        (
            "ProdigyPlusScheduleFree",
            ["d_coef=2", "split_groups=False"],
            "prodigyplus.prodigy_plus_schedulefree.ProdigyPlusScheduleFree(d_coef=2,split_groups=False)",
        ),
        ("SGDNesterov", [], "torch.optim.sgd.SGD(momentum=0.9)"),
        ("AdaFactor", [], "transformers.optimization.Adafactor(relative_step=True)"),
        ("AdaFactor", ["relative_step=False"], "transformers.optimization.Adafactor(relative_step=False)"),
        (
            "AdaFactor",
            ["relative_step=False", "warmup_init=True"],
            "transformers.optimization.Adafactor(relative_step=True,warmup_init=True)",
        ),
    ],
)  # KOHYA_COMPAT section 7.1
def test_the_metadata_string_is_that_of_sd_scripts(name, args, recorded):
    assert metadata_string(name, args) == recorded


def test_a_misspelt_argument_is_named_with_the_right_spelling():
    with pytest.raises(
        OptimizerError, match="optimizer AdamW has no argument 'weight_decy'; did you mean 'weight_decay'?"
    ):
        build("AdamW", [{"params": weights()}], 1e-3, ["weight_decy=0.1"])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("AdamW", "betas=0.9", "betas=0.9 is not numbers such as 0.9,0.99"),
        ("AdamW", "betas=0.9,1.0", "betas=0.9,1.0 must be at least 0 and below 1"),
        ("AdEMAMix", "betas=0.9,0.99", "is not numbers such as"),
        ("AdamW", "eps=-1", "AdamW refuses them .Invalid epsilon value: -1.*; correct or remove them"),
    ],
)
def test_values_that_an_optimizer_refuses_are_told_as_such(name, text, said):
    with pytest.raises(OptimizerError, match=f"optimizer_args: .*{said}"):
        build(name, [{"params": weights()}], 1e-3, [text])


def test_an_argument_of_the_wrong_kind_is_named():
    with pytest.raises(OptimizerError, match="weight_decay=much is not a number"):
        find("AdamW").parse_args(["weight_decay=much"])


def test_different_rates_are_refused_before_prodigy_fails_in_the_middle_of_a_run():
    groups = [
        {"params": [weights()[0]], "lr": 1.0, "name": "unet"},
        {"params": [weights()[1]], "lr": 0.5, "name": "text"},
    ]
    with pytest.raises(
        OptimizerError, match="Prodigy needs one rate for every part, but got unet 1, text 0.5; leave unet_lr"
    ):
        build("Prodigy", groups, 1.0)


def test_prodigy_plus_takes_a_rate_for_each_part():
    groups = [{"params": [weights()[0]], "lr": 1.0}, {"params": [weights()[1]], "lr": 0.5}]
    assert [group["lr"] for group in build("ProdigyPlusScheduleFree", groups, 1.0).param_groups] == [1.0, 0.5]


def test_came_gives_the_numbers_of_its_authors():
    weight = torch.nn.Parameter(torch.tensor([[1.0, -2.0, 3.0], [0.5, 0.25, -1.0]]))
    optimizer = build("CAME", [{"params": [weight]}], 0.1, ["weight_decay=0.1"])
    for step in range(3):
        weight.grad = weight.detach() * torch.tensor([1.0, 2.0, -1.0]) + step
        optimizer.step()
    authors = [[-3.2790949, -0.0904174, 6.7560053], [-3.1658354, -1.4656147, -5.9033513]]  # came-pytorch 0.1.3
    torch.testing.assert_close(weight.detach(), torch.tensor(authors), rtol=1e-5, atol=1e-6)


def test_eight_bits_that_do_not_run_here_are_told_with_the_alternative(monkeypatch):
    import bitsandbytes.optim

    def refuse(self, *arguments):
        raise RuntimeError("no kernel for this device")

    monkeypatch.setattr(bitsandbytes.optim.AdamW8bit, "update_step", refuse)
    with pytest.raises(OptimizerError, match="AdamW8bit does not run on this machine .no kernel.*; choose AdamW"):
        made("AdamW8bit", weights())


@pytest.mark.parametrize(
    ("name", "args", "schedule", "clipping", "said"),
    [
        ("AdamW", [], "cosine", 1.0, []),
        ("AdaFactor", [], "adafactor:1e-4", 1.0, ["AdaFactor finds the rate itself"]),
        ("AdaFactor", ["relative_step=False"], "cosine", 1.0, ["AdaFactor limits its updates itself"]),
        ("AdaFactor", ["relative_step=False"], "cosine", 0.0, []),
        ("AdamWScheduleFree", [], "cosine", 1.0, ["AdamWScheduleFree has no schedule, so lr_scheduler cosine"]),
        ("ProdigyPlusScheduleFree", [], "constant", 1.0, ["ProdigyPlusScheduleFree limits its updates itself"]),
    ],
)
def test_settings_that_do_not_go_with_an_optimizer_are_told(name, args, schedule, clipping, said):
    notes = optimizers.setting_notes(find(name), args, schedule, clipping)
    assert len(notes) == len(said) and all(note.startswith(start) for note, start in zip(notes, said, strict=True))


def test_adafactor_tells_the_rate_it_used():
    parameters = weights()
    optimizer = made("AdaFactor", parameters)
    assert optimizers.found_rate(optimizer, optimizer.param_groups[0], 1e-4) == 1e-4
    root_mean_square = float(parameters[0].detach().square().mean().sqrt())
    steps(optimizer, parameters, 1)
    assert optimizers.found_rate(optimizer, optimizer.param_groups[0], 1e-4) == pytest.approx(0.01 * root_mean_square)


def test_adamw_is_fused_unless_the_user_says_otherwise():
    assert made("AdamW", weights()).defaults["fused"] is True
    assert made("AdamW", weights(), ["fused=False"]).defaults["fused"] is False


def test_adafactor_takes_the_given_rate_only_without_relative_step():
    assert made("AdaFactor", weights()).param_groups[0]["lr"] is None
    assert made("AdaFactor", weights(), ["relative_step=False"]).param_groups[0]["lr"] == 1e-2
    assert find("AdaFactor").decides_rate([])
    assert find("AdaFactor").decides_rate(["relative_step=False", "warmup_init=True"])
    assert not find("AdaFactor").decides_rate(["relative_step=False"])


def test_a_missing_package_is_named_with_an_alternative():
    absent = optimizers.Optimizer("Rare", "no_such_package", "Rare", "no_such_package", "", {}, install="no-such")
    assert absent.availability() == (
        "Rare needs the package no-such, which is not installed; choose AdamW, or install it: pip install no-such"
    )


def test_the_table_is_read_without_torch():
    code = (
        "import sys, trainer.optimizers as o; [x.availability() for x in o.OPTIMIZERS.values()];"
        "print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    assert result.stdout.strip() == "False"
