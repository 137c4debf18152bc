"""The page that shows and starts things. It never imports torch, not even through a friend (tests/test_layers.py).

Header, tabs and what is inside a tab are plain ES modules of `static/`; Gradio frames the page.

Nothing is imported here: `python -m webui.launcher` runs before anything is installed.
"""

from __future__ import annotations

# Tabs in display order: name in the address (`#jobs`), module of static/ that fills it, title (English; Chinese in
# text/zh/shell.toml).
TABS = (
    ("train", "form", "Train"),
    ("jobs", "jobs", "Jobs"),
    ("tagger", "tagger", "Tagger"),
    ("tags", "tags", "Tag editor"),
    ("tensorboard", "tensorboard", "TensorBoard"),
    ("settings", "settings", "Settings"),
)
