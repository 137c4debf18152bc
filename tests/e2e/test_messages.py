"""Sentences of the trainer and the taggers in the page's language, as messages.js finds their templates."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webui.sentences import GAP, all_templates, fixed
from webui.texts import texts

SENTENCES = {
    "/x/sd-models is a folder, not a model; choose a file in it, such as /x/sd-models/a.safetensors": (
        "/x/sd-models 是文件夹，不是底模；请选择里面的文件，例如 /x/sd-models/a.safetensors"
    ),
    "/x/sd-models is a folder without a base model; put a .safetensors file into it and choose that file, or choose a "
    "diffusers folder (with unet/config.json)": (
        "/x/sd-models 这个文件夹里没有底模；请把 .safetensors 文件放进去再选择那个文件，"
        "或选择 diffusers 文件夹（里面有 unet/config.json）"
    ),
    "network_dim is 3; choose one of 1, 2": "network_dim 为 3，请从 1, 2 中选择",
    "network_dim is 3; choose a": "network_dim 为 3，请从 a 中选择",  # the more general template
    "line 2 of the prompts: sample_steps is 'x', which is no number": (
        "预览提示词第 2 行：sample_steps 为 'x'，不是数字"
    ),
    "line 2 of the prompts: scale is '7,5', which is no number; numbers are written with a point, without commas or "
    "spaces: write 7.5": (
        "预览提示词第 2 行：scale 为 '7,5'，不是数字；小数点请用英文句点，不要用逗号或空格，应写成 7.5"
    ),
    "a.ckpt: not a .ckpt file; check what was downloaded": "a.ckpt：不是 .ckpt 文件，请检查下载的是什么",
    "/x holds no pictures; its sub-folders do: tick 'Sub-folders too' (--recursive)": (
        "/x 里没有图片，子文件夹里有：请勾选“包括子文件夹”"
    ),
    "1 caption in 1_a is empty or begins with an empty line (a.png); this picture trains without words": (
        "1_a 里有 1 个标签文件是空的或第一行为空（a.png），这些图片将没有标签"
    ),
    "a.json: 3: is it?\nb.ckpt: not a .ckpt file; check what was downloaded": (
        "a.json: 3: is it?\nb.ckpt：不是 .ckpt 文件，请检查下载的是什么"
    ),
}


@pytest.fixture(scope="module")
def chinese(browser: Any, server: Any) -> Any:
    """A page that is Chinese."""
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(server.url)
    page.locator("#tab-jobs-button").wait_for()
    yield page
    context.close()


def translated(page: Any, sentences: list[str]) -> list[str]:
    script = """async (sentences) => {
      const { textReady } = await import('./static/text.js');
      await textReady();
      const { translated } = await import('./static/messages.js');
      return sentences.map((sentence) => translated(sentence));
    }"""
    return list(page.evaluate(script, sentences))


def test_a_sentence_takes_the_most_specific_template_and_its_parts_are_translated(chinese: Any) -> None:
    assert dict(zip(SENTENCES, translated(chinese, list(SENTENCES)), strict=True)) == SENTENCES


def filled(template: str) -> str:
    """A template of the code with a number in each gap."""
    parts = template.split(GAP)
    return parts[0] + "".join(f"{number}{part}" for number, part in enumerate(parts[1:], 11))


def test_every_sentence_comes_out_by_its_own_template(chinese: Any) -> None:
    known: dict[str, str] = {}
    for english, chinese_text in texts("zh")["phrases"].items():
        known.setdefault(fixed(english), chinese_text)
    own = [text for text in all_templates() if GAP in text and fixed(text) in known and "{" not in text]
    answers = translated(chinese, [filled(text) for text in own])
    wrong = [
        (text.replace(GAP, "{}"), answer)
        for text, answer in zip(own, answers, strict=True)
        if any(part.strip() not in answer for part in fixed(known[text]).split(GAP))
    ]
    assert len(own) > 150 and wrong == []


def test_words_follow_the_number_in_every_language(chinese: Any) -> None:
    script = """async () => {
      const { t, textReady } = await import('./static/text.js');
      await textReady();
      const shown = (n) => [t('{n} {n|picture|pictures}', { n }), t('{n} {n|horse|horses}', { n })];
      return [0, 1, 2].map(shown);
    }"""
    # the second phrase has no translation
    assert chinese.evaluate(script) == [["0 张图片", "0 horses"], ["1 张图片", "1 horse"], ["2 张图片", "2 horses"]]
