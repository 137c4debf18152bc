"""Every file in presets/ can be chosen on the page, runs as it is, and speaks both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.config import TrainConfig, parse, parse_flat, read_values
from trainer.optimizers import find
from trainer.schedules import build
from webui.form import default_values
from webui.form_presets import MEMORY_GB, applied, load, shipped

FOLDER = Path(__file__).parents[1] / "presets"
FILES = sorted(FOLDER.glob("*.toml"))
NEEDED = {
    "pretrained_model_name_or_path": "model.safetensors",
    "train_data_dir": "train",
    "resolution": "512",
    "sample_prompts": "a",
}


def completed(path: Path) -> tuple[TrainConfig, list[str]]:
    """The preset as a run on some base model and pictures; and what was said about its keys."""
    values = read_values(path)
    told = {name: value for name, value in values.items() if name not in ("title", "about", "order", "preset")}
    parsed = parse_flat({**NEEDED, **told})
    return parsed.config, [note.message for note in parsed.notes]


SHIPPED = {preset.id: preset for preset in shipped(FOLDER)}
FOR_EACH_CARD = (
    "sd15_character", "sd15_style", "sd15_person", "sd15_prodigy", "sd15_locon", "sd15_dadapt",
    "sdxl_base", "sdxl_pony", "sdxl_illustrious",
    "sdxl_illustrious_style", "sdxl_noobai_vpred", "sdxl_prodigy", "sdxl_adafactor",
)  # fmt: skip


def made(preset_id: str) -> TrainConfig:
    """What the form holds after a shipped preset was chosen, with base model, pictures and size filled in."""
    values = applied(default_values(), SHIPPED[preset_id])
    values |= {"model.pretrained_model_name_or_path": "model.safetensors", "dataset.train_data_dir": "train"}
    values["sample.sample_prompts"] = "a"  # the page makes them from the captions
    parsed = parse(values)
    assert [note.message for note in parsed.notes] == []
    return parsed.config


@pytest.mark.parametrize("preset_id", SHIPPED)
def test_every_preset_draws_previews(preset_id):
    config = made(preset_id)
    if config.run.max_train_epochs:
        assert config.sample.sample_every_n_epochs == config.save.save_every_n_epochs
    else:
        assert config.run.max_train_steps % config.sample.sample_every_n_steps == 0


def test_what_people_train_is_there_for_8_12_and_24_gb():
    assert tuple(dict.fromkeys(preset.base for preset in SHIPPED.values() if preset.memory_gb)) == FOR_EACH_CARD
    for base in FOR_EACH_CARD:
        assert [one.memory_gb for one in SHIPPED.values() if one.base == base] == list(MEMORY_GB)
    assert {"sd15_cpu", "demo"} <= SHIPPED.keys()


def test_every_file_is_read():
    assert {preset.base for preset in SHIPPED.values()} == {path.stem for path in FILES}


@pytest.mark.parametrize("preset_id", SHIPPED)
def test_every_preset_is_a_whole_configuration_without_a_remark(preset_id):
    made(preset_id)


@pytest.mark.parametrize("preset_id", SHIPPED)
def test_the_size_of_the_card_stands_in_title_and_advice_in_both_languages(preset_id):
    preset = SHIPPED[preset_id]
    for language in ("en", "zh"):
        assert preset.memory_gb is None or preset.title[language].endswith(f" · {preset.memory_gb} GB")
        assert preset.about[language]
    if preset.memory_gb in (8, 24):
        assert preset.about["en"].startswith(SHIPPED[preset.base].about["en"])
        assert len(preset.about["zh"]) > len(SHIPPED[preset.base].about["zh"])


@pytest.mark.parametrize("preset_id", [name for name in SHIPPED if name.startswith("sdxl")])
def test_sdxl_trains_at_1024_with_wide_buckets_and_a_safe_vae(preset_id):
    config = made(preset_id)
    assert (config.dataset.resolution, config.dataset.max_bucket_reso) == ((1024, 1024), 2048)
    assert config.precision.no_half_vae and config.precision.gradient_checkpointing
    assert config.caption.clip_skip is None


@pytest.mark.parametrize("base", [name for name in FOR_EACH_CARD if name.startswith("sdxl")])
def test_sdxl_on_8_gb_trains_the_unet_with_cached_text_and_a_small_base(base):
    config = made(f"{base}_8gb")
    assert config.network.network_train_unet_only and config.cache.cache_text_encoder_outputs
    assert config.precision.fp8_base and config.dataset.train_batch_size == 1


def test_noobai_is_trained_as_its_base_was():
    config = made("sdxl_noobai_vpred")
    assert config.model.v_parameterization and config.noise.zero_terminal_snr and config.loss.min_snr_gamma == 5


def test_leaving_a_velocity_preset_switches_velocity_off_again():
    values = applied(default_values(), SHIPPED["sdxl_noobai_vpred"])
    assert applied(values, SHIPPED["sdxl_illustrious"])["model.v_parameterization"] is False


@pytest.mark.parametrize("preset_id", [name for name in SHIPPED if "prodigy" in name])
def test_prodigy_gets_the_rate_1_and_a_constant_schedule(preset_id):
    config = made(preset_id)
    assert (config.optimizer.unet_lr, config.schedule.lr_scheduler) == (1, "constant")
    assert config.network.network_train_unet_only or config.optimizer.text_encoder_lr == 1


@pytest.mark.parametrize("preset_id", SHIPPED)
def test_no_preset_reads_pictures_with_more_than_two_threads(preset_id):
    assert made(preset_id).run.max_data_loader_n_workers <= 2


def test_what_the_guides_say_of_pony_locon_and_dadaptadam_stands_in_the_presets():
    assert "leave score_9 and source_anime out" in SHIPPED["sdxl_pony"].about["en"]
    assert "set keep_tokens to 2" in SHIPPED["sdxl_illustrious_style"].about["en"]
    locon, dadapt = made("sd15_locon"), made("sd15_dadapt")
    assert locon.network.network_args == ("conv_dim=32", "conv_alpha=16") and locon.network.network_dim == 64
    assert (dadapt.optimizer.optimizer_type, dadapt.optimizer.unet_lr) == ("DAdaptAdam", 1)


@pytest.mark.parametrize("base", FOR_EACH_CARD)
def test_a_smaller_card_never_gets_the_larger_batch(base):
    batches = [made(preset.id).dataset.train_batch_size for preset in SHIPPED.values() if preset.base == base]
    assert batches == sorted(batches)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_key_is_a_parameter_and_every_value_is_valid(path):
    _, notes = completed(path)
    assert notes == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_title_and_sentence_are_in_both_languages(path):
    preset = load(path, own=False)
    for texts in (preset.title, preset.about):
        assert set(texts) == {"en", "zh"}
        assert all(text.strip() for text in texts.values())
        assert any("\u4e00" <= letter <= "\u9fff" for letter in texts["zh"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_optimizer_and_schedule_can_be_built_from_it(path):
    config, _ = completed(path)
    find(config.optimizer.optimizer_type).parse_args(config.optimizer.optimizer_args)
    assert build(config.schedule, 100, config.optimizer.learning_rate)(99) >= 0


def test_the_guides_preset_holds_the_numbers_of_guide_000():
    config, _ = completed(FOLDER / "sd15_character.toml")
    assert (config.dataset.resolution, config.dataset.enable_bucket, config.dataset.train_batch_size) == (
        (512, 768),
        True,
        1,
    )
    assert (config.optimizer.unet_lr, config.optimizer.text_encoder_lr, config.optimizer.optimizer_type) == (
        1e-4,
        1e-5,
        "AdamW8bit",
    )
    assert (config.network.network_dim, config.network.network_alpha, config.schedule.lr_scheduler) == (
        32,
        32,
        "cosine_with_restarts",
    )
    assert (config.run.max_train_epochs, config.save.save_every_n_epochs, config.save.save_precision) == (10, 2, "fp16")
    assert (config.caption.caption_extension, config.caption.keep_tokens, config.caption.clip_skip) == (".txt", 1, 2)
