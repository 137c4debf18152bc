"""Memory of a training step on an NVIDIA card, calculated without one: every tensor is followed, none has contents.

    python -m benchmarks.card_memory --checkpointing                      # SDXL at 1024 px, bf16, rank 16
    python -m benchmarks.card_memory --checkpointing --quantize nf4
    python -m benchmarks.card_memory --family sd1 --side 512 --batch 4

The trainer's own preparation of the U-Net, its network, step and AdamW, on the full architecture. Tensors say that they
lie on cuda, so autocast does there what it does on a card; attention counts as the flash kernel, which keeps no scores.
What torch.cuda.max_memory_allocated would say: rounded to 512 bytes a tensor, without gaps between them, without
workspaces of cuBLAS and cuDNN and without the driver's context (about 0.5 GiB). Linux, g++, the CPU build of torch.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import weakref
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests" / "trainer")]

from pretended_card import load_guard  # noqa: E402

GIB = 2**30


def main() -> None:
    """Calculate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", choices=("sd1", "sdxl"), default="sdxl")
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--checkpointing", action="store_true")
    parser.add_argument("--quantize", choices=("int8", "nf4"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        load_guard(Path(folder))
    follow(options)


def follow(options: argparse.Namespace) -> None:
    """Do two steps of the trainer on a card without contents and print the highest sum of what lived on it, in GiB."""
    import torch
    from torch import Tensor, nn
    from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
    from torch.utils._pytree import tree_leaves, tree_map

    from trainer import networks, objective, optimizers, preparation, quantised
    from trainer import train as loop
    from trainer.config import parse
    from trainer.families import layout, modules, sd, sdxl
    from trainer.families.base import Conditioning, LoadOptions

    card = torch.device("cuda", 0)
    known: set[int] = set()
    now, highest = 0, 0

    def gone(key: int, size: int) -> None:
        nonlocal now
        known.discard(key)
        now -= size

    class OnCard(Tensor):
        """A tensor of the card. kept: its shape and place, on torch's meta device."""

        kept: Tensor

        @staticmethod
        def __new__(cls: type[OnCard], kept: Tensor) -> OnCard:
            nonlocal now, highest
            made: OnCard = Tensor._make_wrapper_subclass(
                cls, kept.shape, strides=kept.stride(), storage_offset=kept.storage_offset(), dtype=kept.dtype,
                device=card,
            )  # fmt: skip
            made.kept = kept
            storage = kept.untyped_storage()
            key, size = storage._cdata, -(-storage.nbytes() // 512) * 512
            if key not in known:
                known.add(key)
                weakref.finalize(storage, gone, key, size)
                now += size
                highest = max(highest, now)
            return made

        @classmethod
        def __torch_dispatch__(cls, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
            return shaped(op, args, kwargs or {})

    class WithCard(TorchDispatchMode):
        def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return shaped(op, args, {**(kwargs or {})})

    def inside(value: Any) -> Any:
        if isinstance(value, OnCard):
            return value.kept
        return value.to("meta") if isinstance(value, Tensor) and value.dim() else value

    def shaped(op: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        made: Any
        there = [value for value in tree_leaves((args, kwargs)) if isinstance(value, OnCard)]
        onto = bool(there) if kwargs.get("device") is None else torch.device(kwargs["device"]).type == "cuda"
        if not onto:
            return op(*args, **kwargs)
        if op is torch.ops.aten._scaled_dot_product_flash_attention.default:
            query, keys = args[0].kept, args[1].kept
            number = torch.empty((), dtype=torch.int64, device="meta")
            logs = torch.empty(query.shape[:3], device="meta")
            made = (torch.empty_like(query), logs, None, None, query.shape[2], keys.shape[2], number, number, number)
        elif op is torch.ops.aten._scaled_dot_product_flash_attention_backward.default:
            made = tuple(torch.empty_like(value.kept) for value in args[1:4])
        else:
            if kwargs.get("device") is not None:
                kwargs["device"] = torch.device("meta")
            plain = tree_map(inside, (args, kwargs))
            made = op(*plain[0], **plain[1])
        result = tree_map(lambda value: OnCard(value) if isinstance(value, Tensor) else value, made)
        aliases = any(argument.alias_info is not None for argument in op._schema.arguments)
        return return_and_correct_aliasing(op, args, kwargs, result) if aliases else result

    def flash(query: Tensor, keys: Tensor, values: Tensor, attn_mask: None = None, dropout_p: float = 0.0,
              is_causal: bool = False, scale: float | None = None, **_: Any) -> Tensor:  # fmt: skip
        result: Tensor = torch.ops.aten._scaled_dot_product_flash_attention(
            query, keys, values, dropout_p, is_causal, False, scale=scale
        )[0]
        return result

    def empty(*shape: int, dtype: Any = torch.float32) -> OnCard:
        return OnCard(torch.empty(shape, dtype=dtype, device="meta"))

    def pack_nf4(weight: Tensor, kind: str) -> tuple[Tensor, Tensor]:
        return empty(weight.numel() // 2, 1, dtype=torch.uint8), empty(weight.numel() // quantised.NF4_BLOCK)

    def unpack_nf4(packed: Tensor, scales: Tensor, kind: str, shape: Any, dtype: Any) -> Tensor:
        return empty(*shape, dtype=dtype)

    torch.cuda._lazy_init = lambda: None
    torch.cuda.is_bf16_supported = lambda **_: True
    torch.cuda.amp.common.amp_definitely_not_available = lambda: False
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    torch.nn.functional.scaled_dot_product_attention = flash  # type: ignore[assignment]
    if options.quantize == "nf4":  # the library's own kernels know no tensors without contents
        quantised.pack, quantised.unpack = pack_nf4, unpack_nf4

    values = {
        "pretrained_model_name_or_path": "base", "train_data_dir": "train", "resolution": options.side,
        "mixed_precision": "bf16", "gradient_checkpointing": options.checkpointing, "network_dim": options.rank,
        "network_alpha": options.rank, "network_train_unet_only": True, "learning_rate": 1e-4,
        "quantize_base": options.quantize,
    }  # fmt: skip
    config = parse({name: value for name, value in values.items() if value is not None}).config
    from diffusers import UNet2DConditionModel

    settings = dict(layout.known_configs("unet")[options.family])
    with modules.quiet_libraries(), torch.device("meta"):
        unet = UNet2DConditionModel.from_config(settings).to(torch.bfloat16).requires_grad_(False)
    kind = sdxl.SDXLFamily if options.family == "sdxl" else sd.SDFamily
    family = kind(options.family, unet, [], nn.Identity(), LoadOptions("base", dtype=torch.bfloat16))
    with WithCard():
        preparation._fit_to_memory(family, config, card, print)
        loading = highest
        network = networks.attach(family.network_targets(), networks.network_options(config.network), 0)
        trained = list(network.to(card).train().parameters())
        optimizer = optimizers.build("AdamW", [{"params": trained, "lr": 1e-4, "name": "unet"}], 1e-4)
        tables = objective.noise_schedule().to(card)
        rows, wide = options.side // 8, options.family == "sdxl"
        latents, noise = (empty(options.batch, 4, rows, rows) for _ in range(2))
        conditioning = Conditioning(
            empty(options.batch, 77, settings["cross_attention_dim"], dtype=torch.bfloat16),
            empty(options.batch, 1280, dtype=torch.bfloat16) if wide else None,
            empty(options.batch, 6) if wide else None,
        )
        for _ in range(2):  # the second step has the optimizer's moments
            highest = now
            timesteps = empty(options.batch, dtype=torch.int64)
            loss = loop.training_step(family, latents, noise, timesteps, conditioning, tables, config.loss).mean()
            loss.backward()
            norm = nn.utils.clip_grad_norm_(trained, 1.0)
            loop.step_where(torch.isfinite(norm), optimizer, trained)
            optimizer.zero_grad(set_to_none=True)
            del loss, norm
    how = f"{options.quantize or 'bf16'}{', checkpointing' if options.checkpointing else ''}"
    print(f"{options.family} at {options.side} px, batch {options.batch}, rank {options.rank}, {how}: calculated "
          f"{highest / GIB:.2f} GiB in a step, {now / GIB:.2f} between steps, {loading / GIB:.2f} while the U-Net "
          "comes onto the card")  # fmt: skip


if __name__ == "__main__":
    main()
