"""[cache]: what is computed once and kept. LIGHT."""

from __future__ import annotations

from trainer.config.fields import Section, parameter


class Cache(Section):
    """Caches"""

    cache_latents: bool = parameter(False, "Cache latents")
    """Encodes every picture once in place of every time. Faster and needs less memory; leave it on."""

    cache_latents_to_disk: bool = parameter(False, "Keep latents on disk")
    """Keeps them for the next run. Changed pictures are noticed and encoded anew; nothing has to be deleted by hand."""

    vae_batch_size: int = parameter(1, "VAE batch size", ge=1, le=256, advanced=True)
    """Pictures encoded at once while caching."""

    skip_cache_check: bool = parameter(False, "Trust the cache", advanced=True)
    """Looks only at the date and size of a picture to see whether its cached latents are still right, not at its
    content."""

    cache_as_npz: bool = parameter(False, "Keep sd-scripts' cache files", advanced=True)
    """Latents kept on disk stand in the .npz files of sd-scripts beside the pictures, and are read from there; SDXL's
    text outputs are written there too."""

    cache_text_encoder_outputs: bool = parameter(False, "Cache text encoder outputs", advanced=True)
    """Encodes every caption once. Only when the text encoder is not trained and captions do not change from use to
    use."""

    cache_text_encoder_outputs_to_disk: bool = parameter(False, "Keep text outputs on disk", advanced=True)
    """Keeps them for the next run."""
