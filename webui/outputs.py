"""Under which name a run that is started now would save, so that the form can say it before the start. LIGHT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainer.config import TrainConfig
from trainer.job import Job, find_job
from trainer.saving import UNNAMED, free_name, output_folder
from webui.jobfiles import place_of
from webui.progress import glance
from webui.runner import Runner, output_of


def expected(runner: Runner, config: TrainConfig) -> dict[str, Any]:
    """{file: as the settings write its path, name, other: whether the wanted name is in use}.

    In use are the names of files that lie in the folder, and of the jobs that run and wait: nothing is written over.
    """
    folder = place_of(runner.root, str(output_folder(config.save)))
    wanted = config.save.output_name or UNNAMED["end"]
    name = wanted
    if folder is not None:
        here = [job for job in runner.running() if _folder(runner, job) == folder]
        names = (glance(job.events_path).started.get("name") for job in here)
        others = {name for name in names if isinstance(name, str)}
        for job in filter(None, (find_job(runner.jobs_dir, job_id) for job_id in runner.queue())):
            if _folder(runner, job) == folder:
                others.add(free_name(folder, output_of(job)[1], others))
        name = free_name(folder, wanted, others)
    file = (output_folder(config.save) / f"{name}.{config.save.save_model_as}").as_posix()
    return {"file": file, "name": name, "other": name != wanted}


def _folder(runner: Runner, job: Job) -> Path | None:
    return place_of(runner.root, output_of(job)[0])
