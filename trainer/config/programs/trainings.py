"""What settings files of other programs may be for. LIGHT."""

LORA = "a LoRA"
TEXTUAL_INVERSION, FINE_TUNING, DREAMBOOTH = "a textual inversion", "fine-tuning a whole model", "DreamBooth"
CONTROLNET, LECO = "a ControlNet", "LECO"
