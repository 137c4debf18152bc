"""Kept text encodings: as encoding at every use, renewed when anything changes; sd-scripts' files on request."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.families.base import Conditioning
from trainer.families.emphasis import plain
from trainer.loading.texts import KeptTexts, write_te_outputs


class Encoder:
    """Something like a pair of text encoders, that counts how often it is asked."""

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        self.asked: list[str] = []
        self.dtype = dtype

    def __call__(self, captions: list[str]) -> Conditioning:
        self.asked += captions
        numbers = torch.tensor([[float(len(caption))] for caption in captions])
        context = numbers[:, None].expand(-1, 77, 5).clone().to(self.dtype)
        return Conditioning(context, numbers.expand(-1, 3).clone().to(self.dtype))


def silent(done: int, total: int) -> None:
    """No progress is shown."""


def kept(encoder: Encoder, identity: str, folder: Path | None = None) -> KeptTexts:
    made = KeptTexts(encoder, identity, folder)
    made.prepare(["a", "bcd", "a"], silent)
    return made


def test_a_caption_is_encoded_once_and_given_in_any_batch():
    encoder = Encoder()
    texts = kept(encoder, "one")
    assert sorted(encoder.asked) == ["a", "bcd"]
    batch = texts(["bcd", "a", "bcd"])
    assert batch.context[:, 0, 0].tolist() == [3.0, 1.0, 3.0]
    assert batch.pooled is not None
    assert batch.pooled[:, 2].tolist() == [3.0, 1.0, 3.0]


def test_kept_files_serve_the_next_run_and_no_other_text_encoder(tmp_path):
    kept(Encoder(), "one", tmp_path)
    again, other = Encoder(), Encoder()
    assert kept(again, "one", tmp_path)(["bcd"]).context[0, 0, 0] == 3
    assert again.asked == []
    kept(other, "two", tmp_path)
    assert sorted(other.asked) == ["a", "bcd"]


def test_captions_of_the_same_words_share_a_file_that_no_earlier_reading_made(tmp_path):
    texts = KeptTexts(Encoder(), "one", tmp_path, plain)
    assert texts.identity(r"nero \(fate\)") == texts.identity("nero (fate)")
    earlier = KeptTexts(Encoder(), "one", tmp_path)
    assert earlier.identity(r"nero \(fate\)") != texts.identity(r"nero \(fate\)")


def test_a_damaged_file_is_made_anew(tmp_path):
    kept(Encoder(), "one", tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(b"cut")
    again = Encoder()
    assert kept(again, "one", tmp_path)(["a"]).context[0, 0, 0] == 1
    assert sorted(again.asked) == ["a", "bcd"]


def arrays(picture: Path) -> dict[str, np.ndarray]:
    with np.load(picture.with_name(f"{picture.stem}_te_outputs.npz"), allow_pickle=False) as found:
        return dict(found)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_sd_scripts_finds_its_three_arrays_beside_the_picture(tmp_path, dtype):
    picture = tmp_path / "girl.v2.png"
    write_te_outputs(picture, "bcd", kept(Encoder(dtype), "one"), 2, pytest.fail)
    found = arrays(picture)
    stored = np.float16 if dtype == torch.float16 else np.float32
    shapes = {"hidden_state1": (77, 2), "hidden_state2": (77, 3), "pool2": (3,)}
    assert {name: found[name].shape for name in shapes} == shapes
    assert {found[name].dtype for name in shapes} == {np.dtype(stored)}
    assert (found["hidden_state2"] == 3).all()


def test_our_file_is_renewed_when_the_caption_changes_and_left_when_not(tmp_path):
    picture, texts = tmp_path / "a.png", kept(Encoder(), "one")
    write_te_outputs(picture, "a", texts, 2, pytest.fail)
    before = picture.with_name("a_te_outputs.npz").stat().st_mtime_ns
    write_te_outputs(picture, "a", texts, 2, pytest.fail)
    assert picture.with_name("a_te_outputs.npz").stat().st_mtime_ns == before
    write_te_outputs(picture, "bcd", texts, 2, pytest.fail)
    assert (arrays(picture)["pool2"] == 3).all()


def test_a_file_of_sd_scripts_itself_is_never_overwritten(tmp_path):
    picture, said = tmp_path / "a.png", []
    np.savez(tmp_path / "a_te_outputs.npz", hidden_state1=np.zeros((77, 2)))
    write_te_outputs(picture, "a", kept(Encoder(), "one"), 2, said.append)
    assert "written by another program and stays as it is" in said[0]
    assert list(arrays(picture)) == ["hidden_state1"]


def test_a_damaged_file_beside_a_picture_is_told_and_left(tmp_path):
    (tmp_path / "a_te_outputs.npz").write_bytes(b"PK\x03\x04cut")
    said: list[str] = []
    write_te_outputs(tmp_path / "a.png", "a", kept(Encoder(), "one"), 2, said.append)
    assert "stays as it is" in said[0]
    assert (tmp_path / "a_te_outputs.npz").read_bytes() == b"PK\x03\x04cut"
