"""The Tagger tab in a browser, with the real demo tagger: what a person does on the road of guide 000."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Server, open_tab, wait_for
from trainer.demo import write_pictures

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
pytestmark = pytest.mark.browser


def role(page: Any, name: str) -> Any:
    return page.locator(f'[data-role="{name}"]')


@pytest.fixture
def tagger(server: Server, page: Any) -> Iterator[Any]:
    """The open Tagger tab with an untouched form and no runs."""
    (server.root / ".athanor" / "drafts" / "tagger.json").unlink(missing_ok=True)
    shutil.rmtree(server.root / ".athanor" / "tagging", ignore_errors=True)
    open_tagger(server, page)
    yield page


def open_tagger(server: Server, page: Any) -> None:
    page.goto(server.url)
    open_tab(page, "tagger")


def fill_folder(page: Any, folder: Path, count: str = "12 pictures") -> None:
    role(page, "tagger-model").select_option("demo-tagger")
    role(page, "tagger-folder").fill(str(folder))
    expect(role(page, "tagger-count")).to_contain_text(count)


def pictures(server: Server, name: str) -> Path:
    folder = server.root / "train" / name
    write_pictures(folder)
    return folder


def test_the_first_look_says_what_to_do_and_the_demo_leads_to_captions(tagger: Any, server: Server):
    expect(role(tagger, "tagger-empty")).to_contain_text("First choose your picture folder on the left")
    expect(role(tagger, "tagger-why")).to_contain_text("wd-vit-v3 is not on this machine yet; download it first.")
    expect(role(tagger, "tagger-download")).to_contain_text("361 MB")
    role(tagger, "tagger-demo").click()
    expect(role(tagger, "tagger-to-tag")).to_have_text("12 will be tagged")
    role(tagger, "tagger-additional_tags").fill("zqx")
    tagger.locator("#tagger-start").click()
    expect(role(tagger, "tagger-outcome")).to_contain_text("Done: 12 pictures")
    expect(role(tagger, "tagger-table").locator("tbody tr")).to_have_count(12)
    first = role(tagger, "tagger-table").locator("tr[data-name='01.png']")
    assert first.locator(".chip").all_inner_texts() == ["zqx", "red star", "yellow background", "large"]
    expect(first.locator("img")).to_have_js_property("complete", True)
    caption = server.root / "train" / "demo" / "10_star" / "01.txt"
    assert caption.read_text(encoding="utf-8") == "zqx, red star, yellow background, large\n"
    expect(role(tagger, "tagger-to-tag")).to_have_text("nothing to tag: all have captions")


def test_one_undo_brings_everything_back(tagger: Any, server: Server):
    folder = pictures(server, "undo [1]")
    (folder / "01.txt").write_text("by hand", encoding="utf-8")
    fill_folder(tagger, folder)
    role(tagger, "tagger-conflict-replace").check()
    tagger.locator("#tagger-start").click()
    expect(role(tagger, "dialog")).to_contain_text("Replace the caption of 1 picture?")
    role(tagger, "ask-ok").click()
    expect(role(tagger, "tagger-outcome")).to_contain_text("Done: 12 pictures")
    assert (folder / "01.txt").read_text(encoding="utf-8") == "red star, yellow background, large\n"
    role(tagger, "tagger-undo").click()
    role(tagger, "ask-ok").click()
    expect(role(tagger, "tagger-undone")).to_be_visible()
    expect(role(tagger, "tagger-table").locator(".badge")).to_have_text(["undone"] * 12)
    expect(role(tagger, "notice").last).to_contain_text("1 caption restored, 11 new ones removed")
    assert [path.name for path in folder.glob("*.txt")] == ["01.txt"]
    assert (folder / "01.txt").read_text(encoding="utf-8") == "by hand"


def test_captions_are_skipped_unless_asked_and_the_table_says_so(tagger: Any, server: Server):
    folder = pictures(server, "skip")
    (folder / "02.txt").write_text("by hand", encoding="utf-8")
    (folder / "00 broken.png").write_bytes(b"no picture")
    fill_folder(tagger, folder, "13 pictures, 1 with a caption")
    tagger.locator("#tagger-start").click()
    expect(role(tagger, "tagger-outcome")).to_contain_text("Done: 13 pictures")
    role(tagger, "tagger-filter-failed").click()
    rows = role(tagger, "tagger-table").locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("no picture of a known kind")
    role(tagger, "tagger-filter-skipped").click()
    expect(rows).to_contain_text("has a caption already")
    assert (folder / "02.txt").read_text(encoding="utf-8") == "by hand"


def test_trying_a_picture_shows_bars_and_dragging_a_line_changes_threshold_and_caption(tagger: Any, server: Server):
    fill_folder(tagger, pictures(server, "try"))
    role(tagger, "tagger-strip").locator("[data-name='01.png']").click()
    expect(role(tagger, "tagger-caption")).to_have_text("red star, yellow background, large")
    line = role(tagger, "tagger-line-general").bounding_box()
    scale = tagger.locator(".tg-lines").bounding_box()
    tagger.mouse.move(line["x"] + line["width"] / 2, line["y"] + 10)
    tagger.mouse.down()
    tagger.mouse.move(scale["x"] + 0.98 * scale["width"], line["y"] + 12, steps=5)
    tagger.mouse.up()
    expect(role(tagger, "tagger-general_threshold")).to_have_value("0.98")
    expect(role(tagger, "tagger-caption")).to_have_text("red star")
    expect(tagger.locator(".tg-bar.kept")).to_have_count(1)
    handle = role(tagger, "tagger-handle-general")
    handle.focus()
    tagger.keyboard.press("ArrowLeft")
    tagger.keyboard.press("PageDown")
    expect(handle).to_have_attribute("aria-valuenow", "0.87")
    expect(role(tagger, "tagger-caption")).to_have_text("red star, yellow background, large")
    role(tagger, "tagger-exclude_tags").fill("yellow_background")
    expect(role(tagger, "tagger-caption")).to_have_text("red star, large")
    assert not list((server.root / "train" / "try").glob("*.txt"))


def test_the_form_survives_a_reload(tagger: Any, server: Server):
    fill_folder(tagger, pictures(server, "reload"))
    role(tagger, "tagger-exclude_tags").press_sequentially("simple background, 1girl")
    role(tagger, "tagger-character_threshold").fill("0.85")
    role(tagger, "tagger-escape").uncheck()
    draft = server.root / ".athanor" / "drafts" / "tagger.json"
    wait_for(lambda: draft.is_file() and '"escape": false' in draft.read_text(encoding="utf-8"))
    open_tagger(server, tagger)
    expect(role(tagger, "tagger-exclude_tags")).to_have_value("simple background, 1girl")
    expect(role(tagger, "tagger-character_threshold")).to_have_value("0.85")
    expect(role(tagger, "tagger-escape")).not_to_be_checked()
    expect(role(tagger, "tagger-model")).to_have_value("demo-tagger")

    threshold, told = (
        role(tagger, "tagger-general_threshold"),
        tagger.locator("[data-field=general_threshold] .field-error"),
    )
    for typed, words in [("0,5", "write 0.5"), ("abc", "abc is no score"), ("35%", "is no score"), ("1.5", "up to 1")]:
        threshold.fill(typed)
        expect(told).to_contain_text(words)
        threshold.press("Tab")
        expect(threshold).to_have_value(typed)  # what was typed stays to be corrected
    threshold.fill("０．４５")
    expect(told).to_have_text("")
    wait_for(lambda: '"general_threshold": 0.45' in draft.read_text(encoding="utf-8"))


def test_a_folder_is_browsed_to_with_the_keys_alone_and_its_pictures_are_seen(tagger: Any, server: Server):
    pictures(server, "browse/10_star")
    role(tagger, "tagger-folder-browse").click()
    path = role(tagger, "browse-path")
    expect(path).to_have_value(str(server.root / "train"))  # the field's kind lies there, and the list is focused
    for key in ("b", "Enter"):
        tagger.keyboard.press(key)
    expect(path).to_have_value(str(server.root / "train" / "browse"))
    expect(tagger.locator("[data-role=browse-entry][data-name='10_star']")).to_contain_text("12 pictures")
    tagger.keyboard.press("Enter")
    expect(role(tagger, "browse-count")).to_contain_text("12 pictures")
    expect(role(tagger, "browse-pictures").locator("img")).to_have_count(12)
    role(tagger, "browse-new").click()
    role(tagger, "browse-new-name").fill("a/b")
    role(tagger, "browse-new-name").press("Enter")
    expect(role(tagger, "browse-note")).to_contain_text("/ is not allowed in file names")
    role(tagger, "browse-new-name").fill("cut out")
    role(tagger, "browse-new-name").press("Enter")
    made = server.root / "train" / "browse" / "10_star" / "cut out"
    expect(path).to_have_value(str(made))
    assert made.is_dir()
    tagger.keyboard.press("Backspace")
    expect(role(tagger, "browse-count")).to_contain_text("12 pictures")
    role(tagger, "browse-ok").click()
    expect(role(tagger, "tagger-folder")).to_have_value(str(made.parent))


def test_a_trigger_word_of_another_folder_is_asked_about(tagger: Any, server: Server):
    first, second = pictures(server, "10_first"), pictures(server, "10_second")
    fill_folder(tagger, first)
    role(tagger, "tagger-additional_tags").fill("zqx")
    expect(role(tagger, "tagger-foreign")).to_have_count(0)
    fill_folder(tagger, second)
    expect(role(tagger, "tagger-foreign")).to_contain_text("This was typed for 10_first.")
    tagger.locator("#tagger-start").click()
    role(tagger, "choose-clear").click()
    expect(role(tagger, "tagger-outcome")).to_contain_text("Done: 12 pictures")
    assert (second / "01.txt").read_text(encoding="utf-8").startswith("red star")


def test_a_wrong_folder_is_told_at_its_field_and_at_the_button(tagger: Any, server: Server):
    role(tagger, "tagger-model").select_option("demo-tagger")
    role(tagger, "tagger-folder").fill("no/such/folder")
    field = tagger.locator("[data-field='folder'] [data-role='field-error']")
    expect(field).to_contain_text("is not a folder; check the spelling or browse for it.")
    tagger.locator("#tagger-start").click()
    expect(role(tagger, "tagger-why")).to_contain_text("is not a folder")
    expect(role(tagger, "tagger-folder")).to_be_focused()


def test_a_run_is_found_again_after_a_reload_and_can_be_cancelled(tagger: Any, server: Server):
    folder = pictures(server, "long")
    content = (folder / "01.png").read_bytes()
    for number in range(1500):
        (folder / f"x{number:04}.png").write_bytes(content)
    fill_folder(tagger, folder, "1512 pictures")
    tagger.locator("#tagger-start").click()
    expect(role(tagger, "tagger-progress")).to_contain_text("pictures/s")
    open_tagger(server, tagger)
    expect(role(tagger, "tagger-progress")).to_be_visible()
    role(tagger, "tagger-cancel").click()
    expect(role(tagger, "tagger-outcome")).to_contain_text("Cancelled after")
    written = len(list(folder.glob("*.txt")))
    assert 0 < written < 1512


def test_a_download_that_fails_is_explained_below_the_model(tagger: Any, server: Server):
    settings = server.root / ".athanor" / "settings.json"
    tagger.evaluate("fetch('./api/settings', {method: 'POST', headers: {'content-type': 'application/json'}, "
                    "body: JSON.stringify({hf_endpoint: 'http://127.0.0.1:9'})})")  # fmt: skip
    wait_for(lambda: settings.is_file() and "127.0.0.1:9" in settings.read_text(encoding="utf-8"))
    role(tagger, "tagger-download").click()
    expect(role(tagger, "tagger-download-error")).to_contain_text("127.0.0.1:9 cannot be reached")


def test_the_tags_can_be_edited_right_after(tagger: Any, server: Server):
    fill_folder(tagger, pictures(server, "edit"))
    tagger.locator("#tagger-start").click()
    role(tagger, "tagger-edit").click()
    expect(tagger.locator("#tab-tags")).to_be_visible()
    expect(tagger.locator("#tab-tags")).to_contain_text("red star")


@pytest.mark.parametrize("width", [1280, 400])
def test_everything_is_chinese_and_nothing_is_wider_than_the_window(server: Server, browser: Any, width: int):
    context = browser.new_context(viewport={"width": width, "height": 850}, locale="zh-CN")
    page = context.new_page()
    fill = pictures(server, f"中文 {width}")
    open_tagger(server, page)
    expect(page.locator("#tagger-start")).to_have_text("开始打标")
    role(page, "tagger-model").select_option("demo-tagger")
    role(page, "tagger-folder").fill(str(fill))
    expect(role(page, "tagger-to-tag")).to_have_text("将为 12 张打标")
    page.locator("#tagger-start").click()
    expect(role(page, "tagger-outcome")).to_contain_text("完成：12 张图片")
    role(page, "tagger-folder").fill("no/such")
    expect(page.locator("[data-field='folder'] [data-role='field-error']")).to_contain_text("不是文件夹，请检查拼写")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.locator("#tagger-start")).to_be_visible()  # Cancel stands there while a run is going
    box = page.locator("#tagger-start").bounding_box()
    assert box["x"] + box["width"] <= width and box["y"] + box["height"] <= 850
    context.close()
