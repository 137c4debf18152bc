"""Small trainable networks beside a frozen model. They know named layers, not model families.

base.py says what the change of one layer is, network.py holds all of them, each method has a file of its own.
methods.py is their table. LIGHT at import: torch comes with `attach` and `merge`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trainer.networks.options import NetworkOptions, network_options

if TYPE_CHECKING:
    from torch import Tensor

    from trainer.networks.base import Target
    from trainer.networks.network import Network

__all__ = ["NetworkOptions", "attach", "merge", "network_options", "of_file", "plan", "renamed"]


def attach(
    targets: Sequence[Target], options: NetworkOptions, seed: int, like: Mapping[str, Tensor] | None = None
) -> Network:
    """Build a network over those of the targets that its method adapts, and wrap their layers.

    Initial values depend on (seed, layer name) only. like: tensors of a file that decides which layers are adapted, by
    which method and with which sizes. Raises NetworkError when nothing can be adapted.
    """
    from trainer.networks import network

    return network.attach(targets, options, seed, like)


def of_file(targets: Sequence[Target], state: Mapping[str, Tensor], path: str) -> tuple[Network, Mapping[str, Tensor]]:
    """The network that a file of any method is made for, without its weights, and the file's tensors by our names.

    Raises NetworkError when nothing of it belongs to the model.
    """
    from trainer.networks import network

    return network.of_file(targets, state, path)


def plan(targets: Sequence[Target], options: NetworkOptions, like: Mapping[str, Tensor] | None = None) -> Network:
    """What `attach` would build, without initial values and attached to nothing; layers may have no weights yet."""
    from trainer.networks import network

    return network.plan(targets, options, like)


def merge(targets: Sequence[Target], state: Mapping[str, Tensor], multiplier: float, path: str) -> list[str]:
    """Add the changes of a LoRA file to the frozen weights; see network.merge."""
    from trainer.networks import network

    return network.merge(targets, state, multiplier, path)


def renamed(targets: Sequence[Target], state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """A file's tensors under the names used here; see network.renamed."""
    from trainer.networks import network

    return network.renamed(targets, state)
