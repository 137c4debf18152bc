"""[log]: curves, and what is printed. LIGHT."""

from __future__ import annotations

from typing import Literal

from trainer.config.fields import Section, parameter


class Log(Section):
    """Logging"""

    logging_dir: str | None = parameter(None, "TensorBoard folder", role="folder")
    """Where the curves are written; ./logs is what the TensorBoard tab shows. Empty: no TensorBoard files."""

    log_with: Literal["tensorboard", "wandb", "all"] | None = parameter(None, "Log with", advanced=True)
    """tensorboard stays on this machine; wandb sends curves and previews to wandb.ai and needs that package; all does
    both. Empty: TensorBoard whenever a folder is given."""

    log_prefix: str | None = parameter(None, "Prefix of the run's folder", max_length=100, advanced=True)
    """Put before the date in the folder name. Empty: the folder is called after the LoRA and the time, as the list of
    jobs is, so that TensorBoard shows the same names."""

    log_old_rate_names: bool = parameter(False, "Old names of the rate curves", advanced=True)
    """Writes learning rates under lr/group0, lr/group1 … as well, as sd-scripts always does, so that older curves can
    be compared with. Off: each rate once, under its part's name."""

    log_tracker_name: str | None = parameter(None, "Name inside the run's folder", max_length=100, advanced=True)
    """Folder below that of the run. Empty: none, or network_train where log_prefix is given."""

    log_tracker_config: str | None = parameter(None, "Options of the logging tool", role="file", advanced=True)
    """A TOML file; its table [wandb] is handed to wandb.init, in place of the name below."""

    wandb_run_name: str | None = parameter(None, "Name of the run at wandb", max_length=100, advanced=True)
    """Empty: wandb makes one up."""

    wandb_api_key: str | None = parameter(None, "Key for wandb", max_length=200, advanced=True)
    """Used for this run and never written down: neither into its config.toml nor a log. `wandb login` keeps one for all
    runs."""

    log_config: bool = parameter(False, "Log the settings", advanced=True)
    """Writes the settings beside the curves, without keys and paths."""

    console_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] | None = parameter(
        None, "What is printed", advanced=True
    )
    """From which level on the run prints. DEBUG adds learning rates, gradient and memory of each step; WARNING leaves
    the progress out. Empty: INFO."""

    console_log_file: str | None = parameter(None, "Print into a file", role="file", advanced=True)
    """A .log file that gets everything that is printed, with the time, in place of the console; a file that exists is
    continued. Errors are told on the console too."""

    console_log_simple: bool = parameter(False, "Plain lines", advanced=True)
    """Each step prints a line of its own in place of one that rewrites itself. For consoles that keep all of them."""
