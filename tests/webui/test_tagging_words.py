"""Every sentence of the Tagger tab has a Chinese one, and those of the tagger's process are recognised."""

from __future__ import annotations

import re
from pathlib import Path

import tomlkit

from taggers import TAGGERS

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "webui" / "static"
CHINESE = {
    key
    for name in ("tagger", "shell", "form")
    for key in tomlkit.parse((ROOT / "webui/text/zh" / f"{name}.toml").read_text(encoding="utf-8"))["phrases"]
}


def sentences() -> list[str]:
    """The list of tagger-words.js."""
    text = (STATIC / "tagger-words.js").read_text(encoding="utf-8")
    listed = text[text.index("[") : text.index("];")]
    return [found.replace("\\'", "'") for found in re.findall(r"^  '(.+)',$", listed, re.MULTILINE)]


def test_every_phrase_of_the_widget_has_chinese():
    used = set(sentences())
    for path in STATIC.glob("tagger*.js"):
        found = re.findall(r"(?<![\w.])t\('((?:[^'\\]|\\.)*)'", path.read_text(encoding="utf-8"))
        used |= {phrase.replace("\\'", "'").replace("\\\\", "\\") for phrase in found}
    used |= {tagger.note for tagger in TAGGERS.values() if tagger.note}
    assert len(used) > 100 and not used - CHINESE


def test_every_problem_of_a_field_has_chinese():
    files = [ROOT / "webui/tagruns.py", ROOT / "webui/routes/tagging.py"]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    joined = re.sub(r'"\s*\n\s*"', "", text)
    templates = re.findall(r'(?:FieldProblem\(\s*"\w+",|FieldProblem\(name,|template =)\s*"([^"]+)"', joined)
    assert len(templates) >= 9 and not set(templates) - CHINESE


def test_the_sentences_are_those_that_the_tagger_writes():
    files = [
        ROOT / "taggers" / f"{name}.py" for name in ("pictures", "tagging", "session", "wd", "cl", "download", "run")
    ]
    files += [
        ROOT / "trainer" / name
        for name in ("atomic.py", "dataset/captions.py", "dataset/links.py", "dataset/pictures.py", "demo/pictures.py")
    ]
    files.append(ROOT / "webui/routes/tagging.py")
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    plain = re.sub(r'"\s*\n\s*f?"', "", source)
    unknown = []
    for sentence in sentences():
        parts = [part for part in re.split(r"\{\w+\}", sentence) if len(part) > 12]
        longest = max(parts, key=len, default=sentence).strip()
        words = re.split(
            r" but looks like| but UTF-16 | but UTF-32|; save|: the disk is full|: no permission|\. The old file",
            longest,
        )
        if not all(word in plain for word in words):
            unknown.append(sentence)
    assert not unknown
