"""Learning rates that are nearly always a mistake are told with the usual ones; those of the guides never are."""

from __future__ import annotations

import pytest

from trainer.config import ConfigError, parse
from trainer.config.rate_notes import USUAL, usual_rates
from trainer.optimizers import OPTIMIZERS

NEEDED = {"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "train", "resolution": "512"}
PRODIGY = {"optimizer_type": "Prodigy", "learning_rate": 1}
WITHOUT_USUAL = {"SGDNesterov", "SGDNesterov8bit", "SGDScheduleFree", "Adagrad", "SGD", "ASGD", "Rprop"}


@pytest.fixture(autouse=True)
def every_optimizer_is_installed(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name, package=None: object())


def notes(**values) -> dict[str, str]:
    """What is said of rates, by parameter."""
    about = [note for note in parse({**NEEDED, **values}).notes if (note.address or "").endswith(("lr", "_rate"))]
    assert len({note.address for note in about}) == len(about)
    return {str(note.address).partition(".")[2]: note.message for note in about}


@pytest.mark.parametrize(
    "values",
    [
        {"learning_rate": 1e-4},  # guide 003, SD 1.5
        {"unet_lr": 1e-4, "text_encoder_lr": 1e-5},  # guide 000
        {"unet_lr": 1e-4, "text_encoder_lr": "3.3e-5,5e-5"},
        {"unet_lr": 4e-4, "network_train_unet_only": True, "network_dim": 16, "network_alpha": 8},  # SDXL
        {"unet_lr": 8e-4, "text_encoder_lr": 4e-4, "network_dim": 16, "network_alpha": 16},
        {"unet_lr": 1e-3, "text_encoder_lr": 3e-4, "network_dim": 64, "network_alpha": 1},
        {"unet_lr": 5e-3, "network_dim": 8, "network_alpha": 0.0625, "network_train_unet_only": True},
        {"optimizer_type": "Lion", "learning_rate": 1e-5},
        {"optimizer_type": "Lion8bit", "learning_rate": 2e-6},
        {**PRODIGY},
        {**PRODIGY, "learning_rate": 0.5},
        {"optimizer_type": "DAdaptAdam", "learning_rate": 2},
        {"optimizer_type": "AdaFactor", "learning_rate": 1e-6},  # decides by itself
        {"optimizer_type": "SGDNesterov", "learning_rate": 0.5},
        {"learning_rate": 5e-6, "network_args": ["loraplus_lr_ratio=16"]},
        {"learning_rate": 1e-6, "network_module": "lycoris.kohya", "network_args": ["algo=full"]},
        {"learning_rate": 1e-2, "network_module": "lycoris.kohya", "network_args": ["algo=ia3"]},
        {"unet_lr": 2e-3, "text_encoder_lr": 2e-3, "learning_rate": 2e-3},  # the demo
        {"learning_rate": 1e-4, "text_encoder_lr": 0},
    ],
)
def test_a_rate_of_the_guides_is_not_told(values):
    assert notes(**values) == {}


@pytest.mark.parametrize(
    ("values", "name", "said"),
    [
        ({}, "learning_rate", "learning_rate 2e-6 is what sd-scripts takes where no rate is given"),
        ({"unet_lr": 5e-6, "text_encoder_lr": 1e-6}, "unet_lr", "unet_lr 5e-6 is low for AdamW: usual is 1e-4 for SD"),
        ({"unet_lr": 100, "text_encoder_lr": 1e-5}, "unet_lr", "unet_lr 100 is high for AdamW"),
        ({"learning_rate": 1}, "learning_rate", "learning_rate 1 is high for AdamW"),
        ({"unet_lr": 1e-4, "text_encoder_lr": "1e-5,50"}, "text_encoder_lr", "text_encoder_lr 50 is high for AdamW"),
        ({"unet_lr": 1e-4, "text_encoder_lr": 3e-4}, "text_encoder_lr", "is above the U-Net's rate 0.0001"),
        ({"optimizer_type": "Lion", "learning_rate": 1e-4}, "learning_rate", "10 to 15 times less than for AdamW"),
        ({**PRODIGY, "learning_rate": 1e-4}, "learning_rate", "Prodigy finds the learning rate itself"),
        ({**PRODIGY, "learning_rate": 20}, "learning_rate", "but learning_rate is 20; set all rates to 1"),
        ({**PRODIGY, "learning_rate": 2e-6}, "learning_rate", "Prodigy finds the learning rate itself"),
    ],
)
def test_a_rate_beyond_the_usual_ones_is_told_at_its_field_with_the_usual_ones(values, name, said):
    told = notes(**values)
    assert list(told) == [name]
    assert said in told[name]


def test_every_optimizer_has_usual_rates_or_is_known_to_have_none():
    assert {name for name, one in OPTIMIZERS.items() if usual_rates(one) is None} == WITHOUT_USUAL
    assert USUAL.keys() <= OPTIMIZERS.keys()


def test_two_rates_for_prodigy_are_refused_at_the_rate_not_at_the_optimizer():
    with pytest.raises(ConfigError) as caught:
        parse({**NEEDED, **PRODIGY, "unet_lr": 1, "text_encoder_lr": 0.5, "optimizer_args": ["decouple=True"]})
    [problem] = caught.value.problems
    assert problem.address == "optimizer.text_encoder_lr"
    assert "needs one rate for every part, but got textencoder 0.5, unet 1" in problem.message
