"""The sentences that the trainer and the taggers make as they run, found in the code: f-strings as templates."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[2]
GAP = "\0"  # stands for a value in a template
CALLS = {"warn", "warning", "note", "append", "Made", "misfit"}  # what is given a sentence, besides exceptions
FEWEST_WORDS = 3
# Exceptions for whoever calls a function wrongly; what a person does wrong raises another one.
PROGRAMMERS = {"ValueError", "TypeError", "KeyError", "RuntimeError", "NotImplementedError", "AssertionError"}
# What no page shows: printed for a command line alone, or no sentence at all.
COMMAND_LINE = ("trainer/__main__.py", "taggers/__main__.py", "trainer/networks/readers.py", "trainer/signals.py",
                "trainer/console.py")  # fmt: skip
UNSEEN = (
    f"the state of step {GAP} was kept; to go on: resume = {GAP}",  # the page has a button for it
    f"{GAP} is written anew; the former file is {GAP} beside it",  # a job of the page is written once
    f"{GAP} steps: {GAP} epochs of {GAP} batches of up to {GAP}",  # report.to_text, for a command line
    f"  {GAP}: {GAP} pictures x {GAP} ({GAP} without caption)",
    "missing in the state", f"{GAP} in the state", "no part of the network here",  # parts of a sentence
    f"{GAP}, the network here {GAP}",
)  # fmt: skip
NO_SENTENCE = re.compile(r"\S+")  # addresses and names of tensors


def templates(path: Path) -> Iterator[str]:
    """Sentences raised, returned, yielded, warned or prepared in a file; GAP stands for each value.

    A text counts as a sentence from FEWEST_WORDS words on: shorter ones are names and units.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        for value in _spoken(node):
            for text in _texts(value, constants):
                if len(re.findall(r"(?<![\w-])[a-z]{2,}(?![\w(])", text)) >= FEWEST_WORDS and "\n" not in text:
                    yield re.sub(rf"{GAP}+", GAP, text)


def all_templates() -> dict[str, str]:
    """{template: file} of everything that a page may show, command lines and the demo's own words left out."""
    found: dict[str, str] = {}
    for path in sorted([*(PROJECT / "trainer").rglob("*.py"), *(PROJECT / "taggers").rglob("*.py")]):
        file = path.relative_to(PROJECT).as_posix()
        if file in COMMAND_LINE or path.parent.name in ("demo", "tools"):
            continue
        for text in templates(path):
            if text not in UNSEEN and not NO_SENTENCE.fullmatch(text):
                found.setdefault(text, file)
    return found


def fixed(template: str) -> str:
    """A template of the texts ({name} for a value) or of the code, with GAP in place of each value."""
    return re.sub(rf"(\{{\w+\}}|{GAP})+", GAP, template)


def is_known(template: str, known: set[str]) -> bool:
    """Whether a template of the code is among those of the texts, which are given as `fixed`.

    A place may stand before it ("{path}: ..."), as the page takes both apart; a rest of a sentence that begins with a
    verb ("is damaged ...") gets its subject elsewhere.
    """
    template = fixed(template)
    if template in known or (re.match(r"(is|has|needs|cannot) ", template) and f"{GAP} {template}" in known):
        return True
    parts = template.split(": ")
    return any(": ".join(parts[number:]) in known for number in range(1, len(parts)))


def _spoken(node: ast.AST) -> list[ast.expr]:
    """The values of a node that may be sentences for a person."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        return [] if _name(node.exc.func) in PROGRAMMERS else node.exc.args
    if isinstance(node, (ast.Return, ast.Yield, ast.Assign)) and node.value is not None:
        return [node.value]
    if isinstance(node, ast.Call) and _name(node.func) in CALLS:
        return node.args
    return []


def _name(called: ast.expr) -> str:
    return getattr(called, "id", getattr(called, "attr", ""))


def _texts(value: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    """The texts that an expression may give: either branch of an `if`, each part of a tuple."""
    if isinstance(value, ast.IfExp):
        yield from (text for branch in (value.body, value.orelse) for text in _texts(branch, constants))
    elif isinstance(value, ast.BoolOp):
        yield from (text for branch in value.values for text in _texts(branch, constants))
    elif isinstance(value, (ast.Tuple, ast.List)):
        yield from (text for part in value.elts for text in _texts(part, constants))
    elif isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else part for part in value.values)
        yield "".join(
            part if isinstance(part, str)
            else constants.get(getattr(part.value, "id", ""), GAP) if isinstance(part, ast.FormattedValue)
            else GAP
            for part in parts
        )  # fmt: skip
