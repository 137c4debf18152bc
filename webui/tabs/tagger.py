"""The tagger tab: one widget, static/tagger.js."""

from __future__ import annotations

from webui.tabs import widget


def build() -> None:
    """Lay out the tab."""
    widget("tagger")
