"""What a run tells TensorBoard and wandb, and what it keeps to itself."""

from __future__ import annotations

import importlib.util
import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from place import Place

from trainer.__main__ import main
from trainer.config import ConfigError, parse, to_toml
from trainer.curves import check, logged_settings, old_rate_names, run_folder

NEEDED = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512}


class Tool(types.ModuleType):
    """A wandb that remembers what it is told."""

    def __init__(self) -> None:
        super().__init__("wandb")
        self.__spec__ = importlib.util.spec_from_loader("wandb", None)
        self.begun: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []
        self.finished = 0
        self.Error = type("Error", (Exception,), {})
        self.Image = lambda picture: ("picture", picture.size)

    def init(self, **options: Any) -> Tool:
        self.begun.append(options)
        return self

    def log(self, values: dict[str, Any]) -> None:
        self.told.append(values)

    def finish(self) -> None:
        self.finished += 1


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> Tool:
    tool = Tool()
    monkeypatch.setitem(sys.modules, "wandb", tool)
    monkeypatch.setenv("WANDB_API_KEY", "")
    monkeypatch.setenv("WANDB_MODE", "offline")
    return tool


def test_wandb_gets_the_tags_of_tensorboard_with_step_and_epoch(place: Place, wandb: Tool) -> None:
    values = {"log_with": "all", "logging_dir": "logs", "wandb_run_name": "mine", "log_config": True,
              "log_old_rate_names": True}  # fmt: skip
    assert (
        place.train(**values, validation_split=0.2, sample_prompts="a --w 64 --h 64 --s 1", sample_at_first=True) == 0
    )
    (begun,) = wandb.begun
    assert (begun["project"], begun["name"], begun["config"]["network_dim"]) == ("network_train", "mine", 2)
    points = [entry for entry in wandb.told if "loss/current" in entry]
    assert [entry["global_step"] for entry in points] == list(range(1, len(points) + 1))
    tags = {"loss/current", "loss/average", "lr/textencoder", "lr/unet", "lr/group1", "global_step"}
    assert tags == set(points[0])
    assert [entry["epoch"] for entry in wandb.told if "loss/epoch_average" in entry] == [1, 2]
    assert any({"loss/validation/epoch_average", "loss/validation/epoch_divergence"} <= set(e) for e in wandb.told)
    assert {"sample_0": ("picture", (64, 64)), "global_step": 0} in wandb.told
    assert wandb.finished == 1 and list((place.root / "logs").iterdir())


def test_old_names_of_rates_number_the_groups_and_call_only_a_text_encoder_so() -> None:
    both = {"textencoder": 1.0, "textencoder plus": 2.0, "unet": 3.0, "d*lr/unet": 4.0}
    assert old_rate_names(both) == {"textencoder": 1.0, "group1": 2.0, "group2": 3.0, "d*lr/group2": 4.0}
    assert old_rate_names({"unet": 3.0, "unet plus": 5.0}) == {"group0": 3.0, "group1": 5.0}
    assert old_rate_names({"textencoder 1": 1.0, "textencoder 2": 2.0}) == {"textencoder": 1.0, "group1": 2.0}


def test_wandb_alone_leaves_no_tensorboard_file_and_takes_options_from_a_file(place: Place, wandb: Tool) -> None:
    (place.root / "tracker.toml").write_text('[wandb]\nentity = "us"\nname = "theirs"\n', encoding="utf-8")
    assert (
        place.train(max_train_epochs=1, log_with="wandb", log_tracker_config="tracker.toml", log_tracker_name="p") == 0
    )
    (begun,) = wandb.begun
    assert (begun["entity"], begun["name"], begun["project"], begun["config"]) == ("us", "theirs", "p", {})
    assert not (place.root / "logs").exists()


def test_a_wandb_that_does_not_start_is_told_with_the_cure(
    place: Place, wandb: Tool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**options: Any) -> Tool:
        raise wandb.Error("No API key configured")

    monkeypatch.setattr(wandb, "init", refuse)
    assert place.train(max_train_epochs=1, log_with="wandb") == 2
    said = "wandb did not start: No API key configured; run wandb login, or set WANDB_MODE to offline"
    assert said in capsys.readouterr().err


def test_a_missing_key_is_told_before_anything_slow_and_a_login_is_found(
    place: Place, wandb: Tool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setattr(Path, "home", lambda: place.root)
    assert place.train(max_train_epochs=1, log_with="wandb") == 2
    said = "wandb did not start: there is no key for api.wandb.ai on this machine; run wandb login"
    assert said in capsys.readouterr().err
    assert [event["event"] for event in place.events()] == ["failed"]
    (place.root / ".netrc").write_text("machine api.wandb.ai login user password secret\n", encoding="utf-8")
    check(parse({**NEEDED, "log_with": "wandb"}).config.log)
    monkeypatch.setenv("WANDB_BASE_URL", "https://own.example")
    with pytest.raises(ConfigError, match=r"no key for own\.example"):
        check(parse({**NEEDED, "log_with": "wandb"}).config.log)


def test_the_key_is_used_and_written_nowhere(place: Place, wandb: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    key = "0123456789abcdef-a-secret"
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "trainer", f"wandb_api_key={key}"])
    words = [
        "train",
        place.config(max_train_epochs=1, log_with="all", logging_dir="logs", log_config=True),
        "--job",
        "job",
    ]
    assert main([*words, f"wandb_api_key={key}"]) == 0
    assert os.environ["WANDB_API_KEY"] == key and key not in str(wandb.begun)
    written = [
        path for folder in ("job", "logs", "output") for path in (place.root / folder).rglob("*") if path.is_file()
    ]
    assert len(written) > 5 and not [path for path in written if key.encode() in path.read_bytes()]
    assert key not in to_toml(parse({**NEEDED, "wandb_api_key": key}).config)


@pytest.mark.skipif(importlib.util.find_spec("wandb") is not None, reason="wandb is installed here")
def test_a_missing_package_is_named_before_anything_slow() -> None:
    with pytest.raises(ConfigError, match="needs the package wandb, which is not installed; run pip install wandb"):
        parse({**NEEDED, "log_with": "wandb"})


def test_logged_settings_hold_no_path_and_no_key() -> None:
    told = logged_settings(parse({**NEEDED, "logging_dir": "/home/me/logs", "wandb_api_key": "k", "seed": 3}).config)
    assert told["seed"] == 3 and told["resolution"] == "(512, 512)"
    assert not {"wandb_api_key", "logging_dir", "train_data_dir", "pretrained_model_name_or_path"} & set(told)


@pytest.mark.parametrize(
    ("settings", "job_id", "folder"),
    [
        ({}, "20261120-151900-anby", r"安比 v1 · 2026-11-20 15\.19"),
        ({"log_tracker_name": "own"}, "20261120-151900-anby", r"安比 v1 · 2026-11-20 15\.19/own"),
        ({}, "20261399-999999-anby", r"安比 v1 · 20\d\d-\d\d-\d\d \d\d\.\d\d"),  # no such time: the clock's
        ({"log_prefix": "first-"}, "20261120-151900-anby", r"first-20\d{12}/network_train"),  # as sd-scripts
    ],
)
def test_curves_lie_under_the_name_that_the_page_shows(settings, job_id, folder, tmp_path) -> None:
    section = parse({**NEEDED, "logging_dir": str(tmp_path), **settings}).config.log
    assert re.fullmatch(folder, run_folder(section, "安比 v1", job_id).relative_to(tmp_path).as_posix())


def test_a_second_run_of_a_job_has_curves_of_its_own(tmp_path: Path) -> None:
    section = parse({**NEEDED, "logging_dir": str(tmp_path)}).config.log
    first = run_folder(section, "anby", "20261120-151900-anby")
    first.mkdir()
    assert run_folder(section, "anby", "20261120-151900-anby") == tmp_path / f"{first.name} (2)"


def test_settings_stand_beside_the_curves(place: Place) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert place.train(max_train_epochs=1, logging_dir="logs", log_config=True, validation_split=0.2) == 0
    curves = EventAccumulator(str(next(Path("logs").iterdir())))
    curves.Reload()
    assert "_hparams_/session_start_info" in curves.summary_metadata
    assert {"loss/validation/epoch_average", "loss/validation/epoch_divergence"} <= set(curves.Tags()["scalars"])


def test_every_batch_of_an_accumulated_step_stands_at_the_step_it_leads_to(place: Place) -> None:
    """KOHYA_COMPAT 9.4: x counts the optimizer steps done, and holds the rate of the step that comes next."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    settings = {"gradient_accumulation_steps": 2, "lr_scheduler": "linear", "scale_weight_norms": 1.0}
    assert place.train(logging_dir="logs", **settings) == 0
    curves = EventAccumulator(str(next(Path("logs").iterdir())))
    curves.Reload()
    rates = [(point.step, round(point.value, 6)) for point in curves.Scalars("lr/unet")]
    # three batches an epoch in steps of two and one; the rate falls from 0.01 to 0 in four steps
    assert rates == [(0, 0.01), (1, 0.0075), (2, 0.005), (2, 0.005), (3, 0.0025), (4, 0.0)]
    assert [point.step for point in curves.Scalars("loss/current")] == [0, 1, 2, 2, 3, 4]
    assert [point.step for point in curves.Scalars("max_norm/keys_scaled")] == [1, 2, 3, 4]
