"""One file a tab, each with `build()`, called inside its `gr.Tab`. What a tab does is in the ES module it mounts."""

from __future__ import annotations

import gradio as gr

MOUNT = """
const root = element.querySelector('[data-widget]');
import(new URL('./static/NAME.js', document.baseURI).href)
  .then((module) => module.mount(root))
  .catch((error) => {
    root.textContent = 'This part of the page could not be loaded: ' + error;
    console.error(error);
  });
"""


def widget(name: str) -> gr.HTML:
    """An empty box that `static/<name>.js` fills by its `mount(element)` when the box first appears on the page."""
    return gr.HTML(
        "",
        html_template=f"<div class='ath' data-widget='{name}'></div>",
        js_on_load=MOUNT.replace("NAME", name),
        elem_id=f"widget-{name}",
        elem_classes=["ath-box"],
        apply_default_css=False,
        padding=False,
    )
