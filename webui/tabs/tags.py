"""The tag editor tab: one widget, static/tags.js."""

from __future__ import annotations

from webui.tabs import widget


def build() -> None:
    """Lay out the tab."""
    widget("tags")
