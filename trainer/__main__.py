"""`python -m trainer`: the commands. What each does lives in the module of its name; exit codes are those of
CONTRIBUTING.md."""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from trainer.atomic import WriteError, atomic_write
from trainer.config import ConfigError, Parsed, Problem, TrainConfig, parameters, read, to_flat_toml
from trainer.config.commandline import Given, read_words
from trainer.config.problems import printable, shown
from trainer.config.refused import COMMAND_LINE
from trainer.config.refused import REFUSED as REFUSED_NAMES
from trainer.networks.arguments import MODULES
from trainer.networks.readers import PROGRAMS, READ_NOTE, READINGS
from trainer.paths import pasted_path
from trainer.signals import say

FINISHED, FAILED, REFUSED, STOPPED = 0, 1, 2, 3
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
TAKES_CONFIG = {"train": ("--job=",), "check": ("--json",)}  # command -> options of its own


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 done, 1 failed, 2 refused (config, data or files are wrong), 3
    stopped."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    try:
        if words[:1] == ["demo"]:
            from trainer import demo

            return demo.main(words[1:])
        given = None
        if words[:1] and words[0] in TAKES_CONFIG and not {"-h", "--help"} & set(words):
            given = read_words(words[1:], TAKES_CONFIG[words[0]])
            if given.file is None and not given.options:
                parser.error(f"{words[0]} needs a settings file, or options such as --pretrained_model_name_or_path")
            words = [words[0], *given.own]
        chosen = parser.parse_args(words)
        chosen.given = given
        with _readers_may_leave():
            return int(chosen.run(chosen))
    except ConfigError as error:
        _print_notes(error.notes)
        for problem in error.problems:
            print(f"error: {problem.address + ': ' if problem.address else ''}{problem.message}", file=sys.stderr)
        return REFUSED
    except OSError as error:  # a path of the command line: a run tells its own failures as events
        return _told(error)


def _told(error: OSError) -> int:
    """Say what is wrong with a path; returns the exit code."""
    reason = str(error) if isinstance(error, WriteError) else error.strerror or str(error)
    path = "" if isinstance(error, WriteError) or not error.filename else f"{shown(str(error.filename))}: "
    print(f"error: {path}{printable(reason)}; choose another path", file=sys.stderr)
    return FAILED if error.errno in DISK_FAULTS else REFUSED


@contextlib.contextmanager
def _readers_may_leave() -> Iterator[None]:
    """Whoever reads what is printed may have seen enough, as in `reference | head`: that is no error."""
    try:
        yield
        say("", sys.stdout, end="")  # what is still to be printed
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trainer", description="Train and inspect LoRAs for Stable Diffusion."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a LoRA from a TOML file")
    _takes_config(train)
    train.add_argument(
        "--job", type=pasted_path, metavar="DIR", help="job directory to use (default: a new one under ./jobs)"
    )
    train.set_defaults(run=_train)

    check = commands.add_parser("check", help="what a run would do, and what is wrong, without training")
    _takes_config(check)
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(run=_check)

    inspect = commands.add_parser("inspect", help="say what a LoRA or checkpoint file is")
    inspect.add_argument("file", type=pasted_path)
    inspect.add_argument("--json", action="store_true", help="print JSON")
    inspect.set_defaults(run=_inspect)

    recipe = commands.add_parser("recipe", help="the settings of a finished LoRA as TOML, to train again with them")
    recipe.add_argument("file", type=pasted_path, help="a .safetensors LoRA that was saved with its metadata")
    recipe.add_argument("-o", "--output", type=pasted_path, metavar="FILE", help="write there (default: print)")
    recipe.set_defaults(run=_recipe)

    commands.add_parser("demo", help="the whole road on drawn pictures: tag, train, compare", add_help=False)
    commands.add_parser("reference", help="all parameters as Markdown").set_defaults(run=_reference)
    commands.add_parser("schema", help="all parameters as JSON schema").set_defaults(run=_schema)
    return parser


def _takes_config(parser: argparse.ArgumentParser) -> None:
    """Shown in the help only: read_words has taken these words out before the parser sees the rest."""
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        help="TOML, JSON, YAML or script of ours or another program, or a finished LoRA",
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="parameters that replace those of the file")
    for name, told in COMMAND_LINE.items():
        parser.add_argument(f"--{name}", help=told)
    parser.epilog = (
        "Every parameter is an option too, written as sd-scripts takes it: --network_dim 16 --shuffle_caption"
    )


def _read(chosen: argparse.Namespace) -> Parsed:
    parsed = read(chosen.given.file, chosen.given.overrides, chosen.given.options)
    _print_notes(parsed.notes)
    return parsed


def _print_notes(notes: Sequence[Problem]) -> None:
    for note in notes:
        print(f"note: {note.message}", file=sys.stderr)


def _train(chosen: argparse.Namespace) -> int:
    from trainer import start

    if chosen.given.output_config:
        return _output_config(chosen.given)
    return start.start(lambda: _read(chosen).config, chosen.job)


def _output_config(given: Given) -> int:
    """Write the options to config_file in place of training; an existing file is never replaced."""
    if given.file is None:
        raise ConfigError([Problem(None, "output_config needs config_file: the file to write")])
    if given.file.exists():
        said = "{path} exists already; choose another config_file, it is not replaced"
        raise ConfigError([Problem(None, said, {"path": given.file})])
    parsed = read(None, given.overrides, given.options)
    atomic_write(given.file, to_flat_toml(parsed.config))
    print(f"written: {given.file}")
    return FINISHED


def _check(chosen: argparse.Namespace) -> int:
    from trainer.dataset.problems import Problem as DataProblem
    from trainer.dataset.report import report

    config = _read(chosen).config
    made = report(config, decode=True)
    if (config.network.network_weights or config.network.base_weights) and not made.errors:
        from trainer.preparation import check_loras

        unfit = check_loras(config)
        if unfit is not None:
            problem = DataProblem("error", None, "{reason}", {"reason": unfit}, "network.network_weights")
            made = replace(made, problems=(problem, *made.problems))
    told = made.to_json()
    if chosen.json:
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        print(made.to_text())
    return REFUSED if any(problem["severity"] == "error" for problem in told["problems"]) else FINISHED


def _inspect(chosen: argparse.Namespace) -> int:
    from trainer.tools import inspect

    return inspect.run(chosen.file, as_json=chosen.json)


def _recipe(chosen: argparse.Namespace) -> int:
    from trainer.tools import recipe

    return recipe.run(chosen.file, chosen.output)


def _reference(_: argparse.Namespace) -> int:
    section = ""
    for parameter in parameters():
        if parameter.section != section:
            section = parameter.section
            print(f"\n## [{section}]\n\n| name | default | values | what it does |\n|---|---|---|---|")
        allowed = ", ".join(str(choice) for choice in parameter.choices) or parameter.kind
        default = "" if parameter.default is None else f"`{parameter.default}`"
        print(
            f"| `{parameter.name}` | {default} | {allowed} | **{parameter.title}.** {parameter.help} |".replace(
                "\n", " "
            )
        )
    _network_arguments()
    print("\n## On the command line only\n\n| name | what it does |\n|---|---|")
    for name, told in COMMAND_LINE.items():
        print(f"| `{name}` | {told}. |")
    print("\n## Refused\n\nOptions of sd-scripts that end a run with an error, or are left out with a note.\n")
    print("| name | as | why | use instead |\n|---|---|---|---|")
    for name, refused in REFUSED_NAMES.items():
        print(f"| `{name}` | {'error' if refused.stops else 'note'} | {refused.reason} | {refused.instead} |")
    return FINISHED


def _network_arguments() -> None:
    """What network_args may hold, for each network_module and algo."""
    print("\n## network_args\n\n| network_module | name | default | values | what it does |\n|---|---|---|---|---|")
    for module, methods in MODULES.items():
        for algo, method in methods.items():
            title = f"{module} algo={algo}" if algo else module
            print(f"| `{title}` | | | | **{method.help}** {method.readers} |")
            for one in method.arguments.values():
                default = "" if one.default is None else f"`{one.default}`"
                print(f"| | `{one.name}` | {default} | {one.limit_words() or one.kind} | {one.help} |")

    print("\n## Which programs read which files\n")
    print(f"| file | made by | {' | '.join(PROGRAMS)} |\n|{'---|' * (2 + len(PROGRAMS))}")
    for reading in READINGS:
        print(f"| {reading.title} | `{reading.settings}` | {' | '.join(reading.by)} |")
    print(f"\n{READ_NOTE}")


def _schema(_: argparse.Namespace) -> int:
    print(json.dumps(TrainConfig.model_json_schema(), ensure_ascii=False, indent=1))
    return FINISHED


if __name__ == "__main__":
    sys.exit(main())
