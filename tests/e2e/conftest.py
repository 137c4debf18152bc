"""The real page, started as its own process on a free port in a folder of the test's, and Chromium to use it with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 180
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE_MS = 30_000  # a busy machine is slow, not wrong

SERVE = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from webui.server import serve
serve(Path(sys.argv[2]), port=int(sys.argv[3]), open_browser=False, listen=sys.argv[4] == "listen")
"""


@dataclass
class Server:
    """One page process. `url` ends with a slash; with `listen` it carries the key."""

    root: Path
    listen: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    script: str = SERVE
    url: str = ""
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def console(self) -> Path:
        """Everything the process printed."""
        return self.root / "console.txt"

    def start(self) -> Server:
        """Start it and wait until it answers; a restart keeps the port."""
        self.root.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONPATH": str(PROJECT), **self.environment}
        with self.console.open("ab") as console:
            begin = console.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(self.script), str(PROJECT), str(self.root), str(self.port or 0),
                 "listen" if self.listen else "local"],
                cwd=self.root, env=environment, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT,
            )  # fmt: skip
        wait_for(lambda: self._address(begin), START_SECONDS, self._died)
        self.url = str(self._address(begin))
        self.port = int(self.url.split(":")[2].split("/")[0])
        wait_for(self._answers, START_SECONDS, self._died)
        return self

    def kill(self) -> None:
        """End the page process at once, as a crash would; jobs go on."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)

    def stop(self) -> None:
        """End the page and every training process that it started."""
        if self.process is None:
            return
        for record in self.root.glob("jobs/*/process.json"):
            _end_job(record)
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=10)

    def _address(self, begin: int) -> str | None:
        text = self.console.read_bytes()[begin:].decode("utf-8", "replace")
        line = next((line for line in text.splitlines() if line.startswith("Athanor: http")), None)
        return None if line is None else line.removeprefix("Athanor: ").strip()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=10) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            return error.code == 401
        except OSError:
            return False

    def _died(self) -> str | None:
        if self.process is not None and self.process.poll() is not None:
            return (
                f"the page ended with {self.process.returncode}:\n{self.console.read_text('utf-8', 'replace')[-3000:]}"
            )
        return None


def wait_for(
    condition: Callable[[], Any], seconds: float = 30, died: Callable[[], str | None] = lambda: None, what: str = ""
) -> Any:
    """The first true value of `condition`; fails after `seconds`, or at once with the words of `died`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        reason = died()
        if reason:
            pytest.fail(reason)
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s in vain for {what or condition}")
        time.sleep(0.05)


def _end_job(record: Path) -> None:
    from trainer.job import Job

    process = Job(record.parent).process()
    if process is not None and process.alive():
        for child in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
            child.kill()


def chromium_path() -> str | None:
    """Chromium of this machine, or None. The build without windows opens a page with a third of the processor time."""
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium, one for the whole session; tests that need it are skipped with the reason where there is none."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (pip install playwright)"
    )
    path = chromium_path()
    playwright.expect.set_options(timeout=PATIENCE_MS)
    with playwright.sync_playwright() as driver:
        try:
            chromium = driver.chromium.launch(executable_path=path, args=["--disable-dev-shm-usage"])
        except playwright.Error as error:
            pytest.skip(f"no Chromium on this machine ({str(error).splitlines()[0]})")
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One page for all tests of a file, on loopback, in an empty root."""
    running = Server(tmp_path_factory.mktemp("site")).start()
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Makes page processes of this test's own: `own_server(listen=True)`."""
    started: list[Server] = []

    def make(root: Path | None = None, **options: Any) -> Server:
        started.append(Server(root or tmp_path / "site", **options).start())
        return started[-1]

    yield make
    for running in started:
        running.stop()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A fresh English browser window of 1280 x 800; errors of the page's scripts fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    window = context.new_page()
    window.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    window.on("pageerror", lambda error: errors.append(str(error)))
    yield window
    context.close()
    assert not errors, errors


def open_tab(page: Any, name: str) -> None:
    """Click a tab of the page by its module's name, such as "jobs"."""
    page.locator(f"#tab-{name}-button").click()
