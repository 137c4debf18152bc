"""[dataset]: pictures, repeats, buckets, batch, validation. LIGHT."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import BaseModel, model_validator
from pydantic_core import PydanticCustomError

from trainer.config.fields import Range, Resolution, Section, parameter

Interpolation = Literal["lanczos", "nearest", "bilinear", "linear", "bicubic", "cubic", "area", "box"]
AnySection = TypeVar("AnySection", bound=BaseModel)
RENAMED = {"batch_size": "train_batch_size", "num_repeats": "dataset_repeats"}  # their name -> the run's


class SubsetOptions(Section):
    """What a folder, a data set or the whole run may decide about pictures and captions. None: ask the next one."""

    num_repeats: int | None = parameter(None, "Repeats", ge=1, le=10000)
    """How often each picture is shown in an epoch. Empty: dataset_repeats."""
    class_tokens: str | None = parameter(None, "Caption for pictures without one")
    """Used where a picture has no caption file."""
    caption_extension: str | None = parameter(None, "Caption extension", max_length=20)
    """Extension of the caption files."""
    cache_info: bool | None = parameter(None, "Keep captions and sizes in a file")
    """Overrides the run's setting."""
    shuffle_caption: bool | None = parameter(None, "Shuffle tags")
    """Overrides the run's setting."""
    keep_tokens: int | None = parameter(None, "Tags kept in front", ge=0, le=1000)
    """Overrides the run's setting."""
    keep_tokens_separator: str | None = parameter(None, "Marker that ends the kept tags", max_length=20)
    """Overrides the run's setting."""
    secondary_separator: str | None = parameter(None, "Separator inside a tag group", max_length=10)
    """Overrides the run's setting."""
    caption_separator: str | None = parameter(None, "Tag separator", min_length=1, max_length=10)
    """Overrides the run's setting."""
    enable_wildcard: bool | None = parameter(None, "Wildcards")
    """Overrides the run's setting."""
    caption_prefix: str | None = parameter(None, "Caption prefix", max_length=1000)
    """Overrides the run's setting."""
    caption_suffix: str | None = parameter(None, "Caption suffix", max_length=1000)
    """Overrides the run's setting."""
    caption_dropout_rate: float | None = parameter(None, "Caption dropout", ge=0, le=1)
    """Overrides the run's setting."""
    caption_dropout_every_n_epochs: int | None = parameter(None, "No captions every … epochs", ge=0)
    """Overrides the run's setting."""
    caption_tag_dropout_rate: float | None = parameter(None, "Tag dropout", ge=0, le=1)
    """Overrides the run's setting."""
    token_warmup_min: int | None = parameter(None, "Tag warm-up: tags at the start", ge=0, le=1000)
    """Overrides the run's setting."""
    token_warmup_step: float | None = parameter(None, "Tag warm-up: steps", ge=0)
    """Overrides the run's setting."""
    flip_aug: bool | None = parameter(None, "Flip")
    """Overrides the run's setting."""
    color_aug: bool | None = parameter(None, "Change colours a little")
    """Overrides the run's setting."""
    random_crop: bool | None = parameter(None, "Crop anywhere")
    """Overrides the run's setting."""
    face_crop_aug_range: Range | None = parameter(None, "Crop around the face")
    """Overrides the run's setting."""
    resize_interpolation: Interpolation | None = parameter(None, "Resize filter")
    """Overrides the run's setting."""
    diff_output_preservation: bool | None = parameter(None, "Keep what the base draws")
    """These pictures teach the LoRA to leave what the base model predicts for them as it is. Costs a second prediction.
    In files of sd-scripts it stands under custom_attributes."""


class Subset(SubsetOptions):
    """One picture folder with options of its own: an entry of a [[...subsets]] list. None asks the data set, then the
    run.

    metadata_file makes it a folder whose captions stand in one JSON file (image_dir may then be left out),
    conditioning_data_dir one with mask pictures.
    """

    image_dir: str | None = parameter(None, "Picture folder", role="folder")
    """Folder that holds the pictures and their captions. Its name is not read for repeats."""
    metadata_file: str | None = parameter(None, "Captions in one file", role="file")
    """JSON or JSONL file with the captions and tags of the pictures."""
    conditioning_data_dir: str | None = parameter(None, "Mask folder", role="folder")
    """Folder with one mask picture of the same name and size for each picture; needs masked_loss. White counts, black
    does not."""
    is_reg: bool = parameter(False, "Regularisation pictures")
    """Pictures of the ordinary class; they keep the model from forgetting it."""
    alpha_mask: bool | None = parameter(None, "Transparency is the mask")
    """Overrides the run's setting."""

    @model_validator(mode="after")
    def _has_pictures(self) -> Subset:
        if not self.image_dir and not self.metadata_file:
            raise PydanticCustomError("no_pictures", "image_dir is missing; name the picture folder")
        if self.is_reg and self.metadata_file:
            raise PydanticCustomError(
                "no_reg", "pictures of a metadata_file cannot be regularisation pictures; name a plain image_dir"
            )
        return self


class DatasetGroup(SubsetOptions):
    """Folders trained at a size and batch size of their own: an entry of [[dataset.datasets]]. Batches never mix two
    of them."""

    resolution: Resolution | None = parameter(None, "Resolution", unit="px")
    """Overrides the run's setting."""
    batch_size: int | None = parameter(None, "Batch size", ge=1, le=1024)
    """Overrides the run's train_batch_size."""
    enable_bucket: bool | None = parameter(None, "Sort into buckets")
    """Overrides the run's setting."""
    min_bucket_reso: int | None = parameter(None, "Smallest bucket side", ge=64, le=8192, unit="px")
    """Overrides the run's setting."""
    max_bucket_reso: int | None = parameter(None, "Largest bucket side", ge=64, le=8192, unit="px")
    """Overrides the run's setting."""
    bucket_reso_steps: int | None = parameter(None, "Bucket step", ge=1, le=1024, unit="px")
    """Overrides the run's setting."""
    bucket_no_upscale: bool | None = parameter(None, "Never enlarge pictures")
    """Overrides the run's setting."""
    alpha_mask: bool | None = parameter(None, "Transparency is the mask")
    """Overrides the run's setting."""
    validation_split: float | None = parameter(None, "Part kept for validation", ge=0, le=1)
    """Overrides the run's setting."""
    validation_seed: int | None = parameter(None, "Validation seed", ge=0)
    """Overrides the run's setting."""
    subsets: tuple[Subset, ...] = parameter(..., "Folders", min_length=1)
    """The folders of this data set."""


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

    datasets: tuple[DatasetGroup, ...] = parameter((), "Data sets with own size and batch", advanced=True)
    """Groups of folders, each with a resolution, batch size and bucket settings of its own; no batch mixes them."""

    dataset_config: str | None = parameter(None, "Data set file", role="file", advanced=True)
    """TOML or JSON file of sd-scripts that lists data sets and folders. The folders named above are then not used."""

    in_json: str | None = parameter(None, "Captions in one file", role="file", advanced=True)
    """JSON or JSONL file with the captions of the pictures in the training folder, as finetune tools write it. The
    training folder then holds the pictures themselves."""

    prior_loss_weight: float = parameter(
        1.0, "Weight of regularisation pictures", ge=0, le=100, advanced=True, shown_when={"reg_data_dir": ["*"]}
    )
    """How much regularisation pictures count against yours. 1 counts them alike."""

    dataset_repeats: int = parameter(1, "Repeats of listed folders", ge=1, le=10000, advanced=True)
    """Repeats for listed folders that name none of their own. The number in a folder's name wins."""

    resolution: Resolution | None = parameter(None, "Resolution", unit="px")
    """Training size as one side (512) or width,height (512,768). With buckets only its area counts. SD 1.5: 512,
    or 768 for styles, which wants twice the steps; SDXL: 1024, not less. Higher shows finer detail and costs time."""

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
        64, "Bucket step", ge=1, le=1024, unit="px", advanced=True, shown_when={"enable_bucket": [True]}
    )
    """Bucket sides are multiples of this: of 64 for Stable Diffusion 1.x and 2.x, of 32 for SDXL."""

    bucket_no_upscale: bool = parameter(False, "Never enlarge pictures", shown_when={"enable_bucket": [True]})
    """Pictures smaller than the resolution stay as they are; buckets are then made from the pictures' own sizes."""

    resize_interpolation: Interpolation | None = parameter(None, "Resize filter", advanced=True)
    """Filter for fitting pictures to their bucket. Empty: area when shrinking, Lanczos when enlarging."""

    ignore_exif_orientation: bool = parameter(False, "Ignore the camera's rotation", advanced=True)
    """Photos are taken as their pixels are stored, as sd-scripts does: those of a camera held upright lie on their
    side. Only to repeat such a training. Off: pictures stand as programs show them."""

    flip_aug: bool = parameter(False, "Mirror pictures at random")
    """Shows each picture mirrored half of the time. Good for styles; not for characters with one-sided details or for
    text."""

    true_crop_coordinates: bool = parameter(False, "True crop coordinates", advanced=True)
    """SDXL is told where a picture was really cropped. Off: the numbers that sd-scripts tells it, which are those of
    another rectangle."""

    color_aug: bool = parameter(False, "Change colours a little", advanced=True)
    """Shifts hue or brightness a little in a third of the uses. Not with cached latents, nor where colour matters."""

    random_crop: bool = parameter(False, "Crop anywhere", advanced=True)
    """Takes what does not fit the training size away at a random place in place of evenly on both sides. Not with
    cached latents."""

    face_crop_aug_range: Range | None = parameter(
        None, "Crop around the face", advanced=True, shown_when={"enable_bucket": [False]}
    )
    """Smallest and largest size of the face, as shares such as 1.0,3.0, for pictures named with the place of the face
    (name_x_y_width_height.png). Only without buckets and without cached latents."""

    alpha_mask: bool = parameter(False, "Transparency is the mask", advanced=True)
    """See-through parts of the pictures are not learned, half see-through ones half."""

    masked_loss: bool = parameter(False, "Masked loss", advanced=True)
    """Lets folders with mask pictures (conditioning_data_dir) be used: white parts are learned, black ones not."""

    cache_info: bool = parameter(False, "Keep captions and sizes in a file", advanced=True)
    """Keeps captions and sizes in metadata_cache.json in each picture folder and reads them from there the next time.
    For huge folders; delete the file after changing captions."""

    validation_split: float = parameter(0.0, "Part kept for validation", ge=0, le=1, advanced=True)
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


@dataclass(frozen=True)
class Owner:
    """Who decides for some pictures: a data set (None for the run's own one) and a folder (None for N_name folders)."""

    group: DatasetGroup | None = None
    subset: Subset | None = None

    def decided(self, section: AnySection) -> AnySection:
        """A section of the run with what the data set and then the folder decide for themselves."""
        return effective(section, (self.group, self.subset))

    def place(self) -> str:
        """How it is named in a sentence; empty for the run's own settings."""
        if self.subset is not None:
            return self.subset.image_dir or self.subset.metadata_file or ""
        return ""


def owners(dataset: Dataset) -> list[Owner]:
    """Everybody who may decide something: the run for its own folders, then each listed folder."""
    found = [Owner()] if dataset.train_data_dir or dataset.reg_data_dir or dataset.in_json else []
    found += [Owner(None, subset) for subset in dataset.subsets]
    return found + [Owner(group, subset) for group in dataset.datasets for subset in group.subsets]


def of_each_group(dataset: Dataset) -> tuple[Dataset, ...]:
    """The options of every data set: first the run's own, which may be empty, then each of [[dataset.datasets]]."""
    return (dataset, *(effective(dataset, [group]) for group in dataset.datasets))


def effective(section: AnySection, owners: Iterable[BaseModel | None]) -> AnySection:
    """The section with what these owners (a data set, then a folder) decide for themselves; the last one wins.

    An explicit false or 0 counts; only None asks the one before.
    """
    fields = type(section).model_fields
    changes = {}
    for owner in owners:
        for name in type(owner).model_fields if owner is not None else ():
            value, target = getattr(owner, name), RENAMED.get(name, name)
            if value is not None and target in fields and name != "subsets":
                changes[target] = value
    return section.model_copy(update=changes) if changes else section
