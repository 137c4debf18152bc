"""The page Gradio draws: header and tabs, and what goes before everything. Gradio runs nothing here.

Language and theme are decided, and the open tab is remembered, in an inline script that stands first in <head>: Gradio
looks at navigator.language and at the system's colours while it boots, and its own `head=` comes too late for that.
"""

from __future__ import annotations

import importlib
import json
import re

import gradio as gr

from webui import TABS
from webui.guard import App, Message, Receive, Scope, Send
from webui.tabs import widget
from webui.texts import LANGUAGES, phrase

STYLES = ("style", "shell", "form", "jobs", "tagger", "tags", "settings")

MANIFEST = b'<link rel="manifest" href="/manifest.json" />'  # Gradio answers it with 404 unless the page is a PWA
BODY = re.compile(rb"<body[^>]*>")

FIRST_SCRIPT = """<script>(() => {
  const given = GIVEN_LANG;
  const saved = (name) => { try { return localStorage.getItem('athanor.' + name); } catch { return null; } };
  const native = (navigator.languages || [navigator.language || 'en']).find((l) => /^(zh|en)/i.test(l)) || 'en';
  const lang = saved('lang') || given || (/^zh/i.test(native) ? 'zh' : 'en');
  const code = lang === 'zh' ? 'zh-CN' : 'en';
  Object.defineProperty(navigator, 'language', { get: () => code, configurable: true });
  Object.defineProperty(navigator, 'languages', { get: () => [code], configurable: true });
  const media = window.matchMedia.bind(window);
  const chosen = saved('theme');
  const dark = chosen ? chosen === 'dark' : media('(prefers-color-scheme: dark)').matches;
  if (chosen) window.matchMedia = (query) => /prefers-color-scheme/.test(query)
    ? { matches: /dark/.test(query) === dark, media: query, addEventListener() {}, removeEventListener() {} }
    : media(query);
  document.documentElement.lang = code;
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  addEventListener('click', (event) => {
    const tab = event.target.closest?.('[data-tab-id]');
    if (tab) try { sessionStorage.setItem('athanor.tab', tab.dataset.tabId); } catch {}
  }, true);
  window.athanor = { lang };
})();</script>"""


def build() -> gr.Blocks:
    """The page: a header widget above one tab for each line of TABS."""
    words = i18n()
    with gr.Blocks(title="Athanor", analytics_enabled=False, fill_width=True) as page:
        widget("shell")
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap"):
            for name, title in TABS:
                module = importlib.import_module(f"webui.tabs.{name}")
                with gr.Tab(words(title), id=name, elem_id=f"tab-{name}"):
                    module.build()
    return page


def i18n() -> gr.I18n:
    """Tab titles in every language of the page."""
    titles = [title for _, title in TABS]
    translations = {"zh-CN": {title: phrase(title, "zh") for title in titles}} if "zh" in LANGUAGES else {}
    return gr.I18n(en={title: title for title in titles}, **translations)


def theme() -> gr.themes.Base:
    """Gradio's plain theme with the system's fonts; colours come from static/style.css."""
    fonts = [
        "system-ui",
        "-apple-system",
        "Segoe UI",
        "PingFang SC",
        "Microsoft YaHei",
        "Noto Sans CJK SC",
        "sans-serif",
    ]
    return gr.themes.Base(font=fonts, font_mono=["ui-monospace", "Consolas", "Noto Sans Mono CJK SC", "monospace"])


def opening(html: bytes, lang: str | None) -> bytes:
    """The front page with our first script, icon and style sheets.

    lang: "zh" or "en" when the command line chose one, else the browser's language counts. The style sheets stand in
    <body>: there they come after Gradio's, which are added to <head> while it boots, and win where both are as
    specific.
    """
    script = FIRST_SCRIPT.replace("GIVEN_LANG", json.dumps(lang if lang in ("en", *LANGUAGES) else None))
    first = f'<head>{script}<link rel="icon" href="./static/icon.svg" type="image/svg+xml">'
    links = "".join(f'<link rel="stylesheet" href="./static/{name}.css">' for name in STYLES)
    html = html.replace(b"<head>", first.encode("utf-8"), 1).replace(MANIFEST, b"", 1)
    return BODY.sub(lambda found: found.group(0) + links.encode("utf-8"), html, count=1)


class Opening:
    """ASGI: gives the front page its `opening`, and passes everything else on untouched."""

    def __init__(self, app: App, lang: str | None) -> None:
        self.app = app
        self.lang = lang

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        plain = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]
        start: list[Message] = []
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
                return
            if message["type"] != "http.response.body":
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            changed = opening(bytes(body), self.lang)
            headers = [(n, v) for n, v in start[0]["headers"] if n.lower() not in (b"content-length", b"etag")]
            length = str(len(changed)).encode("ascii")
            await send(
                {**start[0], "headers": [*headers, (b"content-length", length), (b"cache-control", b"no-store")]}
            )
            await send({"type": "http.response.body", "body": changed})

        await self.app({**scope, "headers": plain}, receive, collect)
