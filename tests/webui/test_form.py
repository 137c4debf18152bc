"""Raw values of the page -> configuration or problems, and the groups in which people look for them."""

from __future__ import annotations

import pytest

from trainer.config import parameters, to_toml
from webui import form, form_spec
from webui.form_names import LABELS, other_names
from webui.site import open_site
from webui.texts import texts

READY = {
    **form.default_values(), "model.pretrained_model_name_or_path": "base.safetensors",
    "dataset.train_data_dir": "train", "dataset.resolution": "512,768",
}  # fmt: skip


def sentences(**values):
    return [problem.message for problem in form.check({**READY, **values}).problems]


def with_value(address, value):
    return form.check({**READY, address: value})


def test_every_parameter_stands_in_exactly_one_group():
    listed = [parameter.address for _, _, members in form.groups() for parameter in members]
    assert sorted(listed) == sorted(parameter.address for parameter in parameters())


def test_groups_come_in_the_order_of_qiuyes_page():
    order = [group for group, _, _ in form.groups()]
    assert order[:9] == ["model", "dataset", "save", "training", "rates", "network", "previews", "log", "caption"]


def test_basic_fields_are_parameters():
    known = {parameter.address for parameter in parameters()}
    assert set(form.BASIC) <= known
    assert len(form.BASIC) <= 20


def test_default_values_give_an_empty_toml_and_three_things_to_fill_in():
    checked = form.check(form.default_values())
    assert checked.ready is None
    assert [problem.address for problem in checked.problems] == list(form.STAND_INS)
    assert to_toml(checked.preview) == ""


def test_a_complete_form_is_ready():
    checked = form.check(READY)
    assert checked.problems == ()
    assert checked.ready is checked.preview
    assert form.raw_values(checked.ready)["dataset.resolution"] == "512,768"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0001, "1e-4"),
        (1e-5, "1e-5"),
        (2e-6, "2e-6"),
        (1.5e-4, "1.5e-4"),
        (1.0, "1"),
        (0.05, "0.05"),
        (0.0, "0"),
        (123.5, "123.5"),
    ],
)
def test_numbers_are_shown_as_people_write_them(value, text):
    assert form.number_text(value) == text
    assert float(text) == value


@pytest.mark.parametrize("value", ["1e-4", "0.0001", " 1E-4 ", "1.0e-04"])
def test_scientific_notation_is_read(value):
    assert with_value("optimizer.unet_lr", value).ready.optimizer.unet_lr == 1e-4


@pytest.mark.parametrize(
    ("address", "value", "words"),
    [
        ("optimizer.unet_lr", "abc", ['"abc"', "a number is needed", "1e-4"]),
        ("network.network_dim", "-3", ["network_dim", "1 or more"]),
        ("network.network_dim", "32.5", ["whole number"]),
        ("dataset.train_batch_size", "0", ["train_batch_size", "1 or more"]),
        ("caption.caption_dropout_rate", "2", ["or less"]),
        ("dataset.resolution", "512;768", ["512,768"]),
        ("schedule.lr_warmup_steps", "1.5", ["10%"]),
        ("precision.mixed_precision", "fp32", ["no, fp16, bf16"]),
        ("save.output_name", "a/b", ["/ is not allowed"]),
        ("precision.full_bf16", True, ["needs mixed_precision bf16"]),
        ("network.network_args", ["conv_dim"], ["conv_dim=8"]),
        ("optimizer.optimizer_type", "AdamW9bit", ["AdamW8bit"]),
        ("optimizer.optimizer_args", ["weight_dekay=1"], ["weight_decay"]),
        ("schedule.lr_scheduler", "cosin", ["cosine"]),
        ("dataset.subsets", [{"image_dir": "a", "num_repeats": "x"}], ["whole number"]),
    ],
)
def test_a_wrong_value_is_told_at_its_field_with_the_cure(address, value, words):
    checked = with_value(address, value)
    assert checked.ready is None
    problem = next(problem for problem in checked.problems if problem.address == address)
    assert all(word in problem.message for word in words), problem.message
    assert checked.preview is not None


def test_mistakes_of_every_kind_are_told_together():
    checked = form.check({**form.default_values(), "optimizer.unet_lr": "abc", "dataset.resolution": "512"})
    assert {problem.address for problem in checked.problems} >= {
        "optimizer.unet_lr",
        "model.pretrained_model_name_or_path",
    }


def test_a_text_without_end_is_refused_without_reading_it():
    checked = form.check({**READY, "save.training_comment": "x" * 30_000})
    assert "too long" in checked.problems[0].message
    assert checked.problems[0].address == "save.training_comment"


def test_a_folder_row_without_a_path_is_told_and_never_means_the_projects_folder():
    checked = with_value(
        "dataset.subsets", [{"image_dir": " ", "num_repeats": "3"}, {"image_dir": "a", "num_repeats": "3"}]
    )
    assert checked.ready is None
    assert "has no path" in checked.problems[0].message
    assert [subset.image_dir for subset in checked.preview.dataset.subsets] == ["a"]


def test_empty_optional_numbers_are_off():
    config = form.check({**READY, "loss.min_snr_gamma": "", "noise.noise_offset": " "}).ready
    assert config.loss.min_snr_gamma is None
    assert config.noise.noise_offset is None


def test_values_survive_the_way_to_toml_and_back_through_the_form():
    values = {
        **READY,
        "optimizer.optimizer_args": ["weight_decay=0.1"],
        "schedule.lr_warmup_steps": "5%",
        "run.seed": "7",
        "caption.shuffle_caption": True,
    }
    first = form.check(values).ready
    again = form.check(form.raw_values(first)).ready
    assert again == first


@pytest.mark.parametrize(
    ("one", "other"), [("1e-4", "0.0001"), ("32", "32.0"), (" a ", "a"), (True, True), (["x"], ["x"])]
)
def test_values_that_mean_the_same_do_not_differ(one, other):
    assert form.same(one, other)


@pytest.mark.parametrize(("one", "other"), [("", "0"), ("a", "b"), (True, False), (["x"], ["y"])])
def test_values_that_mean_something_else_differ(one, other):
    assert not form.same(one, other)


def test_every_parameter_has_a_chinese_title_and_help():
    chinese = texts("zh")["parameters"]
    for parameter in parameters():
        told = chinese.get(parameter.address, {})
        assert told.get("title") and told.get("help"), parameter.address
        assert any("\u4e00" <= letter <= "\u9fff" for letter in told["help"]), parameter.address


def test_no_chinese_text_is_left_over_from_a_parameter_that_is_gone():
    known = {parameter.address for parameter in parameters()} | {form.SUBSETS, form.DATASETS}
    assert set(texts("zh")["parameters"]) <= known


def test_hints_and_examples_belong_to_parameters():
    known = {parameter.address: parameter for parameter in parameters()}
    assert set(form_spec.EXAMPLES) | set(form_spec.LONG_TEXTS) <= set(known)
    assert all(known[address].optional for address in form_spec.EMPTY_MEANS)
    assert all(known[address].kind == "choice" for address in form_spec.EMPTY_CHOICE)


def test_headings_of_groups_are_translated():
    phrases = texts("zh")["phrases"]
    assert all(heading in phrases for _, heading, _ in form.groups())


def test_two_rates_come_back_from_the_form_as_the_same_two_rates():
    rates = {"optimizer.text_encoder_lr": [1, 0], "optimizer.learning_rate": 1}
    config = form.check({**READY, **rates}).ready
    shown = form.raw_values(config)["optimizer.text_encoder_lr"]
    assert shown == "1.0,0.0"
    assert form.check({**READY, **rates, "optimizer.text_encoder_lr": shown}).ready == config


def test_names_of_other_programs_and_labels_of_their_pages_lead_to_a_parameter():
    names = other_names()
    assert LABELS.keys() <= {parameter.name for parameter in parameters()} | {"subsets"}
    assert {"lora_rank", "network rank (dimension)"} <= set(names["network_dim"])
    assert {"lr_warmup_ratio"} <= set(names["lr_warmup_steps"]) and "epoch" in names["max_train_epochs"]


def test_the_two_schedules_of_one_name_are_two_groups_of_arguments(tmp_path):
    fields = [field for group in form_spec.spec(open_site(tmp_path))["groups"] for field in group["fields"]]
    (field,) = [field for field in fields if field["address"] == "schedule.lr_scheduler_args"]
    listed = field["arguments"]["sets"]["cosineannealingwarmuprestarts"][""]["arguments"]
    groups = {one["name"]: one["group"].partition(":")[0] for one in listed}
    assert (groups["first_cycle_steps"], groups["T_0"], groups["warmup_steps"]) == ("Without T_0", "With T_0", "")
    assert len(groups) == len(listed)
