"""The Settings tab in the browser."""

from __future__ import annotations

import json
import re

from tests.e2e.conftest import open_tab, wait_for


def test_a_folder_is_chosen_in_the_dialog_and_kept(page, server):
    (server.root / "elsewhere" / "LoRA 输出").mkdir(parents=True)
    page.goto(server.url)
    open_tab(page, "settings")
    page.locator("[data-role=browse-output]").click()
    page.locator("[data-role=browse-path]").fill(str(server.root))
    page.locator("[data-role=browse-go]").click()
    page.locator("[data-role=browse-entry][data-name=elsewhere]").click()
    page.locator("[data-role=browse-entry][data-name='LoRA 输出']").click()
    page.locator("[data-role=browse-list]").get_by_text("..").wait_for()
    page.wait_for_function("document.querySelector('[data-role=browse-path]').value.endsWith('LoRA 输出')")
    page.locator("[data-role=browse-ok]").click()
    kept = server.root / ".athanor" / "settings.json"
    wait_for(lambda: kept.is_file() and json.loads(kept.read_text(encoding="utf-8"))["output"].endswith("LoRA 输出"))


def test_the_dialog_says_what_it_does_not_list_and_is_walked_by_keys(page, server):
    for number in range(1003):
        (server.root / "many" / f"{number:04}").mkdir(parents=True)
    page.goto(server.url)
    open_tab(page, "settings")
    page.locator("[data-role=browse-output]").click()
    path, entry = page.locator("[data-role=browse-path]"), "[data-role=browse-entry]"
    path.fill(str(server.root / "many"))
    path.press("Enter")
    page.locator("[data-role=browse-note]", has_text="3 more are not shown; type the path.").wait_for()
    assert page.locator(entry).count() == 1001  # and the folder above
    page.locator(f"{entry}[data-name='0000']").focus()
    for key, name in [("ArrowDown", "0001"), ("ArrowDown", "0002"), ("ArrowUp", "0001")]:
        page.keyboard.press(key)
        assert page.locator(":focus").get_attribute("data-name") == name
    page.keyboard.press("Backspace")
    page.locator(f"{entry}[data-name=many]").wait_for()
    assert path.input_value() == str(server.root)
    assert page.locator("[data-role=browse-note]").inner_text() == ""
    path.fill(str(server.root / "nowhere"))
    path.press("Enter")
    page.locator("[data-role=browse-note]", has_text="nowhere").wait_for()
    assert path.input_value() == str(server.root)  # the nearest folder that is there


def test_a_folder_that_is_not_there_is_made_after_a_question(page, server):
    page.goto(server.url)
    open_tab(page, "settings")
    field = page.locator("[data-role=setting-train]")
    field.fill("new-sets")
    field.press("Enter")
    page.locator("[data-role=ask-ok]").click()
    wait_for((server.root / "new-sets").is_dir)


def test_a_wrong_address_is_told_under_its_field(page, server):
    page.goto(server.url)
    open_tab(page, "settings")
    field = page.locator("[data-role=setting-hf_endpoint]")
    field.fill("mirror")
    field.press("Tab")
    page.locator(".field:has([data-role=setting-hf_endpoint]) [role=alert]").get_by_text("not a web address").wait_for()


def test_what_was_found_on_the_machine_is_shown(page, server):
    page.set_default_timeout(90_000)
    page.goto(server.url)
    open_tab(page, "settings")
    page.locator("[data-role=torch], [data-role=gpu-none]").first.wait_for()
    page.locator("[data-role=machine]").get_by_text(re.compile(r"^Athanor \d+\.\d+.*gradio")).wait_for()
    with page.expect_download() as download:
        page.locator("[data-role=report]").click()
    assert download.value.suggested_filename == "athanor-report.zip"


def test_the_trash_is_emptied_after_a_question_that_says_what_is_lost(page, server):
    removed = server.root / "jobs" / ".trash" / "20261121-120000-anby" / "state"
    removed.mkdir(parents=True)
    (removed / "weights").write_bytes(b"x" * 2048)
    page.goto(server.url)
    open_tab(page, "settings")
    page.locator("[data-role=used-trash]", has_text="jobs: 1 · 2.00 KB").wait_for()
    page.locator("[data-role=empty-trash]").click()
    assert "training states will be gone" in page.locator("[data-role=ask-about]").inner_text()
    page.locator("[data-role=ask-cancel]").click()
    assert removed.is_dir()
    page.locator("[data-role=empty-trash]").click()
    page.locator("[data-role=ask-ok]").click()
    page.locator("[data-role=used-trash]", has_text="No removed jobs").wait_for()
    assert not removed.parent.exists()
