"""The tag editor's interface: open a folder, see, edit, undo, save. What these do is in webui/tag*.py. LIGHT.

Pictures are named by number within one listing of the folder; only "open" takes a path. Answers are built as JSON
directly: FastAPI's own encoder takes longer over ten thousand pictures than the edit itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from trainer.dataset import captions, tree
from trainer.demo.pictures import FOLDER_NEW, DemoError, write_pictures
from trainer.families.emphasis import plain
from trainer.families.tokens import clip_tokenizer
from trainer.filesystem import is_folder
from webui import tagfiles, tagops
from webui.answers import Refusal
from webui.form_presets import Drafts
from webui.site import Site
from webui.tagfiles import FolderError, Picture
from webui.tagfolders import Opened, OpenFolders
from webui.tagops import Edit, EditError
from webui.tagstore import Plan, Query, Row, Stale, Step, Store
from webui.thumbnails import Thumbnails, file_key

NAMES_SHOWN = 200
STEPS_SHOWN = 60
STALE = "The captions were changed in another window; this window shows them now, please look and do it again"

Span = tuple[int, int]
Result = TypeVar("Result")


class Open(BaseModel):
    """A folder to open. recursive None: decide by whether the folder itself has pictures."""

    model_config = ConfigDict(extra="forbid")
    path: str = Field(max_length=4000)
    recursive: bool | None = None
    extension: str = ".txt"


class Target(BaseModel):
    """Which pictures an edit is for: those that the query finds, or the given spans of numbers (ends included)."""

    model_config = ConfigDict(extra="forbid")
    scope: Literal["shown", "selected"] = "shown"
    spans: list[Span] = []


class Asking(BaseModel):
    """What every answer of the editor needs: the filter of the asking window, and the picture it looks at closely."""

    model_config = ConfigDict(extra="forbid")
    query: Query = Query()
    look: int | None = None


class Change(Asking):
    """A request that changes something; `rev` and `listing` say on which state it was made."""

    rev: int
    listing: int


class Editing(Change):
    edit: Edit
    target: Target = Target()


class Travel(Change):
    """Undo or redo to the point where `position` steps are done."""

    position: int


class Resolve(Change):
    spans: list[Span]
    keep: Literal["mine", "disk"]


class BringBack(Change):
    name: str = Field(max_length=80)


def router(site: Site) -> APIRouter:
    """Routes under /api/datasets."""
    routes = APIRouter(prefix="/api/datasets")
    folders = site.captions

    @routes.get("")
    def overview() -> Response:
        recent = [
            entry | {"name": _tail(entry["path"]), "gone": not is_folder(Path(entry["path"]))}
            for entry in folders.recent()
        ]
        return _json({"recent": recent, "train": str(site.train_dir), "extensions": tagfiles.CAPTION_EXTENSIONS})

    @routes.post("/open")
    def open_folder(body: Open) -> Response:
        with _refusals():
            folder = tagfiles.plain_folder(body.path, site.root)
            opened = folders.open(folder, body.recursive, body.extension)
            site.recent.note(folder)
            return _json(_listing(opened, site.thumbnails) | {"view": _view(opened, Query())})

    @routes.post("/demo")
    def demo() -> Response:
        """Put the demo pictures with their captions where data sets are kept; what is there stays as it is."""
        folder = site.train_dir / "demo" / FOLDER_NEW
        try:
            write_pictures(folder, captions=True)
        except DemoError as error:
            raise Refusal(409, str(error)) from error
        return _json({"path": str(folder)})

    @routes.get("/{name}")
    def listing(name: str) -> Response:
        with _refusals():
            opened = folders.get(name)
            return _json(_listing(opened, site.thumbnails) | {"view": _view(opened, Query())})

    @routes.get("/{name}/version")
    def version(name: str) -> Response:
        with _refusals():
            opened = folders.get(name)
            store = opened.store
            return _json({"rev": store.rev, "version": store.version, "listing": store.listing_number,
                          "save": opened.saver.state()})  # fmt: skip

    @routes.post("/{name}/view")
    def view(name: str, body: Asking) -> Response:
        with _refusals():
            return _json(_view(folders.get(name), body.query, body.look))

    @routes.post("/{name}/refresh")
    def refresh(name: str, body: Asking) -> Response:
        with _refusals():
            opened = folders.get(name)
            opened.store.refresh()
            return _json(_view(opened, body.query, body.look))

    @routes.post("/{name}/save")
    def save(name: str, body: Change) -> Response:
        with _refusals():
            opened = folders.get(name)
            _with_lock(opened, body, lambda store: opened.saver.start(body.rev))
            return _json(_view(opened, body.query, body.look))

    @routes.get("/{name}/keep")
    def keep(name: str) -> Response:
        """How many tags at the start should stay in place: those that all captions begin with, or keep_tokens."""
        with _refusals():
            shared = folders.get(name).store.shared_start()
        draft = Drafts(site.state_dir / "drafts" / "train.json").read()
        wanted = str(draft.values.get("caption.keep_tokens", "")) if draft else ""
        return _json({"keep": min(255, max(shared, int(wanted) if wanted.isdecimal() else 0))})

    @routes.get("/{name}/returns")
    def returns(name: str) -> Response:
        with _refusals():
            return _json({"returns": folders.get(name).returns.listing()})

    _add_edits(routes, folders)
    return routes


def _add_edits(routes: APIRouter, folders: OpenFolders) -> None:
    """Everything that changes captions; each answers with the number of changes and the new view."""

    @routes.post("/{name}/count")
    def count(name: str, body: Editing) -> Response:
        with _refusals():
            opened = folders.get(name)
            targets, plan = _with_lock(opened, body, lambda store: _planned(store, body))
            return _json({"changes": len(plan.texts), "of": len(targets), "too_long": len(plan.too_long)})

    @routes.post("/{name}/edit")
    def edit(name: str, body: Editing) -> Response:
        def act(store: Store) -> tuple[int, list[str]]:
            store.expect(body.rev)
            _, plan = _planned(store, body)
            return store.carry_out(plan), [store.rows[n].picture.name for n in plan.too_long]

        with _refusals():
            opened = folders.get(name)
            changed, left = _with_lock(opened, body, act)
            view = _view(opened, body.query, body.look)
            return _json(
                {"changed": changed, "view": view, "too_long": left[:NAMES_SHOWN], "too_long_count": len(left)}
            )

    @routes.post("/{name}/undo")
    def undo(name: str, body: Change) -> Response:
        return _change(name, body, lambda store: int(store.undo(body.rev) is not None))

    @routes.post("/{name}/redo")
    def redo(name: str, body: Change) -> Response:
        return _change(name, body, lambda store: int(store.redo(body.rev) is not None))

    @routes.post("/{name}/travel")
    def travel(name: str, body: Travel) -> Response:
        return _change(name, body, lambda store: store.travel(body.position, body.rev))

    @routes.post("/{name}/resolve")
    def resolve(name: str, body: Resolve) -> Response:
        return _change(name, body, lambda store: store.resolve(_numbers(store, body.spans), body.keep, body.rev))

    @routes.post("/{name}/bring-back")
    def bring_back(name: str, body: BringBack) -> Response:
        with _refusals():
            texts = folders.get(name).returns.read(body.name)
        return _change(name, body, lambda store: store.bring_back(texts, body.name, body.rev))

    def _change(name: str, body: Change, act: Callable[[Store], int | None]) -> Response:
        with _refusals():
            opened = folders.get(name)
            changed = _with_lock(opened, body, act)
            return _json({"changed": changed, "view": _view(opened, body.query, body.look)})


class _refusals:
    """Turns the editor's own errors into refusals with their words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Stale):
            raise Refusal(409, STALE) from error
        if isinstance(error, (FolderError, EditError)):
            raise Refusal(404 if "is not open" in str(error) else 400, str(error)) from error


def _with_lock(opened: Opened, body: Change, act: Callable[[Store], Result]) -> Result:
    """`act` on the store while nobody else changes it; Stale when the listing is not the one the window knows."""
    store = opened.store
    with store.lock:
        if body.listing != store.listing_number:
            raise Stale
        return act(store)


def _targets(store: Store, body: Editing) -> list[int]:
    return store.find(body.query) if body.target.scope == "shown" else _numbers(store, body.target.spans)


def _planned(store: Store, body: Editing) -> tuple[list[int], Plan]:
    """The pictures that an edit is for, and what it would do."""
    targets = _targets(store, body)
    return targets, store.plan(body.edit, targets)


def _numbers(store: Store, spans: Sequence[Span]) -> list[int]:
    """The picture numbers in `spans`, ascending, those that exist."""
    last = len(store.rows) - 1
    return sorted({n for start, end in spans[:100_000] for n in range(max(0, start), min(end, last) + 1)})


def spans(numbers: Sequence[int]) -> list[Span]:
    """Ascending numbers as runs: [0, 1, 2, 5] -> [(0, 2), (5, 5)]."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return [(start, end) for start, end in runs]


def _listing(opened: Opened, thumbnails: Thumbnails) -> dict[str, Any]:
    """The folder and its pictures by number: names, and the addresses of their thumbnails below ./api/."""
    store = opened.store
    below = 0 if store.recursive else tree.count_below(store.folder)
    with store.lock:
        folders: dict[str, int] = {}
        for row in store.rows:
            folders[row.picture.folder] = folders.get(row.picture.folder, 0) + 1
        shelves = {folder: thumbnails.register_folder(store.folder / folder, store.folder) for folder in folders}
        return {
            "id": opened.id,
            "path": str(store.folder),
            "name": store.folder.name or str(store.folder),
            "recursive": store.recursive,
            "extension": store.extension,
            "listing": store.listing_number,
            "pictures": [row.picture.name for row in store.rows],
            "thumbnails": [_thumbnail(shelves[row.picture.folder], row.picture) for row in store.rows],
            "folders": sorted(folders.items(), key=lambda item: tagfiles.natural(item[0])),
            "orphans": store.orphans[:NAMES_SHOWN],
            "orphan_count": len(store.orphans),
            "outside": store.outside[:NAMES_SHOWN],
            "unused": store.unused[:NAMES_SHOWN],
            "with_subfolders": 0 if store.recursive or not below else len(store.rows) + below,
            "strays": sorted(store.strays)[:NAMES_SHOWN],
            "restored": store.restored,
        }


def _thumbnail(shelf: str, picture: Picture) -> str:
    """Address below ./api/thumbnails/; it changes when the picture does, so that a browser may keep it for long."""
    key = file_key(picture.name.rpartition("/")[2])
    return f"{shelf}/{key}?v={picture.modified_ns ^ picture.size:x}"


def _view(opened: Opened, query: Query, look: int | None = None) -> dict[str, Any]:
    """What a window shows for `query`: numbers as spans, tags as (tag, among the shown, in all)."""
    store = opened.store
    with store.lock:
        shown = store.find(query)
        return {
            "rev": store.rev,
            "version": store.version,
            "listing": store.listing_number,
            "total": len(store.rows),
            "shown": spans(shown),
            "shown_count": len(shown),
            "tags": store.counts(shown),
            "dirty": spans(sorted(store.dirty)),
            "dirty_count": len(store.dirty),
            "empty": spans(sorted(store.empty)),
            "faulty": spans(sorted(store.faulty)),
            "conflicts": spans(sorted(store.clashing)),
            "twins": spans(sorted(store.twins)),
            "done": [_label(step) for step in store.done[-STEPS_SHOWN:]],
            "done_count": len(store.done),
            "undone": [_label(step) for step in store.undone[::-1][:STEPS_SHOWN]],
            "save": opened.saver.state(),
            "picture": None if look is None or not 0 <= look < len(store.rows) else _picture(store, look),
        }


def _label(step: Step) -> dict[str, Any]:
    """What a step was, for the history: the page makes a sentence of it."""
    edit = step.edit
    first = min(step.after, default=0)
    return {"kind": edit.kind, "tags": edit.tags[:4], "more": max(0, len(edit.tags) - 4), "to": edit.replacement[:4],
            "find": edit.find[:40], "text": edit.text[:40], "place": edit.place, "by": edit.by,
            "count": len(step.after), "picture": first}  # fmt: skip


def _picture(store: Store, n: int) -> dict[str, Any]:
    """Everything about one picture's caption."""
    row: Row = store.rows[n]
    return {
        "number": n,
        "name": row.picture.name,
        "caption": row.picture.caption,
        "text": row.text,
        "saved": row.saved,
        "tags": tagops.first_line_tags(row.text),
        "tokens": _tokens(row.text),
        "lines": sum(bool(line.strip()) for line in captions.split_lines(row.text)[::2]),
        "dirty": n in store.dirty,
        "problem": row.disk.problem,
        "conflict": None if row.conflict is None else {"text": row.conflict.text, "problem": row.conflict.problem},
        "shared": store.shared(n),
    }


def _tokens(text: str) -> int | None:
    """CLIP tokens of the line that training uses without wildcards; None where CLIP's vocabulary is not installed."""
    try:
        return clip_tokenizer().count(plain(captions.split_lines(text)[0]))
    except (OSError, ImportError, ValueError):
        return None


def _tail(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] or path


def _json(content: dict[str, Any]) -> Response:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode("utf-8", "replace"), media_type="application/json")
