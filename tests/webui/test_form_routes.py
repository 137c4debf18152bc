"""The Train tab's interface over HTTP: what the browser gets for right and for wrong input."""

from __future__ import annotations

import base64
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tests.webui.formfiles import base_model
from tests.webui.served import served
from trainer.dataset.reading import Reading
from trainer.job import list_jobs
from webui import form, form_spec
from webui.routes.form import router
from webui.runner import Runner
from webui.site import open_site
from webui.tagops import Edit


def nothing_to_train(job):
    """A command that ends at once, in place of the trainer."""
    return [sys.executable, "-c", "pass"]


@pytest.fixture
def site(tmp_path):
    opened = open_site(tmp_path)
    base_model(tmp_path / "sd-models" / "base.safetensors")
    folder = tmp_path / "train" / "anby" / "10_anby"
    folder.mkdir(parents=True)
    for index in range(3):
        Image.new("RGB", (512, 512), (index * 60, 9, 9)).save(folder / f"{index}.png")
        (folder / f"{index}.txt").write_text("1girl", encoding="utf-8")
    runner = Runner(tmp_path / "jobs", tmp_path, command=nothing_to_train, echo=lambda line: None)
    return replace(opened, runner=runner)


@pytest.fixture
def client(site):
    return served(router(site))


def filled(**values):
    return {
        **form.default_values(), "model.pretrained_model_name_or_path": "sd-models/base.safetensors",
        "dataset.train_data_dir": "./train/anby", "dataset.resolution": "512", "caption.caption_extension": ".txt",
        "save.output_name": "anby", "run.max_train_epochs": "10", "optimizer.learning_rate": "1e-4", **values,
    }  # fmt: skip


def post(client, to, **body):
    answer = client.post(f"/api/form/{to}", json=body)
    return answer.status_code, answer.json()


DORA = {"network.network_module": "lycoris.kohya", "network.network_args": ["algo=locon", "dora_wd=True"]}


def test_a_dora_that_image_programs_read_wrongly_is_put_right_by_one_click(client):
    _, answer = post(client, "check", values=filled(**DORA))
    (told,) = [note for note in answer["notes"] if note["cure"]]
    assert "A1111 loses about 80 %" in told["message"]
    assert told["cure"] == {"network.network_args": [*DORA["network.network_args"], "wd_on_output=False"]}
    _, answer = post(client, "check", values=filled(**{**DORA, **told["cure"]}))
    assert not any("A1111" in note["message"] for note in answer["notes"])


CACHED = {"cache.cache_text_encoder_outputs": True, "network.network_train_unet_only": True}
PRODIGY = {"optimizer.optimizer_type": "Prodigy", "optimizer.optimizer_args": ["decouple=True"]}


@pytest.mark.parametrize(
    ("values", "cure", "other"),
    [
        ({"optimizer.unet_lr": "100", "optimizer.text_encoder_lr": "1"},
         {"optimizer.unet_lr": "1e-4", "optimizer.text_encoder_lr": "5e-5"}, None),
        ({"optimizer.learning_rate": "2e-6"}, {"optimizer.learning_rate": "1e-4"}, None),
        ({"optimizer.unet_lr": "4e-4", "optimizer.text_encoder_lr": "1e-3", "optimizer.learning_rate": "4e-4"},
         {"optimizer.text_encoder_lr": "2e-4"}, None),
        ({"optimizer.optimizer_type": "Lion", "optimizer.learning_rate": "1e-4"},
         {"optimizer.learning_rate": "1e-5"}, None),
        ({**PRODIGY, "optimizer.unet_lr": "1e-4", "optimizer.text_encoder_lr": "1e-4"},
         {"optimizer.learning_rate": "1", "optimizer.unet_lr": "1", "optimizer.text_encoder_lr": "1"}, None),
        ({**PRODIGY, "optimizer.unet_lr": "1", "optimizer.text_encoder_lr": "0.5"},
         {"optimizer.learning_rate": "1", "optimizer.unet_lr": "1", "optimizer.text_encoder_lr": "1"}, None),
        ({"optimizer.unet_lr": "3e-4", "optimizer.text_encoder_lr": "1e-4", "optimizer.learning_rate": "1e-5"},
         {"optimizer.learning_rate": "3e-4"}, None),
        ({"optimizer.optimizer_type": "DAdaptAdam", "optimizer.learning_rate": "1",
          "optimizer.optimizer_args": ["weight_decay=0.1"]},
         {"optimizer.optimizer_args": ["weight_decay=0.1", "decouple=True", "betas=0.9,0.99"]}, None),
        ({**CACHED, "caption.shuffle_caption": True}, {"caption.shuffle_caption": False},
         {"cache.cache_text_encoder_outputs": False, "cache.cache_text_encoder_outputs_to_disk": False}),
        ({"cache.cache_text_encoder_outputs": True}, {"network.network_train_unet_only": True},
         {"cache.cache_text_encoder_outputs": False, "cache.cache_text_encoder_outputs_to_disk": False}),
    ],
)  # fmt: skip
def test_what_is_said_of_rates_and_of_the_text_cache_is_put_right_by_one_click(client, values, cure, other):
    _, answer = post(client, "check", values=filled(**values))
    told = [one for one in answer["problems"] + answer["notes"] if one["cure"]]
    assert [(one["cure"], one["other"]) for one in told] == [(cure, other)]
    for change in filter(None, (cure, other)):
        _, answer = post(client, "check", values=filled(**{**values, **change}))
        assert answer["ready"] and [one for one in answer["notes"] if one["cure"]] == []


def test_a_rate_that_prodigy_refuses_is_no_mistake_of_adamw(client):
    rates = {"optimizer.unet_lr": "1", "optimizer.text_encoder_lr": "0.5"}
    _, answer = post(client, "check", values=filled(**PRODIGY, **rates))
    assert [one["address"] for one in answer["problems"]] == ["optimizer.text_encoder_lr"]


def test_the_form_shows_who_reads_a_methods_files_and_brings_the_dora_that_they_read(client):
    groups = client.get("/api/form/spec").json()["groups"]
    (field,) = [field for group in groups for field in group["fields"] if field["address"] == "network.network_args"]
    methods = [one for methods in field["arguments"]["sets"].values() for one in methods.values()]
    assert all("A1111" in one["readers"] for one in methods)
    brought = {one["name"]: one["brings"] for method in methods for one in method["arguments"] if one["brings"]}
    assert brought == {"dora_wd": ["wd_on_output=False"]}


def test_the_spec_holds_every_field_with_both_languages(client):
    spec = client.get("/api/form/spec").json()
    fields = {field["address"]: field for group in spec["groups"] for field in group["fields"]}
    assert set(fields) == set(spec["defaults"])
    assert all(field["title"]["zh"] and field["help"]["en"] for field in fields.values())
    assert [preset["id"] for preset in spec["presets"]][:2] == ["sd15_character_8gb", "sd15_character"]
    names = [choice["value"] for choice in fields["optimizer.optimizer_type"]["suggestions"]]
    assert {"AdamW", "AdamW8bit", "Lion", "Prodigy"} <= set(names)
    optimizers = {choice["value"]: choice["label"]["en"] for choice in fields["optimizer.optimizer_type"]["choices"]}
    assert optimizers[""] == "AdamW (default)" and fields["optimizer.optimizer_type"]["empty"] == "AdamW"
    assert fields["run.max_train_steps"]["overruled_by"] == ["run.max_train_epochs"]
    assert fields["sample.sample_every_n_epochs"]["in_steps"] == "sample.sample_every_n_steps"
    assert fields["schedule.lr_scheduler_num_cycles"]["shown_when"]["lr_scheduler"][0] == "cosine_with_restarts"


def test_basic_offers_to_go_on_from_a_state_once_there_is_one(client, site):
    def resume():
        groups = client.get("/api/form/spec").json()["groups"]
        return next(field for group in groups for field in group["fields"] if field["address"] == "save.resume")

    assert not resume()["basic"]
    state = site.jobs_dir / "some-run" / "state" / "step-5"
    state.mkdir(parents=True)
    (state / "manifest.json").write_text("{}", encoding="utf-8")
    assert resume()["basic"]


def test_the_first_form_is_the_guides_preset_fitted_to_this_machine(client, monkeypatch):
    monkeypatch.setattr(form_spec, "has_nvidia", lambda: False)
    draft = client.get("/api/form/draft").json()
    assert (draft["rev"], draft["preset"], draft["mode"]) == (0, "sd15_character", "basic")
    assert draft["values"]["network.network_dim"] == "32"
    assert (draft["values"]["optimizer.optimizer_type"], draft["values"]["precision.mixed_precision"]) == (
        "AdamW",
        "no",
    )
    assert len(draft["fitted"]) == 2


def test_a_draft_is_kept_and_a_second_window_is_told(client):
    _, first = post(client, "draft", values=filled(), preset="sd15_style", mode="expert", rev=0)
    assert first["saved"] and first["draft"]["rev"] == 1
    _, second = post(client, "draft", values=filled(**{"run.seed": "9"}), preset="", mode="basic", rev=0)
    assert not second["saved"] and second["draft"]["preset"] == "sd15_style"
    assert client.get("/api/form/draft").json()["values"]["save.output_name"] == "anby"


def test_check_gives_toml_at_once_and_the_report_after_the_folders_were_read(client):
    _, answer = post(client, "check", values=filled())
    assert answer["ready"] and answer["problems"] == [] and answer["report"] is None
    assert 'output_name = "anby"' in answer["toml"]
    _, report = post(client, "report", values=filled())
    assert report["steps"] == 3 * 10 * 10
    _, again = post(client, "check", values=filled(**{"run.max_train_epochs": "2"}))
    assert again["report"]["steps"] == 60


def test_check_reads_no_pictures_while_somebody_types(client, monkeypatch):
    post(client, "report", values=filled())
    read: list[object] = []
    monkeypatch.setattr("webui.form_report.read", lambda config: read.append(config) or Reading((), (), ()))
    for epochs in range(1, 11):
        _, answer = post(client, "check", values=filled(**{"run.max_train_epochs": str(epochs)}))
        assert answer["report"]["epochs"] == epochs and answer["report"]["images"] == 3
    assert read == []


def test_problems_carry_what_a_translation_needs(client):
    _, answer = post(client, "check", values=filled(**{"network.network_dim": "-3"}))
    (problem,) = answer["problems"]
    assert problem["address"] == "network.network_dim"
    assert problem["template"] == "{name} is {value}; it must be {limit} or more"
    assert problem["values"]["name"] == "network_dim"
    assert not answer["ready"] and answer["toml"]


def test_a_field_that_is_only_empty_yet_is_told_apart_from_a_wrong_one(client):
    values = filled(**{"model.pretrained_model_name_or_path": "", "dataset.resolution": "big"})
    _, answer = post(client, "check", values=values)
    missing = {problem["address"]: problem["missing"] for problem in answer["problems"]}
    assert missing == {"model.pretrained_model_name_or_path": True, "dataset.resolution": False}


def test_an_old_page_with_fields_that_are_gone_is_still_answered(client):
    status, answer = post(client, "check", values={**filled(), "network.gone": "1", "junk": [1]})
    assert status == 200 and answer["ready"]


@pytest.mark.parametrize(
    "values",
    [{"network.network_dim": [1, 2]}, {"save.output_name": True}, {"dataset.subsets": "x"}, {"dataset.subsets": [3]}],
)
def test_values_of_a_wrong_shape_are_told_and_not_crashed_on(client, values):
    status, answer = post(client, "check", values=filled(**values))
    assert status == 200
    assert not answer["ready"] and answer["problems"]


def test_a_preset_is_applied_over_the_form(client):
    _, answer = post(client, "preset", id="sd15_style", values=filled(**{"run.seed": "99"}))
    assert answer["values"]["network.network_dim"] == "64"
    assert answer["values"]["run.seed"] == "1337"
    assert answer["values"]["save.output_name"] == "anby"
    status, refused = post(client, "preset", id="gone", values=filled())
    assert status == 404 and "reload the page" in refused["message"]


def test_a_preset_is_fitted_to_a_machine_without_a_card(client, monkeypatch):
    monkeypatch.setattr(form_spec, "has_nvidia", lambda: False)
    _, answer = post(client, "preset", id="sd15_style", values=filled())
    assert answer["values"]["precision.mixed_precision"] == "no"
    assert any("No NVIDIA graphics card" in note["message"] for note in answer["fitted"])


def test_the_demo_is_filled_in_with_its_pictures_and_can_start(client, site):
    mine = {
        "dataset.subsets": [{"image_dir": "train/anby"}],
        "sample.sample_prompts": "anby",
        "save.output_dir": "D:/x",
    }
    _, answer = post(client, "preset", id="demo", values=filled(**mine))
    assert answer["values"]["dataset.subsets"] == [] and answer["values"]["sample.sample_prompts"] == ""
    assert answer["values"]["save.output_name"] == "demo" and answer["values"]["save.output_dir"] == "D:/x"
    answer["values"]["save.output_dir"] = "./output"
    _, checked = post(client, "check", values=answer["values"])
    assert checked["ready"], checked["problems"]
    _, report = post(client, "report", values=answer["values"])
    assert report["images"] == 12 + 72  # stars, and shapes that the base knows
    assert [problem for problem in report["problems"] if problem["severity"] == "error"] == []


def test_a_folder_of_the_users_is_never_taken_for_the_demo(client, site):
    folder = site.root / "train" / "demo" / "10_star"
    folder.mkdir(parents=True)
    (folder / "mine.png").write_bytes(b"x")
    status, answer = post(client, "preset", id="demo", values=form.default_values())
    assert status == 409 and "did not make" in answer["message"]


def test_own_presets_over_http(client):
    _, saved = post(client, "presets/save", name="mine", values=filled(**{"network.network_dim": "48"}))
    listed = client.get("/api/form/presets").json()["presets"]
    assert listed[-1]["own"] and listed[-1]["values"]["network.network_dim"] == "48"
    post(client, "presets/rename", id=saved["id"], name="yours")
    post(client, "presets/delete", id=saved["id"])
    assert not any(preset["own"] for preset in client.get("/api/form/presets").json()["presets"])
    post(client, "presets/restore", id=saved["id"])
    assert client.get("/api/form/presets").json()["presets"][-1]["title"]["en"] == "yours"
    status, refused = post(client, "presets/rename", id="../x", name="a")
    assert status == 422 and "gone already" in refused["message"]


def test_import_over_http_returns_the_form_and_what_was_left_out(client):
    _, answer = post(client, "import", name="a.toml", text="unet_lr = 2e-4\nlowram = true\n", values=filled())
    assert answer["values"]["optimizer.unet_lr"] == "2e-4"
    assert any("lowram" in note["message"] for note in answer["notes"])
    status, refused = post(client, "import", name="a.toml", text="= =", values=filled())
    assert status == 422 and "a.toml is not valid TOML" in refused["message"]
    status, refused = post(client, "import", name="a.toml", text="token_string = 'x'\nlowram = true\n", values=filled())
    assert status == 422 and refused["message"].startswith("The file is for a textual inversion")
    assert len(refused["problems"]) == 2 and "no parameter" not in refused["message"]
    assert [note["message"].partition(":")[0] for note in refused["notes"]][:2] == [
        "Left out, since the file is for a textual inversion", "lowram was left out",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("codec", "encoding"), [("gb18030", "GBK"), ("cp932", "Shift-JIS"), ("cp1251", "Windows-1251")]
)
def test_a_file_in_another_encoding_is_offered_as_what_it_is_and_read_when_the_user_says_so(client, codec, encoding):
    name = {"gb18030": "安比的角色训练", "cp932": "キャラクターの学習", "cp1251": "персонаж"}[codec]
    data = base64.b64encode(f'output_name = "{name}"\n'.encode(codec)).decode("ascii")
    status, refused = post(client, "import", name="a.toml", data=data, values=filled())
    [problem] = refused["problems"]
    assert (status, problem["values"]["codec"]) == (422, codec)
    assert f"a.toml is not UTF-8 text but looks like {encoding}" in problem["message"]
    _, answer = post(client, "import", name="a.toml", data=data, codec=codec, values=filled())
    assert answer["values"]["save.output_name"] == name
    wide = base64.b64encode(f'output_name = "{name}"\n'.encode("utf-16")).decode("ascii")
    assert post(client, "import", name="a.toml", data=wide, values=filled())[1]["values"]["save.output_name"] == name


@pytest.mark.parametrize("body", [{"data": "%%%"}, {"data": "AAA"}, {"data": "AAAA", "codec": "rot13"}, {}])
def test_bytes_that_are_no_file_get_a_sentence(client, body):
    status, refused = post(client, "import", name="a.toml", values=filled(), **body)
    assert status == 422 and refused["message"]


def test_starting_makes_a_job_whose_configuration_is_the_forms(client, site):
    status, answer = post(client, "start", values=filled(), queue=False)
    assert status == 200, answer
    (job,) = list_jobs(site.jobs_dir)
    assert (answer["id"], answer["name"]) == (job.id, "anby")
    text = job.config_path.read_text(encoding="utf-8")
    assert 'train_data_dir = "./train/anby"' in text
    assert "max_train_epochs = 10" in text
    site.runner.end(job)


def test_the_form_says_under_which_name_a_run_would_save(client, site):
    def told(name: str) -> list[object]:
        status, answer = post(client, "check", values=filled(**{"save.output_name": name}))
        assert status == 200
        return list(answer["output"].values())

    assert told("安比 v1") == ["output/安比 v1.safetensors", "安比 v1", False]
    (site.output_dir / "安比 v1-000002.safetensors").write_bytes(b"")
    assert told("安比 v1") == ["output/安比 v1-2.safetensors", "安比 v1-2", True]
    site.runner.pause(True)
    for _ in range(2):
        post(client, "start", values=filled(**{"save.output_name": "安比 v1"}), queue=True)
    assert told("安比 v1") == ["output/安比 v1-4.safetensors", "安比 v1-4", True]
    assert told("") == ["output/last.safetensors", "last", False]


def test_a_held_back_queue_keeps_what_is_added_to_it_and_lets_a_start_through(client, site):
    site.runner.pause(True)
    _, queued = post(client, "start", values=filled(), queue=True)
    assert queued["state"] == "waiting"
    assert site.runner.queue() == [queued["id"]]
    _, started = post(client, "start", values=filled(**{"save.output_name": "now"}), queue=False)
    assert started["state"] != "waiting"
    assert (Path(site.jobs_dir) / started["id"] / "process.json").exists()


@pytest.mark.parametrize(
    ("values", "address", "words"),
    [
        ({"model.pretrained_model_name_or_path": ""}, "model.pretrained_model_name_or_path", "no base model"),
        (
            {"model.pretrained_model_name_or_path": "gone.safetensors"},
            "model.pretrained_model_name_or_path",
            "does not exist",
        ),
        ({"dataset.train_data_dir": "./train"}, "dataset.train_data_dir", "10_anby"),
        ({"optimizer.unet_lr": "fast"}, "optimizer.unet_lr", "a number is needed"),
        ({"save.output_name": "../../x"}, "save.output_name", "cannot be used"),
    ],
)
def test_what_cannot_be_trained_is_not_started(client, site, values, address, words):
    status, answer = post(client, "start", values=filled(**values), queue=False)
    assert status == 422
    assert answer["problems"][0]["address"] == address
    assert words in answer["message"]
    assert list_jobs(site.jobs_dir) == []


def test_a_model_path_is_described_over_http(client):
    _, told = post(client, "model", address="model.pretrained_model_name_or_path", path="sd-models/base.safetensors")
    assert (told["good"], told["title"]) == (True, "SD 1.5")


@pytest.mark.parametrize("nvidia", [True, False])
def test_the_choice_of_cards_is_offered_where_there_are_cards(client, monkeypatch, nvidia):
    monkeypatch.setattr(form_spec, "has_nvidia", lambda: nvidia)
    told = {group["id"]: group["pointless"] for group in client.get("/api/form/spec").json()["groups"]}
    assert {group for group, pointless in told.items() if pointless} == (set() if nvidia else {"distributed"})


@pytest.mark.parametrize(
    ("answer", "cards", "error"),
    [
        (
            "print('0, NVIDIA GeForce RTX 4090, 24564'); print('1, NVIDIA, with a comma?, 1'); print('2, GB10, [N/A]')",
            [(0, "NVIDIA GeForce RTX 4090", 24.0), (2, "GB10", None)], None,
        ),
        ("print('No devices were found')", [], None),
        ("import sys; sys.exit('NVML: Driver/library version mismatch')", [], "NVML: Driver/library version mismatch"),
    ],
)  # fmt: skip
def test_the_cards_of_the_machine_are_listed_without_torch(client, monkeypatch, answer, cards, error):
    monkeypatch.setattr("webui.cards.nvidia_smi", lambda: sys.executable)
    monkeypatch.setattr("webui.cards.QUERY", ("-c", answer))
    told = client.get("/api/form/cards").json()
    assert [(card["number"], card["name"], card["memory_gib"]) for card in told["cards"]] == cards
    assert told["error"] == error


def test_a_machine_without_a_driver_has_no_cards_and_no_error(client, monkeypatch):
    monkeypatch.setattr("webui.cards.nvidia_smi", lambda: None)
    assert client.get("/api/form/cards").json() == {"cards": [], "error": None}


def unsaved_caption(site, folder, name="0.png", text="anby, 1girl", extension=".txt", recursive=False):
    """An edit in the tag editor that nobody has saved."""
    store = site.captions.open(folder, recursive, extension).store
    number = [row.picture.name.rpartition("/")[2] for row in store.rows].index(name)
    store.apply(Edit(kind="text", text=text), [number])
    return store


def test_captions_that_are_not_saved_hold_a_start_until_it_is_said_what_becomes_of_them(client, site, tmp_path):
    folder = tmp_path / "train" / "anby" / "10_anby"
    unsaved_caption(site, folder)
    assert post(client, "report", values=filled())[1]["unsaved"] == 1
    assert post(client, "check", values=filled())[1]["report"]["unsaved"] == 1
    for queue in (False, True):
        status, refused = post(client, "start", values=filled(), queue=queue)
        assert (status, refused["problems"][0]["unsaved"]) == (409, 1)
        assert "not saved yet in the tag editor: 1. Save them first" in refused["message"]
    assert list_jobs(site.jobs_dir) == [] and (folder / "0.txt").read_text(encoding="utf-8") == "1girl"
    assert post(client, "start", values=filled(), queue=True, unsaved="leave")[0] == 200
    assert (folder / "0.txt").read_text(encoding="utf-8") == "1girl"
    assert post(client, "start", values=filled(), queue=True, unsaved="save")[0] == 200
    assert (folder / "0.txt").read_text(encoding="utf-8") == "anby, 1girl"
    assert post(client, "check", values=filled())[1]["report"]["unsaved"] == 0


def test_only_captions_that_the_run_would_read_are_saved_by_its_start(client, site, tmp_path):
    parent = tmp_path / "train" / "anby"
    other = parent / "not used"
    shutil.copytree(parent / "10_anby", other)
    unsaved_caption(site, other)
    unsaved_caption(site, parent / "10_anby", extension=".caption")
    both = unsaved_caption(site, parent, recursive=True)  # the first picture by name is that of 10_anby
    assert post(client, "report", values=filled())[1]["unsaved"] == 1
    both.apply(Edit(kind="text", text="left alone"), [number(both, "not used/1.png")])
    assert post(client, "start", values=filled(), queue=True, unsaved="save")[0] == 200
    assert (parent / "10_anby" / "0.txt").read_text(encoding="utf-8") == "anby, 1girl"
    assert [(other / f"{n}.txt").read_text(encoding="utf-8") for n in (0, 1)] == ["1girl", "1girl"]
    assert not (parent / "10_anby" / "0.caption").exists()


def number(store, name):
    return [row.picture.name for row in store.rows].index(name)


def test_a_caption_that_was_changed_on_disk_too_is_named_and_nothing_starts(client, site, tmp_path):
    folder = tmp_path / "train" / "anby" / "10_anby"
    unsaved_caption(site, folder)
    (folder / "0.txt").write_text("of another program", encoding="utf-8")
    post(client, "report", values=filled())
    status, refused = post(client, "start", values=filled(), unsaved="save")
    assert (status, "could not be saved: 1 (0.txt)" in refused["message"]) == (409, True)
    assert list_jobs(site.jobs_dir) == []
    assert (folder / "0.txt").read_text(encoding="utf-8") == "of another program"


def test_edits_from_before_a_restart_of_the_page_hold_a_start_too(client, site, tmp_path):
    folder = tmp_path / "train" / "anby" / "10_anby"
    unsaved_caption(site, folder)
    site.captions.keep_drafts()
    after = replace(open_site(tmp_path), runner=site.runner)
    again = served(router(after))
    assert post(again, "report", values=filled())[1]["unsaved"] == 1
    assert post(again, "start", values=filled(), queue=True)[0] == 409
    assert post(again, "start", values=filled(), queue=True, unsaved="save")[0] == 200
    assert (folder / "0.txt").read_text(encoding="utf-8") == "anby, 1girl"


@pytest.mark.parametrize(
    ("opened", "recursive", "train_data_dir", "listed"),
    [
        ("anby/10_anby", False, "./train/anby", []),  # as guides write it
        ("anby", True, "./train/anby", []),
        ("flat", False, "", [("./train/flat", "10")]),
        ("two/3_a", False, "", [("./train/two/3_a", "3")]),  # the one above would bring 5_b along
        ("two", True, "./train/two", []),
        ("deep", True, "", [("./train/deep/x/2_c", "2"), ("./train/deep/y", "10")]),
    ],
)
def test_a_folder_from_another_tab_becomes_the_whole_data_set(
    client, tmp_path, opened, recursive, train_data_dir, listed
):
    for place in ("flat", "two/3_a", "two/5_b", "deep/x/2_c", "deep/y"):
        (tmp_path / "train" / place).mkdir(parents=True)
        Image.new("RGB", (64, 64)).save(tmp_path / "train" / place / "1.png")
    body = {"path": str(tmp_path / "train" / opened), "recursive": recursive, "extension": ".caption"}
    status, answer = post(client, "folder", **body)
    values = answer["values"]
    assert (status, answer["name"]) == (200, opened.rpartition("/")[2])
    assert values["dataset.train_data_dir"] == train_data_dir
    assert [(one["image_dir"], one["num_repeats"]) for one in values["dataset.subsets"]] == listed
    assert (values["dataset.dataset_config"], values["caption.caption_extension"]) == ("", ".caption")
    assert form.check(filled(**values)).ready is not None
    assert post(client, "folder", path="train/nowhere")[0] == 404
