"""The front page: what it loads, in which order."""

from __future__ import annotations

from pathlib import Path

import gradio
import pytest

from webui import TABS
from webui.page import GRADIO_SCRIPT, opening
from webui.staticfiles import STATIC, modules_for, styles

INDEX = (Path(gradio.__file__).parent / "templates" / "frontend" / "index.html").read_bytes()


def test_our_script_comes_first_and_gradios_is_left_to_it():
    page = opening(INDEX, "zh").decode("utf-8")
    script = GRADIO_SCRIPT.search(INDEX)
    assert script is not None and f'"gradio": "{script[1].decode()}"' in page
    assert (
        page.count('<script type="module"') == 1 and '<script type="module" src="./static/start.js"></script>' in page
    )


def test_a_page_of_an_unknown_gradio_keeps_its_script():
    page = opening(b'<html><head><script type="module" src="./new.js"></script></head><body></body></html>', None)
    assert b'<script type="module" src="./new.js"></script>' in page and b'"gradio": null' in page


@pytest.mark.parametrize("widget", [widget for _, widget, _ in TABS])
def test_what_a_tab_imports_at_once_is_named_beforehand(widget):
    """Counted anew: every import of every module that is named leads to a module that is named."""
    named = modules_for([widget])
    imported = {
        line.rsplit("'./", 1)[1].split(".js'")[0]
        for name in named
        for line in (STATIC / f"{name}.js").read_text(encoding="utf-8").splitlines()
        if line.startswith(("import ", "export ", "} from ")) and " from './" in line
    }
    assert named[0] == widget and imported | {widget} == set(named)


def test_the_style_sheet_is_all_sheets_in_a_row():
    assert sorted(path.stem for path in STATIC.glob("*.css")) == sorted(
        path.stem for path in STATIC.glob("*.css") if path.read_bytes() in styles()
    )
