"""What every route needs to know about this page: folders, settings, the runner, open captions, the way in. LIGHT.

Routes get one `Site` and look folders up when they are asked, so that a change on the Settings tab acts at once.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.atomic import atomic_write
from webui.launcher import mirrors
from webui.progress import Digests
from webui.recentfolders import RecentFolders
from webui.runner import Runner
from webui.settings import SettingsFile
from webui.tagfolders import OpenFolders
from webui.thumbnails import Thumbnails


@dataclass(frozen=True)
class Site:
    """One running page. `token` is None on loopback; otherwise every request must carry it."""

    root: Path
    settings: SettingsFile
    runner: Runner
    thumbnails: Thumbnails
    digests: Digests
    captions: OpenFolders
    recent: RecentFolders
    host: str = "127.0.0.1"
    port: int = 28000
    lang: str | None = None
    listen: bool = False
    token: str | None = None
    allowed_hosts: tuple[str, ...] = ()

    @property
    def jobs_dir(self) -> Path:
        return self.runner.jobs_dir

    @property
    def output_dir(self) -> Path:
        return self.settings.folder("output")

    @property
    def logs_dir(self) -> Path:
        return self.settings.folder("logs")

    @property
    def train_dir(self) -> Path:
        return self.settings.folder("train")

    @property
    def models_dir(self) -> Path:
        return self.settings.folder("models")

    @property
    def state_dir(self) -> Path:
        """Drafts, settings, thumbnails: `.athanor` in the project's root."""
        return self.root / ".athanor"

    def child_environment(self) -> dict[str, str]:
        """The environment for processes that this page starts (training, tagging)."""
        return child_environment(self.settings)


class FolderError(Exception):
    """The page cannot work in the program's own folder. The text says why and what to do."""


def make_own_folders(root: Path) -> Path:
    """Make the folders that the page cannot do without; returns the one for temporary files, for this user alone.

    Raises FolderError where the folder is read-only, full, or another user's.
    """
    temporary = root / ".athanor" / "tmp"
    try:
        for folder in (temporary, root / "jobs"):
            folder.mkdir(parents=True, exist_ok=True)
        temporary.chmod(0o700)
        atomic_write(root / ".athanor" / "writable", "")
        (root / ".athanor" / "writable").unlink()
    except OSError as error:
        raise FolderError(
            f"Athanor cannot write into its own folder {root}: {os.strerror(error.errno or 0)}. Free some space there, "
            "change the folder's rights, or move the program to a place where you may write."
        ) from error
    return temporary


def open_site(
    root: Path,
    host: str = "127.0.0.1",
    port: int = 28000,
    lang: str | None = None,
    listen: bool = False,
    token: str | None = None,
    allowed_hosts: Sequence[str] = (),
) -> Site:
    """Make the folders that are missing and give the Site. Nothing runs until `site.runner.watch()` is called."""
    root = root.resolve()
    settings = SettingsFile(root / ".athanor" / "settings.json", root)
    digests = Digests(root / ".athanor" / "progress")
    runner = Runner(
        jobs_dir=root / "jobs",
        root=root,
        environment=lambda: child_environment(settings),
        patience=lambda: settings.current.stop_grace_seconds,
        at_once=lambda: settings.current.jobs_at_once,
        follow=digests.of,
    )
    thumbnails = Thumbnails(root / ".athanor" / "thumbnails")
    captions = OpenFolders(root / ".athanor")
    recent = RecentFolders(root / ".athanor" / "recent-folders.json")
    site = Site(
        root,
        settings,
        runner,
        thumbnails,
        digests,
        captions,
        recent,
        host,
        port,
        lang,
        listen,
        token,
        tuple(allowed_hosts),
    )
    for folder in (site.jobs_dir, site.output_dir, site.logs_dir, site.train_dir, site.models_dir, site.state_dir):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            print(f"The folder {folder} cannot be made ({error.strerror}); change it on the Settings tab.", flush=True)
    return site


def child_environment(settings: SettingsFile, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment, with UTF-8 output, the chosen model mirror, and without what only the page wants."""
    environment = dict(os.environ if base is None else base)
    environment.update(PYTHONUTF8="1", PYTHONIOENCODING="utf-8", PYTHONUNBUFFERED="1")
    if environment.pop("ATHANOR_PAGE_OFFLINE", None):
        environment.pop("HF_HUB_OFFLINE", None)
    for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED"):
        environment.pop(name, None)
    with contextlib.suppress(ValueError):  # an unknown word in ATHANOR_MIRROR: the launcher has complained already
        models = mirrors.chosen(settings.root, environment).models
        if models:
            environment["HF_ENDPOINT"] = models
    return environment
