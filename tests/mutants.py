"""Draws small changes of the code and runs the nearest tests on each, one at a time: which does no test notice?

    python tests/mutants.py --count 150 --seed 1 --report mutants.jsonl

Run by hand: about a minute of one processor a change. It works on copies of the committed tree and
never touches this one. The report has a line a change: place, before, after, the tests that ran, `noticed` or not, so
that a broken-off run goes on where it was. What survives wants a judgement: a missing test, or a change without effect.

Python is changed at nodes of its syntax tree, JavaScript at the same kinds of places found by their text.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parents[1]
SHARES = {"trainer": 0.46, "taggers": 0.12, "webui": 0.24, "javascript": 0.18}
MOST_TEST_FILES = 5
SECONDS_A_CHANGE = 420
SLOW = {
    "test_demo_run",
    "test_wine",
    "test_road",
    "test_whole_runs",
    "test_on_a_card",
    "test_processes",
}  # minutes of their own
PASSED_OVER = ("trainer/demo/make_", "taggers/demo/make_")  # scripts that made files of the repository
COMPARISONS = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"), ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "*"),
}  # fmt: skip
IN_JAVASCRIPT = (
    (r"===", "!=="), (r"!==", "==="), (r"&&", "||"), (r"\|\|", "&&"), (r"\?\?", "&&"),
    (r"(?<![=<])<(?![=<])(?= )", "<="), (r"(?<![=>])>(?![=>])(?= )", ">="), (r"<=", "<"), (r">=", ">"),
    (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r" \+ 1\b", " - 1"), (r" - 1\b", " + 1"),
    (r"(?<=[(\s])!(?=[\w(])", ""), (r"\bif \((?=[^()]*\))[^()]*\)", "if (false)"),
    (r"^\s+(?:await )?[\w.]+\([^()]*\);$", ";"), (r"^\s+if \([^{}]*\) return;$", ";"),
)  # fmt: skip
# Scripts of the page are noticed in the browser; the words before the dash name the file of tests.
BROWSER_TESTS = {
    "tags": ["test_tags"], "tagger": ["test_tagger"], "form": ["test_train_form"], "jobs": ["test_jobs"],
    "jobview": ["test_jobs"], "joblog": ["test_jobs"], "curve": ["test_jobs"], "lrplot": ["test_train_form"],
    "settings": ["test_settings"], "tensorboard": ["test_tensorboard"], "browse": ["test_train_form", "test_tagger"],
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One small change: in `file`, the text `before` that begins at `offset` characters becomes `after`."""

    file: str
    line: int
    offset: int
    before: str
    after: str
    within: str

    @property
    def key(self) -> str:
        """What a report is searched by."""
        return f"{self.file}:{self.offset}:{self.after}"


def changes_of_python(file: str, text: str) -> Iterator[Change]:
    """All changes of one Python file; annotations, docstrings and imports for types stay."""
    starts = [0]
    for row in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(row))
    rows = text.splitlines(keepends=True)

    def place(line: int, column: int) -> int:
        return starts[line - 1] + len(rows[line - 1].encode()[:column].decode())

    def change(node: ast.AST, begin: int, end: int, after: str, within: str) -> Change:
        return Change(file, node.lineno, begin, text[begin:end], after, within)  # type: ignore[attr-defined]

    def span(node: ast.AST) -> tuple[int, int]:
        return place(node.lineno, node.col_offset), place(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def between(left: ast.AST, right: ast.AST, sign: str, new: str, within: str) -> Iterator[Change]:
        begin, end = span(left)[1], span(right)[0]
        at = text.find(sign, begin, end)
        if at >= 0:
            yield change(left, at, at + len(sign), new, within)

    def visit(node: ast.AST, within: str) -> Iterator[Change]:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            within = node.name
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            kind = type(node.ops[0])
            yield from between(node.left, node.comparators[0], *COMPARISONS[kind], within)
        elif isinstance(node, ast.BoolOp):
            sign, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            yield from between(node.values[0], node.values[1], sign, new, within)
        elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            text_of_left = isinstance(node.left, (ast.Constant, ast.JoinedStr)) and "'" in ast.unparse(node.left)
            if not text_of_left:
                yield from between(node.left, node.right, *ARITHMETIC[type(node.op)], within)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield change(node, span(node)[0], span(node.operand)[0], "", within)
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield change(node, *span(node), str(not node.value), within)
        elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            yield change(node, *span(node), f"({ast.unparse(node)} + 1)", within)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield change(node, *span(node), "pass", within)
        elif isinstance(node, (ast.If, ast.IfExp)):
            yield change(node.test, *span(node.test), "False", within)
            yield change(node.test, *span(node.test), "True", within)
        elif isinstance(node, (ast.Continue, ast.Break)):
            yield change(node, *span(node), "pass", within)
        elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
            yield change(node, *span(node.value), "None", within)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "type_params", "format_spec") or isinstance(node, ast.JoinedStr):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from visit(child, within)

    yield from visit(ast.parse(text), "")


def changes_of_javascript(file: str, text: str) -> Iterator[Change]:
    """All changes of one script; what stands in comments and quotes stays."""
    masked = re.sub(
        r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`",
        lambda found: re.sub(r"[^\n]", "~", found.group()), text, flags=re.DOTALL,
    )  # fmt: skip
    names = [(found.start(), found.group(1)) for found in re.finditer(r"(?:function|const)\s+(\w+)", masked)]
    for pattern, after in IN_JAVASCRIPT:
        for found in re.finditer(pattern, masked, re.MULTILINE):
            within = next((name for start, name in reversed(names) if start <= found.start()), "")
            line = text.count("\n", 0, found.start()) + 1
            yield Change(file, line, found.start(), text[found.start() : found.end()], after, within)


def drawn(count: int, seed: int, root: Path = PROJECT) -> list[Change]:
    """`count` changes, spread over the packages; at most one a line, and the same ones for the same tree and seed."""
    by_package: dict[str, list[Change]] = {name: [] for name in SHARES}
    files = sorted([root / "app.py", *(path for name in SHARES for path in (root / name).rglob("*.py"))])
    for path in files:
        file = path.relative_to(root).as_posix()
        if not file.startswith(PASSED_OVER):
            package = file.split("/")[0] if "/" in file else "webui"
            by_package[package] += changes_of_python(file, path.read_text(encoding="utf-8"))
    for path in sorted((root / "webui" / "static").glob("*.js")):
        file = path.relative_to(root).as_posix()
        by_package["javascript"] += changes_of_javascript(file, path.read_text(encoding="utf-8"))
    chance = random.Random(seed)
    chosen: list[Change] = []
    for package, changes in by_package.items():
        one_a_line: dict[tuple[str, int], Change] = {}
        for change in chance.sample(changes, len(changes)):
            one_a_line.setdefault((change.file, change.line), change)
        chosen += list(one_a_line.values())[: round(count * SHARES[package])]
    return chance.sample(chosen, len(chosen))


def nearest_tests(change: Change, root: Path) -> list[str]:
    """The files of tests that name the changed module or function, nearest first."""
    stem = Path(change.file).stem
    if change.file.endswith(".js"):
        names = BROWSER_TESTS.get(stem.split("-")[0], ["test_shell", "test_train_form", "test_tags"])
        return [f"tests/e2e/{name}.py" for name in names]
    dotted = change.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    parent, _, last = dotted.rpartition(".")
    subject = re.split("[_-]", last)[0]
    paths = [path for path in sorted((root / "tests").rglob("test_*.py")) if path.stem not in SLOW]
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    named = {path for path, text in texts.items() if re.search(rf"\b{re.escape(change.within or '-')}\b", text)}
    if len(named) > 6 or change.within.startswith("__"):
        named = set()  # a word like any other
    scored = []
    for path, text in texts.items():
        where = path.relative_to(root).as_posix()
        imported = f"{dotted} import" in text or f"import {dotted}\n" in text
        imported |= bool(parent) and bool(re.search(rf"from {re.escape(parent)} import [^\n]*\b{last}\b", text))
        score = 6 * (path.stem == f"test_{stem}") + 3 * (path.stem.startswith(f"test_{stem}_")) + 3 * imported
        score += 4 * (path in named) + 2 * path.stem.startswith(f"test_{subject}")
        score += (f"/{dotted.split('.')[0]}/" in where) * (score > 0)
        score -= ("e2e" in where) * 2
        if score > 2:
            scored.append((-score, len(text), where))
    if dotted in ("trainer.train", "trainer.run", "trainer.preparation", "trainer.reporting"):
        scored.append((-9, 0, "tests/trainer/test_run.py"))  # whole runs
    found = [where for _, _, where in sorted(set(scored))[:MOST_TEST_FILES]]
    usual = {
        "trainer": ["tests/trainer/test_run.py", "tests/trainer/test_command_line.py"],
        "taggers": ["tests/taggers/test_tagging.py"],
        "webui": ["tests/webui/test_server.py", "tests/webui/test_job_routes.py"],
    }
    usually = usual.get(dotted.split(".")[0], ["tests/launcher/test_command_line.py", "tests/e2e/test_shell.py"])
    return found if len(found) > 1 else list(dict.fromkeys([*found, *usually]))


def ended(running: subprocess.Popen[bytes], seconds: int) -> int | None:
    """The exit code; None when its processes worked for `seconds` of processor time, or slept three times as long."""
    begun = time.monotonic()
    worked = 0.0
    while running.poll() is None:
        with contextlib.suppress(psutil.Error):
            main_one = psutil.Process(running.pid)
            times = [one.cpu_times() for one in (main_one, *main_one.children(recursive=True))]
            worked = sum(one.user + one.system + one.children_user + one.children_system for one in times)
        idle = time.monotonic() - begun > 3 * seconds and worked < seconds / 10
        if worked > seconds or idle:
            return None
        time.sleep(0.5)
    return running.returncode


def noticed_by(change: Change, tests: list[str], copy: Path, seconds: int) -> str:
    """The test that fails with the change; "" when all pass. A run that does not end in time counts as noticed."""
    path = copy / change.file
    text = path.read_text(encoding="utf-8")
    end = change.offset + len(change.before)
    assert text[change.offset : end] == change.before, change
    path.write_text(text[: change.offset] + change.after + text[end:], encoding="utf-8", newline="")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--timeout=120", *tests]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        with tempfile.TemporaryFile() as output:
            running = subprocess.Popen(
                command, cwd=copy, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
            try:
                code = ended(running, seconds)
                if code is None:
                    return "(did not end)"
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(running.pid, signal.SIGKILL)
            output.seek(0)
            said = output.read().decode("utf-8", "replace")
    finally:
        path.write_text(text, encoding="utf-8", newline="")
    if code == 0:
        return ""
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    return failed.group(1) if failed else f"(exit {code}) {said.strip().splitlines()[-1:]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--seconds", type=int, default=SECONDS_A_CHANGE, help="processor time that the tests of one change may take"
    )
    parser.add_argument("--report", type=Path, default=Path("mutants.jsonl"))
    parser.add_argument("--list", action="store_true", help="only print the changes")
    options = parser.parse_args()
    changes = drawn(options.count, options.seed)
    if options.list:
        for change in changes:
            print(f"{change.file}:{change.line} {change.within}: {change.before!r} -> {change.after!r}",
                  nearest_tests(change, PROJECT))  # fmt: skip
        return
    known = {}
    if options.report.exists():
        rows = [json.loads(row) for row in options.report.read_text(encoding="utf-8").splitlines()]
        known = {row["key"]: row for row in rows}
    free: list[Path] = []
    lock = threading.Lock()
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        for number in range(options.workers):
            copy = Path(scratch) / str(number)
            subprocess.run(["git", "clone", "-q", "--local", str(PROJECT), str(copy)], check=True)
            free.append(copy)

        def judge(change: Change) -> None:
            if change.key in known:
                return
            with lock:
                copy = free.pop()
            try:
                tests = nearest_tests(change, copy)
                by = noticed_by(change, tests, copy, options.seconds)
            finally:
                with lock:
                    free.append(copy)
            row = {"key": change.key, **asdict(change), "tests": tests, "noticed": bool(by), "by": by}
            with lock, options.report.open("a", encoding="utf-8") as report:
                report.write(json.dumps(row) + "\n")
                known[change.key] = row
                missed = sum(not entry["noticed"] for entry in known.values())
                print(f"{len(known)} of {len(changes)}, {missed} not noticed | {change.file}:{change.line} "
                      f"{change.before!r} -> {change.after!r}: {by or 'NOT NOTICED'}", flush=True)  # fmt: skip

        with ThreadPoolExecutor(options.workers) as pool:
            list(pool.map(judge, changes))
        shutil.rmtree(scratch, ignore_errors=True)
    noticed = sum(row["noticed"] for row in known.values())
    print(f"{noticed} of {len(known)} changes were noticed ({100 * noticed / max(1, len(known)):.0f} %)")


if __name__ == "__main__":
    main()
