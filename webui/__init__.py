"""The page that shows and starts things. It never imports torch, not even through a friend (tests/test_layers.py).

Gradio draws the shell: header, tabs, themes. What is inside a tab is one widget, a plain ES module of `static/`.

Nothing is imported here: `python -m webui.launcher` runs before anything is installed.
"""

from __future__ import annotations

# Tabs in display order: module of webui.tabs, title (English; Chinese in text/zh/shell.toml).
TABS = (
    ("train", "Train"),
    ("jobs", "Jobs"),
    ("tagger", "Tagger"),
    ("tags", "Tag editor"),
    ("tensorboard", "TensorBoard"),
    ("settings", "Settings"),
)
