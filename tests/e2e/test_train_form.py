"""The Train tab with hands on the page: typing, errors, modes, search, presets, import, drafts, starting."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from tests.e2e.conftest import open_tab, wait_for
from tests.webui.formfiles import base_model
from trainer.job import list_jobs

pytestmark = pytest.mark.browser

MODEL = "#train-model-pretrained_model_name_or_path"
FOLDER = "#train-dataset-train_data_dir"
EPOCHS = "#train-run-max_train_epochs"
RATE = "#train-optimizer-unet_lr"
DIM = "#train-network-network_dim"


def prepare(root: Path) -> None:
    """A base model and 15 tagged pictures, as in guide 000."""
    base_model(root / "sd-models" / "base.safetensors")
    folder = root / "train" / "anby" / "10_anby"
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(15):
        Image.new("RGB", (512, 768), (index * 16, 90, 90)).save(folder / f"{index:02}.png")
        (folder / f"{index:02}.txt").write_text("anby, 1girl", encoding="utf-8")


@pytest.fixture
def form(page: Any, server: Any) -> Any:
    """The Train tab of an empty site, with a base model and pictures on disk and no draft."""
    prepare(server.root)
    (server.root / ".athanor" / "drafts" / "train.json").unlink(missing_ok=True)
    return opened(page, server)


def opened(page: Any, server: Any) -> Any:
    page.goto(server.url)
    page.wait_for_function("Number(document.querySelector('[data-widget=form]')?.dataset.seq) > 0")
    return page


def settled(page: Any, act: Any) -> None:
    """Do something to the form and wait until the server's answer to it is shown."""
    before = int(page.locator("[data-widget=form]").get_attribute("data-seq"))
    act()
    page.wait_for_function(f"Number(document.querySelector('[data-widget=form]').dataset.seq) > {before}")


def choose_model_and_pictures(page: Any) -> None:
    settled(page, lambda: page.fill(MODEL, "sd-models/base.safetensors"))
    settled(page, lambda: page.fill(FOLDER, "./train/anby"))
    page.locator("[data-role=steps]", has_text="1500").wait_for()
    # the prompts made from the captions are checked too
    page.wait_for_function("document.querySelector('[data-role=toml-text]').textContent.includes('sample_prompts')")


def text(page: Any, role: str) -> str:
    return " ".join(page.locator(f"[data-role={role}]").inner_text().split())


def saved_draft(server: Any) -> dict[str, Any]:
    path = server.root / ".athanor" / "drafts" / "train.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"values": {}}


def test_the_first_look_shows_the_guides_preset_and_what_is_missing(form):
    assert form.locator("[data-role=preset]").input_value() == "sd15_character"
    assert form.input_value(DIM) == "32"
    assert form.input_value(RATE) == "1e-4"
    assert form.locator("#train-start").is_disabled()
    assert "no base model" in text(form, "why")
    assert form.locator("[data-role=field]:visible").count() <= 20
    assert form.locator("[data-role=field].wrong").count() == 0  # nothing is red before anything was typed
    # Tab goes from field to field; what stands beside one has a key there.
    form.focus(FOLDER)
    field = form.locator("[data-address='dataset.train_data_dir']")
    long = field.locator(".f-long")
    form.keyboard.press("F1")
    long.wait_for()
    form.keyboard.press("F1")
    long.wait_for(state="hidden")
    form.keyboard.press("F2")
    form.locator("[data-role=dialog]").wait_for()
    form.keyboard.press("Escape")
    form.locator("[data-role=dialog]").wait_for(state="detached")
    form.keyboard.press("Tab")
    assert form.evaluate("document.activeElement.closest('[data-role=field]').dataset.address") == "dataset.resolution"


def test_typing_changes_the_sum_the_toml_and_the_curve(form):
    choose_model_and_pictures(form)
    assert text(form, "sum") == "15 pictures × 10 times × 10 epochs / 1 = 1500 steps"
    assert (
        "SD 1.5"
        in form.locator("[data-address='model.pretrained_model_name_or_path'] [data-role=field-status]").inner_text()
    )
    line = form.locator("[data-role=lr-unet]").get_attribute("points")
    form.click("[data-role=toml] summary")
    settled(form, lambda: form.fill(EPOCHS, "4"))
    form.locator("[data-role=steps]", has_text="600").wait_for()
    assert "max_train_epochs = 4" in form.locator("[data-role=toml-text]").inner_text()
    told = text(form, "thumbs")
    assert "File size 36.1 MB" in told and "Views in all 600" in told and "alpha / dim 1 rates act in full" in told
    settled(form, lambda: form.fill("#train-network-network_alpha", "16"))
    assert "16 / 32 = 0.5 rates act at 0.5" in text(form, "thumbs")
    settled(form, lambda: form.locator("#train-schedule-lr_scheduler").select_option("constant"))
    assert form.locator("[data-role=lr-unet]").get_attribute("points") != line
    assert form.locator("#train-start").is_enabled()


def test_a_base_model_is_taken_from_the_list_and_a_run_counted_in_epochs_or_steps(form):
    model = form.locator("[data-role=model]")
    assert model.inner_text().split("\n")[0] == "base.safetensors" and "SD 1.5" in model.inner_text()
    settled(form, model.click)
    assert form.input_value(MODEL) == "./sd-models/base.safetensors"
    assert model.is_hidden()  # folded, once one is chosen
    settled(form, lambda: form.fill(FOLDER, "./train/anby"))
    form.locator("[data-role=steps]", has_text="1500").wait_for()
    steps = form.locator("[data-role=field][data-address='run.max_train_steps']")
    assert steps.is_hidden()
    form.click("[data-role=mode-expert]")
    assert "overruled" in steps.get_attribute("class")
    assert "max_train_epochs = 10 decides" in steps.inner_text()
    settled(form, steps.locator("[data-role=count-otherwise]").click)
    assert (form.input_value(EPOCHS), form.input_value("#train-run-max_train_steps")) == ("", "1500")
    form.click("[data-role=mode-basic]")
    settled(form, lambda: form.fill("#train-run-max_train_steps", "60"))
    form.wait_for_function("document.querySelector('[data-role=sum]').innerText.includes('60 steps = 0.4 epochs')")
    assert form.locator("[data-role=not-all]").is_visible()
    assert (
        "max_train_steps = 60" in form.locator("[data-address='run.max_train_epochs'] [data-role=effect]").inner_text()
    )
    settled(form, form.locator("[data-address='run.max_train_epochs'] [data-role=count-otherwise]").click)
    assert form.input_value(EPOCHS) == "1" and steps.is_hidden()
    assert "has no effect" not in text(form, "problems")


def test_a_wrong_value_is_told_under_its_field_and_beside_the_start_button(form):
    choose_model_and_pictures(form)
    settled(form, lambda: form.fill(RATE, "fast"))
    error = form.locator("[data-address='optimizer.unet_lr'] [data-role=field-error]")
    assert "a number is needed" in error.inner_text()
    assert form.locator(RATE).get_attribute("aria-invalid") == "true"
    assert form.locator("#train-start").is_disabled()
    assert "unet_lr" in text(form, "why")
    form.locator("[data-role=jump][data-address='optimizer.unet_lr']").click()
    form.wait_for_function("document.activeElement.id === 'train-optimizer-unet_lr'")
    settled(form, lambda: form.fill(RATE, "2e-4"))
    assert error.is_hidden()
    assert form.locator("#train-start").is_enabled()


def test_basic_and_expert_are_the_same_values(form):
    settled(form, lambda: form.fill(DIM, "48"))
    form.click("[data-role=mode-expert]")
    assert form.input_value(DIM) == "48"
    settled(
        form,
        lambda: (
            form.fill("#train-run-seed", "77")
            if form.locator("#train-run-seed").is_visible()
            else form.evaluate(
                "() => { const group = document.querySelector('[data-group=other]'); group.open = true; }"
            )
            or form.fill("#train-run-seed", "77")
        ),
    )
    form.click("[data-role=mode-basic]")
    assert form.locator("#train-run-seed").is_hidden()
    form.click("[data-role=mode-expert]")
    assert form.input_value("#train-run-seed") == "77"


def test_search_finds_by_name_title_and_help_and_opens_the_groups(form):
    form.locator("[data-role=search]").press_sequentially("caption_dropout")
    shown = form.locator("[data-role=field]:visible")
    names = {shown.nth(index).get_attribute("data-address") for index in range(shown.count())}
    assert names == {"caption.caption_dropout_rate", "caption.caption_dropout_every_n_epochs"}
    form.fill("[data-role=search]", "噪声偏移")
    assert form.locator("[data-address='noise.noise_offset']").is_visible()
    for words, address in (
        ("--network_dim=16", "network.network_dim"), ("$lr_warmup_ratio", "schedule.lr_warmup_steps"),
        ("lora_rank", "network.network_dim"), ("Network Rank (Dimension)", "network.network_dim"),
        ("train_norm", "network.network_args"), ("T_0", "schedule.lr_scheduler_args"), ("dora", "network.network_args"),
        ("d_coef=1", "optimizer.optimizer_args"), ("factor=4", "network.network_args"),
    ):  # fmt: skip
        form.fill("[data-role=search]", words)
        assert form.locator(f"[data-address='{address}']").is_visible(), words
    form.fill("[data-role=search]", "d_coef")
    found = form.locator("[data-address='optimizer.optimizer_args'] [data-role=found-arguments]")
    assert "d_coef belongs to Prodigy" in found.inner_text()
    form.fill("[data-role=search]", "no such thing")
    assert form.locator("[data-role=nothing-found]").is_visible()
    form.press("[data-role=search]", "Escape")
    assert form.locator(DIM).is_visible()


def test_a_preset_changes_the_values_keeps_the_paths_and_can_be_undone(form):
    choose_model_and_pictures(form)
    settled(form, lambda: form.locator("[data-role=preset]").select_option("sd15_style"))
    form.wait_for_function(f"document.querySelector('{DIM}').value === '64'")
    assert form.input_value(FOLDER) == "./train/anby"
    settled(form, form.locator("[data-role=notice]", has_text="was applied").locator("[data-role=notice-action]").click)
    form.wait_for_function(f"document.querySelector('{DIM}').value === '32'")
    assert form.locator("[data-role=preset]").input_value() == "sd15_character"


def test_what_is_typed_while_a_preset_is_on_its_way_is_kept(form):
    form.route("**/api/form/preset", lambda route: (form.fill(DIM, "77"), route.continue_()))
    settled(form, lambda: form.locator("[data-role=preset]").select_option("sd15_style"))
    form.wait_for_function("document.querySelector('[data-role=preset]').value === 'sd15_style'")
    form.locator("[data-role=notice]", has_text="was applied").wait_for()
    assert form.input_value(DIM) == "77"


def test_a_changed_field_has_a_dot_that_takes_it_back(form):
    settled(form, lambda: form.fill(DIM, "64"))
    dot = form.locator("[data-address='network.network_dim'] [data-role=reset]")
    assert dot.is_visible()
    settled(form, dot.click)
    assert form.input_value(DIM) == "32"
    assert dot.is_hidden()


def test_an_own_preset_is_saved_and_deleted_with_undo(form):
    settled(form, lambda: form.fill(DIM, "24"))
    settled(form, lambda: form.fill("#train-save-output_name", "anby"))
    form.click("[data-role=preset-save]")
    assert form.get_by_label("Name of the preset").input_value().startswith("anby · SD 1.5 anime character")
    form.fill("[data-role=ask-text]", "mine")
    form.click("[data-role=ask-text-ok]")
    form.locator("[data-role=own-preset]").wait_for()
    assert form.locator("[data-role=preset] option:checked").inner_text() == "mine"
    form.click("[data-role=preset-delete]")
    form.locator("[data-role=notice-action]").last.click()
    form.locator("[data-role=own-preset]").wait_for()
    form.click("[data-role=preset-delete]")
    form.locator("[data-role=own-preset]").wait_for(state="hidden")


def test_a_file_of_qiuyes_trainer_is_imported_and_what_was_left_out_is_listed(form):
    content = b"[network]\nnetwork_dim = 12\n[other]\nlowram = true\nsome_new_key = 5\n"
    settled(
        form,
        lambda: form.set_input_files(
            "[data-role=import-file]", {"name": "old.toml", "mimeType": "text/plain", "buffer": content}
        ),
    )
    assert form.input_value(DIM) == "12"
    notes = form.locator("[data-role=import-notes]").inner_text()
    assert "lowram was left out" in notes and "some_new_key = 5 was left out" in notes
    settled(form, lambda: form.click("[data-role=import-undo]"))
    assert form.input_value(DIM) == "32"


def test_a_file_in_gbk_is_offered_as_gbk_and_read_when_the_user_says_so(form):
    content = 'output_name = "安比的角色训练"\nnetwork_dim = 12\n'.encode("gbk")
    form.set_input_files("[data-role=import-file]", {"name": "old.toml", "mimeType": "text/plain", "buffer": content})
    form.locator("[data-role=ask-ok]").wait_for()
    assert "GBK" in form.inner_text("[data-role=ask-ok]")
    settled(form, lambda: form.click("[data-role=ask-ok]"))
    assert form.input_value(DIM) == "12"
    assert form.input_value("#train-save-output_name") == "安比的角色训练"


def test_a_file_that_is_no_configuration_is_refused_and_the_page_goes_on(form):
    form.set_input_files(
        "[data-role=import-file]", {"name": "cat.json", "mimeType": "application/json", "buffer": b"{not json"}
    )
    notice = form.locator("[data-role=notice][data-kind=error]")
    notice.wait_for()
    assert "cat.json is not valid JSON" in notice.inner_text()
    content = b"token_string = 'x'\nlowram = true\n"
    form.set_input_files("[data-role=import-file]", {"name": "ti.toml", "mimeType": "text/plain", "buffer": content})
    form.locator("[data-role=import-refused]").wait_for()
    assert "The file is for a textual inversion" in form.inner_text("[data-role=import-refused]")
    assert "lowram was left out" in form.inner_text("[data-role=import-notes]")
    settled(form, lambda: form.fill(DIM, "8"))


def test_a_reload_brings_everything_back(form, server):
    choose_model_and_pictures(form)
    settled(form, lambda: form.fill(DIM, "20"))
    form.click("[data-role=mode-expert]")
    wait_for(
        lambda: (
            saved_draft(server).get("mode") == "expert"
            and saved_draft(server)["values"].get("network.network_dim") == "20"
        )
    )
    opened(form, server)
    assert form.input_value(DIM) == "20"
    assert form.locator("[data-role=mode-expert]").get_attribute("aria-checked") == "true"
    form.locator("[data-role=steps]", has_text="1500").wait_for()


def test_what_was_typed_just_before_a_reload_is_kept_too(form, server):
    form.fill(DIM, "21")
    opened(form, server)
    form.wait_for_function("document.querySelector('#train-network-network_dim').value === '21'")


def test_of_two_windows_the_newest_edit_wins_the_other_shows_it_and_nothing_typed_is_lost(form, server):
    other = form.context.new_page()
    opened(other, server)
    form.route("**/api/form/draft", lambda route: route.abort() if route.request.method == "GET" else route.continue_())
    settled(other, lambda: other.fill(DIM, "40"))
    wait_for(lambda: saved_draft(server)["values"].get("network.network_dim") == "40")
    settled(form, lambda: form.fill(EPOCHS, "3"))  # saved over a draft that this window has not seen
    form.locator("[data-role=notice]", has_text="another window: network_dim").wait_for()
    assert (form.input_value(DIM), form.input_value(EPOCHS)) == ("40", "3")
    other.locator("[data-role=notice]", has_text="another window: max_train_epochs").wait_for()
    assert (other.input_value(DIM), other.input_value(EPOCHS)) == ("40", "3")
    assert saved_draft(server)["values"]["network.network_dim"] == "40"
    settled(
        other, other.locator("[data-role=notice]", has_text="another window").locator("[data-role=notice-action]").click
    )
    assert (other.input_value(DIM), other.input_value(EPOCHS)) == ("40", "10")
    other.close()


def test_undo_goes_back_through_fields_presets_and_files_and_redo_forward(form):
    """The browser's own undo would write into whichever field was typed into last, whatever filled it since."""

    def shown():
        return [form.input_value(one) for one in (RATE, DIM, EPOCHS)] + [form.input_value("[data-role=preset]")]

    first = shown()
    settled(form, lambda: form.locator(RATE).press_sequentially("9"))
    typed = shown()
    settled(form, lambda: form.locator("[data-role=preset]").select_option("sd15_style"))
    form.wait_for_function(f"document.querySelector('{DIM}').value === '64'")
    styled = shown()
    content = b"network_dim = 12\nunet_lr = 3e-4\n"
    settled(form, lambda: form.set_input_files(
        "[data-role=import-file]", {"name": "old.toml", "mimeType": "text/plain", "buffer": content}))  # fmt: skip
    imported = shown()
    assert imported[3] == ""
    assert "old.toml" in form.locator("[data-role=preset] option:checked").inner_text()
    assert text(form, "differences").startswith("Differences from old.toml 0")
    settled(form, lambda: form.fill(EPOCHS, "7"))
    assert text(form, "differences").startswith("Differences from old.toml 1")
    ends = [shown(), imported, styled, typed, first]
    form.locator(RATE).focus()
    for state in ends[1:]:
        settled(form, lambda: form.keyboard.press("Control+z"))
        assert shown() == state
    assert form.locator("[data-role=undo]").is_disabled()
    for state in ends[-2::-1]:
        settled(form, lambda: form.keyboard.press("Control+y"))
        assert shown() == state
    assert "(max_train_epochs)" in form.locator("[data-role=undo]").get_attribute("title")


def test_who_has_nothing_at_hand_is_given_the_demo_and_the_names_come_back_with_undo(form):
    settled(form, lambda: form.click("[data-role=form-demo]"))
    form.locator("[data-role=steps]").wait_for()
    assert form.input_value(FOLDER) == "./train/demo"
    form.wait_for_function("!document.querySelector('#train-start').disabled")
    settled(form, lambda: form.click("[data-role=undo]"))
    choose_model_and_pictures(form)
    settled(form, lambda: form.fill("#train-save-output_name", "anby"))
    settled(form, lambda: form.locator("[data-role=preset]").select_option("demo"))  # the same as the button
    replaced = form.locator("[data-role=notice]", has_text="Replaced: ")
    assert "pretrained_model_name_or_path, train_data_dir, output_name" in replaced.inner_text()
    assert form.input_value(FOLDER) == "./train/demo"
    settled(form, replaced.locator("[data-role=notice-action]").click)
    assert (form.input_value(FOLDER), form.input_value("#train-save-output_name")) == ("./train/anby", "anby")
    assert form.input_value("[data-role=preset]") == "sd15_character"


def edit_without_saving(page: Any, folder: Path, text: str) -> None:
    """An unsaved caption of the folder's first picture, as the tag editor leaves it."""
    page.evaluate(
        """async ([path, text]) => {
          const post = async (to, body) => (await fetch(`./api/datasets/${to}`, {
            method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).json();
          const { id, listing, view } = await post('open', { path });
          const target = { scope: 'selected', spans: [[0, 0]] };
          await post(`${id}/edit`, { rev: view.rev, listing, edit: { kind: 'text', text }, target });
        }""",
        [str(folder), text],
    )


def test_starting_saves_the_open_captions_makes_a_job_and_opens_it(form, server):
    choose_model_and_pictures(form)
    form.fill("#train-save-output_name", "anby")
    form.wait_for_function("!document.querySelector('#train-start').disabled")
    assert form.locator("#train-start").inner_text().strip() == "Start training"
    folder = server.root / "train" / "anby" / "10_anby"
    edit_without_saving(form, folder, "anby, smile")
    open_tab(form, "tags")
    open_tab(form, "train")
    form.locator("[data-role=unsaved]", has_text="1 caption unsaved").wait_for()
    assert form.locator("#train-queue").inner_text().strip() == "Save and queue"
    assert text(form, "output") == "Saved as output/anby.safetensors"
    form.locator("#train-start", has_text="Save and start").click()
    form.wait_for_function("document.querySelector('#tab-jobs-button')?.getAttribute('aria-selected') === 'true'")
    (job,) = [job for job in list_jobs(server.root / "jobs") if job.id.endswith("-anby")]
    assert 'output_name = "anby"' in job.config_path.read_text(encoding="utf-8")
    assert job.id in form.url
    assert (folder / "00.txt").read_text(encoding="utf-8") == "anby, smile"
    open_tab(form, "train")
    form.locator("#train-queue").click()
    queued = form.locator("[data-role=notice]:has([data-role=notice-action])", has_text="anby").last
    queued.wait_for()
    assert form.locator("#tab-train-button").get_attribute("aria-selected") == "true"
    queued.locator("[data-role=notice-action]").click()
    form.wait_for_function("id => location.hash.startsWith('#job=') && !location.hash.endsWith(id)", arg=job.id)


def test_the_page_is_whole_in_chinese(browser, server):
    prepare(server.root)
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(30_000)
    opened(page, server)
    assert page.locator("#train-start").inner_text().strip() == "开始训练"
    page.fill(RATE, "快")
    page.locator("[data-address='optimizer.unet_lr'] [data-role=field-error]:visible").wait_for()
    assert "请填数字" in page.locator("[data-address='optimizer.unet_lr'] [data-role=field-error]").inner_text()
    page.click("[data-role=mode-expert]")
    headings = page.locator("[data-role=group] .f-heading").all_inner_texts()
    assert headings[:3] == ["训练用模型", "数据集设置", "保存设置"]
    context.close()


def test_a_preset_is_listed_once_and_the_size_of_the_card_is_chosen_beside_it(form):
    assert form.locator("[data-role=preset] option").count() < 20
    assert form.locator("[data-role=preset] optgroup").count() == 3
    settled(form, lambda: form.locator("[data-role=preset]").select_option("sdxl_pony"))
    settled(form, lambda: form.locator("[data-role=preset-memory]").select_option("sdxl_pony_8gb"))
    assert form.locator("[data-role=preset]").input_value() == "sdxl_pony"
    settled(form, lambda: form.locator("[data-role=preset]").select_option("sdxl_noobai_vpred"))
    assert form.locator("[data-role=preset-memory]").input_value() == "sdxl_noobai_vpred_8gb"
    settled(form, lambda: form.locator("[data-role=preset]").select_option("sd15_cpu"))
    assert form.locator("[data-role=preset-memory]").is_hidden()


def test_network_arguments_are_fields_that_follow_the_network_type(form, server):
    form.click("[data-role=mode-expert]")
    group = form.locator("[data-group=network]")
    group.locator("[data-role=group-more]").click()
    settled(form, lambda: form.fill("#train-network-network_args-conv_dim", "8"))
    group.locator("[data-role=as-text] summary").click()
    assert form.input_value("#train-network-network_args") == "conv_dim=8"
    settled(form, lambda: form.fill("#train-network-network_args", 'conv_dim=4 "rank_dropout=0.1"'))
    settled(form, lambda: form.locator("#train-network-network_args").blur())
    assert form.input_value("#train-network-network_args") == "conv_dim=4\nrank_dropout=0.1"
    assert form.input_value("#train-network-network_args-rank_dropout") == "0.1"
    settled(form, lambda: form.locator("#train-network-network_module").select_option("networks.oft"))
    assert form.locator("#train-network-network_args-conv_dim").count() == 0
    assert "conv_dim=4 is not supported here" in group.locator(".a-strangers").inner_text()
    settled(form, lambda: group.locator(".a-strangers button").first.click())
    assert form.input_value("#train-network-network_args") == "rank_dropout=0.1"
    settled(form, lambda: form.fill("#train-network-network_args", ""))
    settled(form, lambda: form.locator("#train-network-network_module").select_option("lycoris.kohya"))
    assert "read by A1111" in group.locator("[data-role=method-help]").inner_text()
    settled(form, lambda: form.locator("#train-network-network_args-dora_wd").click())
    assert form.input_value("#train-network-network_args") == "dora_wd=True\nwd_on_output=False"
    settled(form, lambda: form.locator("#train-network-network_args-dora_wd").click())
    assert form.input_value("#train-network-network_args") == ""


def test_the_settings_of_a_finished_lora_are_taken_over(form, server):
    told = {"ss_network_module": "networks.lora", "ss_network_dim": "24", "ss_unet_lr": "0.0003",
            "ss_tag_frequency": json.dumps({"x": {"tag": 1}}), "ss_sd_model_name": "anything.safetensors"}  # fmt: skip
    file = server.root / "finished.safetensors"
    name = "lora_unet_mid_block_attentions_0_proj_in.lora_down.weight"
    save_file({name: np.zeros((4, 4), np.float32)}, str(file), metadata=told)
    settled(form, lambda: form.set_input_files("[data-role=import-file]", str(file)))
    assert (form.input_value(DIM), form.input_value(RATE)) == ("24", "3e-4")
    assert "It was trained on anything.safetensors" in text(form, "import-result")


def test_the_optimizers_arguments_are_fields_and_only_the_wrong_one_is_marked(form):
    choose_model_and_pictures(form)
    form.click("[data-role=mode-expert]")
    form.fill("[data-role=search]", "optimizer_args")
    decay = form.locator("#train-optimizer-optimizer_args-weight_decay")
    settled(form, lambda: decay.fill("much"))
    assert "weight_decay=much" in form.locator("[data-address='optimizer.optimizer_args'] > .field-error").inner_text()
    assert decay.get_attribute("aria-invalid") == "true"
    assert form.locator("#train-optimizer-optimizer_args-betas").get_attribute("aria-invalid") == "false"
    settled(form, lambda: decay.fill("0.01"))
    assert decay.get_attribute("aria-invalid") == "false"
    assert form.locator("#train-optimizer-optimizer_args").input_value() == "weight_decay=0.01"
    assert form.locator("#train-start").is_enabled(), text(form, "why")


def test_an_error_of_the_pictures_stands_at_its_field_and_goes_with_its_cause(form):
    """Whether files and pictures fit depends on all values: nothing that was said for others may keep a run back."""
    choose_model_and_pictures(form)
    error = form.locator("[data-address='dataset.train_data_dir'] [data-role=field-error]")
    settled(form, lambda: form.fill(FOLDER, "./train/nobody"))
    error.get_by_text("does not exist").wait_for()
    settled(form, lambda: form.fill(FOLDER, "./train/anby"))
    error.wait_for(state="hidden")
    form.wait_for_function("!document.querySelector('#train-start').disabled")


def test_a_problem_with_one_cure_is_put_right_by_a_click_and_back_by_another(form):
    choose_model_and_pictures(form)
    settled(form, lambda: form.fill(FOLDER, "./train/anby/10_anby"))
    cure = form.locator("[data-role=cure]", has_text=f"train_data_dir = {Path('train', 'anby')}")
    cure.nth(1).wait_for()  # at the field and at the right
    cure.first.click()
    form.locator("[data-role=steps]", has_text="1500").wait_for()
    assert form.input_value(FOLDER) == str(Path("train", "anby"))
    form.locator("[data-role=notice-action]").last.click()
    form.locator("[data-role=cure]").first.wait_for()
    assert form.input_value(FOLDER) == "./train/anby/10_anby"


def test_a_folder_that_is_used_as_it_is_stays_in_sight_with_its_repeats(form, server):
    folder = server.root / "train" / "plain"
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (512, 768)).save(folder / "0.png")
    (folder / "0.txt").write_text("plain", encoding="utf-8")
    settled(form, lambda: form.fill(FOLDER, "./train/plain"))
    form.locator("[data-role=cure]", has_text="as it is").first.click()
    chip = form.locator("[data-role=folder-chip]")
    assert chip.locator(".f-chip-path").inner_text() == str(Path("train", "plain"))
    settled(form, lambda: chip.locator("input").fill("5"))
    form.wait_for_function("document.querySelector('[data-role=sum]').innerText.includes('5 times')")
    settled(form, chip.locator("[data-role=chip-remove]").click)
    assert chip.count() == 0 and form.input_value(FOLDER) == ""
    settled(form, lambda: form.keyboard.press("Control+z"))
    assert chip.locator("input").input_value() == "5"
    form.click("[data-role=mode-expert]")
    assert chip.is_hidden() and form.locator("[data-role=field][data-address='dataset.subsets']").is_visible()


@pytest.mark.skipif(sys.platform == "win32", reason="puts a script in place of nvidia-smi")
def test_cards_are_ticked_or_typed(page, own_server, tmp_path):
    smi = tmp_path / "bin" / "nvidia-smi"
    smi.parent.mkdir()
    smi.write_text("#!/bin/sh\necho '0, NVIDIA GeForce RTX 4090, 24564'\necho '1, NVIDIA GeForce RTX 3060, 12288'\n")
    smi.chmod(0o755)
    form = opened(page, own_server(environment={"PATH": f"{smi.parent}{os.pathsep}{os.environ['PATH']}"}))
    form.locator("[data-role=mode-expert]").click()
    form.fill("[data-role=search]", "gpu_ids")
    cards, numbers = form.locator("[data-role=card]"), form.locator("#train-distributed-gpu_ids")
    cards.nth(1).click()
    cards.nth(0).click()
    assert numbers.input_value() == "0,1"
    assert "RTX 3060 12 GiB" in form.locator(".f-card").nth(1).inner_text().replace("\n", " ")
    numbers.fill("0,7")
    assert "no card number 7" in form.locator("[data-role=no-such-card]").inner_text()
    assert cards.nth(0).is_checked() and not cards.nth(1).is_checked()


PROMPTS = "#train-sample-sample_prompts"


def test_prompts_for_previews_come_from_the_captions_and_what_was_written_or_cleared_stays(form, server):
    assert form.input_value("#train-sample-sample_every_n_epochs") == "2"
    choose_model_and_pictures(form)
    form.wait_for_function(f"document.querySelector('{PROMPTS}').value.startsWith('anby, 1girl --n lowres')")
    made = form.input_value(PROMPTS)
    assert "--w 512 --h 768" in made
    other = server.root / "train" / "miku" / "10_miku"
    other.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (512, 768)).save(other / "0.png")
    (other / "0.txt").write_text("miku, solo", encoding="utf-8")
    settled(form, lambda: form.fill(FOLDER, str(other.parent)))
    form.wait_for_function(f"document.querySelector('{PROMPTS}').value.startsWith('miku, solo')")
    assert form.locator("[data-role=notice]", has_text="were made from your captions").count() == 1

    settled(form, lambda: form.fill(PROMPTS, ""))
    settled(form, lambda: form.fill(EPOCHS, "7"))
    assert form.input_value(PROMPTS) == ""  # cleared by hand
    assert "sample_every_n_epochs = 2 has no effect without sample_prompts" in form.locator("body").inner_text()
    settled(form, lambda: form.fill(PROMPTS, "my own"))
    settled(form, lambda: form.fill(FOLDER, str(other.parent.parent / "anby")))
    form.wait_for_function(
        "document.querySelector('[data-address=\"dataset.train_data_dir\"]').innerText.includes('15')"
    )
    assert form.input_value(PROMPTS) == "my own"
    form.select_option("[data-role=preset]", "sd15_style")
    form.wait_for_function("document.querySelector('#train-run-max_train_epochs').value === '20'")
    assert form.input_value(PROMPTS) == "my own"
