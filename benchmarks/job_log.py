"""How fresh the Jobs tab's log is while a trainer prints 1000 lines a second, and what the page server pays for it.

    python -m benchmarks.job_log [--rate 1000] [--seconds 15]

Starts the page on a temporary folder, a job whose process appends `rate` numbered lines a second (each with the time
it was written) to its log.txt, and Chromium on the Jobs tab. Prints how old the newest shown line is when it appears
(median, worst), the lines in the page's document, and the CPU share of the page server.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.page import CHROMIUM, page_on
from trainer.events import EventLog
from trainer.job import Job

WRITER = """
import sys, time
rate, end = float(sys.argv[2]), time.time() + float(sys.argv[3])
number, began = 0, time.time()
with open(sys.argv[1], "a", encoding="utf-8", buffering=1) as log:
    while time.time() < end:
        due = int((time.time() - began) * rate)
        while number < due:
            number += 1
            log.write(f"line {number} written at {time.time():.3f} 训练日志\\n")
        time.sleep(0.005)
"""
OBSERVE = """() => {
  const ages = []; let last = 0;
  window.__ages = ages;
  new MutationObserver(() => {
    const found = document.body.textContent.matchAll(/line (\\d+) written at (\\d+\\.\\d+)/g);
    let newest = 0, at = 0;
    for (const m of found) { if (+m[1] > newest) { newest = +m[1]; at = +m[2]; } }
    if (newest > last) { last = newest; ages.push(Date.now() / 1000 - at); }
  }).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


def main() -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--seconds", type=float, default=15)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = Job.create(folder / "jobs", "noisy", "")
        EventLog(job.events_path).emit("started", name="noisy", steps=100, epochs=1)
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(job.log_path), str(chosen.rate), str(chosen.seconds + 25)]
        )
        job.write_process(writer.pid, ["writer"])
        try:
            with page_on(folder) as (address, server), sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
                page = browser.new_page()
                page.goto(f"{address}/#job={job.id}")
                page.get_by_text("written at", exact=False).first.wait_for(timeout=20000)
                page.evaluate(OBSERVE)
                before, began = sum(server.cpu_times()[:2]), time.time()
                page.wait_for_timeout(chosen.seconds * 1000)
                share = (sum(server.cpu_times()[:2]) - before) / (time.time() - began)
                ages = page.evaluate("() => window.__ages")
                lines = page.evaluate("() => (document.body.textContent.match(/written at/g) || []).length")
                browser.close()
        finally:
            writer.kill()
    print(f"{chosen.rate:.0f} lines/s: shown {len(ages) / chosen.seconds:.1f} times a second, newest line "
          f"{statistics.median(ages) * 1000:.0f} ms old (worst {max(ages) * 1000:.0f} ms), {lines} lines in the page, "
          f"page server {share:.0%} of one core")  # fmt: skip


if __name__ == "__main__":
    main()
