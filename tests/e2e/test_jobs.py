"""Watching, stopping and finding jobs again in the browser."""

from __future__ import annotations

import re

import pytest

from tests.e2e.candlelight import SERVE, burn, call, until
from tests.e2e.conftest import Server, wait_for

LONG = "steps=100000 seconds=0.02 sample=50 save=100"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("jobs"), script=SERVE).start()
    yield running
    running.stop()


@pytest.fixture
def long_job(server):
    job_id = burn(server, "long", LONG)
    yield job_id
    call(server, f"jobs/{job_id}/end", {})


def step_of(page) -> int:
    return int(page.locator("[data-role=step]").inner_text().split("/")[0])


def test_a_finished_job_shows_progress_curve_previews_files_log_and_parameters(page, server):
    job_id = burn(server, "星-star", "steps=40 seconds=0.005")
    until(server, job_id, "finished")
    page.goto(f"{server.url}#job={job_id}")
    assert page.locator("[data-role=job-name]").inner_text() == "星-star"
    page.locator("[data-role=job-state][data-state=finished]").first.wait_for()
    assert page.locator("[data-role=step]").inner_text() == "40 / 40"
    page.wait_for_function("document.querySelector('[data-role=loss-curve]').dataset.points === '40'")
    assert "over 40 steps" in page.locator("[data-role=loss-curve]").get_attribute("aria-label")
    assert page.locator("[data-role=job-file]").count() == 3
    page.wait_for_function("document.querySelector('[data-role=preview]').naturalWidth === 256")
    assert "step 40" in page.locator("[data-role=preview-words]").inner_text()
    page.locator("[data-role=preview-slider]").fill("0")
    assert "step 10" in page.locator("[data-role=preview-words]").inner_text()
    page.locator("[data-role=log]").get_by_text("finished", exact=True).wait_for()
    page.locator("[data-role=job-parameters] summary").click()
    page.locator("[data-role=job-config]").get_by_text("output_name").wait_for()
    assert page.locator("[data-role=result-file]").inner_text().replace("\\", "/") == "output/星-star.safetensors"
    assert page.locator("[data-role=result-prompt]").inner_text() == "<lora:星-star:0.8>, a star, seed 42 <b>bold</b>"
    with page.expect_download() as download:
        page.locator("[data-role=result-download]").click()
    assert download.value.suggested_filename == "星-star.safetensors"


def test_a_job_is_renamed_starred_and_noted_and_the_page_says_so_after_a_restart(page, server):
    job_id = burn(server, "plain", "steps=5")
    until(server, job_id, "finished")
    page.goto(f"{server.url}#job={job_id}")
    page.locator("[data-role=star]").click()
    page.locator("[data-role=star][aria-pressed=true]").wait_for()
    page.locator("[data-role=rename]").click()
    page.locator("[data-role=job-rename]").fill("<b>best</b>")
    page.keyboard.press("Enter")
    page.locator("[data-role=job-name]", has_text="<b>best</b>").wait_for()
    page.locator("[data-role=note-edit]").click()
    page.locator("[data-role=note-field]").fill("rank 32\nnext 16")
    page.locator("[data-role=note-keep]").click()
    page.locator("[data-role=note-text]", has_text="next 16").wait_for()
    page.reload()
    row = page.locator(f"[data-role=job][data-id='{job_id}']")
    row.locator("[data-role=list-star]").wait_for()
    assert row.locator(".job-name").inner_text() == f"<b>best</b> · {job_id[9:11]}:{job_id[11:13]}"
    page.locator("[data-role=note-text]", has_text="next 16").wait_for()
    assert page.locator("[data-role=curve-name]").inner_text() == row.locator(".job-name").inner_text()


def test_text_out_of_logs_prompts_and_errors_is_never_run(page, server):
    job_id = burn(server, "xss", "steps=40 fail=20 sample=5")
    until(server, job_id, "failed")
    page.goto(f"{server.url}#job={job_id}")
    page.locator("[data-role=log]").get_by_text("<script>window.__pwned = 1</script>").wait_for()
    page.locator("[data-role=preview-words]").get_by_text("<b>bold</b>").wait_for()
    page.locator("[data-role=job-traceback] summary").click()
    page.locator("[data-role=job-traceback]").get_by_text("<img src=x").wait_for()
    assert page.evaluate("window.__pwned") is None


def test_a_failed_job_opens_with_the_reason_and_the_cure(page, server):
    job_id = burn(server, "poor", "steps=40 fail=20")
    until(server, job_id, "failed")
    before = len(call(server, "jobs")["jobs"])
    page.goto(f"{server.url}#job={job_id}")
    page.locator("[data-role=job-error-message]").get_by_text("ran out of memory").wait_for()
    page.locator("[data-role=job-error-advice]").get_by_text("Lower train_batch_size").wait_for()
    assert not page.locator("[data-role=job-traceback] pre").is_visible()
    page.locator("[data-role=apply-remedy]").click()
    page.locator("[data-address='precision.gradient_checkpointing']").wait_for(state="attached")
    page.wait_for_function("document.querySelector('#train-precision-gradient_checkpointing').checked")
    assert page.locator("#train-save-output_name").is_visible()  # the form is open, and nothing was started
    page.goto(f"{server.url}#job={job_id}")
    page.locator("[data-role=change]").click()
    page.wait_for_function("!document.querySelector('#train-precision-gradient_checkpointing').checked")
    assert page.locator("#train-save-output_name").is_visible()
    assert len(call(server, "jobs")["jobs"]) == before


def test_progress_lines_are_folded_into_one(page, server, long_job):
    page.goto(f"{server.url}#job={long_job}")
    page.locator("[data-role=log-open]").get_by_text("steps:").wait_for()
    assert len(re.findall("steps:", page.locator("[data-role=log-open]").inner_text())) == 1


def test_a_log_in_pieces_shows_what_the_whole_shows(page, server):
    """Wherever the stream is cut, the lines are those that a terminal would show."""
    page.goto(server.url)
    page.locator("header.bar").wait_for()
    text = "one\r\ntwo 10%\rtwo 90%\rtwo done\n\nthree\rfour"
    shown = page.evaluate(
        """async (text) => {
          const { LineBuffer, visiblePart } = await import(new URL('./static/joblog.js', document.baseURI));
          const results = new Set();
          for (let cut = 0; cut <= text.length; cut += 1) {
            const buffer = new LineBuffer();
            buffer.take(text.slice(0, cut));
            buffer.take(text.slice(cut));
            results.add(JSON.stringify([...buffer.lines, visiblePart(buffer.open)]));
          }
          const flood = new LineBuffer();
          flood.take('x\\n'.repeat(100000));
          const long = new LineBuffer();
          for (let piece = 0; piece < 50; piece += 1) long.take('y'.repeat(10000));
          long.take('end');
          const open = [long.open.length, long.open.at(0), long.open.slice(-4)];
          long.take('\\n');
          const ends = [...results].map((one) => JSON.parse(one));
          return [ends, flood.lines.length, flood.finished, open, long.lines[0].length];
        }""",
        text,
    )
    assert shown == [[["one", "two done", "", "four"]], 500, 100_000, [20_001, "…", "yend"], 20_001]


def test_a_reload_and_a_second_window_show_the_run(page, server, long_job):
    page.goto(f"{server.url}#job={long_job}")
    page.locator("[data-role=step]").wait_for()
    before = step_of(page)
    page.reload()
    page.locator("header.bar").wait_for()
    page.locator("[data-role=step]").wait_for()
    other = page.context.new_page()
    other.goto(server.url)
    other.locator("#tab-jobs-button").click()
    other.locator("[data-role=step]").wait_for()
    assert step_of(page) >= before and step_of(other) >= before
    other.close()


ASKED = """
  window.asked = 0;
  window.shown = [];
  window.Notification = class {
    static permission = 'default';
    static async requestPermission() { window.asked += 1; this.permission = 'granted'; return 'granted'; }
    constructor(title) { window.shown.push(title); }
  };
"""


def test_the_strip_stands_on_every_tab_stops_the_run_and_tells_its_end_to_who_looks_elsewhere(page, server):
    job_id = burn(server, "strip", LONG)
    page.add_init_script(ASKED)
    page.goto(f"{server.url}#job={job_id}")
    page.wait_for_function("document.title === '0 % · strip – Athanor'")
    page.locator("[data-role=notify][aria-pressed=false]").wait_for()
    assert page.evaluate("[asked, shown]") == [0, []]  # nothing is asked before the click
    page.locator("[data-role=notify]").click()
    page.locator("[data-role=notify][aria-pressed=true]").wait_for()
    assert page.evaluate("asked") == 1
    for name in ("train", "tags", "settings"):
        page.locator(f"#tab-{name}-button").click()
        page.locator("[data-role=strip-name]").get_by_text("strip").wait_for()
    page.locator("[data-role=strip-step]").get_by_text(re.compile(r"\d+/100000")).wait_for()
    page.locator("[data-role=running-strip] [data-role=stop]").click()
    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")  # as in another browser tab
    assert until(server, job_id, "stopped")["end"]["state"]
    page.locator("[data-role=running-strip]").wait_for(state="hidden")
    page.locator("[data-role=notice]").get_by_text("strip has stopped.").wait_for()
    assert page.evaluate("shown") == ["strip has stopped."]
    assert page.title() == "strip has stopped. – Athanor"


def test_a_stopped_run_goes_on_from_its_state_with_a_click(page, server):
    job_id = burn(server, "pause", LONG)
    page.goto(f"{server.url}#job={job_id}")
    page.locator("[data-role=job-actions] [data-role=stop]").click()
    page.locator("[data-role=resume]").click()
    page.wait_for_function("id => location.hash !== `#job=${id}`", arg=job_id)
    page.locator("[data-role=job-head] [data-state=running]").wait_for()
    new_id = page.evaluate("location.hash.slice(5)")
    assert "resume = " in call(server, f"jobs/{new_id}/config")["toml"]
    page.locator("[data-role=job-actions] [data-role=stop]").click()
    page.locator("[data-role=again]").click()
    page.locator("[data-role=notice]", has_text="It begins at the first step").wait_for()
    page.wait_for_function("id => location.hash !== `#job=${id}`", arg=new_id)
    last_id = page.evaluate("location.hash.slice(5)")
    assert "resume = " not in call(server, f"jobs/{last_id}/config")["toml"]
    call(server, f"jobs/{last_id}/end", {})
    call(server, f"jobs/{new_id}/end", {})


def test_killing_the_page_harms_no_run_and_its_restart_shows_everything(page, own_server):
    server = own_server(script=SERVE)
    job_id = burn(server, "survivor", LONG)
    waiting = burn(server, "next", "steps=5")
    page.goto(f"{server.url}#job={job_id}")
    page.locator("[data-role=step]").wait_for()
    page.locator("gradio-app #panels").wait_for()
    server.kill()
    before = step_of(page)
    wait_for(lambda: b'"step"' in (server.root / "jobs" / job_id / "events.jsonl").read_bytes()[-400:])
    server.start()
    # No reload: the window that stayed open goes on by itself, and nothing of the log is missing.
    page.wait_for_function(
        "before => Number(document.querySelector('[data-role=step]').textContent.split('/')[0]) > before", arg=before
    )
    assert call(server, "jobs")["queue"] == [waiting]
    call(server, f"jobs/{job_id}/stop", {})
    until(server, job_id, "stopped")
    until(server, waiting, "finished")


def test_the_queue_is_reordered_and_jobs_are_removed_with_a_way_back(page, server, long_job):
    first, second = burn(server, "first", "steps=5"), burn(server, "second", "steps=5")
    page.goto(f"{server.url}#job={second}")
    page.locator(f".job-item:has([data-id='{second}']) [data-role=queue-up]").click()
    wait_for(lambda: call(server, "jobs")["queue"] == [second, first])
    page.locator("[data-role=remove]").click()
    page.locator(f"[data-role=job][data-id='{second}']").wait_for(state="detached")
    page.locator("[data-role=notice-action]").click()
    page.locator(f"[data-role=job][data-id='{second}']").wait_for()
    for job_id in (first, second):
        call(server, f"jobs/{job_id}/remove", {})


class Held:
    """Requests that are answered when the test says so; those after the first pass."""

    def __init__(self, page, address: str, method: str = "GET") -> None:
        self.page, self.routes, self.answer = page, [], None

        def take(route) -> None:
            if route.request.method != method or self.routes:
                route.fallback()
                return
            self.routes.append(route)
            self.answer = route.fetch()  # as it is now

        page.route(address, take)

    def wait(self) -> None:
        wait_for(lambda: self.answer or self.page.wait_for_timeout(20))

    def release(self) -> None:
        self.routes[0].fulfill(response=self.answer)
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def test_a_late_answer_never_takes_the_place_of_a_newer_one(page, server):
    first, second = burn(server, "early", "steps=5"), burn(server, "later", "steps=5")
    for job_id in (first, second):
        until(server, job_id, "finished")
    page.goto(f"{server.url}#job={first}")
    page.locator("[data-role=job-head] [data-state=finished]").wait_for()
    shown = page.locator("[data-role=job-config]")

    parameters = Held(page, f"**/{first}/config")
    page.locator("[data-role=job-parameters] summary").click()
    parameters.wait()
    page.locator(f"[data-role=job][data-id='{second}']").click()
    page.locator("[data-role=job-name]").get_by_text("later").wait_for()
    page.locator("[data-role=job-parameters] summary").click()
    shown.get_by_text('output_name = "later"').wait_for()
    parameters.release()
    assert 'output_name = "later"' in shown.inner_text()

    again = Held(page, f"**/{second}/again", "POST")
    page.locator("[data-role=again]").click()
    again.wait()
    page.locator(f"[data-role=job][data-id='{first}']").click()
    page.locator("[data-role=job-name]").get_by_text("early").wait_for()
    again.release()
    assert page.evaluate("location.hash") == f"#job={first}"

    jobs = Held(page, "**/api/jobs")
    page.evaluate("document.dispatchEvent(new Event('athanor:running'))")
    jobs.wait()
    newest = burn(server, "newest", "steps=5")
    page.evaluate("document.dispatchEvent(new Event('athanor:running'))")
    page.locator(f"[data-role=job][data-id='{newest}']").wait_for()
    jobs.release()
    assert page.locator(f"[data-role=job][data-id='{newest}']").count() == 1


def test_a_job_that_is_removed_elsewhere_gives_way_to_another_one(page, server):
    stays, goes = burn(server, "stays", "steps=5"), burn(server, "goes", "steps=5")
    for job_id in (stays, goes):
        until(server, job_id, "finished")
    page.goto(f"{server.url}#job={goes}")
    page.locator("[data-role=job-name]").get_by_text("goes").wait_for()
    call(server, f"jobs/{goes}/remove", {})
    page.locator(f"[data-role=job][data-id='{goes}']").wait_for(state="detached")
    page.wait_for_function("id => location.hash.startsWith('#job=') && !location.hash.includes(id)", arg=goes)
    page.locator("[data-role=job-view]").wait_for()
    assert page.locator("[data-role=job-name]").inner_text() != "goes"
    assert page.locator("[data-role=notice][data-kind=error]").count() == 0


def test_a_flood_of_lines_keeps_the_page_small_and_usable(page, server):
    job_id = burn(server, "flood", "steps=5000 seconds=0.005 flood=30000 sample=0 save=0")
    page.goto(f"{server.url}#job={job_id}")
    page.locator("[data-role=step]").wait_for()
    page.locator("[data-role=log]").get_by_text("平均 loss").first.wait_for()
    assert page.locator("[data-role=log] .log-line").count() <= 501
    page.locator("#tab-settings-button").click()
    page.locator("#settings").wait_for()
    call(server, f"jobs/{job_id}/end", {})


def test_searching_the_log_shows_only_the_lines_that_match(page, server):
    job_id = burn(server, "search", "steps=60 seconds=0.001")
    until(server, job_id, "finished")
    page.goto(f"{server.url}#job={job_id}")
    page.locator("[data-role=log]").get_by_text("finished", exact=True).wait_for()
    page.locator("[data-role=log-search]").press_sequentially("step 50")
    page.wait_for_function("document.querySelectorAll('[data-role=log] .log-line:not(.open)').length === 1")
    page.locator("[data-role=log-search]").fill("")
    page.wait_for_function("document.querySelectorAll('[data-role=log] .log-line').length > 10")


def test_a_job_that_does_not_obey_is_ended_after_a_question(page, server):
    job_id = burn(server, "deaf", LONG + " stubborn=1")
    page.goto(f"{server.url}#job={job_id}")
    page.locator("[data-role=step]").wait_for()
    page.locator("[data-role=job-actions] [data-role=stop]").click()
    page.locator("[data-role=job-actions] [data-role=end]").click()
    asked: list[str] = []
    page.on("request", lambda request: request.method == "POST" and asked.append(request.url))
    page.locator("[data-role=ask-cancel]").click()
    page.locator("[data-role=job-actions] [data-role=end]").click()
    page.keyboard.press("Escape")
    page.locator("[data-role=dialog]").wait_for(state="detached")
    assert asked == [] and call(server, f"jobs/{job_id}/live")["job"]["state"] == "running"
    page.locator("[data-role=job-actions] [data-role=end]").click()
    page.locator("[data-role=ask-ok]").click()
    until(server, job_id, "stopped")
    page.locator("[data-role=job-head] [data-state=stopped]").wait_for()


def test_a_phone_held_upright_watches_and_stops_a_run(browser, server):
    job_id = burn(server, "phone", LONG)
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(f"{server.url}#job={job_id}")
    page.locator("[data-role=step]").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # The list above the job is drawn anew while it has the focus: what is read below stays where it is.
    page.locator(f"[data-role=job][data-id='{job_id}']").focus()
    page.evaluate("window.scrollTo(0, 500)")
    call(server, f"jobs/{job_id}/about", {"name": "another name"})
    page.locator(f"[data-role=job][data-id='{job_id}']", has_text="another name").wait_for()
    assert page.evaluate("document.activeElement.dataset.id") == job_id
    assert abs(page.evaluate("window.scrollY") - 500) < 50  # the longer name may take a line more above
    page.locator("[data-role=running-strip] [data-role=stop]").tap()
    until(server, job_id, "stopped")
    context.close()


def test_log_lines_also_go_to_the_console(server):
    job_id = burn(server, "echo", "steps=10")
    until(server, job_id, "finished")
    wait_for(
        lambda: "[echo] finished" in server.console.read_text(encoding="utf-8"), what="the console to show the log"
    )
