"""Previews: the prompt syntax of sd-scripts, every sampler, files with their prompt inside, no global randomness."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from PIL import Image

from trainer import families, previews
from trainer.config import ConfigError
from trainer.families.base import LoadOptions
from trainer.previews import Made, draw, file_name, generate, save
from trainer.prompts import Prompt, parse_line, read_prompts, too_small
from trainer.samplers import ALIASES, SAMPLERS, LinearMultistep, scheduler_for

SMALL = Prompt("red circle", width=64, height=64, steps=2, seed=5)


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    return families.load(LoadOptions(str(tiny.sd1_safetensors(tmp_path_factory.mktemp("base") / "base.safetensors"))))


def test_a_line_with_every_option():
    line = "1girl, best --n lowres, bad --w 832 --h 513 --d 42 --l 6.5 --s 28 --ss k_euler_a"
    assert parse_line(line) == Prompt("1girl, best", "lowres, bad", 832, 512, 42, 6.5, 28, "k_euler_a")


def test_a_bare_prompt_has_sd_scripts_defaults():
    assert parse_line("a cat") == Prompt("a cat", "", 512, 512, None, 7.5, 30, None)


@pytest.mark.parametrize("text", ["n girls", "w 512 wide", "s curve, d 5"])
def test_a_prompt_that_begins_like_an_option_stays_a_prompt(text):  # misread by sd-scripts (KOHYA_COMPAT Q-40)
    assert parse_line(text).prompt == text


def test_flags_ignore_case_the_last_wins_and_other_families_options_are_passed_over():
    assert parse_line("a --W 256 --w 320 --g 3.5 --fs 3") == Prompt("a", width=320)


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [("a --s 0", "steps", 1), ("a --s 5000", "steps", 1000), ("a --w 10", "width", 64), ("a --d -1", "seed", None),
     ("a\t--n\tbad, worse", "negative", "bad, worse"), ("a\u2028b", "prompt", "a\u2028b"),
     ("a --d 4294967296123", "seed", 4294967296123), ("a -- b", "prompt", "a -- b"), ("--n x", "prompt", "")],
)  # fmt: skip
def test_values_are_brought_into_range(line, field, value):
    assert getattr(read_prompts(line)[0], field) == value


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a --w wide", r"line 1 of the prompts: width is 'wide', which is no number"),
        ("a --d 1.5", r"seed is '1\.5', which is no whole number"),
        ("a --w 99999", r"a side of 99999 pixels cannot be drawn; choose 64 to 4096"),
        ("a --ar 16:9", r"line 1 of the prompts has the unknown option --ar; known are --n --w"),
        ("a --l {x}", r"scale is '\{x\}'"),
        ("a --l 7,5", r"scale is '7,5', which is no number; numbers are written with a point.*write 7\.5"),
        ("a --l nan", "scale is 'nan', which is no number"),
        ("a --s inf", "sample_steps is 'inf', which is no number"),
    ],
)
def test_mistakes_name_the_line_and_the_cure(line, words):
    with pytest.raises(ConfigError, match=words) as caught:
        read_prompts(line)
    assert caught.value.problems[0].address == "sample.sample_prompts"


def test_a_text_file_skips_blank_lines_and_comments_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "prompts.txt"
    path.write_text("\ufeffa cat\n\n# a note\n一只猫 --w 256\n", encoding="utf-8")
    assert [prompt.prompt for prompt in read_prompts(str(path))] == ["a cat", "一只猫"]


def test_the_field_itself_may_hold_the_prompts():
    assert [prompt.prompt for prompt in read_prompts("a cat\na dog, big")] == ["a cat", "a dog, big"]


def test_json_holds_texts_and_tables(tmp_path):
    path = tmp_path / "prompts.json"
    table = {"prompt": "a dog", "negative_prompt": "bad", "width": 256, "height": 320, "scale": 3, "sample_steps": 9}
    path.write_text(json.dumps(["a cat --s 7", {**table, "seed": 3, "sample_sampler": "EULER"}]), encoding="utf-8")
    assert read_prompts(str(path)) == (Prompt("a cat", steps=7), Prompt("a dog", "bad", 256, 320, 3, 3.0, 9, "euler"))


def test_toml_subsets_take_over_the_shared_values(tmp_path):
    path = tmp_path / "prompts.toml"
    path.write_text(
        '[prompt]\nwidth = 256\nnegative_prompt = "bad"\n[[prompt.subset]]\nprompt = "a cat"\n'
        '[[prompt.subset]]\nprompt = "a dog"\nwidth = 320\n',
        encoding="utf-8",
    )
    assert read_prompts(str(path)) == (Prompt("a cat", "bad", 256), Prompt("a dog", "bad", 320))


def test_a_prompt_without_a_size_is_told_for_sdxl_only():
    prompts = read_prompts("a cat\na dog --w 1024 --h 1024")
    (said,) = too_small(prompts, "sdxl")
    assert "512 x 512 come out badly with SDXL; write --w 1024 --h 1024" in said
    assert too_small(prompts, "sd1") == too_small(prompts[1:], "sdxl") == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("p.json", b"{", "not readable JSON"),
        ("p.json", b"{}", "no list of prompts"),
        ("p.json", b"[3]", "prompt 1 of .* is neither text nor a table"),
        ("p.json", b'["a", "b --foo 1"]', "prompt 2 of .* has the unknown option --foo"),
        ("p.json", b'[{"prompt": "a", "widht": 64}]', r"has the unknown name 'widht'; did you mean width\?"),
        ("p.json", b'[{"prompt": "a", "negative_prompt": ["b"]}]', "the prompt is not text"),
        ("p.json", b'[{"prompt": "x\\ud800"}]', "prompt 1 of .* holds half a character, which no text has"),
        ("p.json", b'["a", "b\\u0000c"]', "prompt 2 of .* holds a zero byte, which no text has"),
        ("p.json", b'[{"prompt": "a", "negative_prompt": "\\udfff"}]', "holds half a character"),
        ("p.json", b'[{"prompt": "a", "prompt": "b"}]', 'prompt stands there twice, as "a" and as "b"; remove one'),
        ("p.json", b"[" * 100_000, "not readable JSON: lists or tables in it are nested too deep"),
        ("p.json", b'[{"seed": ' + b"9" * 6000 + b"}]", "a number in it has thousands of digits; write a shorter one"),
        ("p.toml", b'[[prompt.subset]]\nprompt = "a\\u0000b"', "prompt 1 of .* holds a zero byte"),
        ("p.toml", b'[[prompt.subset]]\nprompt = "a\\ud800b"', "not valid TOML in line 2"),
        ("p.toml", b"= 3", "not valid TOML"),
        ("p.toml", b"[prompt]", r"write \[\[prompt\.subset\]\]"),
        ("p.txt", b"# nothing\n", "there is no prompt"),
        ("p.txt", b"\xff\xfe\xff", "not UTF-8 text"),
    ],
)
def test_bad_prompt_files_each_get_their_sentence(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        read_prompts(str(tmp_path / name))


def test_a_missing_prompt_file_is_not_taken_for_a_prompt():
    with pytest.raises(ConfigError, match=r"none\.txt does not exist"):
        read_prompts("folder/none.txt")


@pytest.mark.parametrize("sampler", [*SAMPLERS, *ALIASES])
def test_every_sampler_draws_a_picture(family, sampler):
    made = list(draw(family, [SMALL], sampler))
    assert [one.warning for one in made] == [None]
    assert made[0].picture.size == (64, 64)


def test_an_unknown_sampler_becomes_ddim_with_a_warning(family):
    made = next(draw(family, [SMALL], "magic"))
    expected = next(draw(family, [SMALL], "ddim"))
    assert "'magic' is not known; ddim is used" in made.warning
    assert np.array_equal(made.picture, expected.picture)


def test_every_sampler_finds_the_one_picture_of_a_perfect_model():
    # A model that knows the clean latents exactly: noise prediction = (x - sqrt(a) x0) / sqrt(1 - a). Whatever the
    # sampler, the end must be x0.
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    alphas = (1 - betas).cumprod(0)
    clean = torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for name in SAMPLERS:
        scheduler, _ = scheduler_for(name, "epsilon")
        scheduler.set_timesteps(20)
        x = torch.randn(clean.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        x = x * scheduler.init_noise_sigma
        extra = {"generator": torch.Generator().manual_seed(2)} if previews._takes_generator(scheduler) else {}
        for t in scheduler.timesteps:
            scaled = scheduler.scale_model_input(x, t)
            a = torch.from_numpy(np.interp([float(t)], np.arange(1000), alphas.numpy()))
            noise = (scaled - a.sqrt() * clean) / (1 - a).sqrt()
            x = scheduler.step(noise, t, x, return_dict=False, **extra)[0]
        assert (x - clean).abs().max() < 0.15, name


def test_linear_multistep_weights_of_two_even_steps_are_those_of_adams_and_bashforth():
    sampler = LinearMultistep("epsilon")
    sampler._sigmas, sampler._index = [3.0, 2.0, 1.0], 1
    assert sampler._weight(0, 2) == pytest.approx(-1.5)  # a step of -1 times 3/2
    assert sampler._weight(1, 2) == pytest.approx(0.5)


def test_models_trained_up_to_pure_noise_begin_there():
    scheduler, warning = scheduler_for("ddim", "v", zero_terminal_snr=True)
    scheduler.set_timesteps(10)
    assert warning is None
    assert int(scheduler.timesteps[0]) == 999
    assert float(scheduler.alphas_cumprod[-1]) == 0
    assert "cannot begin at pure noise" in scheduler_for("heun", "v", zero_terminal_snr=True)[1]


def test_a_seed_gives_the_same_picture_and_another_a_different_one(family):
    first, again, other = generate(family, [SMALL, SMALL, replace(SMALL, seed=6)])
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_batch_draws_what_single_pictures_are(family):
    prompts = [replace(SMALL, seed=number) for number in range(3)]
    for sampler in ("ddim", "euler_a"):
        alone = generate(family, prompts, sampler)
        together = generate(family, prompts, sampler, batch_size=3)
        assert all(np.abs(np.subtract(a, b, dtype=float)).max() <= 2 for a, b in zip(alone, together, strict=True))


def test_a_prompt_without_a_seed_keeps_its_noise_from_epoch_to_epoch(family):
    prompts = [replace(SMALL, seed=None)] * 2
    one, two = list(draw(family, prompts)), list(draw(family, prompts))
    assert one[0].seed == two[0].seed != one[1].seed


def test_guidance_and_negative_prompt_act(family):
    plain, strong, against = generate(
        family,
        [replace(SMALL, scale=1.0), replace(SMALL, scale=30.0), replace(SMALL, scale=30.0, negative="blue, dark")],
    )
    assert not np.array_equal(plain, strong)
    assert not np.array_equal(strong, against)


def test_long_prompts_are_not_cut_at_75_tokens(family):
    start = "cat " * 100
    one, two = generate(family, [replace(SMALL, prompt=start + "dog"), replace(SMALL, prompt=start + "red circle")])
    assert not np.array_equal(one, two)


def test_brackets_that_weigh_take_no_room_from_a_prompt(family):
    start = "cat " * 73  # with the dog 74 tokens; brackets, colon and number would make 80, which are two chunks
    one, two = generate(family, [replace(SMALL, prompt=start + "dog"), replace(SMALL, prompt=start + "(dog:1.0)")])
    assert np.array_equal(one, two)


def test_the_global_random_state_is_untouched(family):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    list(draw(family, [SMALL], "euler_a"))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_failing_preview_is_a_warning_and_the_next_is_drawn(family):
    weight = family.vae.decoder.conv_out.weight.clone()
    with torch.no_grad():
        family.vae.decoder.conv_out.weight.fill_(float("nan"))
    made = list(draw(family, [SMALL]))
    with torch.no_grad():
        family.vae.decoder.conv_out.weight.copy_(weight)
    assert made[0].picture is None
    assert 'preview "red circle" could not be drawn: the picture became NaN' in made[0].warning
    assert next(draw(family, [SMALL])).picture is not None


def test_a_preview_without_enough_memory_tells_the_cure_and_the_next_is_drawn(family, monkeypatch):
    real, calls = family.predict, iter(range(1000))

    def predict(*args):
        if next(calls) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return real(*args)

    monkeypatch.setattr(family, "predict", predict)
    first, second = draw(family, [SMALL, SMALL])
    assert "not enough memory for 64x64; choose a smaller --w and --h" in first.warning and first.picture is None
    assert second.picture is not None


def test_the_file_is_named_as_sd_scripts_does_and_carries_its_prompt(tmp_path):
    made = Made(3, replace(SMALL, negative="bad"), 5, Image.new("RGB", (64, 64)))
    assert re.fullmatch(r"cat_e000002_03_\d{14}_5\.png", file_name("cat", made, 2, 40))
    assert re.fullmatch(r"cat_000040_03_\d{14}_5\.png", file_name("cat", made, None, 40))
    assert re.fullmatch(r"e000000_03_\d{14}_5\.png", file_name("", made, None, 0))
    assert save(tmp_path / "sample" / "猫.png", made) is None
    text = Image.open(tmp_path / "sample" / "猫.png").text["parameters"]
    assert text == ("red circle\nNegative prompt: bad\nSteps: 2, Sampler: ddim, CFG scale: 7.5, Seed: 5, Size: 64x64")


def test_a_picture_that_cannot_be_written_is_a_warning(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    warning = save(tmp_path / "file" / "a.png", Made(0, SMALL, 5, Image.new("RGB", (8, 8))))
    assert warning.startswith("the preview was not kept")


def test_a_prompt_that_no_file_can_hold_is_a_warning_too(tmp_path):
    prompt = replace(SMALL, prompt="x\ud800")
    warning = save(tmp_path / "a.png", Made(0, prompt, 5, Image.new("RGB", (8, 8))))
    assert warning.startswith("the preview was not kept: ") and list(tmp_path.iterdir()) == []


def test_a_picture_tells_the_sampler_of_the_run_where_the_prompt_names_none(family):
    prompts = [
        Prompt("a", width=64, height=64, steps=1),
        Prompt("a", width=64, height=64, steps=1, sampler="heun"),
    ]
    own, named = (previews.parameters_text(made) for made in previews.draw(family, prompts, "euler"))
    assert "Sampler: euler," in own and "Sampler: heun," in named


@pytest.mark.parametrize("sampler", ["ddim", "heun"])
def test_how_far_the_pictures_are_is_told_after_every_step_and_who_says_no_ends_them_at_once(family, sampler):
    prompts = [replace(SMALL, steps=2), replace(SMALL, steps=3)]
    told = []
    assert len(list(draw(family, prompts, sampler, lambda steps: told.append(steps) or False))) == 2
    assert told == sorted(told) and set(told) >= {1, 2, 3, 4, 5} and max(told) == 5
    ends_at = iter([False, False, False, False, True])
    looks = []
    made = list(
        draw(
            family,
            [replace(SMALL, steps=2), replace(SMALL, steps=30)],
            "ddim",
            lambda steps: looks.append(steps) or next(ends_at),
        )
    )
    assert [one.number for one in made] == [0]  # the second is left in its third step, without a warning
    assert looks == [1, 2, 3, 4, 5]
