"""Schedules against sd-scripts (tests/golden/lr_schedules.json), against torch's own schedulers, and by hand."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from trainer.schedules import CLASSES, SCHEDULES, ScheduleError, build, curve, find, notes, parse_amount

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "lr_schedules.json").read_text(encoding="utf-8"))["values"]


def section(lr_scheduler="constant", **changes):
    values = {
        "lr_scheduler_type": "", "lr_scheduler_args": (), "lr_warmup_steps": 0, "lr_decay_steps": 0,
        "lr_scheduler_num_cycles": 1, "lr_scheduler_power": 1.0, "lr_scheduler_timescale": None,
        "lr_scheduler_min_lr_ratio": None,
    }  # fmt: skip
    return SimpleNamespace(lr_scheduler=lr_scheduler, **{**values, **changes})


def from_command_line(arguments):
    names = [name.removeprefix("--") for name in arguments[::2]]
    given = dict(zip(names, arguments[1::2], strict=True))
    total = int(given.pop("max_train_steps"))
    kinds = {
        "lr_scheduler_num_cycles": int,
        "lr_scheduler_timescale": int,
        "lr_scheduler_power": float,
        "lr_scheduler_min_lr_ratio": float,
    }
    return section(**{name: kinds.get(name, str)(value) for name, value in given.items()}), total


@pytest.mark.parametrize("case", GOLDEN, ids=[case["args"][1] for case in GOLDEN])
def test_every_rate_is_that_of_sd_scripts(case):
    options, total = from_command_line(case["args"])
    for group, rate in enumerate((5e-4, 1e-3)):
        factor = build(options, total, 1e-3, rate)
        expected = [row[group] for row in case["lr_used"]]
        assert [rate * factor(step) for step in range(total)] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("amount", "steps"),
    [(100, 100), ("100", 100), (0.1, 20), ("0.1", 20), ("10%", 20), ("0", 0), ("150%", 300), (1.0, 200), (0.999, 199)],
)  # KOHYA_COMPAT section 7.2, of a run of 200 steps
def test_amounts_are_steps_parts_or_percentages(amount, steps):
    assert parse_amount(amount, 200) == steps


@pytest.mark.parametrize("amount", ["1.0", "1.5", "1e2", "ten", "-0.1", "nan"])
def test_amounts_that_sd_scripts_refuses_are_refused(amount):
    with pytest.raises(ScheduleError, match="neither steps .100., a part of the run .0.1. nor a percentage"):
        parse_amount(amount, 200)


def test_classic_shapes_by_hand():
    half = build(section("linear"), 100, 1e-3)(50)
    assert half == 0.5
    assert build(section("linear", lr_warmup_steps=100), 100, 1e-3)(100) == 0.0
    assert build(section("cosine"), 100, 1e-3)(50) == pytest.approx(0.5)
    assert build(section("cosine_with_restarts", lr_scheduler_num_cycles=4), 100, 1e-3)(25) == pytest.approx(1.0)
    assert build(section("constant_with_warmup", lr_warmup_steps=10), 100, 1e-3)(5) == 0.5
    assert build(section("polynomial", lr_scheduler_power=2.0), 100, 1e-3)(50) == pytest.approx(0.25, abs=1e-4)


def test_rex_by_hand():
    plain = build(section("rex", lr_warmup_steps=20), 100, 1e-3)
    assert [plain(step) for step in (0, 10, 20, 60, 80, 100)] == pytest.approx([0, 0.5, 1, 2 / 3, 0.4, 0])
    floor = build(section("rex", lr_scheduler_min_lr_ratio=0.1, lr_scheduler_num_cycles=2), 100, 1e-3)
    assert [floor(step) for step in (0, 25, 50, 75, 100)] == pytest.approx([1, 0.7, 1, 0.7, 0.1])


def test_a_warm_up_with_constant_is_dropped_with_a_note():
    options = section("constant", lr_warmup_steps=0.1)
    assert build(options, 100, 1e-3)(0) == 1.0
    assert notes(options) == [
        "the schedule constant has no warm-up, so lr_warmup_steps is not used; "
        "choose constant_with_warmup for a warm-up"
    ]


def test_the_schedule_of_adafactor_is_flat_here_as_the_optimizer_decides():
    assert find(section("adafactor:1e-4")).name == "adafactor"
    assert build(section("adafactor:1e-4"), 100, 1e-3)(50) == 1.0


@pytest.mark.parametrize(
    ("name", "cure"),
    [("reduce_lr_on_plateau", "choose cosine or"), ("cosine_warmup_with_min_lr", "cosine_with_min_lr")],
)
def test_schedules_that_sd_scripts_fails_with_are_refused_with_another(name, cure):
    with pytest.raises(ScheduleError, match=f"lr_scheduler '{name}' cannot be used: .*{cure}"):
        find(section(name))


def test_a_usual_setting_has_no_notes():
    assert notes(section("cosine_with_restarts", lr_warmup_steps=100)) == []


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "piecewise_constant"])
def test_every_schedule_stays_between_zero_and_the_full_rate(name):
    factor = build(
        section(name, lr_warmup_steps="10%", lr_decay_steps="20%", lr_scheduler_min_lr_ratio=0.1), 200, 1e-3, 5e-4
    )
    assert all(0 <= factor(step) <= 1 + 1e-12 for step in range(230))


@pytest.mark.parametrize("name", [name for name, schedule in SCHEDULES.items() if schedule.warmup])
def test_a_warm_up_as_long_as_the_run_divides_by_nothing(name):
    factor = build(section(name, lr_warmup_steps=5, lr_scheduler_min_lr_ratio=0.1), 5, 1e-3)
    assert all(math.isfinite(factor(step)) for step in range(7))


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("CosineAnnealingLR", {"T_max": 30, "eta_min": 1e-5}),
        ("CosineAnnealingWarmRestarts", {"T_0": 7, "T_mult": 2, "eta_min": 1e-5}),
        ("StepLR", {"step_size": 9, "gamma": 0.3}),
        ("MultiStepLR", {"milestones": (20, 5), "gamma": 0.3}),
        ("ExponentialLR", {"gamma": 0.97}),
        ("ConstantLR", {"factor": 0.25, "total_iters": 8}),
        ("LinearLR", {"start_factor": 0.2, "end_factor": 0.7, "total_iters": 8}),
        ("PolynomialLR", {"total_iters": 40, "power": 1.7}),
    ],
)
def test_schedules_called_like_torch_classes_give_torchs_rates(name, args):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2e-3)
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **args)
    texts = [f"{key}={','.join(map(str, value)) if isinstance(value, tuple) else value}" for key, value in args.items()]
    factor = build(section(lr_scheduler_type=name, lr_scheduler_args=texts), 50, 1e-3, 2e-3)
    for step in range(50):
        assert 2e-3 * factor(step) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        scheduler.step()


def test_warm_up_restarts_rise_and_fall_with_lower_peaks():
    texts = ["first_cycle_steps=100", "max_lr=1e-3", "min_lr=1e-4", "warmup_steps=20", "gamma=0.5"]
    factor = build(
        section(lr_scheduler_type="cosine_annealing_warmup.CosineAnnealingWarmupRestarts", lr_scheduler_args=texts),
        300,
        1.0,
    )
    rates = [factor(step) for step in (0, 10, 20, 60, 100, 120, 220)]
    assert rates == pytest.approx([1e-4, 5.5e-4, 1e-3, 5.5e-4, 1e-4, 5e-4, 2.5e-4])  # by hand from the class's formula


def test_warm_up_restarts_grow_with_cycle_mult():
    texts = ["first_cycle_steps=30", "cycle_mult=2", "warmup_steps=10"]
    factor = build(section(lr_scheduler_type="CosineAnnealingWarmupRestarts", lr_scheduler_args=texts), 300, 1e-3)
    peaks = [step for step in range(1, 200) if factor(step) > factor(step - 1) and factor(step) > factor(step + 1)]
    assert peaks == [10, 40, 90, 180]  # cycles of 30, 20*2+10 = 50, 40*2+10 = 90 steps


def test_the_scheduler_of_the_russian_guide_rises_falls_and_restarts_softly():
    texts = [
        "T_0=400",
        "gamma_min_lr=0.99915",
        "decay=1",
        "down_factor=0.5",
        "warmup_steps=80",
        "cycle_warmup=40",
        "init_lr_ground=True",
    ]
    factor = build(
        section(lr_scheduler_type="cosine_annealing_warmup.CosineAnnealingWarmupRestarts", lr_scheduler_args=texts),
        1600,
        1e-3,
    )
    values = [factor(step) for step in range(1600)]
    assert values[0] == 0
    assert values[40] == pytest.approx(0.5, abs=1e-3)  # half of the warm-up
    assert max(values) == pytest.approx(1.0, abs=1e-3)
    assert abs(values.index(max(values)) - 80) <= 2
    restart = 80 + 2 + 400  # the warm-up, two steps of delay, T_0
    assert values[restart - 1] < values[restart + 40]
    assert values[restart + 40] == pytest.approx(0.99915**440, rel=0.01)  # full height again, lower by the slow fall
    assert min(values[100:480]) == pytest.approx(0.5 * 0.99915**400, rel=0.01)


def test_piecewise_constant_follows_its_rules():
    factor = build(section("piecewise_constant", lr_scheduler_args=["step_rules='1:10,0.1:20,0.01'"]), 100, 1e-3)
    assert [factor(step) for step in (0, 9, 10, 19, 20, 99)] == [1, 1, 0.1, 0.1, 0.01, 0.01]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (section("cosin"), "lr_scheduler 'cosin' is unknown; did you mean 'cosine'?"),
        (
            section(lr_scheduler_type="os.system"),
            "lr_scheduler_type 'os.system' is unknown; it takes CosineAnnealingWarmupRestarts",
        ),
        (
            section("cosine", lr_scheduler_args=["cycles=2"]),
            "schedule cosine has no argument 'cycles'; did you mean 'num_cycles'?",
        ),
        (section("cosine_with_min_lr"), "needs one of lr_scheduler_min_lr_ratio and min_lr="),
        (section("piecewise_constant"), "such as step_rules=1:10,0.1:20,0.01"),
        (
            section("warmup_stable_decay", lr_scheduler_args=["decay_type=steep"]),
            "one of linear, cosine, 1-sqrt, not 'linear', 'steep'",
        ),
        (section(lr_scheduler_type="MultiStepLR"), "needs milestones"),
        (section("polynomial"), "learning_rate 1e-08 must be larger"),
        (
            section(
                lr_scheduler_type="CosineAnnealingWarmupRestarts",
                lr_scheduler_args=["first_cycle_steps=5", "warmup_steps=5"],
            ),
            "warmup_steps 5 must be smaller than first_cycle_steps 5",
        ),
    ],
)
def test_wrong_options_are_named_with_the_cure(options, message):
    with pytest.raises(ScheduleError) as caught:
        build(options, 100, 1e-8)
    assert message in str(caught.value)


def test_cosine_with_min_lr_takes_an_absolute_floor():
    factor = build(section("cosine_with_min_lr", lr_scheduler_args=["min_lr=1e-4"]), 100, 1e-3)
    assert factor(100) == pytest.approx(0.1)


def test_the_curve_holds_both_ends_and_a_line_for_each_group():
    drawn = curve(section("linear"), 1000, {"unet": 1e-3, "textencoder": 5e-4}, 1e-3, points=11)
    assert drawn["steps"][0] == 0
    assert drawn["steps"][-1] == 999
    assert len(drawn["steps"]) == 11
    assert drawn["lr"]["unet"][0] == 1e-3
    assert drawn["lr"]["textencoder"][-1] == pytest.approx(5e-7)


def test_the_curve_of_a_run_of_one_step_is_one_point():
    assert curve(section(), 1, {"unet": 1e-3}, 1e-3) == {"steps": [0], "lr": {"unet": [1e-3]}}


@pytest.mark.parametrize("name", list(CLASSES))
def test_every_schedule_class_describes_its_arguments(name):
    assert find(section(lr_scheduler_type=name.split(" ")[0])).help
    assert all(argument.help for argument in CLASSES[name].arguments.values())


def test_schedules_are_computed_without_torch():
    code = "import sys, trainer.schedules; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    assert result.stdout.strip() == "False"
