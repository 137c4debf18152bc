"""The front page: header, tabs and widgets of our own, which work before Gradio has started, in Gradio's frame later.

Gradio's scripts keep a small machine busy for over a second. So the page begins with `static/start.js`, which draws
what the address asks for; only then is Gradio's script loaded, and its box takes the panels in. Gradio runs nothing.

Language and theme are decided in an inline script that stands first in <head>: Gradio looks at navigator.language and
at the system's colours while it boots, and its own `head=` comes too late for that.
"""

from __future__ import annotations

import json
import re

import gradio as gr

from webui import TABS
from webui.guard import App, Message, Receive, Scope, Send
from webui.staticfiles import modules_for
from webui.texts import LANGUAGES

MANIFEST = b'<link rel="manifest" href="/manifest.json" />'  # Gradio answers it with 404 unless the page is a PWA
BODY = re.compile(rb"<body[^>]*>")
GRADIO_SCRIPT = re.compile(rb'<script type="module"[^>]*src="(\./assets/index-[\w\-]+\.js)"[^>]*></script>')

FIRST_SCRIPT = """<script>(() => {
  const { given, modules, ...page } = GIVEN;
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
  window.athanor = { lang, ...page };
  const name = /^#job=/.test(location.hash) ? 'jobs' : location.hash.replace(/^#(tab=)?/, '');
  const open = page.tabs.find((tab) => tab.name === name) || page.tabs[0];
  const early = (attributes) => document.head.append(Object.assign(document.createElement('link'), attributes));
  for (const module of new Set([...modules.start, ...modules[open.widget]]))
    early({ rel: 'modulepreload', href: './static/' + module + '.js' });
  if (lang !== 'en') early({ rel: 'preload', as: 'fetch', crossOrigin: 'anonymous', href: './api/text/' + lang });
})();</script>"""

SETTLE = "window.athanor.settle?.(element);"


def build() -> gr.Blocks:
    """Gradio's part of the page: one box, which takes our panels in once Gradio stands."""
    with gr.Blocks(title="Athanor", analytics_enabled=False, fill_width=True) as page:
        gr.HTML(
            "",
            html_template="<div class='ath-frame'></div>",
            js_on_load=SETTLE,
            elem_id="frame",
            elem_classes=["ath-box"],
            apply_default_css=False,
            padding=False,
        )
    return page


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
    """The front page with our scripts and style sheets, and Gradio's script left to `start.js`.

    lang: "zh" or "en" when the command line chose one, else the browser's language counts. The style sheet stands in
    <body>: there it comes after Gradio's, which are added to <head> while it boots, and wins where both are as
    specific.
    """
    gradio = GRADIO_SCRIPT.search(html)
    given = {
        "given": lang if lang in ("en", *LANGUAGES) else None,
        "tabs": [{"name": name, "widget": widget, "title": title} for name, widget, title in TABS],
        "modules": {"start": modules_for(["start"]), **{widget: modules_for([widget]) for _, widget, _ in TABS}},
        "gradio": gradio[1].decode("ascii") if gradio else None,
    }
    script = FIRST_SCRIPT.replace("GIVEN", json.dumps(given))
    first = f'<head>{script}<link rel="icon" href="./static/icon.svg" type="image/svg+xml">'
    own = '<link rel="stylesheet" href="./static/page.css"><div id="athanor" class="ath"></div>'
    own += '<script type="module" src="./static/start.js"></script>'
    html = html.replace(b"<head>", first.encode("utf-8"), 1).replace(MANIFEST, b"", 1)
    html = GRADIO_SCRIPT.sub(b"", html, count=1)
    return BODY.sub(lambda found: found.group(0) + own.encode("utf-8"), html, count=1)


class Opening:
    """ASGI: gives the front page its `opening`, and passes everything else on untouched.

    Gradio's assets carry their content's hash in their names: a browser that has one need not ask for it again.
    """

    def __init__(self, app: App, lang: str | None) -> None:
        self.app = app
        self.lang = lang

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] == "http" and scope["path"].startswith("/assets/"):
            await self.app(scope, receive, _lasting(send))
            return
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


def _lasting(send: Send) -> Send:
    """Tells the browser that a good answer stays as it is for a year."""

    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            year = (b"cache-control", b"private, max-age=31536000, immutable")
            message = {**message, "headers": [*message.get("headers", ()), year]}
        await send(message)

    return sender
