"""The Train tab's interface: what the form is, checking it, presets, import, the draft, starting a run. LIGHT."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from trainer.config import ConfigError, Problem, TrainConfig, to_toml
from trainer.dataset.problems import named
from trainer.demo import BASE, DemoError, write_data_set
from trainer.filesystem import is_folder
from webui import (
    cards,
    form,
    form_folders,
    form_import,
    form_models,
    form_presets,
    form_prompts,
    form_report,
    form_spec,
    outputs,
)  # fmt: skip
from webui.answers import Refusal
from webui.cures import with_cures
from webui.routes.files import checked_path
from webui.routes.jobs import placed
from webui.site import Site
from webui.tagfolders import OpenFolders
from webui.tagstore import CaptionPlace

PRESETS = Path(__file__).parents[2] / "presets"
DEMO_PRESET = "demo"
UNSAVED = (
    "Captions of these pictures that are not saved yet in the tag editor: {n}. Save them first, or start with those on "
    "disk."
)
NOT_SAVED = (
    "Captions that could not be saved: {n} ({files}). Open the folder in the tag editor, which says why; nothing was "
    "started."
)


class Values(BaseModel):
    """The fields of the form by address."""

    values: dict[str, Any] = Field(max_length=2000)


class Source(Values):
    """The file or job that the values were taken from."""

    name: str = Field(max_length=300)


class DraftBody(Values):
    """A draft to keep; rev: the newest one this window knows, None to save anyway."""

    rev: int | None
    preset: str = Field(max_length=60)
    source: Source | None = None
    mode: str = Field(pattern="^(basic|expert)$")


class PresetChoice(Values):
    """A preset to lay over the form."""

    id: str = Field(max_length=60)


class PresetName(BaseModel):
    """An own preset, and the name it gets where one is needed."""

    id: str = Field("", max_length=60)
    name: str = Field("", max_length=200)


class PresetToSave(Values):
    """Values to keep under a name."""

    name: str = Field(max_length=200)


class FileText(Values):
    """A file that was chosen in the browser, and the form as it stands.

    data: in place of text, the bytes of a file that is not UTF-8, in base64. codec: what the user says it is in.
    """

    name: str = Field(max_length=300)
    text: str = Field("", max_length=form_import.LARGEST_FILE_BYTES)
    data: str = Field("", max_length=form_import.LARGEST_FILE_BYTES * 3 // 2)
    codec: str = Field("", max_length=20)


class ModelPath(BaseModel):
    """A path field whose file is to be described."""

    address: str = Field(max_length=100)
    path: str = Field(max_length=4000)


class PictureFolder(BaseModel):
    """A folder of pictures, as the tag editor or the tagger has it open."""

    path: str = Field(max_length=4000)
    recursive: bool = False
    extension: Literal[".txt", ".caption"] = ".txt"


class StartBody(Values):
    """A run to start, or to put at the end of the queue. unsaved: what becomes of captions of its pictures that are not
    saved yet in the tag editor."""

    queue: bool = False
    unsaved: Literal["ask", "save", "leave"] = "ask"


def router(site: Site) -> APIRouter:
    """Routes below /api/form."""
    api = APIRouter(prefix="/api/form")
    drafts = form_presets.Drafts(site.state_dir / "drafts" / "train.json")
    own = form_presets.OwnPresets(site.state_dir / "presets")
    reports = form_report.Reports(site.root, site.jobs_dir)
    _add_form(api, site, drafts, own, reports)
    _add_presets(api, site, own)
    _add_start(api, site, reports)
    return api


def _add_form(
    api: APIRouter, site: Site, drafts: form_presets.Drafts, own: form_presets.OwnPresets, reports: form_report.Reports
) -> None:
    def with_unsaved(report: dict[str, Any], config: TrainConfig) -> dict[str, Any]:
        return {**report, "unsaved": site.captions.unsaved(reports.caption_places(config))}

    @api.get("/spec")
    def spec() -> dict[str, Any]:
        return {**form_spec.spec(site), "presets": _presets(own)}

    @api.get("/draft")
    def draft() -> dict[str, Any]:
        kept = drafts.read()
        return _draft(kept) if kept else form_spec.first_draft(site, PRESETS)

    @api.post("/draft")
    def keep(body: DraftBody) -> dict[str, Any]:
        source = {"name": body.source.name, "values": _known(body.source.values)} if body.source else None
        kept, saved = drafts.save(body.rev, body.preset, body.mode, _known(body.values), source)
        return {"saved": saved, "draft": _draft(kept)}

    @api.post("/check")
    def check(body: Values) -> dict[str, Any]:
        values = _known(body.values)
        checked = form.check(values)
        answer: dict[str, Any] = {
            "ready": checked.ready is not None,
            "problems": [
                {**told, "missing": form.is_missing(values, told["address"])}
                for told in _cured(checked, checked.problems)
            ],
            "notes": _cured(checked, form_prompts.without_what_comes(checked.notes, values))
            if all(p.address in form.STAND_INS for p in checked.problems) else [],
            "toml": "", "report": None, "output": None,
        }  # fmt: skip
        if checked.preview is not None:
            answer["toml"] = to_toml(checked.preview)
            answer["output"] = outputs.expected(site.runner, checked.preview)
            remembered = reports.remembered(checked.preview)
            answer["report"] = None if remembered is None else with_unsaved(remembered, checked.preview)
        return answer

    @api.post("/report")
    def report(body: Values) -> dict[str, Any]:
        checked = form.check(_known(body.values))
        if checked.preview is None:
            return form_report.EMPTY
        return with_unsaved(reports.read(checked.preview), checked.preview)

    @api.post("/folder")
    def folder(body: PictureFolder) -> dict[str, Any]:
        """The fields that train on a folder's pictures. The form takes them over; nothing is started."""
        place = checked_path(site.root, body.path)
        if not is_folder(place):
            raise Refusal(404, f"{place} is not a folder; check the spelling or browse for it.")
        values = form_folders.data_set(place, body.recursive, body.extension, site.root)
        return {"values": values, "name": place.name}

    @api.post("/model")
    def model(body: ModelPath) -> dict[str, Any]:
        return form_report.describe_model(site.root, body.address, body.path)

    @api.get("/models")
    def models() -> dict[str, Any]:
        """The base models in the models folder, to choose from."""
        return form_models.base_models(site.root, site.models_dir)

    @api.get("/cards")
    def graphics_cards() -> dict[str, Any]:
        """The cards to choose from; nvidia-smi takes a second."""
        return cards.found()

    @api.post("/import")
    def take_over(body: FileText) -> dict[str, Any]:
        try:
            text = form_import.text_of(body.data, body.name, body.codec) if body.data else body.text
            found = form_import.take(form_import.read_text(text, body.name))
        except ConfigError as error:
            raise _refused(error.problems, error.notes) from error
        return {
            "values": found.values, "taken": found.taken,
            "notes": _problems(found.notes), "refused": _problems(found.refused),
        }  # fmt: skip


def _add_presets(api: APIRouter, site: Site, own: form_presets.OwnPresets) -> None:
    @api.get("/presets")
    def all_presets() -> dict[str, Any]:
        return {"presets": _presets(own)}

    @api.post("/preset")
    def apply(body: PresetChoice) -> dict[str, Any]:
        chosen = next((preset for preset in [*form_presets.shipped(PRESETS), *own.all()] if preset.id == body.id), None)
        if chosen is None:
            raise Refusal(404, "This preset is gone; reload the page to see those that are there.")
        values = _known(body.values)
        filled = _demo(site, values, chosen) if chosen.id == DEMO_PRESET else form_presets.applied(values, chosen)
        return {"values": filled, "fitted": [] if chosen.own else form_spec.fit(filled)}

    @api.post("/presets/save")
    def save(body: PresetToSave) -> dict[str, Any]:
        return _tried(lambda: own.save(body.name, _known(body.values)))

    @api.post("/presets/rename")
    def rename(body: PresetName) -> dict[str, Any]:
        return _tried(lambda: own.rename(body.id, body.name))

    @api.post("/presets/delete")
    def delete(body: PresetName) -> dict[str, Any]:
        return _tried(lambda: own.delete(body.id))

    @api.post("/presets/restore")
    def restore(body: PresetName) -> dict[str, Any]:
        return _tried(lambda: own.restore(body.id))


def _add_start(api: APIRouter, site: Site, reports: form_report.Reports) -> None:
    @api.post("/start")
    def start(body: StartBody) -> dict[str, Any]:
        checked = form.check(_known(body.values))
        if checked.ready is None:
            raise _refused(checked.problems)
        wrong = form_report.start_problems(site.root, checked.ready, reports)
        if wrong:
            raise _refused(wrong)
        for place in form_report.picture_folders(checked.ready)[::-1]:
            site.recent.note(checked_path(site.root, place))
        _settle_captions(site.captions, reports.caption_places(checked.ready), body.unsaved)
        name = checked.ready.save.output_name or "last"
        file = outputs.expected(site.runner, checked.ready)["file"]
        job = site.runner.submit(name, to_toml(checked.ready), first=not body.queue)
        return {"id": job.id, "name": name, "file": file, **placed(site, job)}


def _settle_captions(captions: OpenFolders, places: frozenset[CaptionPlace], wanted: str) -> None:
    """Save the unsaved captions of a run, or leave them. Raises Refusal where that is to be asked or fails."""
    if wanted == "leave" or not (count := captions.unsaved(places)):
        return
    if wanted == "ask":
        raise _unsaved_refusal(UNSAVED, {"n": count})
    left = captions.save(places)
    if left:
        raise _unsaved_refusal(NOT_SAVED, {"n": len(left), "files": named(left)})


def _unsaved_refusal(template: str, values: dict[str, Any]) -> Refusal:
    problem = Problem("", template, values)
    return Refusal(409, problem.message, [{**form_report.problem_json(problem), "unsaved": values["n"]}])


def _demo(site: Site, values: dict[str, Any], preset: form_presets.Preset) -> dict[str, Any]:
    """The form for the demo, whose pictures are drawn into ./train; of the user's values only the folders to write to
    stay, since the demo is about other pictures and another base model."""
    try:
        write_data_set(site.root, captions=True)
    except DemoError as error:
        raise Refusal(409, str(error)) from error
    places = {address: values[address] for address in form_presets.KEPT_FOLDERS if address in values}
    filled = form_presets.applied(places, preset)
    if not (site.root / str(filled[form_report.MODEL_ADDRESS])).exists():
        filled[form_report.MODEL_ADDRESS] = str(BASE)
    return filled


def _known(values: dict[str, Any]) -> dict[str, Any]:
    """Only what the form has: an old page may send fields that are gone."""
    known = form.default_values()
    return {address: value for address, value in values.items() if address in known}


def _draft(draft: form_presets.Draft) -> dict[str, Any]:
    return {
        "rev": draft.rev, "preset": draft.preset, "mode": draft.mode, "values": draft.values, "source": draft.source,
        "fitted": [],
    }  # fmt: skip


def _presets(own: form_presets.OwnPresets) -> list[dict[str, Any]]:
    every = [*form_presets.shipped(PRESETS), *own.all()]
    return [
        {"id": p.id, "title": p.title, "about": p.about, "values": p.values, "own": p.own, "group": p.group,
         "base": p.base, "memory_gb": p.memory_gb}
        for p in every
    ]  # fmt: skip


def _cured(checked: form.Checked, problems: Any) -> list[dict[str, Any]]:
    """Problems or notes about the values, with what puts each right where that is one thing."""
    told = _problems(problems)
    return told if checked.preview is None else with_cures(checked.preview, told)


def _problems(problems: Any) -> list[dict[str, Any]]:
    return [form_report.problem_json(problem) for problem in problems]


def _refused(problems: Any, notes: Any = ()) -> Refusal:
    first: Problem = problems[0]
    return Refusal(422, first.message, _problems(problems), _problems(notes))


def _tried(act: Any) -> dict[str, Any]:
    try:
        preset = act()
    except form_presets.PresetError as error:
        raise Refusal(422, error.problem.message, _problems([error.problem])) from error
    return {"id": preset.id if preset is not None else ""}
