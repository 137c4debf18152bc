"""Optimizers by name: found, checked, made, recorded. The table is in optimizer_table.py. LIGHT: heavy imports in
build().

Names are those of kohya-ss/sd-scripts, in any case. A name outside the table is refused: nothing is imported by name
from a config.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trainer.arguments import suggestion
from trainer.optimizer_table import OPTIMIZERS, Optimizer, OptimizerError

if TYPE_CHECKING:
    import torch

__all__ = [
    "ONE_RATE",
    "OPTIMIZERS",
    "Optimizer",
    "OptimizerError",
    "build",
    "check_rates",
    "find",
    "found_rate",
    "metadata_string",
    "restore",
    "setting_notes",
]

ONE_RATE = (
    "{name} needs one rate for every part, but got {rates}; leave unet_lr and text_encoder_lr empty and set "
    "learning_rate = 1"
)


def find(name: str) -> Optimizer:
    """The optimizer called `name`, in any case; empty is AdamW. The dotted path of a class in the table is understood.

    Raises OptimizerError with the nearest known name.
    """
    wanted = name.strip() or "AdamW"
    package, _, short = wanted.lower().rpartition(".")
    if not package:
        for optimizer in OPTIMIZERS.values():
            if short == optimizer.name.lower():
                return optimizer
        if short == "dadaptation":
            return OPTIMIZERS["DAdaptAdamPreprint"]
    else:
        found = [entry for entry in OPTIMIZERS.values() if package.partition(".")[0] == entry.package.lower()]
        for optimizer in sorted(found, key=lambda entry: entry.name != entry.class_name):
            if short == optimizer.class_name.lower():
                return optimizer
    raise OptimizerError(f"optimizer_type {name!r} is unknown; {suggestion(short, OPTIMIZERS)}")


def setting_notes(optimizer: Optimizer, texts: Iterable[str], schedule: str, max_grad_norm: float) -> list[str]:
    """Which settings do nothing, or do harm, beside this optimizer. schedule: the name of the one that is chosen."""
    found = []
    decides = optimizer.decides_rate(texts)
    if decides:
        found.append(
            f"{optimizer.name} finds the rate itself, so learning_rate, unet_lr and text_encoder_lr only say what is "
            "trained; to set the rate use optimizer_args relative_step=False scale_parameter=False"
        )
    if (decides or optimizer.schedule_free) and schedule.partition(":")[0] not in ("constant", "adafactor"):
        found.append(f"{optimizer.name} has no schedule, so lr_scheduler {schedule} and its warm-up are not used")
    if optimizer.clips and not decides and max_grad_norm:
        found.append(f"{optimizer.name} limits its updates itself; set max_grad_norm to 0")
    return found


def check_rates(optimizer: Optimizer, rates: Mapping[str, float]) -> None:
    """Raise OptimizerError when an adaptive optimizer gets different rates, which its library refuses mid-run."""
    different = sorted({rate for rate in rates.values() if rate})
    if optimizer.one_rate and len(different) > 1:
        given = ", ".join(f"{name} {rate:g}" for name, rate in rates.items())
        raise OptimizerError(ONE_RATE.format(name=optimizer.name, rates=given))


def build(name: str, groups: Sequence[Mapping[str, Any]], lr: float, args: Iterable[str] = ()) -> torch.optim.Optimizer:
    """Make the optimizer over `groups` ({"params": [...], "lr": rate}); `lr` is for groups without one.

    Extra keys of a group stay in it. A schedule-free one is returned in train mode.
    Raises OptimizerError when it is unknown, not installed, set up wrongly or does not run on this machine.
    """
    optimizer = find(name)
    texts = list(args)
    chosen = optimizer.parse_args(texts)
    missing = optimizer.availability()
    if missing:
        raise OptimizerError(missing)
    own_groups = [dict(group) for group in groups]
    check_rates(
        optimizer, {str(group.get("name", index)): group.get("lr", lr) for index, group in enumerate(own_groups)}
    )
    rate: float | None = lr
    if optimizer.decides_rate(texts):
        rate = None
        for group in own_groups:
            group.pop("lr", None)
        chosen["relative_step"] = True
    options = {**optimizer.filled, **optimizer.always, **chosen}
    if "fused" in optimizer.arguments and not {"fused", "foreach"} & set(chosen):
        options["fused"] = True
    try:
        made = _class(optimizer)(own_groups, lr=rate, **options)
        if optimizer.package == "bitsandbytes":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that pages are not supported on a processor
                _try_step(optimizer, own_groups[0]["params"][0].device)
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise OptimizerError(
            f"{optimizer.name} does not run on this machine ({error}); choose {optimizer.instead}"
        ) from error
    except (ValueError, TypeError, IndexError, AssertionError) as error:
        raise OptimizerError(
            f"optimizer_args: {optimizer.name} refuses them ({error}); correct or remove them"
        ) from error
    if optimizer.schedule_free:
        made.train()
    return made


def restore(optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Put a saved state_dict() back, bit for bit. Raises ValueError or KeyError when it does not fit.

    torch's own way casts state to the weights' format, which rounds the fp32 moments of weights kept in bf16. Tensors
    are copied: in the memory of a file they may lie askew, and then sums over them are rounded differently.
    """
    import torch
    from torch.utils._pytree import tree_map_only

    copied = tree_map_only(torch.Tensor, torch.clone, dict(state))
    optimizer.load_state_dict(copied)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    numbers = [number for group in copied["param_groups"] for number in group["params"]]
    for parameter, number in zip(parameters, numbers, strict=True):
        own, saved = optimizer.state.get(parameter, {}), copied["state"].get(number, {})
        for name, value in saved.items():
            if isinstance(value, torch.Tensor) and isinstance(own.get(name), torch.Tensor):
                place = own[name]
                if place.dtype != value.dtype and place.shape == value.shape:
                    own[name] = value.to(place.device, copy=True)


def found_rate(optimizer: torch.optim.Optimizer, group: Mapping[str, Any], first: float) -> float:
    """The rate that AdaFactor's relative mode used in a group's last step; `first` before there was one."""
    state = optimizer.state.get(group["params"][0])
    return float(optimizer._get_lr(group, state)) if state else first  # type: ignore[attr-defined]


def metadata_string(name: str, args: Iterable[str] = ()) -> str:
    """How sd-scripts records it in ss_optimizer: torch.optim.adamw.AdamW(weight_decay=0.1,betas=(0.9, 0.99))."""
    optimizer, texts = find(name), list(args)
    chosen = optimizer.parse_args(texts)
    told = {**chosen, **{key: value for key, value in optimizer.filled.items() if key not in chosen}}
    if optimizer.decides_rate(texts):
        told["relative_step"] = True  # warmup_init switches it on
    listed = ",".join(f"{key}={value}" for key, value in told.items())
    return f"{optimizer.defined_in}.{optimizer.class_name}" + (f"({listed})" if listed else "")


def _class(optimizer: Optimizer) -> Any:
    """The class itself. Only modules that the table names are ever imported."""
    return getattr(importlib.import_module(optimizer.defined_in), optimizer.class_name)


def _try_step(optimizer: Optimizer, device: torch.device) -> None:
    """One step on a throwaway weight: bitsandbytes finds out only there that its library lacks this machine."""
    import torch

    weight = torch.nn.Parameter(torch.zeros(64, 64, device=device))
    weight.grad = torch.ones_like(weight)
    _class(optimizer)([weight], lr=1e-3, **optimizer.filled).step()
