"""The tensorboard tab: one widget, static/tensorboard.js."""

from __future__ import annotations

from webui.tabs import widget


def build() -> None:
    """Lay out the tab."""
    widget("tensorboard")
