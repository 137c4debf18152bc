"""`python -m trainer train` as sd-scripts' users write it: options, shortened names, config_file, output_config."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from trainer.__main__ import main
from trainer.config import ConfigError, TrainConfig, read
from trainer.config.commandline import read_words

BASE = (
    'pretrained_model_name_or_path = "b.safetensors"\ntrain_data_dir = "t"\nresolution = "512,512"\nnetwork_dim = 8\n'
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(BASE, encoding="utf-8")
    return path


def config(*words: str) -> TrainConfig:
    given = read_words(words, ())
    return read(given.file, given.overrides, given.options).config


def test_an_option_wins_over_the_file_and_the_file_over_the_default(file: Path) -> None:
    made = config("--config_file", str(file), "--network_dim", "16")
    assert (made.network.network_dim, made.dataset.resolution, made.network.network_alpha) == (16, (512, 512), 1)


def test_the_ending_of_config_file_may_be_left_out(file: Path) -> None:
    assert config("--config_file", str(file.with_suffix(""))).network.network_dim == 8
    dotted = file.rename(file.with_name("cat_v1.5.toml"))
    assert config("--config_file", str(dotted.with_suffix(""))).network.network_dim == 8


def test_no_file_is_needed_when_the_options_say_everything() -> None:
    made = config("--pretrained_model_name_or_path", "b", "--train_data_dir=t", "--resolution", "512,768")
    assert made.dataset.resolution == (512, 768)


def test_a_switch_takes_no_value_and_a_list_all_words_up_to_the_next_option(file: Path) -> None:
    words = ["--shuffle_caption", "--network_args", "conv_dim=4", "conv_alpha=1", "--seed", "7", str(file)]
    made = config(*words)
    assert made.caption.shuffle_caption and made.run.seed == 7
    assert made.network.network_args == ("conv_dim=4", "conv_alpha=1")


def test_several_text_encoder_rates_are_taken(file: Path) -> None:
    assert config(str(file), "--text_encoder_lr", "1e-5", "2e-5").optimizer.text_encoder_lr == (1e-5, 2e-5)


def test_a_shortened_name_is_understood_while_it_is_unambiguous(file: Path) -> None:
    assert config("--config", str(file), "--network_al", "4").network.network_alpha == 4
    with pytest.raises(ConfigError, match=r"--network may be network_module, .*write it out"):
        config("--config", str(file), "--network", "4")


def test_overrides_and_options_may_be_mixed(file: Path) -> None:
    made = config(str(file), "network_alpha=4", "--network_dim", "32", "unet_lr=1e-4")
    assert (made.network.network_alpha, made.network.network_dim, made.optimizer.unet_lr) == (4, 32, 1e-4)


def test_a_negative_number_is_a_value(file: Path) -> None:
    assert config(str(file), "--seed", "-1").run.seed is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--netwrok_dim", "4"], "--netwrok_dim is not a parameter; did you mean network_dim?"),
        (["--network_dim"], "--network_dim needs a value behind it"),
        (["--network_dim", "--shuffle_caption"], "--network_dim needs a value behind it"),
        (["--deepspeed"], "deepspeed is not supported: DeepSpeed spreads models"),
        (["--huggingface_repo_id", "me/x"], "huggingface_repo_id is not supported"),
        (["second.toml"], "second.toml is not understood; options are written --network_dim 16"),
    ],
)
def test_a_wrong_option_is_refused_with_the_cure_and_exit_code_2(
    words: list[str], said: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(file), *words]) == 2
    assert said in capsys.readouterr().err


def test_all_wrong_options_are_named_at_once(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--netwrok_dim", "4", "--deepspeed", "--huggingface_repo_id", "me/x", "--network_dim"]
    assert main(["train", str(file), *words]) == 2
    told = capsys.readouterr().err
    for name in (
        "--netwrok_dim is not a parameter",
        "deepspeed is not",
        "huggingface_repo_id is not",
        "--network_dim nee",
    ):
        assert told.count(name) == 1
    assert told.count("error:") == 4
    assert main(["train", str(file), "netwrk_dim=4", "lr=1", "network_dim=x"]) == 2
    assert capsys.readouterr().err.count("error:") == 3


def test_output_config_writes_what_differs_as_one_flat_table_and_trains_nothing(tmp_path: Path) -> None:
    target = tmp_path / "new.toml"
    words = [
        "--pretrained_model_name_or_path",
        "b",
        "--train_data_dir",
        "t",
        "--resolution",
        "512",
        "--unet_lr",
        "1e-4",
    ]
    assert main(["train", *words, "--network_args", "conv_dim=4", "--output_config", "--config_file", str(target)]) == 0
    written = target.read_text(encoding="utf-8")
    assert "[" not in written.replace('["conv_dim=4"]', "")
    assert read(target).config == config(*words, "--network_args", "conv_dim=4")
    assert not (tmp_path / "jobs").exists()


def test_output_config_never_replaces_a_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--output_config", "--config_file", str(file)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == BASE


def test_a_command_without_file_and_options_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train"])
    assert ended.value.code == 2
    assert "train needs a settings file" in capsys.readouterr().err


def test_the_help_names_config_file(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert "--config_file" in capsys.readouterr().out


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = [sys.executable, "-m", "trainer", "reference"]
    project = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as printing:
        assert printing.stdout is not None and printing.stderr is not None
        printing.stdout.close()
        assert printing.stderr.read() == b""
