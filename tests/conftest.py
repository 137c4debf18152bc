"""Settings for every test: one thread, no network, no telemetry.

`launch.sh test` gives whole files to a process a core, in this order; tests of different files share nothing.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# Machines that run tests are busy; how long one example takes says nothing.
hypothesis.settings.register_profile("athanor", deadline=None)
hypothesis.settings.load_profile("athanor")

os.environ.update(
    OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE", HF_HUB_OFFLINE="1",
    GRADIO_ANALYTICS_ENABLED="False", TOKENIZERS_PARALLELISM="false", PYTHONUTF8="1", BITSANDBYTES_NOWELCOME="1",
)  # fmt: skip


# Started with nohup, or by a program that was, the tests inherit a SIGHUP that is ignored, and try less.
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright leaves an event loop running in this thread, and asyncio.run wants none."""
    items.sort(key=lambda item: "e2e" in item.path.parts)


@pytest.fixture(autouse=True)
def working_folder() -> Iterator[None]:
    """A test that leaves the process in another folder fails itself, not the ones after it."""
    before = Path.cwd()
    yield
    after = Path.cwd()
    os.chdir(before)
    assert after == before
