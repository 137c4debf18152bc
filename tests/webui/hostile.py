"""Values that a file name, a paste or another program can hold, and bodies made of them by a route's schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

TEXTS = (
    "", " ", "\0", "a\0b.png", "\ud800", "图\udce9\udcff.png",
    "我的图".encode("gbk").decode("utf-8", "surrogateescape"),
    "~nobody/x", "~no-such-user/x", "~", "~\0", "x" * 300, "x" * 5000, "a/" * 2500, "/" + "é" * 200 + "/x",
    "\x01\x1b[31m\r\n\x7f", "a\nb: c\r\n\r\n",
    "／etc／passwd", "．．／x", "..", "../x", "/proc/self/mem", "/dev/null/x",
    "C:\\new\\t.png", "\\\\host\\share", "//host/share",
    "file:///x%00", "CON", "aux.txt", "x.safetensors", "%s%n{0}{a}{", "'\"<script>", "0,0001",
    "nan", "-1", "1e999", "９９", "²",
    "true", "None", "[]", "{\"a\":", "\ufeffx", "http://[", "http://a\r\nX: y/",
    "https://a b/", "https://\u2100/", "9" * 5000,
    "20261120-114200-\udcff", "1,2;3",
)  # fmt: skip

EACH, PLACES = 6, 7  # how many are drawn of values for a place, and of places in a body


def nested(depth: int) -> Any:
    """Lists in lists."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 2**31, 2**63, 10**40, -(10**400), 0.5, 1e308, float("nan"), float("inf"), float("-inf"),
    [], {}, [None],
    ["\ud800", "a\0"], [[1, 2], [3]], [[0, 10**18]], {"a": {"b": None}}, {"\ud800": "\udcff"}, {"": []},
    nested(80), nested(300),
)  # fmt: skip
BODIES = (
    b"", b"{", b"null", b"[]", b'"x"', b"1" * 5000, b"[" * 100_000, b'{"a":' * 20_000, b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    '{"path": "我的"}'.encode("gbk"), b'{"path": "\xed\xa0\x80"}', b'{"path": "a", "path": "b"}', b"NaN", b"\0",
)  # fmt: skip


def example(schema: Mapping[str, Any], known: Mapping[str, Any], defined: Mapping[str, Any], name: str = "") -> Any:
    """A value that a JSON schema allows. known: values by property name that stand before the schema's own default."""
    schema = resolved(schema, defined)
    if name in known:
        return known[name]
    if "anyOf" in schema:
        return example(schema["anyOf"][0], known, defined)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        return {key: example(part, known, defined, key) for key, part in schema.get("properties", {}).items()}
    return {"array": [], "integer": 1, "number": 0.5, "boolean": False, "string": "x"}.get(schema.get("type", ""))


def resolved(schema: Mapping[str, Any], defined: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind a $ref."""
    while "$ref" in schema:
        schema = {**defined[schema["$ref"].rsplit("/", 1)[1]], **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema


def places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a value where another can stand: itself, its entries, theirs."""
    yield place
    if isinstance(value, dict):
        for key, part in value.items():
            yield from places(part, (*place, key))


def replaced(value: Any, place: tuple[str | int, ...], other: Any) -> Any:
    """The value with another at one place."""
    if not place:
        return other
    return {**value, place[0]: replaced(value[place[0]], place[1:], other)}


def bodies(base: Any, every: bool, seed: int) -> Iterator[bytes]:
    """Bodies with one hostile value each, and with the same one in all fields. every: all,
    else a fixed draw."""
    hostile = (*TEXTS, *VALUES)
    for place in drawn(list(places(base)), every, seed, PLACES):
        for value in drawn(hostile, every, seed + len(place), EACH):
            yield json.dumps(replaced(base, place, value)).encode("ascii")
    leaves = [place for place in places(base) if place and not isinstance(at(base, place), dict)]
    for value in drawn(hostile, every, seed, EACH):
        body = base
        for place in leaves:
            body = replaced(body, place, value)
        yield json.dumps(body).encode("ascii")
    yield from BODIES


def drawn(values: Sequence[Any], every: bool, seed: int, count: int) -> list[Any]:
    """All values, or `count` of them: the same for the same seed."""
    if every or len(values) <= count:
        return list(values)
    return [values[int(index)] for index in np.random.default_rng(seed).choice(len(values), count, replace=False)]


def at(value: Any, place: tuple[str | int, ...]) -> Any:
    """What stands at a place."""
    for key in place:
        value = value[key]
    return value
