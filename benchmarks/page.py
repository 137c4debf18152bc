"""The page's waiting times: from the launcher to an answer, and single answers.

    python -m benchmarks.page [--runs 5]          (once installed: `bash launch.sh` has made .venv)

Prints medians: `bash launch.sh --no-browser` until GET / answers, GET / alone, the form's specification, one check of
the form (values -> report and TOML), the list of jobs. Every number is wall time on this machine; the first start is
not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
CHROMIUM = "/usr/bin/chromium"
SERVE = """
import sys
from pathlib import Path
from webui.server import serve
serve(Path(sys.argv[1]), port=int(sys.argv[2]), open_browser=False)
"""


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def start(port: int) -> tuple[subprocess.Popen[bytes], float]:
    """Start the page through the launcher; (process, seconds until it answered)."""
    bash = shutil.which("bash") or "bash"
    began = time.monotonic()
    process = subprocess.Popen(
        [bash, str(ROOT / "launch.sh"), "--no-browser", "--port", str(port)], start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60).read()
            return process, time.monotonic() - began
        except OSError:
            time.sleep(0.02)
    sys.exit(f"launch.sh ended with code {process.returncode}; run it by hand to see why")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the launcher and what it started."""
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(20)


@contextlib.contextmanager
def page_on(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The page's server on `folder`, from its first answer on: (its address, its process)."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder), str(port)], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        while process.poll() is None:
            try:
                urllib.request.urlopen(f"{address}/api/jobs/running", timeout=60).read()
                break
            except OSError:
                time.sleep(0.05)
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def median_milliseconds(action: Callable[[], object], times: int = 20) -> float:
    """Median wall time of an action, after one that is not counted."""
    action()
    spent = []
    for _ in range(times):
        began = time.monotonic()
        action()
        spent.append(time.monotonic() - began)
    return statistics.median(spent) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    waits = []
    for run in range(runs + 1):
        port = free_port()
        process, seconds = start(port)
        if run:
            waits.append(seconds)
        if run < runs:
            stop(process)
    print(
        f"launch.sh to an answering page: median {statistics.median(waits):.2f} s of {runs} "
        f"(slowest {max(waits):.2f} s)"
    )
    page = f"http://127.0.0.1:{port}"

    def get(path: str) -> bytes:
        return bytes(urllib.request.urlopen(f"{page}{path}", timeout=60).read())

    def post(path: str, body: object) -> bytes:
        request = urllib.request.Request(
            f"{page}{path}", json.dumps(body).encode(), {"Content-Type": "application/json", "Origin": page}
        )
        return bytes(urllib.request.urlopen(request, timeout=60).read())

    try:
        values = json.loads(get("/api/form/draft"))["values"]
        print(f"GET /: {median_milliseconds(lambda: get('/')):.0f} ms")
        print(f"form specification: {median_milliseconds(lambda: get('/api/form/spec')):.0f} ms")
        print(f"form check: {median_milliseconds(lambda: post('/api/form/check', {'values': values})):.0f} ms")
        print(f"list of jobs: {median_milliseconds(lambda: get('/api/jobs')):.0f} ms")
    except urllib.error.HTTPError as error:
        sys.exit(f"{error.url} answered {error.code}: {error.read()[:300]!r}")
    finally:
        stop(process)


if __name__ == "__main__":
    main()
