"""The road of guide 000 with the hands on the page: tag, fix a tag, save, fill the form, start, watch, find the LoRA.

Everything is real: the demo tagger, the demo's base model, the trainer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from tests.e2e.conftest import PROJECT, Server, open_tab, wait_for
from trainer.job import list_jobs

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
pytestmark = [pytest.mark.browser, pytest.mark.slow]

BASE = PROJECT / "trainer" / "demo" / "base.safetensors"
TRAINING_SECONDS = 240


def role(page: Any, name: str) -> Any:
    return page.locator(f'[data-role="{name}"]')


def tag_the_demo_pictures(page: Any) -> None:
    open_tab(page, "tagger")
    role(page, "tagger-demo").click()
    expect(role(page, "tagger-to-tag")).to_have_text("12 will be tagged", timeout=30_000)
    role(page, "tagger-additional_tags").fill("zqx")
    page.locator("#tagger-start").click()
    expect(role(page, "tagger-outcome")).to_contain_text("Done: 12 pictures", timeout=60_000)


def remove_a_tag_and_save(page: Any) -> None:
    role(page, "tagger-edit").click()
    row = page.locator("[data-role=tags-row][data-tag='large']")
    row.click()
    page.locator("[data-role=tags-remove]", has_text="large").click()
    page.locator("#tags-save").click()
    role(page, "tags-changed").wait_for(state="hidden", timeout=20_000)


def fill(page: Any, field: str, value: str) -> None:
    role(page, "search").fill(field.partition("-")[2])
    box = page.locator(f"#train-{field}")
    box.fill(value)
    box.blur()


def fill_the_form_and_start(page: Any, steps: int, previews: bool) -> None:
    open_tab(page, "train")
    page.wait_for_function("Number(document.querySelector('[data-widget=form]')?.dataset.seq) > 0")
    role(page, "preset").select_option("demo")
    page.wait_for_function("document.querySelector('#train-save-output_name')?.value === 'demo'", timeout=30_000)
    role(page, "mode-expert").click()
    fill(page, "model-pretrained_model_name_or_path", str(BASE))
    fill(page, "dataset-reg_data_dir", "")
    fill(page, "run-max_train_steps", str(steps))
    if previews:
        fill(page, "sample-sample_prompts", "zqx, red star, blue background --w 128 --h 128 --s 4 --d 1 --l 3")
        fill(page, "sample-sample_every_n_steps", "2")
    role(page, "search").fill("")
    page.wait_for_function("!document.querySelector('#train-start').disabled", timeout=20_000)
    page.locator("#train-start").click()
    page.wait_for_function("document.querySelector('#tab-jobs-button')?.getAttribute('aria-selected') === 'true'")


def test_from_pictures_to_a_lora_without_leaving_the_page(page: Any, own_server: Any) -> None:
    server: Server = own_server()
    page.goto(server.url)
    tag_the_demo_pictures(page)
    remove_a_tag_and_save(page)
    caption = server.root / "train" / "demo" / "10_star" / "01.txt"
    assert caption.read_text(encoding="utf-8").strip() == "zqx, red star, yellow background"

    fill_the_form_and_start(page, steps=4, previews=True)
    (job,) = list_jobs(server.root / "jobs")
    state = page.locator("[data-role=job-state][data-state=finished]").first
    state.wait_for(timeout=TRAINING_SECONDS * 1000)
    assert role(page, "step").inner_text() == "4 / 4"
    page.wait_for_function("document.querySelector('[data-role=preview]').naturalWidth === 128")
    role(page, "log").get_by_text("finished: output").wait_for()

    with safe_open(server.root / "output" / "demo.safetensors", "pt") as file:
        assert len(file.keys()) >= 3 * 204  # down, up and alpha of each module
        assert file.metadata()["ss_base_model_version"] == "sd_v1"
    assert job.state() == "finished"

    open_tab(page, "tensorboard")
    frame = page.frame_locator("[data-role=tensorboard-frame]")
    frame.get_by_text("loss/average").first.wait_for(timeout=60_000)


def test_a_run_outlives_the_page_and_a_stopped_one_goes_on_to_the_same_numbers(page: Any, own_server: Any) -> None:
    server: Server = own_server()
    page.goto(server.url)
    tag_the_demo_pictures(page)
    fill_the_form_and_start(page, steps=900, previews=False)
    (job,) = list_jobs(server.root / "jobs")
    wait_for(lambda: '"step": 2' in text_of(job.events_path), TRAINING_SECONDS, what="the second step")
    server.kill()
    server.start()
    page.locator("[data-role=job-state][data-state=running]").first.wait_for(timeout=30_000)

    page.locator('[data-role="stop"]:visible').first.click()
    page.locator("[data-role=job-state][data-state=stopped]").first.wait_for(timeout=60_000)
    stopped = job.last_event()
    assert stopped is not None and Path(server.root, stopped["state"], "manifest.json").exists()
    page.locator('[data-role="resume"]:visible').first.click()
    wait_for(lambda: len(list_jobs(server.root / "jobs")) == 2, 20, what="the resumed job")
    again = list_jobs(server.root / "jobs")[0]
    first = f'"step": {stopped["step"] + 1},'
    wait_for(
        lambda: '"event": "step"' in text_of(again.events_path), TRAINING_SECONDS, what="a step of the resumed run"
    )
    assert first in text_of(again.events_path).split('"event": "step"')[1]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
