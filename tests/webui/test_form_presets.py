"""Own presets and the draft: files that survive, conflicts that are told."""

from __future__ import annotations

import json

import pytest

from webui.form import default_values
from webui.form_presets import Draft, Drafts, OwnPresets, Preset, PresetError, applied, load


@pytest.fixture
def own(tmp_path):
    return OwnPresets(tmp_path / "presets")


def changed(**values):
    return {**default_values(), **values}


def preset(values, is_own=False):
    return Preset("some", {"en": "Some"}, {}, values, is_own)


def test_a_saved_preset_comes_back_with_its_name_and_values(own):
    own.save("我的 角色", changed(**{"network.network_dim": "64", "optimizer.optimizer_args": ["weight_decay=0.1"]}))
    (kept,) = own.all()
    assert kept.title["zh"] == "我的 角色"
    assert kept.values == {"network.network_dim": "64", "optimizer.optimizer_args": ["weight_decay=0.1"]}
    assert kept.own


def test_saving_under_the_same_name_replaces_it(own):
    first = own.save("a", changed(**{"network.network_dim": "64"}))
    second = own.save("a", changed(**{"network.network_dim": "16"}))
    assert first.id == second.id
    assert own.get(second.id).values == {"network.network_dim": "16"}


def test_a_preset_may_be_saved_before_model_and_pictures_are_chosen(own):
    own.save("early", changed(**{"run.max_train_epochs": "3"}))
    assert own.all()[0].values == {"run.max_train_epochs": "3"}


def test_renaming_to_a_taken_name_is_refused(own):
    own.save("a", changed())
    other = own.save("b", changed())
    with pytest.raises(PresetError, match="a exists already"):
        own.rename(other.id, "a")
    assert own.rename(other.id, "c").title["en"] == "c"


def test_a_deleted_preset_can_be_brought_back(own):
    kept = own.save("a", changed(**{"run.seed": "5"}))
    own.delete(kept.id)
    assert own.all() == []
    assert own.restore(kept.id).values == {"run.seed": "5"}
    with pytest.raises(PresetError, match="gone already"):
        own.restore(kept.id)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\u202eb", "a\x00b"])
def test_names_that_cannot_be_read_are_refused(own, name):
    with pytest.raises(PresetError, match="1 to 60 characters"):
        own.save(name, changed())


@pytest.mark.parametrize("preset_id", ["../../secret", "a/b", "C:\\x", ".hidden", "", "A"])
def test_an_id_is_never_a_path(own, preset_id):
    with pytest.raises(PresetError, match="gone already"):
        own.get(preset_id)


def test_a_damaged_preset_file_is_left_out_and_named_when_asked_for(tmp_path, own):
    own.save("good", changed())
    broken = own.folder / "broken.toml"
    broken.write_text("[network]\nnetwork_dim = -1\n", encoding="utf-8")
    assert [kept.title["en"] for kept in own.all()] == ["good"]
    with pytest.raises(PresetError, match=r"broken\.toml is not a preset: network_dim is -1"):
        load(broken, own=True)


def test_applying_a_preset_keeps_paths_and_names_and_resets_the_rest():
    values = changed(
        **{
            "save.output_name": "anby",
            "dataset.train_data_dir": "t",
            "network.network_dim": "128",
            "save.output_dir": "D:/out",
        }
    )
    after = applied(values, preset({"network.network_alpha": "4", "save.output_dir": "./output"}))
    assert (after["save.output_name"], after["dataset.train_data_dir"], after["save.output_dir"]) == (
        "anby",
        "t",
        "D:/out",
    )
    assert (after["network.network_dim"], after["network.network_alpha"]) == ("", "4")


def test_a_presets_own_paths_win_over_those_in_the_form():
    values = changed(**{"model.pretrained_model_name_or_path": "old", "save.output_dir": "old"})
    after = applied(
        values, preset({"model.pretrained_model_name_or_path": "new", "save.output_dir": "new"}, is_own=True)
    )
    assert (after["model.pretrained_model_name_or_path"], after["save.output_dir"]) == ("new", "new")


def test_a_draft_keeps_only_what_differs_from_the_defaults(tmp_path):
    drafts = Drafts(tmp_path / "d" / "train.json")
    draft, ours = drafts.save(0, "sd15_style", "expert", changed(**{"run.seed": "5"}))
    assert ours and draft.rev == 1
    assert drafts.read() == draft
    assert json.loads(drafts.path.read_text(encoding="utf-8"))["values"] == {"run.seed": "5"}


def test_a_window_that_does_not_know_the_newest_draft_gets_it_instead_of_overwriting_it(tmp_path):
    drafts = Drafts(tmp_path / "train.json")
    drafts.save(0, "p", "basic", changed(**{"run.seed": "1"}))
    drafts.save(1, "p", "basic", changed(**{"run.seed": "2"}))
    draft, ours = drafts.save(1, "p", "basic", changed(**{"run.seed": "3"}))
    assert not ours
    assert draft.values == {"run.seed": "2"}
    draft, ours = drafts.save(None, "p", "basic", changed(**{"run.seed": "3"}))
    assert ours and draft.rev == 3


def test_a_draft_keeps_which_file_its_values_come_from(tmp_path):
    drafts = Drafts(tmp_path / "train.json")
    values = changed(**{"run.seed": "1"})
    drafts.save(0, "", "basic", values, {"name": "old.toml", "values": values})
    assert drafts.read().source == {"name": "old.toml", "values": {"run.seed": "1"}}
    drafts.save(1, "p", "basic", values)
    assert drafts.read().source is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"rev": 1}', "\x00"])
def test_a_damaged_draft_reads_as_none(tmp_path, content):
    path = tmp_path / "train.json"
    path.write_text(content, encoding="utf-8")
    assert Drafts(path).read() is None
    draft, ours = Drafts(path).save(0, "", "basic", default_values())
    assert ours and isinstance(draft, Draft)
