"""Small trainable networks beside a frozen model. They know named layers, not model families.

base.py says what the change of one layer is, network.py holds all of them, each method has a file of its own.
methods.py is their table. LIGHT at import: torch comes with `attach`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trainer.networks.options import NetworkOptions, network_options

if TYPE_CHECKING:
    from torch import Tensor

    from trainer.networks.base import Target
    from trainer.networks.network import Network

__all__ = ["NetworkOptions", "attach", "network_options"]


def attach(
    targets: Sequence[Target], options: NetworkOptions, seed: int, like: Mapping[str, Tensor] | None = None
) -> Network:
    """Build a network over those of the targets that its method adapts, and wrap their layers.

    Initial values depend on (seed, layer name) only. like: tensors of a file that decides which layers are adapted, by
    which method and with which sizes. Raises NetworkError when nothing can be adapted.
    """
    from trainer.networks import network

    return network.attach(targets, options, seed, like)
