"""How sides of weights are cut in two, against LyCORIS itself and numbers of its documentation."""

from __future__ import annotations

import pytest

from trainer.networks.factorization import butterfly_factorization, factorization, smallest_butterfly_side


@pytest.mark.parametrize(
    ("dimension", "factor", "pair"),
    [(127, -1, (1, 127)), (128, -1, (8, 16)), (128, 4, (4, 32)), (250, 8, (5, 50)), (360, 16, (15, 24)),
     (512, 8, (8, 64)), (1024, -1, (32, 32)), (320, -1, (16, 20)), (16, 32, (4, 4))],
)  # fmt: skip
def test_a_side_is_cut_in_two(dimension: int, factor: int, pair: tuple[int, int]) -> None:
    assert factorization(dimension, factor) == pair


def test_lycoris_cuts_every_side_the_same_way() -> None:
    theirs = pytest.importorskip("lycoris.functional.general", reason="lycoris-lora is a development dependency")
    for dimension in [*range(1, 200), 320, 640, 768, 1024, 1280, 2048, 2560, 3072, 5120, 10240]:
        for factor in (-1, 1, 2, 3, 4, 8, 10, 16, 32, 64):
            assert factorization(dimension, factor) == theirs.factorization(dimension, factor), (dimension, factor)


def test_butterfly_blocks_are_those_of_lycoris() -> None:
    theirs = pytest.importorskip("lycoris.functional.general", reason="lycoris-lora is a development dependency")
    for dimension in [*range(2, 130), 320, 640, 768, 1280, 2560, 3072, 5120]:
        for factor in (2, 4, 6, 8, 10, 16, 32, 64):
            expected = theirs.power2factorization(dimension, factor)
            assert butterfly_factorization(dimension, factor) == (expected if expected[1] else None)


@pytest.mark.parametrize(("dimension", "side"), [(320, 10), (1280, 10), (768, 6), (64, 2), (4, 2), (63, None)])
def test_the_smallest_butterfly_side_is_known(dimension: int, side: int | None) -> None:
    assert smallest_butterfly_side(dimension) == side
