"""Header, languages, themes, tabs; nothing leaves the machine."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import open_tab, wait_for
from webui import TABS

TITLES = {"en": [title for *_, title in TABS], "zh": ["训练", "任务", "打标", "标签编辑", "TensorBoard", "设置"]}


def titles(page):
    return page.locator("#tabs [role=tab]").all_inner_texts()


def contrast(page, front: str, back: str) -> float:
    """WCAG contrast of two colour tokens, as the browser resolves them."""
    return page.evaluate(
        """([front, back]) => {
          const resolve = (name) => {
            const box = document.createElement('i');
            box.style.color = `var(${name})`;
            document.body.append(box);
            const parts = getComputedStyle(box).color.match(/[\\d.]+/g).slice(0, 3).map(Number);
            box.remove();
            return parts.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
          };
          const light = (c) => 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
          const [a, b] = [light(resolve(front)), light(resolve(back))].sort((x, y) => y - x);
          return (a + 0.05) / (b + 0.05);
        }""",
        [front, back],
    )


@pytest.mark.parametrize(("locale", "lang"), [("en-US", "en"), ("zh-CN", "zh"), ("zh-TW", "zh"), ("ru-RU", "en")])
def test_the_page_speaks_the_browsers_language(browser, server, locale, lang):
    context = browser.new_context(locale=locale)
    page = context.new_page()
    page.goto(server.url)
    page.locator("#tab-jobs-button").wait_for()
    assert titles(page) == TITLES[lang]
    context.close()


def test_the_switch_changes_the_whole_page_and_is_remembered(page, server):
    page.goto(server.url)
    page.locator("[data-role=lang-zh]").click()
    page.wait_for_function("document.querySelector('#tab-jobs-button')?.textContent === '任务'")
    page.reload()
    page.locator("#tab-jobs-button").wait_for()
    assert titles(page) == TITLES["zh"]
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    open_tab(page, "jobs")
    page.get_by_text("还没有任务").wait_for()


def test_the_theme_follows_the_system_until_the_switch_is_used(browser, server):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(server.url)
    page.locator("[data-role=theme]").click()
    assert page.evaluate("[document.documentElement.dataset.theme, document.body.classList.contains('dark')]") == [
        "light",
        False,
    ]
    page.reload()
    page.locator("[data-role=theme]").wait_for()
    assert page.evaluate("[document.documentElement.dataset.theme, document.body.classList.contains('dark')]") == [
        "light",
        False,
    ]
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_have_enough_contrast_in_both_themes(browser, server, theme):
    context = browser.new_context(color_scheme=theme)
    page = context.new_page()
    page.goto(server.url)
    page.locator("header.bar").wait_for()
    pairs = [("--accent-text", "--accent"), ("--accent-ink", "--surface"), ("--accent-ink", "--accent-soft")]
    pairs += [
        (front, back)
        for front in ("--text", "--muted", "--danger", "--ok", "--warn")
        for back in ("--page", "--surface")
    ]
    pairs += [
        ("--danger", "--danger-soft"),
        ("--ok", "--ok-soft"),
        ("--warn", "--warn-soft"),
        ("--muted", "--surface-2"),
        ("--text", "--accent-soft"),
    ]
    assert {pair: ratio for pair in pairs if (ratio := round(contrast(page, *pair), 2)) < 4.5} == {}
    context.close()


def test_no_request_leaves_the_machine_while_every_tab_is_opened(page, server):
    foreign: list[str] = []
    own = urlsplit(server.url).netloc
    page.on("request", lambda request: urlsplit(request.url).netloc not in (own, "") and foreign.append(request.url))
    page.goto(server.url)
    for name, *_ in TABS:
        open_tab(page, name)
        page.locator(f"#tab-{name} [data-widget] > *").first.wait_for()
    page.wait_for_load_state("networkidle")
    assert foreign == []


def test_gradio_is_told_nothing_but_to_draw(page, server):
    """Every POST of the page goes to our own interface; Gradio's is closed."""
    posts: list[str] = []
    page.on("request", lambda request: request.method != "GET" and posts.append(urlsplit(request.url).path))
    page.goto(server.url)
    for name, *_ in TABS:
        open_tab(page, name)
    page.wait_for_load_state("networkidle")
    assert [path for path in posts if not path.startswith("/api/")] == []


def opened(page) -> tuple[str, str]:
    """(the tab that is open, the address's part behind #), once both agree; also that one panel alone is shown."""
    page.wait_for_function(
        """() => {
          const tab = document.querySelectorAll('[role=tab][aria-selected=true]');
          const shown = document.querySelectorAll('#panels > :not([hidden])');
          return tab.length === 1 && shown.length === 1 && shown[0].id === tab[0].getAttribute('aria-controls')
            && shown[0].querySelector('[data-widget] > *') && location.hash;
        }"""
    )
    return page.evaluate(
        "[document.querySelector('[aria-selected=true]').dataset.tabId, decodeURIComponent(location.hash.slice(1))]"
    )


def test_each_tab_has_an_address_that_opens_it_and_the_way_back(page, server):
    page.goto(server.url)
    assert opened(page) == ["train", "train"]
    open_tab(page, "settings")
    assert opened(page) == ["settings", "settings"]
    page.reload()
    assert opened(page) == ["settings", "settings"]
    open_tab(page, "tags")
    page.go_back()
    assert opened(page) == ["settings", "settings"]
    page.go_back()
    assert opened(page) == ["train", "train"]
    page.go_forward()
    assert opened(page) == ["settings", "settings"]
    page.goto(f"{server.url}#tagger")
    assert opened(page) == ["tagger", "tagger"]
    page.goto(f"{server.url}#tab=jobs")  # an address of an earlier version
    assert opened(page)[0] == "jobs"
    page.goto(f"{server.url}#nowhere")
    assert opened(page) == ["train", "train"]


def test_the_tabs_are_one_tab_stop_and_arrows_walk_along_them(page, server):
    page.goto(f"{server.url}#jobs")
    opened(page)
    tabs = page.locator("[role=tablist] > [role=tab]")
    assert tabs.evaluate_all("all => all.map((tab) => tab.tabIndex)") == [-1, 0, -1, -1, -1, -1]
    assert page.locator("[role=tabpanel]").evaluate_all(
        "all => all.map((panel) => panel.getAttribute('aria-labelledby'))"
    ) == [f"tab-{name}-button" for name, *_ in TABS]
    page.locator("#tab-jobs-button").focus()
    for key, name in [
        ("ArrowLeft", "train"), ("ArrowLeft", "settings"), ("ArrowRight", "train"), ("End", "settings"),
        ("Home", "train"), ("ArrowRight", "jobs"), ("ArrowRight", "tagger"),
    ]:  # fmt: skip
        page.keyboard.press(key)
        assert [opened(page)[0], page.evaluate("document.activeElement.dataset.tabId")] == [name, name], key
    assert page.evaluate("history.length") == 2  # the empty page that the window began with, and this one


def test_the_page_works_before_gradio_and_keeps_what_is_typed_when_gradio_comes(page, server):
    held = []
    page.route("**/assets/index-*.js", lambda route: held.append(route))
    page.goto(f"{server.url}#settings")
    field = page.locator("[data-role=setting-hf_endpoint]")
    field.press_sequentially("https://exa")
    wait_for(lambda: page.evaluate("1") and held, what="the page to ask for Gradio's script")
    assert page.locator("gradio-app .gradio-container").count() == 0
    place = field.bounding_box()
    held[0].continue_()
    page.locator("gradio-app #frame #panels").wait_for()
    assert field.bounding_box() == place
    page.keyboard.type("mple")
    assert field.input_value() == "https://example"
    assert page.evaluate("document.activeElement.dataset.role") == "setting-hf_endpoint"


def test_on_a_phone_nothing_sticks_out_to_the_side(browser, server):
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(server.url)
    for name in ("jobs", "tensorboard", "settings"):
        open_tab(page, name)
        page.locator(f"#tab-{name} [data-widget] > *").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    context.close()


def say(page, message: str, **options: Any) -> None:
    """Show a message as the page's own scripts do."""
    page.evaluate(
        "async ([message, options]) => (await import('./static/notice.js')).notice(message, options)",
        [message, options],
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_messages_cover_nothing_and_their_number_is_told(browser, server, width):
    context = browser.new_context(viewport={"width": width, "height": 500}, locale="en-US")
    page = context.new_page()
    page.goto(f"{server.url}#settings")
    page.locator("[data-role=setting-output]").wait_for()
    page.evaluate("window.scrollTo(0, 150)")
    # How far the first field is below what stands on top: the same before and after, or something is covered.
    below = """() => document.querySelector('[data-role=setting-output]').getBoundingClientRect().top
        - document.querySelector('.top').getBoundingClientRect().bottom"""
    before = page.evaluate(below)
    for message in ("one", "two", "three " * 90):
        say(page, message)
    page.locator("[data-role=notice]").last.wait_for()
    page.wait_for_function(f"before => Math.abs(({below})() - before) < 1.5", arg=before)
    assert page.locator("[data-role=notice]").evaluate_all(
        """all => all.map((one) => one.getBoundingClientRect()).every((box) => box.height === 0
            || box.bottom <= document.querySelector('.top').getBoundingClientRect().bottom)"""
    )
    number = page.locator("[data-role=notice-all]")
    assert [number.inner_text().strip(), number.get_attribute("aria-label")] == ["3", "All messages: 3"]
    number.click()
    page.locator("[data-role=notice]", has_text="one").wait_for()
    page.wait_for_function(f"before => Math.abs(({below})() - before) < 1.5", arg=before)
    number.click()
    page.locator("[data-role=notice]", has_text="one").wait_for(state="hidden")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_an_error_ends_with_the_next_success_another_tab_or_a_server_that_answers_again(page, server):
    page.goto(f"{server.url}#jobs")
    page.locator("#tab-jobs-button").wait_for()

    def shown() -> list[str]:
        return page.locator("[data-role=notice] .grow").all_inner_texts()

    say(page, "wrong", kind="error")
    say(page, "wrong", kind="error")
    say(page, "worse", kind="error")
    assert shown() == ["wrong", "worse"]
    say(page, "done")
    assert shown() == ["done"]
    say(page, "wrong", kind="error")
    open_tab(page, "settings")
    assert shown() == ["done"]
    page.route("**/api/jobs/running", lambda route: route.abort())
    page.route("**/api/text/zh", lambda route: route.abort())
    page.evaluate(
        "async () => { const { get } = await import('./static/api.js');"
        " await get('text/zh').catch((await import('./static/notice.js')).complain); }"
    )
    page.locator("[data-role=notice][data-kind=error]").wait_for(state="detached")  # as soon as anything is answered


def test_a_server_that_went_away_is_told_in_words_and_found_again(page, own_server):
    server = own_server()
    page.goto(server.url)
    page.locator("header.bar").wait_for()
    page.locator("gradio-app #panels").wait_for()
    server.kill()
    page.get_by_text("The page cannot reach Athanor").wait_for()
    server.start()
    page.locator("[data-role=running-strip]").wait_for(state="hidden")
