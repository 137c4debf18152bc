"""Brackets that weigh parts of a prompt: (more), (more:1.3), [less]. LIGHT. Tokens of the parts are in tokens.py.

Taggers escape the brackets of names, `nero \\(fate\\)`, for prompts that weigh by them. So a backslash is read in the
same way whether brackets weigh or not: captions, previews and image programs mean the same words.
"""

from __future__ import annotations

import re

STEP = 1.1
_ESCAPE = re.compile(r"\\([()\[\]\\])|\\")
_MARK = re.compile(r"\\[()\[\]\\]|\\|[()\[\]]|:[+-]?[\d.]+\)|[^\\()\[\]:]+|:")


def plain(text: str) -> str:
    """The words of a caption whose brackets weigh nothing: `nero \\(fate\\)` -> `nero (fate)`.

    As `parse` (and the prompt parser of AUTOMATIC1111's program) reads backslashes. sd-scripts gives them to the
    tokenizer as text, which costs a token each and makes other words of a name than a prompt does.
    """
    return _ESCAPE.sub(r"\1", text)


def parse(text: str) -> list[tuple[str, float]]:
    """Pieces of a prompt with their weights.

    `(x)` is times 1.1, `(x:1.3)` times 1.3, `[x]` divided by 1.1; nested ones multiply. A backslash makes a bracket
    text and is dropped elsewhere. What is not closed reaches to the end; what was never opened is text; pieces of one
    weight are joined (KOHYA_COMPAT 4.4). An empty text is one empty piece.
    """
    pieces: list[list[str | float]] = []
    rounds: list[int] = []  # where each open bracket begins
    squares: list[int] = []

    def multiply(start: int, factor: float) -> None:
        for piece in pieces[start:]:
            piece[1] = float(piece[1]) * factor

    for mark in _MARK.findall(text):
        number = _number(mark)
        if mark == "(":
            rounds.append(len(pieces))
        elif mark == "[":
            squares.append(len(pieces))
        elif number is not None and rounds:
            multiply(rounds.pop(), number)
        elif mark == ")" and rounds:
            multiply(rounds.pop(), STEP)
        elif mark == "]" and squares:
            multiply(squares.pop(), 1 / STEP)
        elif mark.startswith("\\"):
            pieces.append([mark[1:], 1.0])
        else:
            pieces.append([mark, 1.0])
    for start in rounds:
        multiply(start, STEP)
    for start in squares:
        multiply(start, 1 / STEP)
    joined: list[tuple[str, float]] = []
    for piece, weight in pieces:
        if joined and joined[-1][1] == weight:
            joined[-1] = (joined[-1][0] + str(piece), joined[-1][1])
        else:
            joined.append((str(piece), float(weight)))
    return joined or [("", 1.0)]


def _number(mark: str) -> float | None:
    """The weight of a closing mark such as `:1.3)`; None for anything else."""
    if len(mark) < 3 or mark[0] != ":" or mark[-1] != ")":
        return None
    try:
        return float(mark[1:-1])
    except ValueError:
        return None
