"""The Settings tab: folders, mirrors, patience; what was found on this machine; a report to attach to a bug."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, ValidationError

from webui import machine, space
from webui.answers import Refusal
from webui.launcher import mirrors
from webui.routes.files import checked_path
from webui.settings import DEFAULT_FOLDERS, FOLDERS
from webui.site import Site


class Change(BaseModel):
    """The settings to change; what is not given stays."""

    model_config = ConfigDict(extra="forbid")
    output: str | None = None
    logs: str | None = None
    train: str | None = None
    models: str | None = None
    hf_endpoint: str | None = None
    package_mirror: str | None = None
    torch_mirror: str | None = None
    stop_grace_seconds: int | None = None
    jobs_at_once: int | None = None
    create: bool = False


class Emptied(BaseModel):
    """What to empty."""

    model_config = ConfigDict(extra="forbid")
    what: Literal["trash", "cache"]


class Mirror(BaseModel):
    """A word of webui/launcher/mirrors.json."""

    model_config = ConfigDict(extra="forbid")
    name: str


def router(site: Site) -> APIRouter:
    """Everything below /api/settings."""
    routes = APIRouter(prefix="/api/settings")

    @routes.get("")
    def read() -> dict[str, Any]:
        """The settings as they are, where the folders lie, and which mirrors are known."""
        return _answer(site)

    @routes.post("")
    def change(wanted: Change) -> dict[str, Any]:
        """Check and keep settings; a folder that does not exist is only made with `create`."""
        values = wanted.model_dump(exclude_none=True, exclude={"create"})
        problems = [
            found
            for name in FOLDERS
            if name in values
            for found in _folder_problems(site, name, str(values[name]), wanted.create)
        ]
        if problems:
            raise Refusal(422, "Not saved: " + problems[0]["message"], problems)
        try:
            site.settings.change(**values)
        except ValidationError as error:
            problems = [
                {"address": str(e["loc"][0]), "message": e["msg"].removeprefix("Value error, ")} for e in error.errors()
            ]
            raise Refusal(422, "Not saved: " + problems[0]["message"], problems) from None
        return _answer(site)

    @routes.post("/mirror")
    def mirror(wanted: Mirror) -> dict[str, Any]:
        """Choose one of the known sets of mirrors for downloads and updates."""
        if wanted.name not in mirrors.names():
            raise Refusal(422, f"{wanted.name[:40]!r} is not a known mirror; known: {', '.join(mirrors.names())}.")
        mirrors.remember(site.root, wanted.name)
        return _answer(site)

    @routes.get("/space")
    def used() -> dict[str, Any]:
        """What removed jobs and the cache take, and who uses the cache now."""
        return _space(site)

    @routes.post("/empty")
    def empty(wanted: Emptied) -> dict[str, Any]:
        """Delete the removed jobs for good, or the cache. The page asks before."""
        try:
            (space.empty_trash if wanted.what == "trash" else space.empty_cache)(site)
        except space.SpaceError as error:
            raise Refusal(409, f"Not emptied: {error}.") from None
        return _space(site)

    @routes.get("/machine")
    def found() -> dict[str, Any]:
        """GPUs, torch and versions, asked from a process of its own the first time (some seconds)."""
        return {
            "devices": machine.devices(site.root),
            "versions": machine.versions(),
            "system": machine.system(site.root),
        }

    @routes.get("/report.zip")
    def report() -> Response:
        """Versions, devices, settings and the ends of the newest logs, without names, tokens and the home folder."""
        content = machine.report(site)
        return Response(
            content,
            media_type="application/zip",
            headers={"content-disposition": "attachment; filename=athanor-report.zip"},
        )

    return routes


def _space(site: Site) -> dict[str, Any]:
    return {
        "trash": asdict(space.used_by_trash(site)),
        "cache": asdict(space.used_by_cache(site)),
        "in_use": space.in_use(site),
    }


def _answer(site: Site) -> dict[str, Any]:
    current = site.settings.current
    folders = [
        {
            "name": name,
            "chosen": getattr(current, name),
            "usual": DEFAULT_FOLDERS[name],
            "path": str(path),
            "exists": path.is_dir(),
        }
        for name in FOLDERS
        for path in [site.settings.folder(name)]
    ]
    return {
        "settings": current.model_dump(),
        "folders": folders,
        "mirror": mirrors.remembered(site.root) or "none",
        "mirrors": list(mirrors.names()),
        "listen": site.listen,
        "damaged": str(site.settings.damaged) if site.settings.damaged else None,
    }


def _folder_problems(site: Site, name: str, text: str, create: bool) -> list[dict[str, str]]:
    """What stands against a folder; with `create` it is made."""
    if not text.strip():
        return []
    try:
        path = checked_path(site.root, text)
        if path.exists() and not path.is_dir():
            return [{"address": name, "message": f"{path} is a file; choose a folder."}]
        if not path.is_dir() and not create:
            return [
                {"address": name, "kind": "missing", "message": f"{path} does not exist; create it or choose another."}
            ]
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".athanor-probe"
        probe.touch()
        probe.unlink()
    except Refusal as refusal:
        return [{"address": name, "message": refusal.message}]
    except OSError as error:
        if name in ("train", "models") and path.is_dir():
            return []  # only read from
        return [{"address": name, "message": f"{path} cannot be written to ({error.strerror}); choose another folder."}]
    return []
