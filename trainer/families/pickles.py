"""What a pickled weights file names, from its opcodes alone: nothing of it is run, no number is read. LIGHT.

Files of torch.save: a zip with data.pkl in it, or, before 2020, pickles one behind the other. Loading is modules.py.
"""

from __future__ import annotations

import io
import pickletools
import zipfile
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

LARGEST_BYTES = 64_000_000  # of the table of names; that of the largest checkpoints has some 300 KB
MAGIC = 0x1950A86A20F9469CFC6C  # the first of the pickles of an old file
TAR_AT, TAR = 257, b"ustar"
# Training programs whose classes old checkpoints hold beside the weights (progress, callbacks, settings): the loader
# puts a placeholder for each, and never imports them.
TRAINING_PROGRAMS = ("pytorch_lightning.", "lightning.", "lightning_fabric.", "omegaconf.", "argparse.", "numpy.")
HARMLESS = frozenset(
    ["collections.OrderedDict", "collections.Counter", "_codecs.encode", "builtins.set", "builtins.bytearray",
     "builtins.complex", "__builtin__.set", "__builtin__.bytearray", "__builtin__.complex"]
)  # fmt: skip


class PickleFault(ValueError):
    """A file cannot be a weights file of torch.save. The text says why, to stand behind the path."""


@dataclass(frozen=True)
class Contents:
    """Tensors by name with their shapes, and the first name of what could run code, None where there is none."""

    shapes: dict[str, tuple[int, ...]]
    code: str | None


@dataclass(frozen=True)
class _Named:
    name: str


@dataclass(frozen=True)
class _Shaped:
    shape: tuple[int, ...]


_MARK = object()


def contents(path: Path) -> Contents:
    """Raises PickleFault for a file that torch.load refuses whatever it holds, OSError when it cannot be read."""
    with path.open("rb") as stream:
        start = stream.read(512)
        if zipfile.is_zipfile(path):
            return _read(_table_of(path))
        if start.startswith(b"PK"):
            raise PickleFault("damaged or cut download; fetch it again (the file has no end)")
        if start[TAR_AT : TAR_AT + len(TAR)] == TAR:
            raise PickleFault(
                "saved in a form of 2016 that cannot be read without running code; use the .safetensors version"
            )
        if not start.startswith(b"\x80"):
            raise PickleFault("not a .ckpt file; check what was downloaded")
        stream.seek(0)
        try:
            magic, _, _ = (_run(stream)[0] for _ in range(3))
        except (ValueError, LookupError, TypeError) as error:
            raise PickleFault("damaged or cut download, or not a .ckpt file; fetch it again") from error
        if magic != MAGIC:
            raise PickleFault("damaged or cut download, or not a .ckpt file; fetch it again")
        return _read(stream)


def _table_of(path: Path) -> BinaryIO:
    """data.pkl of the zip of a torch.save."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            tables = [member for member in members if member.filename.endswith("/data.pkl")]
            if any(member.filename.endswith("/constants.pkl") for member in members):
                raise PickleFault("a TorchScript program, not a file of weights; choose the .safetensors version")
            if not tables or tables[0].file_size > LARGEST_BYTES:
                raise PickleFault("a zip file without a table of weights; check what was downloaded")
            return io.BytesIO(archive.read(tables[0]))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise PickleFault("damaged or cut download; fetch it again") from error


def _read(stream: BinaryIO) -> Contents:
    try:
        found, named = _run(stream)
    except (ValueError, LookupError, TypeError) as error:
        raise PickleFault("damaged or cut download, or not a .ckpt file; fetch it again") from error
    code = next((name for name in named if _may_run_code(name)), None)
    if not isinstance(found, dict):
        return Contents({}, code)
    nested = found.get("state_dict", found)
    nested = nested if isinstance(nested, dict) else {}
    return Contents(
        {name: one.shape for name, one in nested.items() if isinstance(name, str) and isinstance(one, _Shaped)}, code
    )


def _may_run_code(name: str) -> bool:
    """Whether the loader refuses a class or function of that name."""
    if name.startswith("torch."):
        return name.startswith(("torch.nn.modules.", "torch.optim."))
    return not name.startswith(TRAINING_PROGRAMS) and name not in HARMLESS


def _run(stream: BinaryIO) -> tuple[Any, list[str]]:
    """What a pickle describes, with stand-ins for all that is no plain value, and every name it asks for."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    named: list[str] = []

    def taken() -> list[Any]:
        place = len(stack) - 1 - stack[::-1].index(_MARK)
        found = stack[place + 1 :]
        del stack[place:]
        return found

    def fill(table: Any, pairs: list[Any]) -> None:
        if isinstance(table, dict):
            table.update((key, value) for key, value in zip(pairs[::2], pairs[1::2], strict=True)
                         if isinstance(key, Hashable))  # fmt: skip

    for opcode, argument, _ in pickletools.genops(stream):
        name: str = opcode.name
        if name in ("PROTO", "FRAME"):
            continue
        if name == "STOP":
            return stack.pop(), named
        if name == "MARK":
            stack.append(_MARK)
        elif name in ("GLOBAL", "INST", "STACK_GLOBAL"):
            if name == "INST":
                taken()
            words = [str(stack.pop()), str(stack.pop())][::-1] if name == "STACK_GLOBAL" else str(argument).split(" ")
            named.append(".".join(words))
            stack.append(_Named(named[-1]))
        elif name in ("REDUCE", "NEWOBJ"):
            given, what = stack.pop(), stack.pop()
            stack.append(_made(what, given))
        elif name in ("NEWOBJ_EX", "OBJ"):
            if name == "OBJ":
                taken()
            else:
                del stack[-3:]
            stack.append(None)
        elif name == "BUILD":
            stack.pop()
        elif name in ("BINPERSID", "PERSID"):
            if name == "BINPERSID":
                stack.pop()
            stack.append(None)
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            memo[int(str(argument))] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(memo[int(str(argument))])
        elif name.startswith("EMPTY_"):
            stack.append({"EMPTY_DICT": {}, "EMPTY_TUPLE": ()}.get(name, []))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            count = int(name[-1])
            stack[-count:] = [tuple(stack[-count:])]
        elif name in ("TUPLE", "LIST", "FROZENSET"):
            found = taken()
            stack.append(tuple(found) if name == "TUPLE" else found)
        elif name == "DICT":
            table: dict[Any, Any] = {}
            fill(table, taken())
            stack.append(table)
        elif name in ("SETITEM", "SETITEMS"):
            pairs = taken() if name == "SETITEMS" else [stack.pop(), stack.pop()][::-1]
            fill(stack[-1], pairs)
        elif name in ("APPEND", "APPENDS", "ADDITEMS"):
            more = [stack.pop()] if name == "APPEND" else taken()
            if isinstance(stack[-1], list):
                stack[-1].extend(more)
        elif name in ("POP", "POP_MARK", "DUP"):
            if name == "DUP":
                stack.append(stack[-1])
            elif name == "POP_MARK":
                taken()
            else:
                stack.pop()
        elif name in ("NONE", "NEWTRUE", "NEWFALSE"):
            stack.append({"NEWTRUE": True, "NEWFALSE": False}.get(name))
        elif argument is not None:
            stack.append(argument)  # numbers and texts
        else:
            raise ValueError(f"a pickle with {name}")
    raise ValueError("a pickle without an end")


def _made(what: Any, given: Any) -> Any:
    """What calling a name would give, as far as it matters: tensors as their shapes, tables as tables."""
    if not isinstance(what, _Named) or not isinstance(given, tuple):
        return None
    if what.name == "collections.OrderedDict":
        pairs = given[0] if given and isinstance(given[0], list) else []
        return {key: value for key, value in pairs if isinstance(key, Hashable)}
    if what.name.startswith("torch._utils._rebuild_tensor") and len(given) > 2 and isinstance(given[2], tuple):
        return _Shaped(tuple(int(size) for size in given[2]))
    if what.name.startswith("torch._utils._rebuild_parameter") and given:
        return given[0]
    if what.name == "torch._tensor._rebuild_from_type_v2" and len(given) > 2:
        return _made(given[0], given[2])
    return None
