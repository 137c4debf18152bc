"""Who may import whom, read from the syntax trees.

And what must stay light, asked from fresh interpreters (DESIGN section 2).
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("trainer", "taggers", "webui")
HEAVY = {"torch", "diffusers", "transformers", "accelerate", "onnxruntime", "bitsandbytes", "xformers"}

# What each package may take from the others. The page and the taggers may only take LIGHT modules of the trainer.
ALLOWED = {
    "trainer": (),
    "taggers": (
    "trainer.addresses",
    "trainer.atomic", "trainer.dataset", "trainer.events", "trainer.job", "trainer.config",
    "trainer.numbers", "trainer.paths", "trainer.jsontext", "trainer.filesystem", "trainer.signals",
    "trainer.demo.drawing"),
    "webui": (
        "trainer.__version__", "trainer.addresses", "trainer.textfiles",
        "trainer.signals", "trainer.leftovers", "trainer.atomic", "trainer.jsontext", "trainer.tomltext",
        "trainer.filesystem",
        "trainer.locks", "trainer.config", "trainer.optimizers", "trainer.schedules", "trainer.job",
        "trainer.events", "trainer.dataset",
        "trainer.metadata", "trainer.tools.inspect", "trainer.families.weights", "trainer.families.kinds",
        "trainer.families.tokens", "trainer.families.emphasis", "trainer.families.adaptable", "trainer.filesize",
        "trainer.demo",
        "trainer.curves", "trainer.prompts", "trainer.saving", "trainer.spawning",
        "trainer.arguments", "trainer.numbers", "trainer.paths", "trainer.plurals", "trainer.networks.arguments",
        "taggers",
    ),
    "app": ("webui",),
}  # fmt: skip


def sources(package: str) -> list[Path]:
    return [PROJECT / "app.py"] if package == "app" else sorted((PROJECT / package).rglob("*.py"))


def imported(path: Path, module_level: bool = False) -> set[str]:
    """Full names of the modules (and names out of modules) that a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree)) if not module_level else [node for node in top_level(tree)]
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def top_level(tree: ast.Module) -> list[ast.stmt]:
    """Statements that run on import: outside functions, and not under `if TYPE_CHECKING`."""
    found: list[ast.stmt] = []
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        found.append(node)
        for part in ("body", "orelse", "finalbody"):
            waiting.extend(getattr(node, part, []))
    return found


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_a_package_imports_only_what_it_may(package):
    wrong = []
    for path in sources(package):
        for name in imported(path):
            owner = name.split(".")[0]
            if (
                owner in PACKAGES
                and owner != package
                and not any(f"{name}.".startswith(f"{allowed}.") for allowed in ALLOWED[package])
            ):
                wrong.append(f"{path.relative_to(PROJECT)}: {name}")
    assert wrong == []


@pytest.mark.parametrize("package", ["webui", "app"])
def test_the_page_never_names_a_heavy_package(package):
    wrong = [
        f"{path.relative_to(PROJECT)}: {name}"
        for path in sources(package)
        for name in imported(path)
        if name.split(".")[0] in HEAVY
    ]
    assert wrong == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_module_that_calls_itself_light_imports_nothing_heavy_when_it_is_loaded(package):
    wrong = []
    for path in sources(package):
        words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if "LIGHT" in words:
            wrong += [
                f"{path.relative_to(PROJECT)}: {name}"
                for name in imported(path, module_level=True)
                if name.split(".")[0] in HEAVY
            ]
    assert wrong == []


def fresh(code: str, folder: Path) -> str:
    """What a new interpreter prints, started in `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        cwd=folder,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_whole_page_is_built_without_torch(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom webui.server import create_app\nfrom webui.site import open_site\n"
        "app = create_app(open_site(Path('.')))\n"
        f"print(sorted(set(sys.modules) & {HEAVY | {'tensorboard', 'matplotlib'}!r}))"
    )
    assert fresh(code, tmp_path) == "[]"


@pytest.mark.parametrize("package", ["trainer", "taggers"])
def test_every_light_module_loads_without_torch(package, tmp_path):
    light = [
        ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
        for path in sources(package)
        if "LIGHT" in (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
        and path.name != "__main__.py"
    ]
    code = f"import importlib, sys\nfor name in {light!r}:\n    importlib.import_module(name)\n"
    code += f"print(sorted(set(sys.modules) & {HEAVY!r}))"
    assert fresh(code, tmp_path) == "[]"


def test_the_page_process_calls_nobody_when_it_starts(tmp_path):
    """Gradio's telemetry would look up two names; the audit hook sees every look-up and connection of the process."""
    code = (
        "import sys\ncalls = []\n"
        "def hook(event, args):\n"
        "    if event == 'socket.getaddrinfo' or (event == 'socket.connect' and not str(args[1]).startswith('/')):\n"
        "        calls.append((event, args))\n"
        "sys.addaudithook(hook)\n"
        "from pathlib import Path\nfrom fastapi.testclient import TestClient\n"
        "from webui.server import create_app, protected\nfrom webui.site import open_site\n"
        "import time\nsite = open_site(Path('.'))\n"
        "with TestClient(protected(create_app(site), site), base_url='http://127.0.0.1') as client:\n"
        "    assert client.get('/').status_code == 200\n    assert client.get('/api/jobs').status_code == 200\n"
        "    time.sleep(1)\n"
        "print(calls)"
    )
    assert fresh(code, tmp_path) == "[]"


def test_the_layout_names_every_part_of_the_trainer():
    layout = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Layout")[2].partition("## Who")[0]
    parts = [
        path for path in (PROJECT / "trainer").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    ]
    names = {path.name if path.suffix else f"{path.name}/" for path in parts} - {"__init__.py"}
    assert [name for name in sorted(names) if name not in layout] == []
