"""Settings of programs that nest their values or write words of a command, and what others ignore. The files are
written for these tests; names and nesting are those of the programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trainer.arguments import split_arguments
from trainer.config import ConfigError, Parsed, TrainConfig, as_sd_scripts, loads, origin_of, parse, read
from trainer.config.imports import WITHOUT_USE
from trainer.config.programs.trainings import FINE_TUNING, LORA, TEXTUAL_INVERSION

NEEDED = {"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "train", "resolution": "512"}


def said(notes: Any) -> str:
    return "\n".join(note.message for note in notes)


def loaded(text: str, name: str = "file.toml") -> tuple[TrainConfig, str]:
    """The configuration of a file's text, and its notes."""
    values, notes = as_sd_scripts(loads(text, name))
    parsed = parse({**{key: value for key, value in NEEDED.items() if key not in values}, **values})
    return parsed.config, said((*notes, *parsed.notes))


EASY = """
[[subsets]]
num_repeats = 10
keep_tokens = 1
caption_extension = ".txt"
shuffle_caption = true
flip_aug = false
is_reg = false
name = "first"
image_dir = "F:/sets/10_atla"
random_crop_padding_percent = 0.05

[[subsets]]
image_dir = ""
num_repeats = 1

[train_mode]
train_mode = "lora"

[sample_args]

[general_args.args]
pretrained_model_name_or_path = "F:/nai.safetensors"
mixed_precision = "bf16"
seed = 23
clip_skip = 2
sdpa = true
max_token_length = 225
max_train_epochs = 2

[general_args.dataset_args]
resolution = [768, 512]
batch_size = 2

[network_args.args]
network_dim = 8
network_alpha = 4.0
min_timestep = 0

[network_args.args.network_args]
conv_dim = 4
conv_alpha = 1.0
algo = "loha"

[optimizer_args.args]
optimizer_type = "LoraEasyCustomOptimizer.came.CAME"
lr_scheduler = "cosine_with_restarts"
learning_rate = 1e-4
lr_scheduler_num_cycles = 3
warmup_ratio = 0.05
min_snr_gamma = 5

[optimizer_args.args.optimizer_args]
weight_decay = 0.1
betas = "0.9,0.99,0.999"
weight_decouple = "true"

[saving_args.args]
output_name = "test"
save_every_n_epochs = 1
save_toml = true

[bucket_args.dataset_args]
enable_bucket = true
min_bucket_reso = 320
"""


def test_a_file_of_lora_easy_training_scripts_loads_whole() -> None:
    config, notes = loaded(EASY)
    assert config.model.pretrained_model_name_or_path == "F:/nai.safetensors"
    (subset,) = config.dataset.subsets  # the one without a path is none
    assert (subset.image_dir, subset.num_repeats, subset.keep_tokens, subset.shuffle_caption) == (
        "F:/sets/10_atla", 10, 1, True,
    )  # fmt: skip
    assert (config.dataset.resolution, config.dataset.train_batch_size) == ((768, 512), 2)
    assert (config.dataset.enable_bucket, config.dataset.min_bucket_reso) == (True, 320)
    assert (config.network.network_module, config.network.network_dim, config.network.network_alpha) == (
        "lycoris.kohya", 8, 4,
    )  # fmt: skip
    assert config.network.network_args == ("conv_dim=4", "conv_alpha=1.0", "algo=loha")
    assert (config.optimizer.optimizer_type, config.optimizer.learning_rate) == ("CAME", 1e-4)
    assert config.optimizer.optimizer_args == ("weight_decay=0.1", "betas=0.9,0.99,0.999", "weight_decouple=True")
    assert (config.schedule.lr_warmup_steps, config.schedule.lr_scheduler_num_cycles) == (0.05, 3)
    assert (config.run.max_train_epochs, config.run.seed, config.loss.min_snr_gamma) == (2, 23, 5)
    assert (config.precision.sdpa, config.caption.max_token_length, config.save.output_name) == (True, 225, "test")
    for words in (
        "random_crop_padding_percent = 0.05 of F:/sets/10_atla was left out", "Training_Scripts: save_toml",
        "warmup_ratio 0.05 was read as lr_warmup_steps 0.05", "came.CAME was read as CAME",
    ):  # fmt: skip
        assert words in notes
    assert "min_timestep" not in notes  # 0 says nothing there


def changed(**groups: dict[str, Any]) -> str:
    """EASY with other tables."""
    from trainer.textfiles import parse_document

    document = parse_document(EASY, "easy", "TOML")
    for group, tables in groups.items():
        document[group] = {**document.get(group, {}), **tables}
    return json.dumps(document)


@pytest.mark.parametrize(
    ("args", "module"),
    [
        ({}, "networks.lora"), ({"network_args": {"conv_dim": 4, "conv_alpha": 1}}, "networks.lora"),
        ({"network_args": {"unit": 4}, "network_dim": 8}, "networks.dylora"), ({"fa": True}, "networks.lora_fa"),
        ({"network_args": {"algo": "lokr", "factor": 8}}, "lycoris.kohya"),
    ],
)  # fmt: skip
def test_lora_easy_training_scripts_choose_the_network_by_its_arguments(args: dict[str, Any], module: str) -> None:
    assert loaded(changed(network_args={"args": args}))[0].network.network_module == module


def test_schedule_classes_of_lora_easy_training_scripts_have_their_names_here() -> None:
    rex = {"lr_scheduler_type": "LoraEasyCustomOptimizer.RexAnnealingWarmRestarts.RexAnnealingWarmRestarts",
           "lr_scheduler": "rex", "learning_rate": 1e-3, "lr_scheduler_args": {"min_lr": 1e-5, "gamma": 0.9},
           "warmup_ratio": 0.1, "lr_scheduler_num_cycles": 2}  # fmt: skip
    config, notes = loaded(changed(optimizer_args={"args": rex}))
    assert (config.schedule.lr_scheduler, config.schedule.lr_scheduler_type) == ("rex", "")
    assert config.schedule.lr_scheduler_min_lr_ratio == pytest.approx(0.01)  # 1e-5 of 1e-3
    assert (config.schedule.lr_warmup_steps, config.schedule.lr_scheduler_num_cycles) == (0.1, 2)
    assert "gamma = 0.9 was left out" in notes
    restarts = {**rex, "lr_scheduler_type": "LoraEasyCustomOptimizer.CustomOptimizers.CosineAnnealingWarmupRestarts"}
    steps = {"general_args": {"args": {"max_train_steps": 1000}}, "optimizer_args": {"args": restarts}}
    config, _ = loaded(changed(**steps))
    assert config.schedule.lr_scheduler_type == "CosineAnnealingWarmupRestarts"
    assert config.schedule.lr_scheduler_args == (
        "min_lr=1e-05", "gamma=0.9", "first_cycle_steps=500", "warmup_steps=50",
    )  # fmt: skip
    _, notes = loaded(changed(optimizer_args={"args": restarts}))  # a length in epochs is known once pictures are read
    assert "2 cycles and a warm-up of 0.1 of the run were left out" in notes


ONETRAINER = {
    "training_method": "LORA", "model_type": "STABLE_DIFFUSION_XL_10_BASE", "base_model_name": "xl.safetensors",
    "batch_size": 4, "epochs": 30, "learning_rate": 3e-4, "learning_rate_scheduler": "COSINE", "resolution": "1024,768",
    "learning_rate_warmup_steps": 200, "lora_rank": 16, "lora_alpha": 8.0, "text_encoder": {"train": False},
    "unet": {"train": True, "learning_rate": 2e-4}, "train_dtype": "BFLOAT_16", "latent_caching": True,
    "optimizer": {"optimizer": "ADAMW_8BIT", "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.02, "fused": None},
    "output_model_destination": "models/anby.safetensors", "output_dtype": "BFLOAT_16", "workspace_dir": "run",
    "offset_noise_weight": 0.05, "loss_weight_fn": "MIN_SNR_GAMMA", "loss_weight_strength": 5.0, "save_every": 2,
    "save_every_unit": "EPOCH", "gradient_checkpointing": "ON", "dynamic_timestep_shifting": True,
    "concepts": [{"path": "/sets/a", "balancing": 5.0, "enabled": True}, {"path": "/sets/b", "enabled": False}],
}  # fmt: skip


def test_of_a_file_of_onetrainer_what_has_a_counterpart_is_taken() -> None:
    config, notes = loaded(json.dumps(ONETRAINER), "x.json")
    assert (config.model.pretrained_model_name_or_path, config.model.model_family) == ("xl.safetensors", "sdxl")
    assert (config.dataset.resolution, config.dataset.train_batch_size) == ((1024, 1024), 4)
    assert [(one.image_dir, one.num_repeats) for one in config.dataset.subsets] == [("/sets/a", 5)]
    assert (config.network.network_dim, config.network.network_alpha) == (16, 8)
    assert (config.network.network_train_unet_only, config.optimizer.unet_lr) == (True, 2e-4)
    assert config.optimizer.optimizer_type == "AdamW8bit"
    assert config.optimizer.optimizer_args == ("betas=0.9,0.99", "weight_decay=0.02")
    assert (config.schedule.lr_scheduler, config.schedule.lr_warmup_steps) == ("cosine", 200)
    assert (config.save.output_dir, config.save.output_name, config.save.save_precision) == ("models", "anby", "bf16")
    assert (config.save.save_every_n_epochs, config.loss.min_snr_gamma) == (2, 5)
    assert (config.precision.mixed_precision, config.precision.gradient_checkpointing) == ("bf16", True)
    for words in ("of the resolutions 1024, 768", "no counterpart here: dynamic_timestep_shifting", "as usual here"):
        assert words in notes


AI_TOOLKIT = """
job: extension
config:
  name: anby
  process:
    - type: sd_trainer
      training_folder: output
      trigger_word: anby
      network: {type: lora, linear: 16, linear_alpha: 8}
      save: {dtype: float16, save_every: 250}
      datasets:
        - {folder_path: /sets/a, caption_ext: txt, caption_dropout_rate: 0.05, resolution: [768, 1024]}
      train:
        batch_size: 2
        steps: 2000
        lr: 1e-4
        optimizer: adamw8bit
        optimizer_params: {weight_decay: 0.01}
        train_text_encoder: false
        dtype: bf16
        ema_config: {use_ema: true}
      model: {name_or_path: xl.safetensors, is_xl: true}
      sample: {sample_every: 250, width: 1024, seed: 42, prompts: ["[trigger] laughing"]}
"""


def test_of_a_file_of_ai_toolkit_what_has_a_counterpart_is_taken() -> None:
    config, notes = loaded(AI_TOOLKIT, "anby.yaml")
    assert (config.model.pretrained_model_name_or_path, config.model.model_family) == ("xl.safetensors", "sdxl")
    (folder,) = config.dataset.subsets
    assert (folder.image_dir, folder.caption_extension, folder.caption_dropout_rate) == ("/sets/a", ".txt", 0.05)
    assert (config.dataset.resolution, config.dataset.enable_bucket) == ((768, 768), True)
    assert (config.run.max_train_steps, config.dataset.train_batch_size) == (2000, 2)
    assert (config.optimizer.learning_rate, config.optimizer.optimizer_type) == (1e-4, "AdamW8bit")
    assert config.optimizer.optimizer_args == ("weight_decay=0.01",)
    assert (config.network.network_dim, config.network.network_alpha) == (16, 8)
    assert config.network.network_train_unet_only is True
    assert (config.save.output_name, config.save.save_every_n_steps) == ("anby", 250)
    assert config.sample.sample_prompts == "anby laughing --w 1024 --d 42"
    for words in ("of the resolutions 768, 1024", "trigger_word anby was left out", "no counterpart here: ema_config"):
        assert words in notes


@pytest.mark.parametrize(
    ("text", "name", "program", "training", "family"),
    [
        (EASY, "a.toml", "LoRA_Easy_Training_Scripts", LORA, ""),
        (changed(flux_args={"args": {"ae": "x"}}), "a.json", "LoRA_Easy_Training_Scripts", LORA, "Flux"),
        (changed(train_mode={"train_mode": "ti"}), "a.json", "LoRA_Easy_Training_Scripts", TEXTUAL_INVERSION, ""),
        (json.dumps(ONETRAINER), "a.json", "OneTrainer", LORA, ""),
        (json.dumps({**ONETRAINER, "training_method": "FINE_TUNE"}), "a.json", "OneTrainer", FINE_TUNING, ""),
        (json.dumps({**ONETRAINER, "model_type": "FLUX_DEV_1"}), "a.json", "OneTrainer", LORA, "FLUX_DEV_1"),
        (AI_TOOLKIT, "a.yaml", "ai-toolkit", LORA, ""),
        (AI_TOOLKIT.replace("is_xl", "is_flux"), "a.yml", "ai-toolkit", LORA, "Flux"),
        (AI_TOOLKIT.replace("network:", "net:"), "a.yml", "ai-toolkit", FINE_TUNING, ""),
        ("--network_module=networks.lora_flux", "a.txt", "", LORA, "Flux"),
    ],
)  # fmt: skip
def test_a_nested_file_says_what_it_is(text: str, name: str, program: str, training: str, family: str) -> None:
    origin = origin_of(loads(text, name))
    assert (origin.program, origin.training, origin.family) == (program, training, family)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x [1]\nb: *x\n", "write each value out"), ("a: [", "not valid YAML"), ("- 1\n", "holds a list"),
        ("a: " + "[" * 500 + "]" * 500, "without end"), ("!!python/object:os.system {}", "not valid YAML"),
    ],
)  # fmt: skip
def test_a_yaml_that_is_no_settings_file_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        loads(text, "a.yaml")


WORDS = """# what I train with
--pretrained_model_name_or_path="D:\\models\\nai v1.safetensors" --train_data_dir=D:\\sets
--resolution=512,768 --network_dim=32 --shuffle_caption
--network_args conv_dim=8 "conv_alpha=4" --optimizer_args "betas=0.9, 0.99" weight_decay=0.1 \\
--unet_lr=1e-4 --text_encoder_lr 1e-5 --caption_extension='.txt'
"""


@pytest.mark.parametrize("name", ["params.txt", "train.sh", "settings.toml"])
def test_words_of_a_command_are_settings(name: str) -> None:
    config, _ = loaded(WORDS, name)
    assert config.model.pretrained_model_name_or_path == "D:\\models\\nai v1.safetensors"
    assert (config.dataset.train_data_dir, config.dataset.resolution) == ("D:\\sets", (512, 768))
    assert config.network.network_args == ("conv_dim=8", "conv_alpha=4")
    assert config.optimizer.optimizer_args == ("betas=0.9,0.99", "weight_decay=0.1")
    assert (config.optimizer.unet_lr, config.optimizer.text_encoder_lr) == (1e-4, 1e-5)
    assert (config.caption.shuffle_caption, config.caption.caption_extension) == (True, ".txt")


SCRIPT = """# LoRA
$pretrained_model = "./sd-models/model.ckpt" # base model
$is_v2_model = 0
$train_data_dir = "./train/aki"
$reg_data_dir = ""
$network_dim = 32
$resolution = "512,768"
$batch_size = 2
$max_train_epoches = 10
$train_unet_only = 1
$noise_offset = 0.1
$unet_lr = "1e-4"
$lr_restart_cycles = 3
$keep_tokens = 1
$image_dir = "not used below"
$scale_weight_normals = 1
$total = $batch_size * 3
$ext_args = [System.Collections.ArrayList]::new()
if ($is_v2_model) {
  [void]$ext_args.Add("--v2")
}
else {
  [void]$ext_args.Add("--clip_skip=$keep_tokens")
}
if ($train_unet_only) {
  [void]$ext_args.Add("--network_train_unet_only")
}
if ($reg_data_dir) {
  [void]$ext_args.Add("--reg_data_dir=" + $reg_data_dir)
}
if ($noise_offset -ne 0) {
  [void]$ext_args.Add("--noise_offset=$noise_offset")
}
accelerate launch --num_cpu_threads_per_process=8 "./sd-scripts/train_network.py" `
  --enable_bucket `
  --pretrained_model_name_or_path=$pretrained_model `
  --train_data_dir=$train_data_dir `
  --resolution=$resolution `
  --max_train_epochs=$max_train_epoches `
  --max_train_steps=$total `
  --unet_lr=$unet_lr `
  --lr_scheduler="cosine_with_restarts" `
  --lr_scheduler_num_cycles=$lr_restart_cycles `
  --train_batch_size=$batch_size `
  --xformers $ext_args
Write-Output "Train finished"
"""


def test_a_training_script_is_read_and_not_run() -> None:
    config, notes = loaded(SCRIPT, "train.ps1")
    assert (config.model.pretrained_model_name_or_path, config.model.v2) == ("./sd-models/model.ckpt", False)
    assert (config.dataset.train_data_dir, config.dataset.reg_data_dir) == ("./train/aki", None)
    assert (config.dataset.resolution, config.dataset.train_batch_size) == ((512, 768), 2)
    assert (config.run.max_train_epochs, config.optimizer.unet_lr, config.network.network_dim) == (10, 1e-4, 32)
    assert (config.network.network_train_unet_only, config.noise.noise_offset) == (True, 0.1)
    assert (config.schedule.lr_scheduler_num_cycles, config.caption.clip_skip) == (3, 1)
    assert (config.precision.xformers, config.network.scale_weight_norms, config.caption.keep_tokens) == (True, 1, 1)
    assert "Left out, since the script computes them: max_train_steps" in notes


def test_a_text_without_settings_is_refused_with_what_to_write() -> None:
    with pytest.raises(ConfigError, match=r"notes.txt holds no settings: write a --name=value a line"):
        loads("dear diary, today", "notes.txt")


@pytest.mark.parametrize(
    ("written", "arguments"),
    [
        ("decouple=True weight_decay=0.01", ["decouple=True", "weight_decay=0.01"]),
        ('"decouple=True" "betas=0.9,0.99"', ["decouple=True", "betas=0.9,0.99"]),
        ("betas=0.9, 0.99, d_coef = 2", ["betas=0.9,0.99", "d_coef=2"]),
        ("betas=(0.9, 0.99) eps=1e-8", ["betas=(0.9,0.99)", "eps=1e-8"]), ("a=1,b=2", ["a=1", "b=2"]),
        ('algo="lokr" conv_dim="8"', ["algo=lokr", "conv_dim=8"]), ("'eps=1e-8'", ["eps=1e-8"]),
        ("milestones=[1, 10,30] gamma=0.1", ["milestones=[1,10,30]", "gamma=0.1"]),
        ("step_rules=1:10,0.1:20,0.01", ["step_rules=1:10,0.1:20,0.01"]),
        ("preset=C:\\my folder\\x.toml", ["preset=C:\\my folder\\x.toml"]),
        ('preset="C:\\my folder\\x.toml" a=1', ["preset=C:\\my folder\\x.toml", "a=1"]),
        ("decouple=True stray d0=1", ["decouple=True", "stray", "d0=1"]), ("it's", ["it's"]), ("", []),
    ],
)  # fmt: skip
def test_arguments_on_one_line_are_split_with_or_without_quotes(written: str, arguments: list[str]) -> None:
    assert split_arguments(written) == arguments


@pytest.mark.parametrize("name", ["optimizer_args", "lr_scheduler_args", "network_args"])
def test_every_list_of_arguments_is_split(name: str) -> None:
    values = {"optimizer_args": '"weight_decay=0.1" betas=0.9,0.99', "network_args": "conv_dim=4 conv_alpha=1",
              "lr_scheduler_args": "T_max=10 eta_min=1e-6"}  # fmt: skip
    parsed = {}
    for form in (values[name], [values[name]], values[name].replace(" ", "\n")):
        config = parse({**NEEDED, name: form, "lr_scheduler_type": "CosineAnnealingLR"}).config
        section = {"optimizer_args": config.optimizer, "network_args": config.network}.get(name, config.schedule)
        parsed[str(form)] = getattr(section, name)
    assert len(set(parsed.values())) == 1 and all(len(found) == 2 for found in parsed.values())


# What other programs ignore: the values, what is said, and what counts afterwards.
IGNORED: list[tuple[dict[str, Any], str, str, Any]] = [
    ({"sample_every_n_epochs": 2}, "sample_every_n_epochs = 2 has no effect without sample_prompts", "sample", 2),
    ({"validation_split": 1.5}, "validation_split = 1.5 was read as off", "dataset.validation_split", 0),
    ({"optimizer_type": "DAdaptation", "text_encoder_lr": 0.5, "unet_lr": 1}, "the text encoder's 0.5, was taken",
     "optimizer.unet_lr", 0.5),
    ({"optimizer_type": "came_pytorch.CAME.CAME"}, "optimizer_type came_pytorch.CAME.CAME was read as CAME",
     "optimizer.optimizer_type", "CAME"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "words", "address", "value"), IGNORED, ids=lambda item: str(item)[:30])
def test_what_other_programs_ignore_is_noted(values: dict[str, Any], words: str, address: str, value: Any) -> None:
    parsed: Parsed = parse({**NEEDED, **values})
    assert words in said(parsed.notes)
    section, _, name = address.partition(".")
    if name:
        assert getattr(getattr(parsed.config, section), name) == value


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in WITHOUT_USE for kind in sorted(WITHOUT_USE[name])])
def test_a_network_that_does_not_use_an_option_trains_without_it(name: str, kind: str) -> None:
    algo = kind.partition("=")[2]
    network = {"network_module": "lycoris.kohya", "network_args": [kind]} if algo else {"network_module": kind}
    network |= {"network_args": ["unit=4"]} if kind == "networks.dylora" else {}
    parsed = parse({**NEEDED, **network, "network_dim": 16, name: 0.5})
    assert getattr(parsed.config.network, name) is None
    assert f"{name} = 0.5 was left out: {kind} does not use it" in said(parsed.notes)


@pytest.mark.parametrize("extension", [".none-use-foldername", ".txt-no", ".caption", "txt"])
def test_an_extension_that_no_caption_has_is_allowed(extension: str) -> None:
    assert parse({**NEEDED, "caption_extension": extension}).config.caption.caption_extension == extension


def test_all_pictures_of_a_data_set_may_be_for_validation() -> None:
    groups = [{"subsets": [{"image_dir": "a"}]}, {"subsets": [{"image_dir": "b"}], "validation_split": 1.0}]
    config = parse({**NEEDED, "datasets": groups}).config
    assert [group.validation_split for group in config.dataset.datasets] == [None, 1]


def test_a_script_trains_from_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "train.ps1"
    file.write_text(SCRIPT, encoding="utf-8")
    config = read(file, ["network_dim=8"]).config
    assert (config.network.network_dim, config.run.max_train_epochs) == (8, 10)
