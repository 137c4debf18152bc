"""The tag editor in a real browser: the road from a wrong tag to the file on disk, and what must not get lost."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.e2e.conftest import Server, open_tab, wait_for

pytestmark = pytest.mark.browser


def role(page: Any, name: str) -> Any:
    """The element of a stable role."""
    return page.locator(f"[data-role={name}]")


def cell(page: Any, number: int) -> Any:
    """The picture of this number in the gallery."""
    return page.locator(f"[data-role=tags-cell][data-n='{number}']")


def tag_row(page: Any, tag: str) -> Any:
    """A line of the list of all tags."""
    return page.locator(f"[data-role=tags-row][data-tag='{tag}']")


def chips(page: Any) -> list[str]:
    """Tags of the picture that is shown large."""
    return [chip.get_attribute("data-tag") for chip in role(page, "tags-chip").all()]


def unsaved(page: Any, number: int) -> None:
    """Wait until so many pictures are marked as not saved."""
    if number:
        page.wait_for_function(
            "n => document.querySelector('[data-role=tags-changed]').textContent.startsWith(`${n} `)", arg=number
        )
    else:
        role(page, "tags-changed").wait_for(state="hidden")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five pictures; 2 and 4 have a wrong tag, 5 has no caption."""
    path = tmp_path / "10_anby"
    path.mkdir()
    captions = ["1girl, solo", "1girl, watermark, solo", "1girl,  smile ", "watermark, 1girl", None]
    for n, caption in enumerate(captions, start=1):
        Image.new("RGB", (60 + 20 * n, 90), (40 * n, 90, 120)).save(path / f"{n}.png")
        if caption is not None:
            (path / f"{n}.txt").write_text(caption, encoding="utf-8")
    return path


@pytest.fixture
def editor(page: Any, server: Server, folder: Path) -> Iterator[Any]:
    """A window with the folder open in the tag editor."""
    page.on("dialog", lambda dialog: dialog.accept())
    show(page, server.url, folder)
    yield page


def show(page: Any, url: str, folder: Path) -> None:
    page.goto(url)
    open_tab(page, "tags")
    role(page, "tags-path").fill(str(folder))
    role(page, "tags-welcome").locator("[data-role=tags-open]").click()
    cell(page, 0).wait_for()


def save(page: Any) -> None:
    """Press the button and wait until everything is on disk and said to be."""
    page.locator("#tags-save").click()
    unsaved(page, 0)
    page.locator("[data-role=notice]", has_text=re.compile("^Saved .* captions?")).first.wait_for()


def test_a_wrong_tag_is_filtered_removed_everywhere_undone_and_saved(editor: Any, folder: Path):
    untouched = (folder / "3.txt").read_bytes()
    tag_row(editor, "watermark").dblclick()
    editor.wait_for_function("() => document.querySelectorAll('[data-role=tags-cell]').length === 2")
    assert editor.locator("#tags-save").is_disabled()
    role(editor, "tags-filter-clear").click()
    cell(editor, 4).wait_for()

    if tag_row(editor, "watermark").get_attribute("aria-selected") != "true":
        tag_row(editor, "watermark").click()
    remove = editor.locator("[data-role=tags-remove]", has_text="Remove “watermark” from 2 pictures")
    remove.click()
    unsaved(editor, 2)
    assert tag_row(editor, "watermark").count() == 0

    role(editor, "tags-undo").click()
    unsaved(editor, 0)
    role(editor, "tags-redo").click()
    unsaved(editor, 2)
    assert (folder / "2.txt").read_text(encoding="utf-8") == "1girl, watermark, solo"

    save(editor)
    assert (folder / "2.txt").read_text(encoding="utf-8") == "1girl, solo"
    assert (folder / "4.txt").read_text(encoding="utf-8") == "1girl"
    assert (folder / "3.txt").read_bytes() == untouched
    assert not (folder / "5.txt").exists()

    editor.locator("[data-role=notice-action]", has_text="Train with it").click()
    editor.wait_for_function(
        "path => document.querySelector('#train-dataset-train_data_dir')?.value === path", arg=str(folder.parent)
    )


def test_chips_are_added_removed_renamed_and_moved(editor: Any):
    cell(editor, 1).click()
    editor.locator("[data-role=tags-chip][data-tag=watermark]").wait_for()
    editor.locator("[data-role=tags-chip][data-tag=watermark] [data-role=tags-chip-remove]").click()
    role(editor, "tags-chip-input").fill("smi")
    editor.locator("[data-role=tags-suggest] [role=option]", has_text="smile").wait_for()
    role(editor, "tags-chip-input").press("ArrowDown")
    role(editor, "tags-chip-input").press("Enter")
    role(editor, "tags-chip-input").press_sequentially("new tag,")
    editor.wait_for_function("() => document.querySelectorAll('[data-role=tags-chip]').length === 4")
    assert chips(editor) == ["1girl", "solo", "smile", "new tag"]

    editor.locator("[data-tag='new tag'][data-role=tags-chip]").dblclick()
    role(editor, "tags-rename").fill("anby")
    role(editor, "tags-rename").press("Enter")
    editor.locator("[data-tag=anby][data-role=tags-chip]").drag_to(
        editor.locator("[data-tag='1girl'][data-role=tags-chip]"), target_position={"x": 3, "y": 10}
    )
    editor.wait_for_function("() => document.querySelector('[data-role=tags-text]').value.startsWith('anby, 1girl')")
    assert chips(editor) == ["anby", "1girl", "solo", "smile"]
    assert role(editor, "tags-text").input_value() == "anby, 1girl, solo, smile"


def test_pictures_are_whole_in_their_cells_and_a_filter_begins_at_the_top(editor: Any):
    editor.evaluate(
        """() => {
          const size = document.querySelector('[data-role=tags-size]');
          size.value = 280;
          size.dispatchEvent(new Event('input', { bubbles: true }));
        }"""
    )
    whole = editor.evaluate(
        """() => [...document.querySelectorAll('.tags-frame')].every((frame) => {
          const [image, box] = [frame.firstElementChild.getBoundingClientRect(), frame.getBoundingClientRect()];
          return image.height > 100 && image.top >= box.top && image.bottom <= box.bottom + 0.5;
        })"""
    )
    assert whole  # the first picture is upright: 80 x 90
    grid = role(editor, "tags-grid")
    grid.evaluate("grid => { grid.scrollTop = 10_000; }")
    cell(editor, 4).wait_for()
    role(editor, "tags-find").fill("1girl")
    editor.wait_for_function(
        "() => document.querySelector('[data-role=tags-selection]').textContent.includes('4 of 5')"
    )
    assert grid.evaluate("grid => grid.scrollTop") == 0


def test_the_keyboard_alone_is_enough(editor: Any):
    role(editor, "tags-grid").focus()
    editor.keyboard.press("Home")
    editor.keyboard.press("ArrowRight")
    editor.keyboard.press("Shift+End")
    role(editor, "tags-scope-selected").filter(has_text="Selected (4)").wait_for()
    editor.keyboard.press("Control+a")
    role(editor, "tags-scope-selected").filter(has_text="Selected (5)").wait_for()


def test_the_keys_of_the_tag_list_select_and_filter(editor: Any):
    def selected() -> list[str]:
        rows = role(editor, "tags-row").all()
        return [row.get_attribute("data-tag") for row in rows if row.get_attribute("aria-selected") == "true"]

    role(editor, "tags-list").focus()
    for keys, expected in [
        (["Home", "a", "Control+b", " "], ["1girl"]),  # by number: 1girl 4, solo 2, watermark 2, smile 1
        (["ArrowDown", "ArrowDown", " "], ["1girl", "watermark"]),
        (["ArrowUp", " "], ["1girl", "solo", "watermark"]),
        (["Shift+End"], ["1girl", "solo", "watermark", "smile"]),
        (["Escape"], []),
        (["PageUp", "PageDown", " "], ["smile"]),
        (["Control+a"], ["1girl", "solo", "watermark", "smile"]),
    ]:
        for key in keys:
            editor.keyboard.press(key)
        assert selected() == expected, keys
    editor.keyboard.press("Home")
    editor.keyboard.press("ArrowDown")
    editor.keyboard.press("Enter")
    editor.wait_for_function("() => document.querySelectorAll('[data-role=tags-cell]').length === 2")


def test_a_trigger_word_is_added_at_the_start_of_the_selected_pictures_only(editor: Any, folder: Path):
    cell(editor, 0).click()
    cell(editor, 2).click(modifiers=["Control"])
    role(editor, "tags-add").click()
    role(editor, "tags-add-input").press_sequentially("anby，miku")  # a Chinese comma parts tags too
    role(editor, "tags-place-start").check()
    role(editor, "tags-dialog-count").filter(has_text="Changes 2 of 2 pictures").wait_for()
    role(editor, "tags-dialog-ok").click()
    unsaved(editor, 2)
    save(editor)
    first_words = [(folder / f"{n}.txt").read_text(encoding="utf-8").split(", ")[:2] for n in (1, 2, 3, 4)]
    assert first_words[0] == first_words[2] == ["anby", "miku"]
    assert [words[0] for words in (first_words[1], first_words[3])] == ["1girl", "watermark"]
    assert editor.get_by_text("Nothing needed changing.").count() == 0  # the edit is made once


def test_unsaved_edits_survive_a_reload_of_the_page(editor: Any, folder: Path):
    cell(editor, 0).click()
    editor.locator("[data-role=tags-chip][data-tag=solo]").wait_for()
    role(editor, "tags-text").fill("typed by hand")
    unsaved(editor, 1)
    asked: list[str] = []
    editor.on("dialog", lambda dialog: asked.append(dialog.type))
    editor.reload()
    assert asked == ["beforeunload"]
    open_tab(editor, "tags")
    cell(editor, 0).wait_for()
    unsaved(editor, 1)
    editor.locator("[data-role=tags-chip][data-tag='typed by hand']").wait_for()
    assert editor.locator("[data-role=tags-chip]").all_inner_texts() == ["typed by hand"]
    save(editor)
    assert (folder / "1.txt").read_text(encoding="utf-8") == "typed by hand"


def test_what_was_typed_while_the_server_was_away_is_not_lost(editor: Any):
    cell(editor, 0).click()
    editor.locator("[data-role=tags-chip][data-tag=solo]").wait_for()
    editor.route("**/edit", lambda route: route.abort())
    box = role(editor, "tags-chip-input")
    box.fill("hat")
    box.press("Enter")
    editor.locator("[data-role=notice][data-kind=error]").wait_for()
    editor.wait_for_function("() => document.querySelector('[data-role=tags-chip-input]').value === 'hat'")
    assert chips(editor) == ["1girl", "solo"]
    editor.unroute("**/edit")
    box.press("Enter")
    editor.locator("[data-role=tags-chip][data-tag=hat]").wait_for()
    editor.route("**/edit", lambda route: route.abort())
    with editor.expect_event("requestfailed"):
        role(editor, "tags-text").fill("typed by hand")
    editor.unroute("**/edit")
    with editor.expect_response("**/edit"):
        pass  # sent again by itself
    editor.wait_for_function("() => document.querySelectorAll('[data-role=tags-chip]').length === 1")
    assert role(editor, "tags-text").input_value() == "typed by hand"


def test_unsaved_edits_survive_a_killed_page_process(
    page: Any, own_server: Callable[..., Server], folder: Path, tmp_path: Path
):
    page.on("dialog", lambda dialog: dialog.accept())
    server = own_server()
    show(page, server.url, folder)
    tag_row(page, "1girl").click()
    page.locator("[data-role=tags-remove]", has_text="from 4 pictures").click()
    unsaved(page, 4)
    wait_for(lambda: list((server.root / ".athanor" / "captions" / "drafts").glob("*.json")), what="the draft")
    page.locator("gradio-app #panels").wait_for()  # what is half loaded when its server ends is an error of the page
    server.kill()
    server.start()
    page.goto(server.url)
    open_tab(page, "tags")
    page.locator("[data-role=notice]", has_text="4 pictures from last time").wait_for()
    unsaved(page, 4)
    assert (folder / "1.txt").read_text(encoding="utf-8") == "1girl, solo"


def test_a_caption_changed_by_another_program_is_shown_and_not_written_over(editor: Any, folder: Path):
    cell(editor, 0).click()
    role(editor, "tags-chip-input").press_sequentially("mine,")
    unsaved(editor, 1)
    (folder / "1.txt").write_text("theirs", encoding="utf-8")
    editor.locator("#tags-save").click()
    role(editor, "tags-conflict").wait_for()
    assert role(editor, "tags-conflict-text").inner_text() == "theirs"
    assert (folder / "1.txt").read_text(encoding="utf-8") == "theirs"
    role(editor, "tags-keep-mine").click()
    role(editor, "tags-conflict").wait_for(state="detached")
    editor.locator("#tags-save").click()
    wait_for(lambda: (folder / "1.txt").read_text(encoding="utf-8") == "1girl, solo, mine", what="the saved caption")


def test_two_windows_show_the_same_captions(editor: Any, browser: Any, server: Server, folder: Path):
    other = browser.new_context(locale="zh-CN").new_page()
    other.set_default_timeout(30_000)
    other.on("dialog", lambda dialog: dialog.accept())
    try:
        show(other, server.url, folder)
        cell(editor, 0).click()
        cell(other, 1).click()
        other.locator("[data-role=tags-chip][data-tag=watermark]").wait_for()
        role(editor, "tags-chip-input").press_sequentially("from the first window,")
        unsaved(editor, 1)
        role(other, "tags-chip-input").press_sequentially("from the second window,")
        unsaved_words = "() => document.querySelector('[data-role=tags-changed]').textContent.includes('2')"
        other.wait_for_function(unsaved_words)
        editor.wait_for_function(unsaved_words)
        tag_row(other, "from the first window").wait_for()
        assert other.locator("#tags-save").inner_text().strip() == "保存所有更改"
        other.locator("#tags-save").click()
        unsaved(editor, 0)
    finally:
        other.context.close()


def test_earlier_captions_are_brought_back(editor: Any, folder: Path):
    tag_row(editor, "1girl").click()
    editor.locator("[data-role=tags-remove]", has_text="from 4 pictures").click()
    unsaved(editor, 4)
    save(editor)
    role(editor, "tags-returns").click()
    role(editor, "tags-bring-back").first.click()
    unsaved(editor, 4)
    role(editor, "tags-history").click()
    editor.locator("[data-role=tags-history-step][aria-current=step]", has_text="Restored earlier").wait_for()
    editor.keyboard.press("Escape")
    save(editor)
    assert (folder / "3.txt").read_text(encoding="utf-8") == "1girl,  smile "


def test_a_caption_that_cannot_be_read_and_names_with_markup_do_no_harm(page: Any, server: Server, folder: Path):
    evil = "<img src=x onerror=window.__pwned=1>"
    (folder / "1.txt").write_bytes("安比".encode("gbk"))
    (folder / "2.txt").write_text(f"{evil}, 1girl", encoding="utf-8")
    shutil.copy(folder / "3.png", folder / "&lt;b&gt;.png")
    (folder / "9 broken.png").write_bytes(b"no picture")
    loud: list[str] = []
    page.on("console", lambda message: loud.append(message.text) if message.type == "error" else None)
    show(page, server.url, folder)
    role(page, "picture-missing").filter(has_text="cannot be shown").wait_for()
    assert loud == []
    role(page, "tags-note").filter(has_text="1.txt: byte 0").wait_for()
    assert not role(page, "tags-text").is_visible()
    cell(page, 1).click()
    page.wait_for_function("text => document.querySelector('[data-role=tags-text]').value.startsWith(text)", arg=evil)
    assert page.evaluate("window.__pwned") is None
    assert page.locator("[data-role=tags-editor] img[src=x]").count() == 0


def test_the_first_visit_says_what_to_do_and_offers_the_demo(page: Any, server: Server):
    page.goto(server.url)
    open_tab(page, "tags")
    role(page, "tags-path").fill("/no/such/folder")
    role(page, "tags-welcome").locator("[data-role=tags-open]").click()
    role(page, "tags-open-error").filter(has_text="does not exist; check the spelling").wait_for()
    role(page, "tags-demo").click()
    cell(page, 11).wait_for()
    assert role(page, "tags-total").inner_text() == "12 pictures"


def test_a_training_folder_offers_its_subfolders(page: Any, server: Server, folder: Path):
    other = folder.parent / "1_shape"
    shutil.copytree(folder, other)
    show(page, server.url, folder.parent)
    assert role(page, "tags-total").inner_text() == "10 pictures"
    role(page, "tags-folder").select_option("10_anby")
    page.wait_for_function("() => document.querySelectorAll('[data-role=tags-cell]').length === 5")
    role(page, "tags-selection").filter(has_text="5 of 10 shown").wait_for()


def test_a_phone_shows_everything_without_scrolling_sideways(browser: Any, server: Server, folder: Path):
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", has_touch=True)
    phone = context.new_page()
    phone.set_default_timeout(30_000)
    try:
        show(phone, server.url, folder)
        cell(phone, 2).tap()
        phone.wait_for_function(
            "() => document.querySelector('[data-role=tags-text]').value.startsWith('1girl,  smile')"
        )
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
        assert role(phone, "tags-save").bounding_box()["width"] > 150
        phone.evaluate("window.scrollTo(0, 500)")
        header = phone.locator(".tabs").bounding_box()
        assert phone.locator(".tags-head").bounding_box()["y"] >= header["y"] + header["height"] - 1
    finally:
        context.close()
