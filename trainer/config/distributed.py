"""[distributed]: several graphics cards and machines. LIGHT."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from trainer.config.fields import Section, parameter


def _parse_ids(value: Any) -> Any:
    """[0, 1], ["0", "1"] or "0, 1" -> "0,1"; "all" is what an empty field with multi_gpu means."""
    if isinstance(value, (list, tuple)):
        value = ",".join(str(entry) for entry in value)
    text = "" if value is None else str(value).replace(" ", "").strip(",")
    if text.lower() in ("", "all"):
        return None
    numbers = text.split(",")
    if not all(re.fullmatch("[0-9]{1,4}", number) for number in numbers) or len({*map(int, numbers)}) < len(numbers):
        raise PydanticCustomError(
            "cards", "gpu_ids is {value}; write each card's number once, with commas, such as 0,1", {"value": text[:80]}
        )
    return text


CardIds = Annotated[str | None, BeforeValidator(_parse_ids)]


class Distributed(Section):
    """Several cards"""

    num_processes: int | None = parameter(None, "Processes", ge=1, le=1024)
    """How many processes train together, one on each card, over all machines. Each takes a batch of its own, so a step
    sees that many times the batch size. Empty: one for each card named below, else one."""

    gpu_ids: CardIds = parameter(None, "Graphics cards")
    """Numbers of the cards to train on as nvidia-smi shows them, such as 0,1. Empty: the first one, or all of them
    with several cards on."""

    multi_gpu: bool = parameter(False, "Several cards")
    """Trains on all cards of this machine, or on all that are named above."""

    num_machines: int = parameter(1, "Machines", ge=1, le=128, advanced=True)
    """Start the same training on each machine, with the same files there; only the machine's number differs. Settings
    and files are compared, and what is not alike is refused."""

    machine_rank: int = parameter(
        0, "Number of this machine", ge=0, le=127, advanced=True, shown_when={"num_machines": ["*"]}
    )
    """0 on the machine that saves the LoRA, then 1, 2 and so on."""

    main_process_ip: str | None = parameter(None, "Address of machine 0", max_length=255, advanced=True)
    """Where the others find it on the network, such as 192.168.1.10."""

    main_process_port: int | None = parameter(None, "Port of machine 0", ge=1, le=65535, advanced=True)
    """Empty: 29500 with several machines, else any free one."""

    ddp_timeout: int | None = parameter(None, "Patience between processes", ge=1, unit="min", advanced=True)
    """How long a process waits for the others before the run ends with an error. Empty: 120."""

    ddp_gradient_as_bucket_view: bool = parameter(False, "Gradients in one piece", advanced=True)
    """Leaves the summed gradients where they were summed up, which spares a copy of them. The numbers are the same."""

    ddp_static_graph: bool = parameter(False, "Always the same weights", advanced=True)
    """Promises that every step trains the same weights, so that processes agree on them once. Not with
    module_dropout."""
