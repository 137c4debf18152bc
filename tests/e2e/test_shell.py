"""Header, languages, themes, tabs; nothing leaves the machine."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import open_tab
from webui import TABS

TITLES = {"en": [title for _, title in TABS], "zh": ["训练", "任务", "打标", "标签编辑", "TensorBoard", "设置"]}


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
    for name, _ in TABS:
        open_tab(page, name)
        page.locator(f"#tab-{name} [data-widget] > *").first.wait_for()
    page.wait_for_load_state("networkidle")
    assert foreign == []


def test_gradio_is_told_nothing_but_to_draw(page, server):
    """Every POST of the page goes to our own interface; Gradio's is closed."""
    posts: list[str] = []
    page.on("request", lambda request: request.method != "GET" and posts.append(urlsplit(request.url).path))
    page.goto(server.url)
    for name, _ in TABS:
        open_tab(page, name)
    page.wait_for_load_state("networkidle")
    assert [path for path in posts if not path.startswith("/api/")] == []


def test_a_reload_comes_back_to_the_open_tab(page, server):
    page.goto(server.url)
    open_tab(page, "settings")
    page.locator("#settings").wait_for()
    page.reload()
    page.locator("#settings").wait_for()
    assert page.locator("#tab-settings-button").get_attribute("aria-selected") == "true"


def test_on_a_phone_nothing_sticks_out_to_the_side(browser, server):
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(server.url)
    for name in ("jobs", "tensorboard", "settings"):
        open_tab(page, name)
        page.locator(f"#tab-{name} [data-widget] > *").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    context.close()


def test_an_error_ends_with_the_next_success_another_tab_or_a_server_that_answers_again(page, server):
    page.goto(server.url)
    page.locator("#tab-jobs-button").wait_for()

    def say(message: str, **options: Any) -> None:
        page.evaluate(
            "async ([message, options]) => (await import('./static/notice.js')).notice(message, options)",
            [message, options],
        )

    def shown() -> list[str]:
        return page.locator("[data-role=notice] .grow").all_inner_texts()

    say("wrong", kind="error")
    say("wrong", kind="error")
    say("worse", kind="error")
    assert shown() == ["wrong", "worse"]
    say("done")
    assert shown() == ["done"]
    say("wrong", kind="error")
    open_tab(page, "settings")
    assert shown() == ["done"]
    page.route("**/api/jobs/running", lambda route: route.abort())
    page.route("**/api/text/zh", lambda route: route.abort())
    page.evaluate(
        "async () => { const { get } = await import('./static/api.js');"
        " await get('text/zh').catch((await import('./static/notice.js')).complain); }"
    )
    page.locator("[data-role=notice][data-kind=error]").wait_for(state="detached")  # as soon as anything is answered


def test_the_tabs_are_reached_with_the_keyboard(page, server):
    page.goto(server.url)
    page.locator("#tab-jobs-button").focus()
    page.keyboard.press("Enter")
    assert page.locator("#tab-jobs-button").get_attribute("aria-selected") == "true"


def test_a_server_that_went_away_is_told_in_words_and_found_again(page, own_server):
    server = own_server()
    page.goto(server.url)
    page.locator("header.bar").wait_for()
    server.kill()
    page.get_by_text("The page cannot reach Athanor").wait_for()
    server.start()
    page.locator("[data-role=running-strip]").wait_for(state="hidden")
