"""[caption]: what is read beside a picture and what the text encoder gets of it. LIGHT."""

from __future__ import annotations

from typing import Literal

from trainer.config.fields import Section, parameter


class Caption(Section):
    """Captions"""

    caption_extension: str = parameter(".caption", "Caption extension", max_length=41)
    """Extension of the caption files. Taggers write .txt; a wrong extension here means training without captions."""

    caption_extention: str | None = parameter(
        None, "Caption extension (old spelling)", max_length=20, advanced=True, shown_when={"caption_extention": ["*"]}
    )
    """Old spelling of caption_extension, which it replaces; kept so that old files load."""

    shuffle_caption: bool = parameter(False, "Shuffle tags")
    """Mixes the order of the tags each time a picture is used, so that no tag wins by standing first. Good for tags,
    bad for sentences."""

    keep_tokens: int = parameter(0, "Tags kept in front", ge=0, le=1000)
    """So many tags at the front are never shuffled or dropped. 1 keeps a trigger word in its place, 2
    score_9 and source_anime of Pony styles, 0 suits other styles."""

    max_token_length: Literal[150, 225] | None = parameter(None, "Longest caption", unit="tokens")
    """Captions longer than 75 tokens are cut unless this is 150 or 225. 225 costs little."""

    clip_skip: int | None = parameter(None, "Clip skip", ge=1, le=12)
    """Which layer of the text encoder is used, counted from the end. 2 for anime models, empty or 1 for photo models;
    use the same when you generate."""

    caption_separator: str = parameter(",", "Tag separator", max_length=10, advanced=True)
    """What stands between two tags in the caption files, and between them after shuffling, with a space behind it."""

    keep_tokens_separator: str = parameter("", "Marker that ends the kept tags", max_length=20, advanced=True)
    """Text such as ||| in a caption: tags before it stay in front, tags behind a second one stay at the end."""

    secondary_separator: str | None = parameter(None, "Separator inside a tag group", max_length=10, advanced=True)
    """Tags joined with it stay together while shuffling; it becomes an ordinary separator afterwards."""

    enable_wildcard: bool = parameter(False, "Wildcards", advanced=True)
    """Captions may hold {red|blue} choices and several lines; one is chosen each time."""

    caption_prefix: str | None = parameter(None, "Caption prefix", max_length=1000, advanced=True)
    """Put before every caption, such as a trigger word that is missing in the files."""

    caption_suffix: str | None = parameter(None, "Caption suffix", max_length=1000, advanced=True)
    """Put behind every caption."""

    weighted_captions: bool = parameter(False, "Weights in captions", advanced=True)
    """Captions may hold (red:1.3) and [pale] to weigh their parts. Without it brackets are text."""

    no_token_padding: bool = parameter(False, "Captions without padding", advanced=True)
    """Short captions are not filled up to 77 tokens. For SD 1.x and 2.x and captions up to 75 tokens; only useful to
    go on with a training that did so."""

    caption_dropout_rate: float = parameter(0.0, "Caption dropout", ge=0, le=1, advanced=True)
    """Share of uses in which a picture is shown without any caption. Around 0.05 to 0.1 for styles."""

    caption_dropout_every_n_epochs: int = parameter(0, "No captions every … epochs", ge=0, advanced=True, unit="epochs")
    """In every such epoch all captions are left out. 0 is off."""

    caption_tag_dropout_rate: float = parameter(0.0, "Tag dropout", ge=0, le=1, advanced=True)
    """Chance that a single tag is left out. Kept tags stay."""

    token_warmup_min: int = parameter(1, "Tag warm-up: tags at the start", ge=0, le=1000, advanced=True)
    """Tags that are shown at step 0 while tag warm-up is on."""

    token_warmup_step: float = parameter(0, "Tag warm-up: steps", ge=0, advanced=True)
    """Step from which all tags are shown, or a share of the run when below 1. 0 is off."""
