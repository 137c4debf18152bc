"""`python -m trainer`: the commands. What each does lives in the module of its name; exit codes are those of
CONTRIBUTING.md."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from trainer.config import ConfigError, Parsed, TrainConfig, parameters, read

FINISHED, FAILED, REFUSED, STOPPED = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 done, 1 failed, 2 refused (config, data or files are wrong), 3
    stopped."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    parser = _parser()
    chosen, rest = parser.parse_known_args(arguments)
    if chosen.command == "demo":
        from trainer import demo

        return demo.main(rest)
    if hasattr(chosen, "overrides") and all("=" in word and not word.startswith("-") for word in rest):
        chosen.overrides += rest  # argparse ends a list of words at the first option
        rest = []
    if rest:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    try:
        return int(chosen.run(chosen))
    except ConfigError as error:
        for problem in error.problems:
            print(f"error: {problem.address + ': ' if problem.address else ''}{problem.message}", file=sys.stderr)
        return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trainer", description="Train and inspect LoRAs for Stable Diffusion."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a LoRA from a TOML file")
    _takes_config(train)
    train.add_argument("--job", type=Path, help="job directory to use (default: a new one under ./jobs)")
    train.set_defaults(run=_train)

    check = commands.add_parser("check", help="what a run would do, and what is wrong, without training")
    _takes_config(check)
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(run=_check)

    inspect = commands.add_parser("inspect", help="say what a LoRA or checkpoint file is")
    inspect.add_argument("file", type=Path)
    inspect.add_argument("--json", action="store_true", help="print JSON")
    inspect.set_defaults(run=_inspect)

    commands.add_parser("demo", help="the whole road on drawn pictures: tag, train, compare", add_help=False)
    commands.add_parser("reference", help="all parameters as Markdown").set_defaults(run=_reference)
    commands.add_parser("schema", help="all parameters as JSON schema").set_defaults(run=_schema)
    return parser


def _takes_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="TOML file: ours, or a flat one of sd-scripts")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="parameters that replace those of the file")


def _read(chosen: argparse.Namespace) -> Parsed:
    parsed = read(chosen.file, chosen.overrides)
    for note in parsed.notes:
        print(f"note: {note.message}", file=sys.stderr)
    return parsed


def _train(chosen: argparse.Namespace) -> int:
    from trainer import start

    return start.start(lambda: _read(chosen).config, chosen.job)


def _check(chosen: argparse.Namespace) -> int:
    from trainer.dataset.report import report

    made = report(_read(chosen).config)
    told = made.to_json()
    if chosen.json:
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        print(made.to_text())
    return REFUSED if any(problem["severity"] == "error" for problem in told["problems"]) else FINISHED


def _inspect(chosen: argparse.Namespace) -> int:
    from trainer.tools import inspect

    return inspect.run(chosen.file, as_json=chosen.json)


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
    return FINISHED


def _schema(_: argparse.Namespace) -> int:
    print(json.dumps(TrainConfig.model_json_schema(), ensure_ascii=False, indent=1))
    return FINISHED


if __name__ == "__main__":
    sys.exit(main())
