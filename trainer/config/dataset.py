"""[dataset]: pictures, repeats, buckets, batch, validation. LIGHT."""

from __future__ import annotations

from typing import Literal

from trainer.config.fields import Resolution, Section, parameter

Interpolation = Literal["lanczos", "nearest", "bilinear", "linear", "bicubic", "cubic", "area", "box"]


class Subset(Section):
    """One picture folder with options of its own: an entry of [[dataset.subsets]]. None follows the whole run."""

    image_dir: str = parameter(..., "Picture folder", role="folder")
    """Folder that holds the pictures and their captions. Its name is not read for repeats."""
    num_repeats: int = parameter(1, "Repeats", ge=1, le=10000)
    """How often each picture is shown in an epoch."""
    class_tokens: str | None = parameter(None, "Caption for pictures without one")
    """Used where a picture has no caption file."""
    is_reg: bool = parameter(False, "Regularisation pictures")
    """Pictures of the ordinary class; they keep the model from forgetting it."""
    caption_extension: str | None = parameter(None, "Caption extension")
    """Extension of the caption files of this folder."""
    shuffle_caption: bool | None = parameter(None, "Shuffle tags")
    """Overrides the run's setting for this folder."""
    keep_tokens: int | None = parameter(None, "Tags kept in front", ge=0, le=1000)
    """Overrides the run's setting for this folder."""
    flip_aug: bool | None = parameter(None, "Flip")
    """Overrides the run's setting for this folder."""
    caption_prefix: str | None = parameter(None, "Caption prefix")
    """Overrides the run's setting for this folder."""
    caption_suffix: str | None = parameter(None, "Caption suffix")
    """Overrides the run's setting for this folder."""
    caption_dropout_rate: float | None = parameter(None, "Caption dropout", ge=0, le=1)
    """Overrides the run's setting for this folder."""
    caption_tag_dropout_rate: float | None = parameter(None, "Tag dropout", ge=0, le=1)
    """Overrides the run's setting for this folder."""


class Dataset(Section):
    """Data set"""

    train_data_dir: str | None = parameter(None, "Training pictures", role="folder")
    """The folder ABOVE your picture folders. Each picture folder is named with its repeats, such as 10_anby: every
    picture in it is shown 10 times an epoch."""

    reg_data_dir: str | None = parameter(None, "Regularisation pictures", role="folder", advanced=True)
    """Folder above N_name folders with pictures of the ordinary class. They keep the model from drawing your subject
    everywhere; most LoRAs need none."""

    subsets: tuple[Subset, ...] = parameter((), "Folders with own options", advanced=True)
    """Picture folders listed one by one, each with repeats and caption options; used in place of or beside the
    training folder."""

    prior_loss_weight: float = parameter(
        1.0, "Weight of regularisation pictures", ge=0, le=100, advanced=True, shown_when={"reg_data_dir": ["*"]}
    )
    """How much regularisation pictures count against yours. 1 counts them alike."""

    dataset_repeats: int = parameter(1, "Repeats of listed folders", ge=1, le=10000, advanced=True)
    """Repeats for listed folders that name none of their own. The number in a folder's name wins."""

    resolution: Resolution | None = parameter(None, "Resolution", unit="px")
    """Training size as one side (512) or width,height (512,768). With buckets only its area counts. SD 1.5: 512 to
    768; higher shows finer detail and costs memory and time."""

    train_batch_size: int = parameter(1, "Batch size", ge=1, le=1024)
    """Pictures per training step. More is smoother and needs more memory; with few pictures keep it small."""

    enable_bucket: bool = parameter(False, "Sort into buckets")
    """Groups pictures by shape so that upright and wide ones are not cropped to one format. Leave it on unless all
    have one size."""

    min_bucket_reso: int = parameter(
        256, "Smallest bucket side", ge=64, le=8192, unit="px", advanced=True, shown_when={"enable_bucket": [True]}
    )
    """No bucket has a side shorter than this."""

    max_bucket_reso: int = parameter(
        1024, "Largest bucket side", ge=64, le=8192, unit="px", advanced=True, shown_when={"enable_bucket": [True]}
    )
    """No bucket has a side longer than this."""

    bucket_reso_steps: int = parameter(
        64, "Bucket step", ge=8, le=1024, unit="px", advanced=True, shown_when={"enable_bucket": [True]}
    )
    """Bucket sides are multiples of this; 64 for Stable Diffusion 1.x."""

    bucket_no_upscale: bool = parameter(False, "Never enlarge pictures", shown_when={"enable_bucket": [True]})
    """Pictures smaller than the resolution stay as they are; buckets are then made from the pictures' own sizes."""

    resize_interpolation: Interpolation | None = parameter(None, "Resize filter", advanced=True)
    """Filter for fitting pictures to their bucket. Empty: area when shrinking, Lanczos when enlarging."""

    flip_aug: bool = parameter(False, "Mirror pictures at random")
    """Shows each picture mirrored half of the time. Good for styles; not for characters with one-sided details or for
    text."""

    validation_split: float = parameter(0.0, "Part kept for validation", ge=0, lt=1, advanced=True)
    """Share of the pictures that is not trained on but used to measure a fixed-noise validation loss. 0 is off; 0.1
    keeps every tenth."""

    validation_seed: int | None = parameter(None, "Validation seed", ge=0, advanced=True)
    """Decides which pictures are kept back and the noise they are measured with. Empty: the run's seed."""

    validate_every_n_epochs: int | None = parameter(None, "Validate every … epochs", ge=1, advanced=True, unit="epochs")
    """Empty: after every epoch, when pictures are kept back."""

    validate_every_n_steps: int | None = parameter(None, "Validate every … steps", ge=1, advanced=True, unit="steps")
    """Measures the validation loss every so many steps as well."""

    max_validation_steps: int | None = parameter(None, "Validation batches at most", ge=1, advanced=True)
    """Limits how long one validation takes."""
