"""Every option of sd-scripts is a parameter, an option of the command, or refused by name with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer.__main__ import main
from trainer.config import ConfigError, parameters, parse
from trainer.config.refused import COMMAND_LINE, REFUSED
from trainer.networks.arguments import MODULES

GOLDEN = Path(__file__).parents[1] / "golden" / "sd_scripts_arguments.json"
NAMES = [entry["name"] for entry in json.loads(GOLDEN.read_text(encoding="utf-8"))["arguments"]]
NEEDED = {"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "train", "resolution": "512"}


@pytest.mark.parametrize("name", NAMES)
def test_every_option_of_sd_scripts_stands_in_exactly_one_list(name: str) -> None:
    here = {parameter.name for parameter in parameters()}
    assert sum(name in names for names in (here, REFUSED, COMMAND_LINE)) == 1


def test_only_options_of_sd_scripts_are_refused_and_they_are_few() -> None:
    assert set(REFUSED) <= set(NAMES)
    assert len(REFUSED) <= 30


STOPPING = [name for name, refused in REFUSED.items() if refused.stops]


@pytest.mark.parametrize("name", sorted(set(REFUSED) - set(STOPPING)))
def test_an_option_without_which_nothing_is_lost_is_left_out_with_a_note(name: str) -> None:
    (note,) = parse({**NEEDED, name: True}).notes
    refused = REFUSED[name]
    assert note.message == f"{name} was left out: {refused.reason}. Use instead: {refused.instead}"


@pytest.mark.parametrize("name", STOPPING)
def test_a_refused_option_is_named_with_the_reason_and_what_to_use_instead(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse({**NEEDED, name: "something"})
    said = caught.value.problems[0].message
    assert said == f"{name} is not supported: {REFUSED[name].reason}. Use instead: {REFUSED[name].instead}"


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_option_that_is_off_is_no_obstacle(name: str) -> None:
    assert parse({**NEEDED, name: False}).notes == parse({**NEEDED, name: ""}).notes == parse(NEEDED).notes


def test_the_reference_shows_all_parameters_and_all_refused_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference"]) == 0
    told = capsys.readouterr().out
    for name in [*(parameter.name for parameter in parameters()), *COMMAND_LINE, *REFUSED]:
        assert f"| `{name}` |" in told
    for refused in REFUSED.values():
        assert refused.reason in told and refused.instead in told
    for methods in MODULES.values():
        for method in methods.values():
            assert method.help in told and all(f"| | `{name}` |" in told for name in method.arguments)
