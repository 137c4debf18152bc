"""Names are bytes on a disk: what a person types becomes names that every disk takes, or is refused before a start."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from place import Place

from trainer import saving
from trainer.__main__ import main
from trainer.config import ConfigError, parse
from trainer.config.file_names import DEVICE_NAMES, fault_of, fault_of_output_name
from trainer.job import ID_PATTERN, LONGEST_ID_BYTES, Job, find_job, name_in_id

NEEDED = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512}


def message(values: dict[str, object]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse({**NEEDED, **values})
    return str(caught.value)


def in_bytes(path: Path | str) -> int:
    return len(Path(path).name.encode())


def test_the_longest_names_are_those_of_a_late_preview_and_of_a_state_that_is_being_written() -> None:
    file, state = saving.longest_names("猫")  # 3 bytes
    assert file.startswith("猫-9999_99999999_9999_") and file.endswith("_18446744073709551615.png")
    assert in_bytes(file) == 3 + 5 + 9 + 5 + 1 + 14 + 1 + 20 + 4
    assert state == "猫-9999-step99999999-state-9999.building"


@pytest.mark.parametrize("name", ["标" * 65, "a" * 100, "\U0001f600" * 49, "é" * 98])
def test_a_name_that_leaves_room_for_what_is_added_is_welcome(name: str) -> None:
    assert parse({**NEEDED, "output_name": name}).config.save.output_name == name


@pytest.mark.parametrize(
    ("name", "length"), [("标" * 66, 198), ("标" * 78, 234), ("\U0001f600" * 50, 200), ("é" * 99, 198)]
)
def test_a_name_of_too_many_bytes_is_refused_with_the_cure(name: str, length: int) -> None:  # 255 - 59 = 196
    told = f"it has {length} bytes, a Chinese character being 3, and there is room for 196; shorten it"
    assert told in message({"output_name": name})


@pytest.mark.parametrize("ending", ["", ".txt", ".tar.gz", " .txt"])
@pytest.mark.parametrize("device", ["con", "PRN", "Aux", "nul", "COM1", "com9", "lpt1", "LPT\u00b9", "com\u00b3",
                                    "CONIN$", "conout$"])  # fmt: skip
def test_a_device_of_windows_is_refused_on_every_system(device: str, ending: str) -> None:
    assert "Windows keeps that name for a device" in message({"output_name": device + ending})


@pytest.mark.parametrize("name", ["console", "auxiliary", "com10", "lpt", "nulls", "my con"])
def test_a_name_that_only_begins_like_a_device_is_welcome(name: str) -> None:
    assert fault_of_output_name(name) is None and name not in DEVICE_NAMES


@pytest.mark.parametrize("letter", ["\uff0f", "\uff3c", "\u2215", "\u2044", "\u29f8", "\ufe68"])
def test_a_letter_that_looks_like_a_folder_is_refused_in_a_new_name_only(letter: str) -> None:
    assert f"{letter} looks like a folder in it but is none" in message({"output_name": f"a{letter}b"})
    assert fault_of(f"a{letter}b") is None  # a run that an earlier version began under it can go on


@pytest.mark.parametrize("name", ["猫：夜", "谁？", "“猫”", "a·b", "x.v2", "safetensors"])
def test_full_width_punctuation_and_dots_are_welcome(name: str) -> None:
    assert fault_of_output_name(name) is None


@pytest.mark.parametrize("ending", [".safetensors", ".SafeTensors", ".ckpt", ".pt", ".pth", ".bin"])
def test_a_name_with_the_ending_of_a_file_is_refused_with_the_cure(ending: str) -> None:
    told = message({"output_name": f"x{ending}"})
    assert f"the ending {ending.lower()} is added by itself; leave it out" in told


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"log_tracker_name": "a/b"}, 'log_tracker_name "a/b" cannot be the name of a folder: / is not allowed'),
        ({"log_tracker_name": "nul"}, "Windows keeps that name"),
        ({"log_tracker_name": "标" * 86}, "it has 258 bytes, a Chinese character being 3, and there is room for 255"),
        ({"log_prefix": "../x"}, 'log_prefix "../x" cannot be the name of a folder: it must not begin with'),
        ({"log_prefix": "/x"}, "must have 1 to 100"),
        ({"log_prefix": "aux/x"}, "Windows keeps that name"),
        ({"log_prefix": "a:b"}, ": is not allowed"),
        ({"log_prefix": "标" * 81}, "it has 243 bytes, a Chinese character being 3, and there is room for 241"),
        ({"console_log_file": "logs/nul.log"}, "has a name that Windows keeps for a device"),
    ],
)
def test_other_names_that_become_files_and_folders_are_held_to_the_same_rules(
    values: dict[str, object], words: str
) -> None:
    assert words in message({"logging_dir": "logs", **values})


def test_names_of_folders_that_are_not_made_are_free() -> None:
    for values in (
        {"log_tracker_name": "a/b", "log_prefix": "../x"},
        {"logging_dir": "logs", "log_prefix": "first. ", "log_tracker_name": "标" * 85},
        {"logging_dir": "logs", "log_prefix": "sets/first-"},
    ):
        log = parse({**NEEDED, **values}).config.log
        assert {name: getattr(log, name) for name in values} == values


@pytest.mark.parametrize("name", ["标" * 100, "a" * 100, "猫/狗", "。。", "..", "\ud800", "x" * 59 + ".y"])
def test_the_folder_of_a_job_has_a_name_that_every_disk_takes(tmp_path: Path, name: str) -> None:
    job = Job.create(tmp_path, name, "")
    assert ID_PATTERN.fullmatch(job.id) and find_job(tmp_path, job.id) == job
    assert in_bytes(job.path) + len("~999") <= LONGEST_ID_BYTES == 120
    assert job.id[-1] not in ".-"


def test_a_long_name_in_an_id_is_cut_between_characters() -> None:
    assert name_in_id("标" * 100) == "标" * 33  # 99 bytes
    assert name_in_id("a" + "标" * 100) == "a" + "标" * 33


def test_a_disk_with_shorter_names_is_asked_before_anything_starts(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = os.pathconf
    monkeypatch.setattr(os, "pathconf", lambda path, name: 143 if name == "PC_NAME_MAX" else real(path, name))
    name = "标" * 29  # 87 bytes, and 59 more: 146
    assert main(["check", place.config(output_name=name)]) == 2
    told = "a name would have 146 bytes, and this disk takes 143; shorten it by 3 bytes (a Chinese character has 3)"
    assert told in capsys.readouterr().out
    assert place.train(output_name=name) == 2
    assert told in capsys.readouterr().err
    assert not (place.root / "output").exists()
    assert main(["check", place.config(output_name="标" * 28)]) == 0


@pytest.mark.parametrize("own_job", [True, False])
def test_a_path_that_the_system_does_not_take_is_refused_before_anything_starts(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], own_job: bool
) -> None:
    limit = len(str(place.root)) + len("/output/") + 60  # the longest name of a file of `t` has 60 letters
    monkeypatch.setattr(saving, "path_limit", lambda _: limit)
    assert main(["check", place.config()]) == 0
    assert main(["train", place.config(), *(["--job", "job"] if own_job else [])]) == 2  # its states lie deeper
    assert "choose a folder with a shorter path or shorten the name" in capsys.readouterr().err
    monkeypatch.setattr(saving, "path_limit", lambda _: limit - 1)
    assert main(["check", place.config()]) == 2
    assert not (place.root / "output").exists() and not (place.root / "jobs").exists()


@pytest.mark.parametrize("name", ["output_dir", "logging_dir"])
def test_a_new_folder_is_never_called_like_a_device(
    place: Place, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert place.train(**{name: "more/aux/x"}) == 2
    assert f"Windows keeps the name aux in more/aux/x for a device; choose another {name}" in capsys.readouterr().err
    (place.root / "nul").mkdir()
    assert saving.new_device(place.root / "nul" / "mine") is None  # it is there already, on a system that took it


def test_a_run_with_the_longest_chinese_name_leaves_everything_it_should(place: Place) -> None:
    name, picture = "标" * 65, "图" * 83  # 195 and 249 bytes: no room for an .npz beside the picture
    (place.root / "train/1_cat/0.png").rename(place.root / f"train/1_cat/{picture}.png")
    assert place.train(
        output_name=name, max_train_epochs=1, save_every_n_steps=2, save_state=True, sample_prompts="a cat --s 1",
        sample_every_n_steps=3, logging_dir="logs", log_tracker_name="标" * 85, cache_latents_to_disk=True,
        cache_as_npz=True,
    ) == 0  # fmt: skip
    assert {path.name for path in (place.root / "output").iterdir()} == {
        f"{name}.safetensors", f"{name}-step00000002.safetensors", "sample",
    }  # fmt: skip
    assert [path.name[:66] for path in (place.root / "output" / "sample").iterdir()] == [f"{name}_"]
    assert {path.name for path in (place.root / "job" / "state").iterdir()} == {
        f"{name}-state", f"{name}-step00000002-state",
    }  # fmt: skip
    told = [event["message"] for event in place.events() if event["event"] == "warning"]
    assert len([text for text in told if f"the latents of {picture}.png stay in memory" in text]) == 1
    assert len(list((place.root / "train/1_cat").glob("*.npz"))) == 4


@pytest.mark.parametrize(("number", "code"), [(errno.EROFS, 2), (errno.EACCES, 2), (errno.ENOSPC, 1)])
@pytest.mark.parametrize("own_job", [True, False])
def test_a_working_folder_that_cannot_be_written_is_one_sentence(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, code: int,
    own_job: bool,
) -> None:  # fmt: skip
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), "jobs")

    config = place.config()
    monkeypatch.setattr(os, "mkdir", refuse)
    assert main(["train", config, *(["--job", "job"] if own_job else [])]) == code
    told = capsys.readouterr().err
    assert "error: " in told and os.strerror(number) in told and "Traceback" not in told
