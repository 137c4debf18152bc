"""The validation loss: one number for the same pictures and weights, however they are batched."""

from __future__ import annotations

import pytest
from place import Place

from trainer.families.diffusion import DiffusionFamily


@pytest.mark.parametrize("cached", [True, False])
def test_the_validation_loss_does_not_depend_on_the_batch_size(place: Place, cached: bool) -> None:
    measured = []
    for size in (1, 2, 3):
        # so small a rate leaves the weights as good as untouched; 3 of 5 pictures are kept back
        assert place.train(f"job{size}", train_batch_size=size, validation_split=0.6, max_train_epochs=1, unet_lr=1e-12,
                           text_encoder_lr=1e-12, cache_latents=cached, max_data_loader_n_workers=0) == 0  # fmt: skip
        measured += [event["loss"] for event in place.events(f"job{size}") if event["event"] == "validation"]
    assert len(measured) == 3 and measured[1:] == pytest.approx([measured[0]] * 2, rel=1e-5)


def test_held_out_pictures_are_measured_with_the_prefix_and_unshuffled(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode, asked = DiffusionFamily.encode_captions, []

    def recording(self, captions, *more):
        asked.append(list(captions))
        return encode(self, captions, *more)

    monkeypatch.setattr(DiffusionFamily, "encode_captions", recording)
    assert place.train(validation_split=0.6, max_train_epochs=None, max_train_steps=1, caption_prefix="anby,") == 0
    tags = {f"anby, cat, red, tag {number}" for number in range(5)}
    assert len(asked) > 1 and all(set(captions) <= tags for captions in asked[1:])
