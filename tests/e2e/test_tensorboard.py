"""TensorBoard on our own origin, built when it is opened."""

from __future__ import annotations

import urllib.request

import pytest

from tests.e2e.conftest import open_tab
from tests.webui.boardlogs import write_run


def test_without_logs_the_tab_says_where_they_will_be_and_shows_them_when_they_come(page, own_server):
    server = own_server()
    page.goto(server.url)
    open_tab(page, "tensorboard")
    page.locator("[data-role=tensorboard-empty]").get_by_text(str(server.root / "logs")).wait_for()
    write_run(server.root / "logs" / "anby" / "network_train")
    frame = page.frame_locator("[data-role=tensorboard-frame]")
    frame.get_by_text("loss/average").first.wait_for(timeout=60_000)
    assert page.locator("[data-role=tensorboard-frame]").is_visible()
    assert "tensorboard.backend" not in server.console.read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_has_the_colours_of_the_page_and_reloads_by_itself(browser, server, theme):
    write_run(server.root / "logs" / "anby")
    context = browser.new_context(color_scheme=theme)
    page = context.new_page()
    page.goto(server.url)
    open_tab(page, "tensorboard")
    frame = page.frame_locator("[data-role=tensorboard-frame]")
    frame.locator("mat-toolbar, header").first.wait_for(timeout=60_000)
    assert frame.locator("body").evaluate("body => body.classList.contains('dark-mode')") == (theme == "dark")
    assert page.evaluate("JSON.parse(localStorage._tb_global_settings).autoReload") is True
    context.close()


def test_a_phone_is_offered_its_own_window(browser, server):
    write_run(server.root / "logs" / "anby")
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(f"{server.url}#tensorboard")
    link = page.locator("[data-role=tensorboard-narrow] [data-role=tensorboard-own]")
    with page.expect_popup() as popup:
        link.tap()
    assert popup.value.url.split("#")[0].split("?")[0] == f"{server.url}tensorboard/"
    popup.value.close()
    assert page.locator("[data-role=tensorboard-frame]").count() == 0
    page.locator("[data-role=tensorboard-here]").tap()
    page.locator("[data-role=tensorboard-frame]").wait_for(state="attached")
    context.close()


def test_its_addresses_lead_to_it(server):
    with urllib.request.urlopen(f"{server.url}tensorboard", timeout=60) as answer:
        assert answer.url == f"{server.url}tensorboard/"
    with urllib.request.urlopen(f"{server.url}tensorboard/data/plugins_listing", timeout=60) as answer:
        assert b"timeseries" in answer.read()
