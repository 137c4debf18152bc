"""The train tab: one widget, static/form.js."""

from __future__ import annotations

from webui.tabs import widget


def build() -> None:
    """Lay out the tab."""
    widget("form")
