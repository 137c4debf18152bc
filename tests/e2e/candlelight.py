"""A page whose trainer is tests/webui/candle.py, and jobs made through its interface."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Server, wait_for

CANDLE = Path(__file__).resolve().parents[1] / "webui" / "candle.py"

SERVE = f"""
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import webui.runner
webui.runner.train_command = lambda job: [sys.executable, {str(CANDLE)!r}, str(job.config_path), "--job", str(job.path)]
from webui.server import serve
serve(Path(sys.argv[2]), port=int(sys.argv[3]), open_browser=False, listen=sys.argv[4] == "listen")
"""


def call(server: Server, path: str, body: Any = None) -> Any:
    """GET, or POST when there is a body, an address of the interface."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{server.url}api/{urllib.parse.quote(path, safe='/?=&-')}", data, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def burn(server: Server, name: str = "anby", comment: str = "steps=40") -> str:
    """Start a job; its id."""
    values = {
        "output_name": name, "train_data_dir": "train", "resolution": "512",
        "pretrained_model_name_or_path": "m.safetensors",
        "training_comment": comment,
    }  # fmt: skip
    return str(call(server, "jobs", {"values": values, "queue": True})["id"])


def until(server: Server, job_id: str, *states: str, seconds: float = 30) -> dict[str, Any]:
    """Wait for one of some states; the job's line."""

    def look() -> dict[str, Any] | None:
        line: dict[str, Any] = call(server, f"jobs/{job_id}/live")["job"]
        return line if line["state"] in states else None

    return dict(wait_for(look, seconds, what=f"{job_id} to be {states}"))
