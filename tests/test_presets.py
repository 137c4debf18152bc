"""Every file in presets/ can be chosen on the page, runs as it is, and speaks both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.config import TrainConfig, parse_flat, read_values
from trainer.optimizers import find
from trainer.schedules import build
from webui.form_presets import load, shipped

FOLDER = Path(__file__).parents[1] / "presets"
FILES = sorted(FOLDER.glob("*.toml"))
NEEDED = {"pretrained_model_name_or_path": "model.safetensors", "train_data_dir": "train", "resolution": "512"}


def completed(path: Path) -> tuple[TrainConfig, list[str]]:
    """The preset as a run on some base model and pictures; and what was said about its keys."""
    values = read_values(path)
    told = {name: value for name, value in values.items() if name not in ("title", "about", "order", "preset")}
    parsed = parse_flat({**NEEDED, **told})
    return parsed.config, [note.message for note in parsed.notes]


def test_the_guides_kinds_of_training_are_there():
    names = [preset.id for preset in shipped(FOLDER)]
    assert names[:6] == ["sd15_character", "sd15_style", "sd15_person", "sd15_low_memory", "sd15_cpu", "sd15_prodigy"]


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
