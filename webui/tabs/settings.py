"""The settings tab: one widget, static/settings.js."""

from __future__ import annotations

from webui.tabs import widget


def build() -> None:
    """Lay out the tab."""
    widget("settings")
