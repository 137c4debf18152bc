"""A graphics card that is not there: tensors that say they lie on "cuda" and are computed on the processor.

`python pretended_card.py FOLDER` trains the runs of FOLDER/runs.json ({name: settings}) there with the real trainer and
prints a line of JSON: name -> exit code, warnings, and where a step waited for the card. What a card refuses is refused
here: tensors of both places in one operation, numpy on the card's, a generator of the processor for the card.

A process of its own, as torch asks only once which devices there are. Linux, g++ and the CPU build of torch.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import io
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

GUARD = """
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/FakeGuardImpl.h>
static c10::impl::FakeGuardImpl<c10::DeviceType::CUDA> guard;
static c10::impl::DeviceGuardImplRegistrar registrar(c10::DeviceType::CUDA, &guard);
struct CUDAHooks : at::CUDAHooksInterface {
  CUDAHooks(at::CUDAHooksArgs) {}
  void init() const override {}
  bool hasCUDA() const override { return true; }
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex current_device() const override { return 0; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex) const override { return 0; }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex) const override { return 0; }
};
namespace at { REGISTER_CUDA_HOOKS(CUDAHooks) }
"""  # what autograd asks of a device: without it a gradient on "cuda" ends the process
WAITS = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "_linalg_check_errors", "repeat_interleave"}
BETWEEN = {"copy_", "_to_copy"}  # what takes tensors of both places


def load_guard(folder: Path) -> None:
    """Compile and load the guard, before torch is imported."""
    spec = importlib.util.find_spec("torch")
    assert spec is not None and spec.origin is not None
    torch_folder = Path(spec.origin).parent
    library = torch_folder / "lib"
    (folder / "guard.cpp").write_text(GUARD, encoding="utf-8")
    subprocess.run(
        ["g++", "-std=c++20", "-O0", "-shared", "-fPIC", "guard.cpp", f"-I{torch_folder / 'include'}", f"-L{library}",
         "-lc10", "-ltorch_cpu", "-o", "guard.so"],
        cwd=folder, check=True,
    )  # fmt: skip
    for path in (library / "libtorch_cpu.so", folder / "guard.so"):
        ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)


def main(folder: Path) -> None:
    load_guard(folder)
    import tiny  # noqa: F401  its configs
    import torch
    from place import Place
    from torch import Tensor
    from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
    from torch.utils._pytree import tree_leaves, tree_map

    from trainer import precision
    from trainer import train as loop

    card, cpu = torch.device("cuda", 0), torch.device("cpu")
    waits: list[str] = []
    in_step = False

    class OnCard(Tensor):
        """A tensor of the card. kept: its numbers, on the processor."""

        kept: Tensor

        @staticmethod
        def __new__(cls: type[OnCard], kept: Tensor) -> OnCard:
            made: OnCard = Tensor._make_wrapper_subclass(
                cls, kept.shape, strides=kept.stride(), storage_offset=kept.storage_offset(), dtype=kept.dtype,
                device=card,
            )  # fmt: skip
            made.kept = kept
            return made

        def tolist(self) -> Any:
            wait("tolist")
            return self.kept.tolist()

        @property
        def data(self) -> Tensor:
            return Tensor.data.__get__(self)

        @data.setter
        def data(self, new: OnCard) -> None:
            Tensor.data.__set__(self, new)
            self.kept = new.kept

        @classmethod
        def __torch_dispatch__(cls, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return computed(op, args, kwargs or {})

    class WithCard(TorchDispatchMode):
        """Operations that make a tensor on the card, or pinned."""

        def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return computed(op, args, {**(kwargs or {})})

    def wait(what: str) -> None:
        if in_step:
            own = [place for place in traceback.extract_stack() if f"{os.sep}trainer{os.sep}" in place.filename]
            own = [place for place in own if place.filename != __file__]
            waits.append(f"{what}: {Path(own[-1].filename).name}: {own[-1].line}" if own else what)

    def computed(op: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        name = op._schema.name.split("::")[1]
        if name == "_pin_memory":
            return args[0].clone()
        if kwargs.pop("pin_memory", None):
            return op(*args, **kwargs)
        tensors = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
        there, here = ([t for t in tensors if isinstance(t, OnCard) is side] for side in (True, False))
        wanted = kwargs.get("device")
        onto = bool(there) if wanted is None else torch.device(wanted).type == "cuda"
        if not there and not onto:
            return op(*args, **kwargs)
        if onto and kwargs.get("generator") is not None:
            raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
        moved = name in BETWEEN and (onto is not bool(there) or any(t.dim() for t in here))
        if there and any(t.dim() for t in here) and not moved:
            raise RuntimeError(f"Expected all tensors to be on the same device, but {op} got some of both places")
        if name in WAITS or (moved and not (kwargs.get("non_blocking") or args[2:] == (True,))):
            wait(name)
        if name == "_linalg_check_errors":
            return None
        if name == "_fused_sdp_choice":
            return 0
        if name == "copy_" and args[0] in here:
            return args[0].copy_(args[1].kept)
        if wanted is not None:
            kwargs["device"] = cpu
        inside = tree_map(lambda value: value.kept if isinstance(value, OnCard) else value, (args, kwargs))
        result = op(*inside[0], **inside[1])
        if moved and name == "_to_copy" and isinstance(result, Tensor):
            result = result.clone()
        if not onto:
            return result
        result = tree_map(lambda value: OnCard(value) if isinstance(value, Tensor) else value, result)
        aliases = any(argument.alias_info is not None for argument in op._schema.arguments)
        return return_and_correct_aliasing(op, args, kwargs, result) if aliases else result

    class Event:
        """What torch.cuda.Event is: all that came before it is done."""

        def record(self) -> None: ...
        def synchronize(self) -> None: ...

    def step(*given: Any) -> bool:
        nonlocal in_step
        in_step = True
        try:
            return real_step(*given)
        finally:
            in_step = False

    real_step, loop.step = loop.step, step
    precision.best_device = lambda: card
    torch.cuda.Event, torch.cuda._lazy_init, torch.cuda.empty_cache = Event, lambda: None, lambda: None
    torch.cuda.is_bf16_supported = lambda **_: True
    torch.cuda.max_memory_allocated = lambda *_: 0
    torch.cuda.get_device_properties = lambda _: SimpleNamespace(uuid="pretended")
    torch.cuda.amp.common.amp_definitely_not_available = lambda: False
    torch.__future__.set_overwrite_module_params_on_conversion(True)  # a parameter cannot become an OnCard in place
    torch._C._set_only_lift_cpu_tensors(True)  # torch.tensor(0, device="cuda") is made on the processor and moved
    torch.set_num_threads(1)

    runs, found = json.loads((folder / "runs.json").read_text(encoding="utf-8")), {}
    for name, settings in runs.items():
        place = Place(folder / name, folder / settings.pop("base"))
        os.chdir(place.root)
        waits.clear()
        said = io.StringIO()
        with WithCard(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = place.train(**settings)
        warnings = [event["message"] for event in place.events() if event["event"] == "warning"]
        found[name] = {"code": code, "waits": sorted(set(waits)), "warnings": warnings, "said": said.getvalue()[-2000:]}
    print("\n" + json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
