"""Options that need another one: the table walked both ways, and every parameter either in it or known to act alone."""

from __future__ import annotations

import itertools

import pytest

from trainer.config import TrainConfig, loads, parameters, parse
from trainer.config.partners import ARGUMENTS, SEVERAL_PROCESSES, Partner, all_partners

NEEDED = {
    "pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "train", "resolution": "512",
    "learning_rate": 1e-4,
}  # fmt: skip
# What a parameter is set to here where "switched on", the number 2 or the text "x" would not do.
SAMPLES: dict[str, object] = {
    "prior_loss_weight": 0.5, "min_bucket_reso": 128, "max_bucket_reso": 2048, "bucket_reso_steps": 128,
    "validation_split": 0.2, "token_warmup_step": 0.5, "caption_tag_dropout_rate": 0.1, "caption_separator": ";",
    "multires_noise_discount": 0.6, "huber_schedule": "exponential", "huber_c": 0.2, "lr_scheduler": "cosine",
    "lr_scheduler_type": "CosineAnnealingLR", "lr_scheduler_min_lr_ratio": 0.1, "dynamo_backend": "eager",
    "sample_sampler": "euler", "subsets": [{"image_dir": "y"}], "is_reg": None, "console_log_file": "x.log",
    "datasets": [{"resolution": 512, "subsets": [{"image_dir": "y"}]}], "unet_lr": 1e-4, "text_encoder_lr": 1e-5,
    "network_args.rank_dropout": 0.1, "network_args.conv_alpha": 4, "network_args.wd_on_output": False,
    "secondary_separator": ";;;",
    "log_tracker_config": "x.toml", "network_weights": "x.safetensors", "max_data_loader_n_workers": 2,
}  # fmt: skip
# What must stand beside an option so that it may be set at all.
BESIDE: dict[str, dict[str, object]] = {
    "lr_scheduler_type": {"lr_scheduler_args": ["T_max=10"]}, "dim_from_weights": {"network_weights": "x.safetensors"},
    "fp8_base": {"mixed_precision": "bf16"}, "fp8_base_unet": {"mixed_precision": "bf16"},
    "cache_text_encoder_outputs_to_disk": {"network_train_unet_only": True},
    "log_with=wandb": {"logging_dir": "logs"}, "log_with=all": {"logging_dir": "logs"},
    "network_dim": {"network_weights": "x.safetensors"},
    "persistent_data_loader_workers": {"max_data_loader_n_workers": 0},
    "lr_scheduler=cosine_with_min_lr": {"lr_scheduler_min_lr_ratio": 0.1},
    "huber_scale": {"huber_schedule": "exponential"},
    "network_args.rank_dropout_scale": {"network_module": "lycoris.kohya"},
    "network_args.bypass_mode": {"network_module": "lycoris.kohya"},
    "network_args.wd_on_output": {"network_module": "lycoris.kohya"},
}  # fmt: skip
ROWS = all_partners()
BY_NAME = {parameter.name: parameter for parameter in parameters()}


def values_for(condition: str) -> dict[str, object]:
    """What to write so that a condition of the table holds."""
    name, sign, wanted = condition.partition("=")
    beside = dict(BESIDE.get(condition, {}))
    if condition == "is_reg":
        return {**beside, "subsets": [{"image_dir": "r", "is_reg": True}]}
    if name.startswith(ARGUMENTS):
        return {**beside, "network_args": [f"{name.removeprefix(ARGUMENTS)}={SAMPLES.get(name, 1)}"]}
    kind = BY_NAME[name].kind if name in BY_NAME else "text"
    usual = {"bool": True, "int": 3, "float": 2.0, "amount": 5}.get(kind, "x")
    return {**beside, name: wanted if sign else SAMPLES.get(name, usual)}


def notes(*parts: dict[str, object]) -> list[str]:
    """What is said of the option with all parts laid over each other; lists of arguments are joined."""
    values: dict[str, object] = dict(NEEDED)
    for part in parts:
        joined = [*values.get("network_args", []), *part.get("network_args", [])]  # type: ignore[misc]
        values |= part | ({"network_args": joined} if joined else {})
    return [note.message for note in parse(values).notes]


def about(row: Partner, said: list[str]) -> list[str]:
    name = row.option.removeprefix(ARGUMENTS)
    return [text for text in said if text.startswith(f"{name} = ") and "has no effect" in text]


@pytest.fixture(autouse=True)
def wandb_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name, package=None: object())


@pytest.mark.parametrize("row", [row for row in ROWS if row.needs], ids=lambda row: f"{row.option} {row.needs[0]}")
def test_an_option_without_its_partner_is_told_and_with_it_is_not(row: Partner) -> None:
    own = values_for(row.option)
    others = [values_for(other.needs[0]) for other in ROWS if other.option == row.option and other is not row]
    alone = about(row, notes(own, *others))
    assert len(alone) == 1
    assert all(name.removeprefix(ARGUMENTS) in alone[0] for name in row.needs)
    for partner in row.needs:
        assert about(row, notes(own, *others, values_for(partner))) == [], partner


@pytest.mark.parametrize(
    ("row", "other"),
    [(row, other) for row in ROWS for other in row.unless],
    ids=lambda item: getattr(item, "option", item),
)
def test_an_option_whose_effect_another_takes_away_is_told(row: Partner, other: str) -> None:
    own = values_for(row.option)
    needed = values_for(row.needs[0]) if row.needs else {}
    assert about(row, notes(own, needed)) == []
    [said] = about(row, notes(own, needed, values_for(other)))
    assert f"has no effect beside {other.partition('=')[0]} = " in said


@pytest.mark.parametrize(
    ("argument", "told"), [("conv_alpha=1", True), ("conv_alpha=1.0", True), ("conv_alpha=0", True), ("unit=1", False)]
)
def test_an_argument_that_is_written_with_its_default_is_told_too(argument: str, told: bool) -> None:
    module = "networks.dylora" if argument == "unit=1" else "networks.lora"
    said = notes({"network_args": [argument], "network_module": module})
    assert [text for text in said if "conv_alpha" in text and "has no effect without conv_dim" in text] == said[:told]
    assert not [text for text in notes({"network_module": module}) if "conv_alpha" in text]


def test_options_of_several_processes_are_told_where_one_trains_alone() -> None:
    single = notes({name: values_for(name)[name] for name in SEVERAL_PROCESSES})
    for name in SEVERAL_PROCESSES:
        assert [text for text in single if text.startswith(name) and text.endswith("one process trains alone")]
    assert not [text for text in notes({"ddp_timeout": 7, "num_processes": 2}) if "ddp_timeout" in text]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"network_module": "lycoris.kohya", "network_args": ["preset=attn-mlp", "conv_dim=8"]},
         "conv_dim has no effect"),
        ({"network_module": "lycoris.kohya", "network_args": ["preset=attn-only", "use_tucker=True"]},
         "use_tucker has no effect with preset=attn-only"),
        ({"v_pred_like_loss": 1.5}, "v_pred_like_loss 1.5 adds more than the whole velocity loss"),
    ],
)  # fmt: skip
def test_a_setting_beyond_its_use_is_told(values: dict[str, object], words: str) -> None:
    assert [text for text in notes(values) if text.startswith(words)]
    mild = {"network_module": "lycoris.kohya", "network_args": ["preset=full", "conv_dim=8", "use_tucker=True"]}
    for fine in (mild, {**mild, "network_args": ["preset=attn-mlp", "conv_dim=0"]}, {"v_pred_like_loss": 1.0}):
        assert not [text for text in notes(fine) if "has no effect with preset" in text or "velocity" in text]


def test_a_rate_that_no_part_uses_is_told() -> None:
    both = {"unet_lr": 1e-4, "text_encoder_lr": 1e-5}
    [said] = [text for text in notes(both, {"learning_rate": 5e-5}) if "is not used" in text]
    assert said.startswith("learning_rate 5e-5")
    assert "unet 0.0001" in said and "textencoder 1e-5" in said
    assert not [text for text in notes(both, {"learning_rate": 1e-4}) if "is not used" in text]
    assert not [text for text in notes({"unet_lr": 1e-4, "learning_rate": 5e-5}) if "is not used" in text]


def test_an_option_that_acts_in_one_folder_is_not_told() -> None:
    folders = [{"image_dir": "a", "shuffle_caption": True}, {"image_dir": "b"}]
    assert not [text for text in notes({"keep_tokens": 1, "subsets": folders}) if text.startswith("keep_tokens")]
    assert [text for text in notes({"keep_tokens": 1, "subsets": folders[1:]}) if text.startswith("keep_tokens")]


def test_a_key_is_never_shown_in_a_note() -> None:
    assert [text for text in notes({"wandb_api_key": "geheim"}) if text.startswith("wandb_api_key = …")]
    assert "geheim" not in str(notes({"wandb_api_key": "geheim"}))


# Parameters that act whatever else is set, or whose partner is a rule (rules.py), a note of its own (notes.py) or the
# base model (families/kinds.py).
ALONE = frozenset({
    "pretrained_model_name_or_path", "vae", "v_parameterization", "prediction_type", "v2", "model_family",
    "text_projection_as_sd_scripts", "train_data_dir", "reg_data_dir", "dataset_config", "in_json", "resolution",
    "train_batch_size", "enable_bucket", "resize_interpolation", "ignore_exif_orientation", "flip_aug",
    "true_crop_coordinates", "color_aug", "random_crop", "face_crop_aug_range", "alpha_mask", "masked_loss",
    "cache_info", "validation_split", "output_name", "output_dir", "save_model_as", "save_precision",
    "save_every_n_steps", "save_n_epoch_ratio", "save_state", "save_state_on_train_end", "resume", "initial_step",
    "no_metadata", "metadata_title", "metadata_author", "metadata_description", "metadata_license", "metadata_tags",
    "metadata_trigger_phrase", "metadata_usage_hint", "metadata_thumbnail", "metadata_merged_from",
    "metadata_preprocessor", "metadata_is_negative_embedding", "max_train_epochs", "gradient_accumulation_steps",
    "seed", "max_nan_steps", "max_data_loader_n_workers", "learning_rate", "optimizer_type", "optimizer_args",
    "use_lion_optimizer", "use_8bit_adam", "max_grad_norm", "lr_warmup_steps", "lr_scheduler_type",
    "lr_scheduler_args", "network_module", "network_dropout", "network_args", "network_weights", "dim_from_weights",
    "base_weights", "base_weights_multiplier", "network_train_unet_only", "network_train_text_encoder_only",
    "scale_weight_norms", "logging_dir", "log_with", "console_log_level",
    "console_log_file", "caption_extension", "caption_extention", "shuffle_caption", "max_token_length", "clip_skip",
    "keep_tokens_separator", "secondary_separator", "enable_wildcard", "caption_prefix", "caption_suffix",
    "weighted_captions", "no_token_padding", "caption_dropout_rate", "caption_dropout_every_n_epochs",
    "caption_tag_dropout_rate", "token_warmup_step", "noise_offset", "adaptive_noise_scale",
    "multires_noise_iterations", "ip_noise_gamma", "zero_terminal_snr", "min_timestep", "max_timestep",
    "min_snr_gamma", "zero_terminal_snr_weights", "loss_type", "debiased_estimation_loss",
    "scale_v_pred_loss_like_noise_pred", "v_pred_like_loss", "mixed_precision", "gradient_checkpointing", "full_fp16",
    "full_bf16", "fp8_base", "quantize_base", "no_half_vae", "sdpa", "xformers", "torch_compile", "cache_latents",
    "cache_latents_to_disk", "cache_text_encoder_outputs", "cache_text_encoder_outputs_to_disk", "num_processes",
    "gpu_ids", "multi_gpu", "num_machines", "machine_rank", "main_process_ip",
})  # fmt: skip


def test_every_parameter_is_in_the_table_or_known_to_act_alone() -> None:
    listed = {row.option for row in ROWS if not row.option.startswith(ARGUMENTS)} | set(SEVERAL_PROCESSES)
    assert listed | ALONE == set(BY_NAME)
    assert listed & ALONE == set()


def test_the_defaults_say_nothing() -> None:
    assert notes() == []
    assert isinstance(parse(NEEDED).config, TrainConfig)


def test_every_name_of_the_table_is_a_parameter_or_an_argument() -> None:
    from trainer.networks.arguments import MODULES

    arguments = {name for methods in MODULES.values() for method in methods.values() for name in method.arguments}
    named = itertools.chain.from_iterable((row.option, *row.needs, *row.unless, *row.only) for row in ROWS)
    plain = {name.partition("=")[0] for name in named}
    known = {*BY_NAME, "is_reg", "subsets", "datasets"} | {ARGUMENTS + name for name in arguments}
    assert plain <= known
    assert loads("") == {}
