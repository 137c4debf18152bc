"""Trains LoRA networks for Stable Diffusion. Knows nothing of browsers; start it with `python -m trainer`."""

__version__ = "0.1.0"
