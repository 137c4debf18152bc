"""The second answer of every question (No, Escape, the cross) does nothing; an answer that comes late changes nothing.

What the first answer does is in the tests of each tab.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.e2e.candlelight import SERVE, burn, call, until
from tests.e2e.conftest import Server, open_tab, wait_for
from trainer.demo import write_pictures

pytestmark = pytest.mark.browser

HOW_TO_SAY_NO: tuple[Callable[[Any], None], ...] = (
    lambda page: page.locator("[data-role=dialog] .dialog-foot button").first.click(),
    lambda page: page.keyboard.press("Escape"),
    lambda page: page.locator("[data-role=dialog] header button").click(),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("answers"), script=SERVE).start()
    yield running
    running.stop()


@pytest.fixture
def posts(page: Any) -> list[str]:
    """What the page has sent, by path below /api/; drafts, checks and previews change nothing of a person's."""
    sent: list[str] = []

    def note(request: Any) -> None:
        path = request.url.partition("/api/")[2]
        if request.method == "POST" and not path.startswith(("form/draft", "form/check", "form/report", "form/model")):
            sent.append(path)

    page.on("request", note)
    return sent


def role(page: Any, name: str) -> Any:
    return page.locator(f"[data-role={name}]")


def say_no_in_every_way(page: Any, question: Callable[[], None]) -> None:
    for say_no in HOW_TO_SAY_NO:
        question()
        role(page, "dialog").wait_for()
        say_no(page)
        role(page, "dialog").wait_for(state="detached")


class Late:
    """Holds back answers as the server gave them at the time; `give` hands one over, the oldest first."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.holding = True
        self._held: list[tuple[Any, Any]] = []
        page.route(address, self._take)

    def _take(self, route: Any) -> None:
        if self.holding:
            self._held.append((route, route.fetch()))
        else:
            route.continue_()

    def wait(self, count: int) -> None:
        """Until so many are held."""
        for _ in range(600):
            if len(self._held) >= count:
                return
            self.page.wait_for_timeout(50)  # lets the browser's messages in
        pytest.fail(f"{self.address} was asked {len(self._held)} times, not {count}")

    def give(self, place: int = 0) -> None:
        """Hand the oldest answer over (or the one at `place`) and wait until the page has taken it."""
        route, response = self._held.pop(place)
        route.fulfill(response=response)
        self.page.evaluate("fetch('./api/text/en').then((answer) => answer.text())")


def test_no_to_a_question_of_jobs_settings_and_presets_does_nothing(page: Any, server: Server, posts: list[str]):
    job_id = burn(server, "deaf", "steps=100000 seconds=0.02 stubborn=1")
    page.goto(f"{server.url}#job={job_id}")
    role(page, "job-actions").locator("[data-role=stop]").click()
    end = role(page, "job-actions").locator("[data-role=end]")
    end.wait_for()
    posts.clear()
    say_no_in_every_way(page, end.click)
    assert posts == [] and call(server, f"jobs/{job_id}/live")["job"]["state"] == "running"

    open_tab(page, "settings")
    folder = role(page, "setting-train")

    names = iter(("not-1", "not-2", "not-3"))  # the field asks only where something else stands in it

    def name_a_new_folder() -> None:
        folder.fill(next(names))
        folder.press("Enter")

    say_no_in_every_way(page, name_a_new_folder)
    assert set(posts) == {"settings"}  # asked, and never told to make it
    assert not list(server.root.glob("not-*"))
    assert call(server, "settings")["settings"]["train"] == ""
    posts.clear()
    say_no_in_every_way(page, role(page, "browse-output").click)
    assert posts == [] and role(page, "setting-output").input_value() == ""

    call(server, f"jobs/{job_id}/end", {})
    until(server, job_id, "stopped")
    call(server, f"jobs/{job_id}/remove", {})
    page.reload()
    open_tab(page, "settings")
    page.locator("[data-role=used-trash]", has_text="jobs: 1").wait_for()
    posts.clear()
    say_no_in_every_way(page, role(page, "empty-trash").click)
    assert posts == [] and (server.root / "jobs" / ".trash" / job_id).is_dir()

    open_tab(page, "train")
    page.wait_for_function("Number(document.querySelector('[data-widget=form]')?.dataset.seq) > 0")
    posts.clear()
    say_no_in_every_way(page, role(page, "preset-save").click)
    assert posts == []
    role(page, "preset-save").click()
    role(page, "ask-text").fill("mine")
    role(page, "ask-text-ok").click()
    role(page, "own-preset").wait_for()
    posts.clear()
    say_no_in_every_way(page, role(page, "preset-rename").click)

    def save_under_the_same_name() -> None:
        role(page, "preset-save").click()
        role(page, "ask-text-ok").click()
        role(page, "ask-ok").wait_for()

    say_no_in_every_way(page, save_under_the_same_name)
    assert posts == []


def test_no_to_a_question_of_tagger_and_tag_editor_does_nothing(page: Any, server: Server, posts: list[str]):
    folder = server.root / "train" / "no"
    write_pictures(folder)
    (folder / "01.txt").write_text("by hand", encoding="utf-8")
    page.goto(server.url)
    open_tab(page, "tagger")
    role(page, "tagger-model").select_option("demo-tagger")
    role(page, "tagger-folder").fill(str(folder))
    role(page, "tagger-conflict-replace").check()
    page.locator("[data-role=tagger-to-tag]", has_text="12 will be tagged").wait_for()
    say_no_in_every_way(page, page.locator("#tagger-start").click)
    assert "tagging/start" not in posts and (folder / "01.txt").read_text(encoding="utf-8") == "by hand"
    page.locator("#tagger-start").click()
    role(page, "ask-ok").click()
    role(page, "tagger-outcome").wait_for()
    say_no_in_every_way(page, role(page, "tagger-undo").click)
    assert not [path for path in posts if path.endswith("/undo")] and len(list(folder.glob("*.txt"))) == 12

    role(page, "tagger-edit").click()
    role(page, "tags-cell").first.wait_for()
    say_no_in_every_way(page, role(page, "tags-tidy").click)

    def type_a_tag() -> None:
        role(page, "tags-add").click()
        role(page, "tags-add-input").press_sequentially("never,")
        page.locator("[data-role=tags-dialog-count]", has_text="Changes 12 of 12").wait_for()

    say_no_in_every_way(page, type_a_tag)
    assert not [path for path in posts if path.endswith("/edit")]
    assert role(page, "tags-changed").is_hidden()


@pytest.fixture
def editor(page: Any, server: Server, tmp_path: Path) -> Any:
    """The tag editor with one picture open."""
    folder = tmp_path / "10_late"
    folder.mkdir()
    for n, caption in enumerate(["1girl, watermark, solo, smile", "1girl"], start=1):
        Image.new("RGB", (60, 90), (40 * n, 90, 120)).save(folder / f"{n}.png")
        (folder / f"{n}.txt").write_text(caption, encoding="utf-8")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(server.url)
    open_tab(page, "tags")
    role(page, "tags-path").fill(str(folder))
    role(page, "tags-welcome").locator("[data-role=tags-open]").click()
    role(page, "tags-cell").first.click()
    chip(page, "watermark").wait_for()
    page.folder = folder
    return page


@pytest.mark.skipif(sys.platform == "win32", reason="Windows counts letters, not bytes")
def test_what_was_not_saved_is_listed_by_name_with_the_reason(page: Any, server: Server, tmp_path: Path):
    longest = "安" * 83  # 249 bytes: .png fits into the 255 of a file name, .caption is 257
    for name in ("a", longest):
        Image.new("RGB", (60, 90)).save(tmp_path / f"{name}.png")
    opened = call(server, "datasets/open", {"path": str(tmp_path), "extension": ".caption"})
    call(server, f"datasets/{opened['id']}/edit",
         {"rev": 0, "listing": opened["listing"], "edit": {"kind": "add", "tags": ["x"]}})  # fmt: skip
    page.goto(server.url)
    page.evaluate("id => localStorage.setItem('athanor.tags.folder', id)", opened["id"])
    page.reload()
    open_tab(page, "tags")
    page.locator("#tags-save").click()
    page.locator("[data-role=notice]", has_text="Saved: 1. Not saved: 1.").wait_for()
    role(page, "notice-action").last.click()
    lines = role(page, "tags-failures").locator("li").all_inner_texts()
    assert len(lines) == 1 and f"{longest}.png" in lines[0] and "too long" in lines[0]
    assert (tmp_path / "a.caption").read_text(encoding="utf-8") == "x"


def chip(page: Any, tag: str) -> Any:
    return page.locator(f"[data-role=tags-chip][data-tag='{tag}']")


def chips(page: Any) -> list[str]:
    return [one.get_attribute("data-tag") for one in role(page, "tags-chip").all()]


def test_tags_changed_faster_than_the_server_answers_all_stay_changed(editor: Any):
    late = Late(editor, "**/edit")
    chip(editor, "1girl").locator("[data-role=tags-chip-remove]").click()
    chip(editor, "watermark").locator("[data-role=tags-chip-remove]").click()
    late.wait(1)
    late.give()  # it still has the watermark
    late.wait(1)
    assert chips(editor) == ["solo", "smile"]
    role(editor, "tags-text").fill("solo, smile, typed")
    assert chips(editor) == ["solo", "smile", "typed"]
    chip(editor, "solo").locator("[data-role=tags-chip-remove]").click()
    for _ in range(3):  # the watermark, the typed text, solo
        late.wait(1)
        assert chips(editor) == ["smile", "typed"]
        late.give()
    editor.wait_for_function("() => document.querySelector('[data-role=tags-text]').value === 'smile, typed'")
    assert chips(editor) == ["smile", "typed"]


def test_an_older_look_at_a_save_does_not_end_a_newer_one(editor: Any):
    late = Late(editor, "**/version")
    late.wait(1)
    late.holding = False
    chip(editor, "watermark").locator("[data-role=tags-chip-remove]").click()
    editor.locator("[data-role=tags-changed]", has_text="1 not saved").wait_for()
    with editor.expect_response("**/save"):
        editor.locator("#tags-save").click()
    late.give()
    editor.locator("[data-role=notice]", has_text="Saved 1 caption.").wait_for()
    assert editor.locator("[data-role=notice]", has_text="Saved 0").count() == 0
    assert (editor.folder / "1.txt").read_text(encoding="utf-8") == "1girl, solo, smile"


def test_a_chip_goes_where_it_is_dropped_in_both_directions(editor: Any):
    for tag, onto, side, expected in (
        ("1girl", "solo", "right", "watermark, solo, 1girl, smile"),
        ("1girl", "smile", "left", "watermark, solo, 1girl, smile"),
        ("smile", "watermark", "left", "smile, watermark, solo, 1girl"),
        ("smile", "1girl", "right", "watermark, solo, 1girl, smile"),
        ("solo", "1girl", "left", "watermark, solo, 1girl, smile"),
    ):
        box = chip(editor, onto).bounding_box()
        x = 3 if side == "left" else box["width"] - 3
        chip(editor, tag).drag_to(chip(editor, onto), target_position={"x": x, "y": box["height"] / 2},
                                  source_position={"x": 8, "y": box["height"] / 2})  # fmt: skip
        editor.wait_for_function("text => document.querySelector('[data-role=tags-text]').value === text", arg=expected)
        assert ", ".join(chips(editor)) == expected


def test_an_edit_queued_behind_one_that_another_window_forestalled_writes_over_nothing(editor: Any, server: Server):
    late = Late(editor, "**/edit")
    listing = call(server, "datasets")["recent"][0]["id"]
    state = call(server, f"datasets/{listing}")
    theirs = {"kind": "text", "text": "theirs"}
    call(server, f"datasets/{listing}/edit",
         {"rev": state["view"]["rev"], "listing": state["listing"], "edit": theirs,
          "target": {"scope": "selected", "spans": [[0, 0]]}})  # fmt: skip
    chip(editor, "1girl").locator("[data-role=tags-chip-remove]").click()
    chip(editor, "watermark").locator("[data-role=tags-chip-remove]").click()
    late.wait(1)
    late.holding = False
    late.give()
    editor.locator("[data-role=notice]", has_text="changed in another window").first.wait_for()
    chip(editor, "theirs").wait_for()
    assert chips(editor) == ["theirs"]
    assert call(server, f"datasets/{listing}")["view"]["done_count"] == 1


def test_an_older_look_at_the_tagger_does_not_hide_the_run_that_was_started(page: Any, server: Server):
    folder = server.root / "train" / "late"
    write_pictures(folder)
    page.goto(server.url)
    open_tab(page, "tagger")
    role(page, "tagger-model").select_option("demo-tagger")
    role(page, "tagger-folder").fill(str(folder))
    page.locator("[data-role=tagger-to-tag]", has_text="12 will be tagged").wait_for()
    late = Late(page, "**/tagging/status")
    late.wait(1)
    before = call(server, "tagging/status")["run"]
    page.locator("#tagger-start").click()
    late.wait(2)
    late.give()
    page.locator("[data-role=tagger-run]", has_text=str(folder)).wait_for()
    assert before is None or before["settings"]["folder"] != str(folder)
    assert str(folder) in role(page, "tagger-run").inner_text()
    late.holding = False


def test_a_tried_picture_is_not_shown_for_a_tagger_that_was_chosen_after_it(page: Any, server: Server):
    folder = server.root / "train" / "tried"
    write_pictures(folder)
    page.goto(server.url)
    open_tab(page, "tagger")
    role(page, "tagger-model").select_option("demo-tagger")
    role(page, "tagger-folder").fill(str(folder))
    late = Late(page, "**/tagging/try")
    role(page, "tagger-strip").locator("[data-name='01.png']").click()
    late.wait(1)
    role(page, "tagger-model").select_option("wd-vit-v3")
    late.give()
    assert role(page, "tagger-result").count() == 0 and role(page, "tagger-trying").count() == 0


def test_the_parameters_of_a_job_are_not_those_of_the_one_that_was_looked_at_before(page: Any, server: Server):
    before, now = burn(server, "before", "steps=4"), burn(server, "now", "steps=4")
    until(server, before, "finished")
    until(server, now, "finished")
    page.goto(f"{server.url}#job={before}")
    late = Late(page, "**/config")
    role(page, "job-parameters").locator("summary").click()
    late.wait(1)
    page.locator(f"[data-role=job][data-id='{now}']").click()
    page.locator("[data-role=job-name]", has_text="now").wait_for()
    role(page, "job-parameters").locator("summary").click()
    late.wait(2)
    late.give(1)
    page.locator("[data-role=job-config]", has_text='output_name = "now"').wait_for()
    late.give()
    assert 'output_name = "now"' in role(page, "job-config").inner_text()


def test_of_two_presets_the_one_that_was_chosen_last_fills_the_form_and_undo_leaves_what_is_typed(
    page: Any, server: Server
):
    page.goto(server.url)
    page.wait_for_function("Number(document.querySelector('[data-widget=form]')?.dataset.seq) > 0")
    preset = role(page, "preset")
    late = Late(page, "**/form/preset")
    preset.select_option("sd15_style")
    late.wait(1)
    preset.select_option("sd15_character")
    late.wait(2)
    late.give(1)
    page.locator("[data-role=notice]", has_text="was applied").wait_for()
    late.give()
    assert preset.input_value() == "sd15_character"
    late.holding = False

    before = page.locator("#train-network-network_dim").input_value()
    preset.select_option("sd15_style")
    page.wait_for_function("() => document.querySelector('[data-role=preset]').value === 'sd15_style'")
    page.locator("#train-save-output_name").fill("typed")
    page.locator("[data-role=notice-action]").last.click()
    page.wait_for_function("() => document.querySelector('[data-role=preset]').value === 'sd15_character'")
    assert page.locator("#train-save-output_name").input_value() == "typed"
    assert page.locator("#train-network-network_dim").input_value() == before
    wait_for(lambda: (server.root / ".athanor" / "drafts" / "train.json").is_file())
