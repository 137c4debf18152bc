"""How a side of a weight is cut in two, as LyCORIS does it: the shapes in files follow from it. LIGHT."""

from __future__ import annotations


def factorization(dimension: int, factor: int = -1) -> tuple[int, int]:
    """Two factors of `dimension`, the smaller first: 128 -> (8, 16), with factor 4 -> (4, 32).

    A factor that divides is taken as it is; otherwise the most balanced pair whose smaller member is at most `factor`
    (-1: no bound). A prime gives (1, dimension). Source: LyCORIS' functional.general, KOHYA_COMPAT 6.9.
    """
    if factor > 0 and dimension % factor == 0:
        small, large = sorted((factor, dimension // factor))
        return small, large
    bound = dimension if factor < 0 else factor
    small = max(divisor for divisor in _divisors_up_to_root(dimension) if divisor <= max(bound, 1))
    return small, dimension // small


def _divisors_up_to_root(dimension: int) -> list[int]:
    return [divisor for divisor in range(1, int(dimension**0.5) + 1) if dimension % divisor == 0]


def butterfly_factorization(dimension: int, factor: int) -> tuple[int, int] | None:
    """(even block side, number of blocks, a power of two); None where there is none with a side up to `factor`.

    The largest side that fits is taken: 320 with factor 16 -> (10, 32). Liu et al. 2023, arXiv:2311.06243.
    """
    sides = [side for side in range(2, min(factor, dimension) + 1, 2) if dimension % side == 0]
    fitting = [side for side in sides if (dimension // side).bit_count() == 1]
    return (fitting[-1], dimension // fitting[-1]) if fitting else None


def smallest_butterfly_side(dimension: int) -> int | None:
    """The smallest even block side that leaves a power of two of blocks: 2 for 64, 10 for 320, None for odd numbers."""
    found = butterfly_factorization(dimension, dimension)
    if found is None:
        return None
    side = found[0]
    while side % 4 == 0:
        side //= 2
    return side
