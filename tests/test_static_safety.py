"""What may not stand in our code, looked for in its syntax tree (SAFETY T3). Each rule is shown to find its fault.

kohya_ss closed its command injections and had `shell=True` back within five days; here a test stands in the way.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
SOURCES = sorted(
    [
        PROJECT / "app.py",
        *(path for name in ("trainer", "taggers", "webui") for path in (PROJECT / name).rglob("*.py")),
    ]
)
SCRIPTS = sorted((PROJECT / "webui" / "static").glob("*.js"))

# Files that may append to a growing file; whole files are written by trainer/atomic.py alone.
APPENDING = {
    "trainer/events.py",
    "taggers/run.py",
    "taggers/download.py",
    "webui/tagruns.py",
    "webui/runner.py",
    "trainer/demo/run.py",
}
IMPORTING_BY_NAME = {"trainer/optimizers.py"}  # over a constant table
DRAWING_HTML = {"webui/page.py"}
BANNED_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
BANNED_CALLS = {
    "os.system",
    "os.popen",
    "eval",
    "exec",
    "compile",
    "__import__",
    "yaml.load",
    "yaml.unsafe_load",
    "subprocess.getoutput",
    "pty.spawn",
}
BANNED_METHODS = {
    "extractall": "unpack entry by entry, each path checked",
    "write_text": "use atomic_write",
    "write_bytes": "use atomic_write",
}
SPAWNING = {"subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output"}


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a name or attribute, "" of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((entry.value for entry in call.keywords if entry.arg == name), None)


def is_constant(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def faults(source: str, file: str) -> Iterator[str]:
    """`line: what is wrong` for everything in a source text that breaks a rule."""
    for node in ast.walk(ast.parse(source)):
        found: list[str] = []
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            found = [
                f"import of {name}: it can run code from a file"
                for name in names
                if name.split(".")[0] in BANNED_MODULES
            ]
        elif isinstance(node, ast.Call):
            found = list(call_faults(node, file))
        elif isinstance(node, (ast.Assign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found = [
                f"{dotted(t)} switches a guard of PIL off for everyone"
                for t in targets
                if dotted(t).endswith(("MAX_IMAGE_PIXELS", "LOAD_TRUNCATED_IMAGES"))
            ]
        yield from (f"{file}:{node.lineno}: {words}" for words in found)


def call_faults(call: ast.Call, file: str) -> Iterator[str]:
    name, method = dotted(call.func), call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name in BANNED_CALLS:
        yield f"{name}()"
    if method in BANNED_METHODS:
        yield f".{method}(): {BANNED_METHODS[method]}"
    shell = keyword(call, "shell")
    if shell is not None and not is_constant(shell, False):
        yield "shell=...: hand over a list of arguments"
    if name in SPAWNING:
        yield from spawn_faults(call)
    if name == "torch.load" and not is_constant(keyword(call, "weights_only"), True):
        yield "torch.load without weights_only=True"
    if name in ("np.load", "numpy.load") and not is_constant(keyword(call, "allow_pickle"), False):
        yield "np.load without allow_pickle=False"
    if name == "importlib.import_module" and file not in IMPORTING_BY_NAME:
        yield "import by name"
    if method in ("HTML", "Markdown") and dotted(call.func).startswith("gr.") and file not in DRAWING_HTML:
        yield f"gr.{method} outside webui/page.py"
    for flag in ("trust_remote_code", "share"):
        if is_constant(keyword(call, flag), True):
            yield f"{flag}=True"
    if is_constant(keyword(call, "verify"), False):
        yield "verify=False"
    yield from file_faults(call, name, method, file)


def spawn_faults(call: ast.Call) -> Iterator[str]:
    if (
        call.args
        and isinstance(call.args[0], (ast.JoinedStr, ast.BinOp))
        or (call.args and isinstance(call.args[0], ast.Constant))
    ):
        yield "a command as one string: hand over a list of arguments"
    texts = [keyword(call, flag) for flag in ("text", "universal_newlines")]
    if any(is_constant(flag, True) for flag in texts) and keyword(call, "encoding") is None:
        yield "a process read as text without encoding="


def file_faults(call: ast.Call, name: str, method: str, file: str) -> Iterator[str]:
    if method == "read_text" and not call.args and keyword(call, "encoding") is None:
        yield "read_text without encoding="
    opens = name in ("open", "io.open") or (
        method == "open" and name not in ("Image.open", "webbrowser.open", "os.open", "PIL.Image.open")
    )
    if not opens:
        return
    place = 1 if name in ("open", "io.open") else 0
    mode = keyword(call, "mode") or (call.args[place] if len(call.args) > place else None)
    text = mode.value if isinstance(mode, ast.Constant) and isinstance(mode.value, str) else "r"
    if not re.fullmatch(r"[rwxabt+]{1,4}", text):
        return  # not a mode: open() of something else, such as an archive's entry
    if set(text) & set("wx+") and file != "trainer/atomic.py":
        yield f"open(..., {text!r}): use atomic_write"
    if "a" in text and file not in APPENDING:
        yield f"open(..., {text!r}): appending is for logs and events"
    if "b" not in text and keyword(call, "encoding") is None and name in ("open", "io.open"):
        yield "a text file opened without encoding="


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_a_source_file_breaks_no_safety_rule(path):
    assert list(faults(path.read_text(encoding="utf-8"), path.relative_to(PROJECT).as_posix())) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from dill import loads", "os.system('ls')", "eval(text)", "exec(text)", "__import__(name)",
        "yaml.load(stream)",
        "subprocess.run(words, shell=True)", "subprocess.run(words, shell=flag)", "subprocess.run(f'ls {name}')",
        "subprocess.Popen('ls ' + name)",
        "subprocess.run('ls')", "subprocess.run(words, text=True)", "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=flag)", "np.load(path)", "np.load(path, allow_pickle=True)",
        "importlib.import_module(name)",
        "archive.extractall(folder)", "path.write_text('x')", "path.write_bytes(b'x')",
        "open(path, 'w', encoding='utf-8')", "path.open('wb')",
        "path.open(mode='a')", "open(path, 'r+b')", "open(path)", "path.read_text()", "gr.HTML(text)",
        "gr.Markdown(text)",
        "Image.MAX_IMAGE_PIXELS = None", "ImageFile.LOAD_TRUNCATED_IMAGES = True", "load(x, trust_remote_code=True)",
        "get(url, verify=False)",
        "app.launch(share=True)",
    ],
)  # fmt: skip
def test_each_rule_finds_its_fault(source):
    assert len(list(faults(source, "webui/example.py"))) == 1


def test_what_is_right_is_left_alone():
    source = (
        "subprocess.run([sys.executable, '-m', 'trainer'], text=True, encoding='utf-8')\n"
        "torch.load(path, weights_only=True)\n"
        "np.load(path, allow_pickle=False)\npath.open('rb')\npath.read_text(encoding='utf-8')\n"
        "Image.open(path)\nmodel.eval()\narchive.open(name)\n"
    )
    assert list(faults(source, "webui/example.py")) == []


BANNED_IN_SCRIPTS = re.compile(
    r"\.(?:innerHTML|outerHTML)\b|insertAdjacentHTML|document\.write|\beval\(|new Function\(|setTimeout\(\s*['\"`]|"
    r"createContextualFragment|(?:src|href|fetch\(|import\()\s*[:=(]?\s*['\"`](?:https?:)?//"
)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_of_the_page_puts_text_in_as_text_and_calls_no_other_server(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [f"{number}: {line}" for number, line in enumerate(lines, 1) if BANNED_IN_SCRIPTS.search(line)] == []


@pytest.mark.parametrize(
    "line",
    ["box.innerHTML = name", "document.write(x)", "eval(x)", "new Function(x)", "setTimeout('x()', 1)", "fetch('https://x.example')",
     "img.src = '//x.example/a.png'", "import('https://x.example/a.js')", "box.insertAdjacentHTML('beforeend', x)"],
)  # fmt: skip
def test_each_rule_for_scripts_finds_its_fault(line):
    assert BANNED_IN_SCRIPTS.search(line)


def test_style_sheets_load_nothing_from_elsewhere():
    for path in (PROJECT / "webui" / "static").glob("*.css"):
        assert not re.search(r"@import|url\(\s*['\"]?(?:https?:)?//", path.read_text(encoding="utf-8")), path.name
