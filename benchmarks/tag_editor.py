"""The tag editor at 10,000 pictures: how long a person waits for each action, and what the server spends on it.

    python -m benchmarks.tag_editor [--pictures 10000] [--runs 5] [--no-page]

Makes that many small JPEGs with captions (17 tags each, 3000 different ones) in a temporary folder. Prints medians:
each action of the store by itself, then, in Chromium, from the click to the redrawn page. Saving writes every caption
for real, old texts kept first and every file synced to disk.
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.page import CHROMIUM, page_on
from webui.routes import datasets
from webui.tagfolders import OpenFolders
from webui.tagops import Edit
from webui.tagstore import Query

# Does something in the page; resolves to the milliseconds until the answer was drawn and a frame has passed.
TIMED = """([act, arg]) => new Promise((done) => {
  const app = document.querySelector('[data-role=tags-editor]');
  const at = (role) => app.querySelector(`[data-role=${role}]`);
  const acts = {
    click: (role) => at(role).click(),
    include: (tag) => app.querySelector(`[data-role=tags-row][data-tag="${tag}"] [data-role=tags-row-include]`).click(),
    chip: () => at('tags-chip-remove').click(),
    look: () => at('tags-next').click(),
  };
  const began = performance.now();
  const watcher = new MutationObserver(() => {
    watcher.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
  });
  watcher.observe(app, {attributes: true, attributeFilter: ['data-seq']});
  acts[act](arg);
})"""


def make(folder: Path, pictures: int) -> None:
    """Draw the pictures: 64 different ones, copied, and captions with common and rare tags."""
    chance = random.Random(1)
    blobs = []
    for n in range(64):
        image = Image.new("RGB", (320, 400), (4 * n, 255 - 4 * n, 120))
        stream = io.BytesIO()
        image.save(stream, "JPEG")
        blobs.append(stream.getvalue())
    for n in range(pictures):
        tags = ["1girl", "solo", *(f"tag {min(2999, int(chance.expovariate(1 / 200)))}" for _ in range(15))]
        (folder / f"{n:05d}.jpg").write_bytes(blobs[n % 64])
        (folder / f"{n:05d}.txt").write_bytes(", ".join(tags).encode())


def show(what: str, milliseconds: list[float]) -> None:
    """Print one line: the median, and the slowest of several."""
    worst = f"  (slowest {max(milliseconds):.0f})" if len(milliseconds) > 1 else ""
    print(f"  {what:<44}{statistics.median(milliseconds):>8.0f} ms{worst}", flush=True)


def measure_store(folder: Path, state: Path, runs: int) -> None:
    """The store and the JSON of its answers, without a browser."""

    def timed(action: Callable[[], object]) -> float:
        began = time.perf_counter()
        action()
        return (time.perf_counter() - began) * 1000

    print("server alone")
    began = time.perf_counter()
    opened = OpenFolders(state).open(folder, False, ".txt")
    show("open the folder (list, read, count)", [(time.perf_counter() - began) * 1000])
    store, everyone = opened.store, range(len(opened.store.rows))

    def view(query: Query) -> None:
        datasets._json(datasets._view(opened, query))

    steps: dict[str, Callable[[], object]] = {
        "view of everything": lambda: view(Query()),
        "view of a filter": lambda: view(Query(include=("tag 5",), exclude=("tag 7",), text="girl")),
        "add a tag to all": lambda: store.apply(Edit(kind="add", tags=("new",)), everyone),
        "undo it": store.undo,
        "replace a tag in all": lambda: store.apply(
            Edit(kind="replace", tags=("1girl",), replacement=("girl",)), everyone
        ),
        "undo that": store.undo,
        "sort all": lambda: store.apply(Edit(kind="sort"), everyone),
        "undo the sorting": store.undo,
        "change one picture": lambda: store.apply(Edit(kind="tags", tags=("a",)), [0]),
        "undo the change": store.undo,
        "look at the folder on disk again": store.refresh,
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(runs):
        for name, step in steps.items():
            times[name].append(timed(step))
    for name, spent in times.items():
        show(name, spent)
    store.apply(Edit(kind="add", tags=("saved",)), everyone)
    began = time.perf_counter()
    opened.saver.start()
    progress = opened.saver.wait()
    show(f"save {progress.written} captions (in a thread)", [(time.perf_counter() - began) * 1000])


def measure_page(folder: Path, root: Path, runs: int) -> None:
    """From the click to the redrawn page, in Chromium."""
    from playwright.sync_api import sync_playwright

    with page_on(root) as (address, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
        page.set_default_timeout(60_000)
        page.on("dialog", lambda dialog: dialog.accept())
        print("in the browser, click to redrawn page")
        _open(page, address, folder)
        _actions(page, runs)
        browser.close()


def _open(page: Any, address: str, folder: Path) -> None:
    page.goto(address)
    page.locator("#tab-tags-button").click()
    page.locator("[data-role=tags-path]").fill(str(folder))
    began = time.perf_counter()
    page.locator("[data-role=tags-welcome] [data-role=tags-open]").click()
    page.locator("[data-role=tags-cell]").first.wait_for()
    show("open the folder: first pictures in the page", [(time.perf_counter() - began) * 1000])
    began = time.perf_counter()
    page.goto(address)
    page.locator("#tab-tags-button").click()
    page.locator("[data-role=tags-cell]").first.wait_for()
    show("load the page with the folder open", [(time.perf_counter() - began) * 1000])
    page.wait_for_load_state("networkidle")


def _actions(page: Any, runs: int) -> None:
    times: dict[str, list[float]] = {}

    def timed(what: str, act: str, arg: str | None = None) -> None:
        times.setdefault(what, []).append(page.evaluate(TIMED, [act, arg]))

    for _ in range(runs):
        timed("filter by a tag", "include", "tag 5")
        timed("clear the filter", "click", "tags-filter-clear")
        timed("next picture", "look")
        timed("remove a chip", "chip")
        timed("undo it", "click", "tags-undo")
        page.locator("[data-role=tags-row][data-tag='1girl']").click()
        page.locator("[data-role=tags-remove]", has_text="pictures").click(trial=True)
        timed("remove a tag from all", "click", "tags-remove")
        timed("undo that", "click", "tags-undo")
        timed("redo that", "click", "tags-redo")
        timed("undo that again", "click", "tags-undo")
    for what, spent in times.items():
        show(what, spent)
    scroll = []
    for place in (0.5, 0.9, 0.2, 0.7, 0.05)[:runs]:
        began = time.perf_counter()
        page.evaluate(
            "p => { const g = document.querySelector('[data-role=tags-grid]'); g.scrollTop = g.scrollHeight * p; }",
            place,
        )
        page.wait_for_function(
            "() => new Promise((r) => requestAnimationFrame(() => setTimeout(() => r("
            "[...document.querySelectorAll('[data-role=tags-cell] img')].every((i) => i.complete)))))"
        )
        scroll.append((time.perf_counter() - began) * 1000)
    show("jump in the gallery until all is painted (cold)", scroll)
    nodes = page.evaluate("() => document.querySelectorAll('[data-role=tags-editor] *').length")
    print(f"  elements of the editor in the page: {nodes}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-page", action="store_true", help="measure the server alone, without Chromium")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "10_set"
        folder.mkdir()
        make(folder, chosen.pictures)
        print(f"{chosen.pictures} pictures, medians of {chosen.runs}")
        measure_store(folder, Path(name) / "state", chosen.runs)
        if not chosen.no_page:
            measure_page(folder, Path(name) / "root", chosen.runs)


if __name__ == "__main__":
    main()
