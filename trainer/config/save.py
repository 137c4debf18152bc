"""[save]: files, metadata, states. LIGHT."""

from __future__ import annotations

from typing import Literal

from trainer.config.fields import Section, parameter


class Save(Section):
    """Saving"""

    output_name: str | None = parameter(None, "Name of the LoRA", max_length=100)
    """File name without extension. Empty: last, and epoch-000001 or at-step00000001 for those in between. An existing
    file is never overwritten; the new one gets a number."""

    output_dir: str | None = parameter(None, "Output folder", role="folder")
    """Where the LoRA is written. Empty: ./output."""

    save_model_as: Literal["safetensors", "ckpt", "pt"] = parameter("safetensors", "File format", advanced=True)
    """safetensors can hold no harmful code and carries the training data's description; every program reads it. ckpt
    and pt are for old programs: they hold the weights alone."""

    save_precision: Literal["float", "fp16", "bf16"] | None = parameter(None, "Precision of the file")
    """fp16 halves the file without visible loss. Empty: as trained."""

    save_every_n_epochs: int | None = parameter(None, "Save every … epochs", ge=1, unit="epochs")
    """Writes the LoRA in between, so that you can compare and take the best one."""

    save_every_n_steps: int | None = parameter(None, "Save every … steps", ge=1, unit="steps", advanced=True)
    """Writes the LoRA every so many steps."""

    save_n_epoch_ratio: int | None = parameter(None, "Saves in all", ge=1, advanced=True)
    """Saves about so many times over the run, in place of the epochs above."""

    save_last_n_epochs: int | None = parameter(None, "Keep the last … epoch files", ge=1, advanced=True)
    """Older epoch files of this run are removed. Empty: all are kept."""

    save_last_n_steps: int | None = parameter(
        None, "Keep step files of the last … steps", ge=1, advanced=True, unit="steps"
    )
    """Step files older than so many steps are removed. Empty: all are kept."""

    save_state: bool = parameter(False, "Save training states", advanced=True)
    """Writes a state beside every save, to go on from there exactly. A stopped run always saves one."""

    save_state_on_train_end: bool = parameter(False, "Save a state at the end", advanced=True)
    """So that a finished run can be made longer."""

    save_last_n_epochs_state: int | None = parameter(None, "Keep the last … epoch states", ge=1, advanced=True)
    """Older states are removed. Empty: as for the files."""

    save_last_n_steps_state: int | None = parameter(
        None, "Keep states of the last … steps", ge=1, advanced=True, unit="steps"
    )
    """Older states are removed. Empty: as for the files."""

    resume: str | None = parameter(None, "Go on from a state", role="state", advanced=True)
    """A state folder of an earlier run, or the folder that holds its states: then the newest whole one. Training goes
    on at the very step, with the same numbers as if it had never stopped."""

    initial_epoch: int | None = parameter(None, "Begin at epoch", ge=1, advanced=True)
    """Counts from this epoch on, in file names and for the learning rate. Wins over the place a state was saved at."""

    initial_step: int | None = parameter(None, "Begin at step", ge=1, advanced=True, unit="steps")
    """Counts from this step on, so many steps being held for done. Wins over the epoch above; must be below the length
    of the run."""

    skip_until_initial_step: bool = parameter(False, "Skip what was trained", advanced=True)
    """Begins in the middle of the epoch, at the very batch of the step above, in place of the epoch's first batch. A
    run that goes on from a state always does."""

    training_comment: str | None = parameter(None, "Comment", max_length=2000, advanced=True)
    """Free text, kept in the file."""

    no_metadata: bool = parameter(False, "Leave out training details", advanced=True)
    """Writes only what programs need; tags, folder names and settings stay private."""

    metadata_title: str | None = parameter(None, "Title", max_length=300, advanced=True)
    """Shown by programs that list LoRAs. Empty: the output name."""

    metadata_author: str | None = parameter(None, "Author", max_length=300, advanced=True)
    """Kept in the file."""

    metadata_description: str | None = parameter(None, "Description", max_length=5000, advanced=True)
    """Kept in the file."""

    metadata_license: str | None = parameter(None, "Licence", max_length=300, advanced=True)
    """Kept in the file."""

    metadata_tags: str | None = parameter(None, "Tags", max_length=1000, advanced=True)
    """Comma-separated words, kept in the file."""

    metadata_trigger_phrase: str | None = parameter(None, "Trigger word", max_length=300, advanced=True)
    """Tells others what to write in the prompt; kept in the file."""

    metadata_usage_hint: str | None = parameter(None, "Usage hint", max_length=2000, advanced=True)
    """Kept in the file."""

    metadata_thumbnail: str | None = parameter(
        None, "Picture of the LoRA", max_length=2_000_000, role="file", advanced=True
    )
    """A .jpg, .png or .webp file, kept small inside the LoRA; programs that list LoRAs show it. A data: address is
    taken as it is."""

    metadata_merged_from: str | None = parameter(None, "Merged from", max_length=2000, advanced=True)
    """Names of the models that this one was made of; kept in the file."""

    metadata_preprocessor: str | None = parameter(None, "Preparation", max_length=300, advanced=True)
    """How pictures have to be prepared before use; kept in the file. Empty for ordinary LoRAs."""

    metadata_is_negative_embedding: str | None = parameter(
        None, "For the negative prompt", max_length=20, advanced=True
    )
    """Write true when the file belongs into the negative prompt; kept in the file. Empty for ordinary LoRAs."""
