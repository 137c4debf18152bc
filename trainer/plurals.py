"""Sentences with numbers in them, whose words follow the number. LIGHT.

"{count} {count|picture is|pictures are} damaged" gives the forms for one and for more. The page reads the same
templates (webui/static/text.js), in a translation with as many forms as its language has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

FORMS = re.compile(r"\{(\w+)\|([^{}|]*)\|([^{}|]*)\}")


def filled(template: str, values: Mapping[str, Any]) -> str:
    """The English sentence of a template. Raises KeyError for a placeholder without a value."""
    return FORMS.sub(lambda form: form[2] if values[form[1]] == 1 else form[3], template).format(**values)
