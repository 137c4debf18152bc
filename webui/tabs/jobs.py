"""The jobs tab: one widget, static/jobs.js."""

from __future__ import annotations

from webui.tabs import widget


def build() -> None:
    """Lay out the tab."""
    widget("jobs")
