"""The commands of `launch.sh` and `launch.bat`: page (no word), demo, train, test, update.

Runs twice on a first start: in any Python to make `.venv`, then again inside it to install and to go on. LIGHT.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from webui.launcher import install, messages, mirrors, torch_build

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = "launch.bat" if os.name == "nt" else "bash launch.sh"
PULLED = "ATHANOR_PULLED"
WRONG_USE = 2
FAILED = 1

HELP = {
    "en": """Athanor trains LoRA networks.

  {launch} [options]             set up on the first start, then open the page
  {launch} demo                  train on the embedded demo, without a browser
  {launch} train FILE [key=value ...]   one run from a config file
  {launch} test [pytest options] run every test
  {launch} update                get the newest version and its packages

Options of the page
  --port N          28000 when not given; the next free one when taken
  --listen [HOST]   with a key, reachable from other computers at every address
                    of this one, or at HOST alone (:: = IPv6 too, 127.0.0.1 =
                    this computer only, for a proxy or a tunnel on it)
  --allow-host NAME a further host name to answer to (repeatable)
  --no-browser      do not open a browser
  --lang en|zh      language

Options of set-up (remembered)
  --mirror {mirrors}   where to download from
  --torch {builds}   which torch to install; the driver decides when not given

Environment: ATHANOR_MIRROR, PIP_INDEX_URL, ATHANOR_TORCH_INDEX, HF_ENDPOINT, ATHANOR_PYTHON
""",
    "zh": """Athanor 炼丹炉：训练 LoRA。

  {launch} [选项]                第一次启动会安装，然后打开网页界面
  {launch} demo                  不开浏览器，用自带的示例训练一次
  {launch} train 配置文件 [参数=值 ...]   按配置文件训练一次
  {launch} test [pytest 选项]    运行全部测试
  {launch} update                更新到最新版本

网页的选项
  --port N          端口，默认 28000，被占用时用下一个空闲的
  --listen [地址]   允许其他电脑访问（需要密钥）：不写地址则开放本机所有地址，
                    写了就只开放那一个（:: 表示包括 IPv6；127.0.0.1 表示仅限
                    本机，供本机上的代理或隧道使用）
  --allow-host 名字 另外接受的主机名（可重复）
  --no-browser      不打开浏览器
  --lang en|zh      语言

安装的选项（会记住）
  --mirror {mirrors}   下载镜像
  --torch {builds}   安装哪种 torch；不写则按显卡驱动决定

环境变量：ATHANOR_MIRROR, PIP_INDEX_URL, ATHANOR_TORCH_INDEX, HF_ENDPOINT, ATHANOR_PYTHON
""",
}


class UsageError(Exception):
    """The command line is wrong; the text says how to write it."""


@dataclass
class Request:
    """A command line, taken apart."""

    command: str = "page"
    arguments: list[str] = field(default_factory=list)
    mirror: str | None = None
    torch: str | None = None


Say = Callable[..., None]


def _page(request: Request, say: Say) -> list[str]:
    return ["app.py", *request.arguments]


def _demo(request: Request, say: Say) -> list[str]:
    return ["-m", "trainer", "demo", *request.arguments]


def _train(request: Request, say: Say) -> list[str]:
    """A file named relative to where the user stands is made absolute, since the run starts in the project's folder."""
    file, *rest = request.arguments
    there = Path(os.environ.get("ATHANOR_CWD") or ROOT) / file
    return ["-m", "trainer", "train", str(there) if there.exists() else file, *rest]


def _test(request: Request, say: Say) -> list[str]:
    """Whole files go to the processes, so that a file's page or base model is made once; see tests/conftest.py."""
    spread = ["-n", "logical", "--maxprocesses=4", "--dist=loadfile", "--no-loadscope-reorder"]
    return ["-m", "pytest", *spread, *request.arguments]


def _update(request: Request, say: Say) -> list[str]:
    say("up_to_date")
    return []


COMMANDS: dict[str, Callable[[Request, Say], list[str]]] = {
    "page": _page,
    "demo": _demo,
    "train": _train,
    "test": _test,
    "update": _update,
}
EXTRAS = {"test": {"dev"}}


def main(argv: list[str]) -> int:
    """Do what the command line says; the exit code of what was run, 2 for wrong use, 1 when set-up fails."""
    lang = messages.language(argv, os.environ)

    def say(key: str, **values: object) -> None:
        print(messages.text(lang, key, **values), flush=True)

    def complain(key: str, **values: object) -> None:
        print(messages.text(lang, key, **values), file=sys.stderr, flush=True)

    try:
        request = parse(argv, lang)
        if request.command == "help":
            names = {
                "launch": LAUNCH,
                "mirrors": "|".join(mirrors.names()),
                "builds": "|".join(("auto", *torch_build.BUILDS)),
            }
            print(HELP[lang].format(**names))
            return 0
        mirror = mirrors.chosen(ROOT, os.environ, request.mirror)
    except UsageError as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    except ValueError as error:  # from ATHANOR_MIRROR; the option was checked by parse
        complain(
            "value_wrong",
            option="ATHANOR_MIRROR",
            value=str(error),
            choices=", ".join(mirrors.names()),
        )
        return WRONG_USE
    try:
        if not install.inside(ROOT):
            return _again_inside(argv, say)
        _set_up(request, mirror, lang, say)
    except install.SetupError as error:
        values = {name: _translated(lang, value) for name, value in error.values.items()}
        complain(error.key, **values)
        if error.network and mirror.name == "none":
            _offer_mirror(lang, complain)
        return FAILED
    return _run(COMMANDS[request.command](request, say), mirror)


def parse(argv: list[str], lang: str) -> Request:
    """Take the options of set-up and the command out of a command line. Raises UsageError."""
    request, rest = Request(), list(argv)
    choices = {"--mirror": mirrors.names(), "--torch": ("auto", *torch_build.BUILDS), "--lang": messages.LANGUAGES}
    with_value = {"--port", "--host", "--allow-host"}
    while rest:
        word = rest.pop(0)
        option, equals, value = word.partition("=")
        if option in choices:
            if not equals:
                value = _value(rest, option, choices[option][-1], lang)
            if value not in choices[option]:
                told = ", ".join(choices[option])
                raise UsageError(messages.text(lang, "value_wrong", option=option, value=value, choices=told))
            if option == "--lang":
                request.arguments += [option, value]
            else:
                setattr(request, option[2:], value)
        elif word in with_value:
            request.arguments += [word, _value(rest, word, "28000" if word == "--port" else "127.0.0.1", lang)]
        elif word == "--listen":
            host = [rest.pop(0)] if rest and not rest[0].startswith("-") and rest[0] not in COMMANDS else []
            request.arguments += [word, *host]
        elif word in ("help", "-h", "--help"):
            request.command = "help"
            break
        elif word.startswith("-"):
            request.arguments.append(word)  # app.py knows its options and refuses the others
        elif word in COMMANDS:
            request.command = word
            request.arguments = rest if word != "page" else request.arguments + rest
            break
        else:
            raise UsageError(messages.text(lang, "unknown_command", name=word, commands=", ".join(COMMANDS)))
    if request.command == "train" and not request.arguments:
        example = f"{LAUNCH} train my_lora.toml"
        raise UsageError(messages.text(lang, "train_needs_file", example=example))
    return request


def _value(rest: list[str], option: str, example: str, lang: str) -> str:
    if not rest or rest[0].startswith("-"):
        raise UsageError(messages.text(lang, "value_missing", option=option, example=f"{LAUNCH} {option} {example}"))
    return rest.pop(0)


def _again_inside(argv: list[str], say: Say) -> int:
    """Go on in the environment's own Python, making the environment first where there is none that works."""
    python = install.python_of(ROOT)
    if not _works(python):
        install.make_environment(ROOT, say)
    return _run(["-m", "webui.launcher", *argv], None, python)


def _works(python: Path) -> bool:
    """True when the environment's Python starts and has pip: a cut set-up or a removed base Python fails here."""
    if not python.exists():
        return False
    return subprocess.run([str(python), "-c", "import pip"], capture_output=True, check=False).returncode == 0


def _set_up(request: Request, mirror: mirrors.Mirror, lang: str, say: Say) -> None:
    """Install when something is missing or an option asks for it; else only compare two fingerprints."""
    if request.mirror:
        mirrors.remember(ROOT, request.mirror)
    if request.command == "update" and os.environ.pop(PULLED, None) is None:
        _pull(say)
        os.environ[PULLED] = "1"
        sys.exit(_run(["-m", "webui.launcher", *sys.argv[1:]], mirror))  # go on with the code that was just fetched
    stamp = install.read_stamp(ROOT)
    asked = {None: stamp.asked, "auto": None}.get(request.torch, request.torch)
    extras = EXTRAS.get(request.command, set())
    current = stamp.inputs == install.wanted_inputs(ROOT) and extras <= set(stamp.extras)
    if current and request.command != "update" and asked == stamp.asked:
        if stamp.torch == "cpu" and asked is None and torch_build.driver_may_exist():
            say(
                "driver_found_later",
                command=f"{LAUNCH} update",
            )
        return
    if not stamp.inputs and mirror.name == "none" and lang == "zh" and "ATHANOR_MIRROR" not in os.environ:
        _offer_mirror(lang, say)
    install.install(ROOT, mirror, extras, asked, say)


def _offer_mirror(lang: str, say: Say) -> None:
    say("offer_mirror", command=f"{LAUNCH} --mirror china")


def _pull(say: Say) -> None:
    """Take the newest version when this is a git checkout; local changes are never touched."""
    if not (ROOT / ".git").exists():
        say("not_git")
        return
    git = shutil.which("git")
    if git is None:
        say("no_git")
        return
    say("pulling")
    if subprocess.run([git, "-C", str(ROOT), "pull", "--ff-only"], check=False).returncode != 0:
        raise install.SetupError("update_refused")


def _run(arguments: list[str], mirror: mirrors.Mirror | None, python: Path | None = None) -> int:
    """Run Python with `arguments` in the project's folder; on Linux this process becomes that one and never returns."""
    if not arguments:
        return 0
    command = [str(python or sys.executable), *arguments]
    environment = {"PYTHONUTF8": "1", "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
    if mirror is not None and mirror.models:
        environment["HF_ENDPOINT"] = mirror.models
    os.environ.update(environment)
    os.chdir(ROOT)
    if os.name != "nt":
        os.execv(command[0], command)
    with subprocess.Popen(command, env={**os.environ, "ATHANOR_NO_PAUSE": "1"}) as child:
        while True:
            with contextlib.suppress(KeyboardInterrupt):  # Ctrl+C reaches the child too, which ends in its own way
                return child.wait()


def _translated(lang: str, value: object) -> object:
    """A value that is itself a sentence of ours (the cure inside an error)."""
    if isinstance(value, str) and value in messages.table():
        return messages.text(lang, value, version=f"{sys.version_info[0]}.{sys.version_info[1]}")
    return value


def _keep_window_open(code: int, lang: str) -> None:
    """A double-clicked window closes with the program: leave time to read the error."""
    if code != 0 and os.name == "nt" and not os.environ.get("ATHANOR_NO_PAUSE") and sys.stdin and sys.stdin.isatty():
        with contextlib.suppress(EOFError, KeyboardInterrupt):
            input(messages.text(lang, "press_enter"))


if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    _keep_window_open(exit_code, messages.language(sys.argv[1:], os.environ))
    sys.exit(exit_code)
