"""Whatever stands behind a command, it ends with exit code 2 and a sentence, never with a traceback. Set
ATHANOR_FUZZ=all for every value in every place."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import app
from taggers.__main__ import main as taggers
from tests.webui import hostile
from trainer.__main__ import main as trainer
from trainer.config import parameters
from trainer.demo import DemoError
from webui.launcher import __main__ as launcher

EVERY = os.environ.get("ATHANOR_FUZZ") == "all"
PROJECT = Path(__file__).resolve().parents[1]
BASE = 'pretrained_model_name_or_path = "b.safetensors"\ntrain_data_dir = "t"\nresolution = "512,512"\n'
FILES = {
    "gbk.toml": (BASE + 'output_name = "我的"\n').encode("gbk"),
    "utf16.toml": BASE.encode("utf-16"),
    "zero.toml": b"a = \0",
    "sjis.toml": (BASE + 'output_name = "日本"\n').encode("shift_jis"),
    "half.json": b'{"output_name": "\\ud800"}',
    "list.json": b"[]",
    "text.json": b'"x"',
    "number.json": b"{1",
    "deep.json": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "deep.toml": b"a = " + b"[" * 5000 + b"]" * 5000,
    "empty.toml": b"",
    "bom.toml": b"\xef\xbb\xbf",
    "binary.toml": bytes(range(256)),
    "dotted.toml": b"a" + b".a" * 5000 + b" = 1",
    "twice.toml": b"a = 1\na = 2",
    "number.toml": b"seed = 1" + b"0" * 5000,
    "cut.safetensors": b"\xff\xff\xff\xff\xff\xff\xff\xff{}",
    "empty.safetensors": b"",
    "list.safetensors": b"\x02\0\0\0\0\0\0\0[]",
    "deep.safetensors": (5000).to_bytes(8, "little") + b'{"a":' * 1000,
    "pickle.ckpt": b"\x80\x02cos\nsystem\n(S'x'\ntR.",
    "date.toml": b"seed = 1979-05-27",
    "nan.toml": b"learning_rate = nan",
    "table.toml": b"[seed]\n[output_name.x]\ny = 1",
}


def is_argument(text: str) -> bool:
    """Whether a program can be given this: systems end an argument at a zero byte."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


ARGUMENTS = [text for text in hostile.TEXTS if is_argument(text)]
Command = Callable[[list[str]], int]


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A folder to stand in and no page, set-up or signal that outlives the test."""
    for name in ("home", "here"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(app, "ROOT", tmp_path / "here")
    monkeypatch.setattr("webui.server.create_app", lambda site: None)
    monkeypatch.setattr("webui.server.protected", lambda page, site: page)
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: [door.close() for door in sockets])
    monkeypatch.setattr("trainer.demo.run.tag", lambda *given: None)
    monkeypatch.setattr("trainer.demo.run.training", no_training)
    monkeypatch.setattr(launcher, "_set_up", lambda *given: None)
    monkeypatch.setattr(launcher, "_run", lambda *given: 0)
    for name, content in FILES.items():
        Path(name).write_bytes(content)
    Path("right.toml").write_text(BASE, encoding="utf-8")
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield list(FILES)
    for number, handler in before.items():
        signal.signal(number, handler)


def no_training(*given: object) -> None:
    """Stands where the demo begins to compute."""
    raise DemoError("far enough")


def with_files(texts: list[str], files: list[str]) -> list[str]:
    """Texts and files in turn."""
    return [text for pair in itertools.zip_longest(texts, files) for text in pair if text is not None]


def command_lines(files: list[str]) -> Iterator[tuple[str, Command, list[str]]]:
    """(name, command, its arguments)."""
    seed = 0

    def texts() -> list[str]:
        nonlocal seed
        seed += 1
        return hostile.drawn(ARGUMENTS, EVERY, seed, 10)

    for option in ("--host", "--listen", "--port", "--allow-host", "--lang", "--x"):
        for text in texts():
            yield "app", app.main, ["--no-browser", f"{option}={text}"]
    for text in texts():
        yield "app", app.main, ["--no-browser", text]
    for option in ("--port", "--mirror", "--torch", "--lang", "--listen", "--allow-host"):
        for text in texts():
            yield "launcher", launcher.main, [option, text]
    for text in texts():
        yield "launcher", launcher.main, [text]
    for command in ("inspect", "recipe", "check", "train"):
        for text in with_files(texts(), files):
            yield "trainer", trainer, [command, text]
    for arguments in (
        ["recipe", "right.toml", "-o"],
        ["train", "right.toml", "--job"],
        ["inspect", "--json"],
        ["demo", "--folder"],
        ["demo", "--folder=demo", "--steps"],  # without a folder it draws into the program's own
        ["reference"],
        ["schema"],
        ["check", "right.toml"],
        [],
    ):
        for text in texts():
            yield "trainer", trainer, [*arguments, text]
    names = [parameter.name for parameter in parameters()]
    for name in hostile.drawn(names, EVERY, 1, 60):
        for text in hostile.drawn(ARGUMENTS, EVERY, len(name), 2):
            yield "trainer", trainer, ["check", "right.toml", f"{name}={text}"]
            yield "trainer", trainer, ["check", "right.toml", f"--{name}", text]
    for option in (
        "--model",
        "--general-threshold",
        "--additional-tags",
        "--caption-extension",
        "--model-dir",
        "--batch-size",
        "--limit-to",
        "--one",
        "--undo",
        "--runs-dir",
        "--conflict",
    ):
        for text in texts():
            yield "taggers", taggers, [".", "--dry-run", f"{option}={text}"]
    for text in texts():
        yield "taggers", taggers, [text]
        yield "taggers", taggers, ["--model=demo-tagger", f"--one={text}"]


def outcome(command: Command, arguments: list[str], printed: pytest.CaptureFixture[str]) -> str:
    """What is wrong with how a command ends; "" when nothing is."""
    try:
        code = command(arguments)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    told = printed.readouterr()
    if code not in (0, 2):
        return f"exit code {code}: {told.err[-300:]}"
    if "Traceback" in told.err + told.out:
        return f"a traceback: {told.err[-500:]}"
    longest = max(map(len, (told.err + told.out).splitlines()), default=0)
    return "" if code == 0 or longest > 12 else f"no sentence: {told.err!r}"


def test_no_command_ends_in_a_traceback(started: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # as Python opens it
    before = set(PROJECT.iterdir())
    failed: dict[str, list[str]] = {}
    count = 0
    for name, command, arguments in command_lines(started):
        count += 1
        wrong = outcome(command, arguments, capsys)
        if wrong:
            failed.setdefault(f"{name}: {wrong[:200]!r}", []).append(repr(arguments)[:200])
    listed = "\n".join(f"{key}\n    {len(entries)} times, such as {entries[0]}" for key, entries in failed.items())
    assert not failed, f"{len(failed)} kinds of {count} commands:\n{listed}"
    assert set(PROJECT.iterdir()) == before


@pytest.mark.skipif(sys.platform == "win32", reason="there every argument is Unicode")
@pytest.mark.parametrize(
    "words", [["-m", "trainer", "inspect", b"caf\xe9.safetensors"], ["-m", "taggers", b"\xb5\xc4"]]
)
def test_an_argument_that_is_not_utf8_is_a_sentence_of_the_real_program(words: list[str | bytes]) -> None:
    done = subprocess.run([sys.executable, *words], cwd=PROJECT, capture_output=True, check=False)
    assert (done.returncode, b"Traceback" in done.stderr) == (2, False)
    assert len(done.stderr.decode("utf-8").strip()) > 12
