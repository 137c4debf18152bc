"""Real TensorBoard files, written without torch."""

from __future__ import annotations

import math
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter


def write_run(folder: Path, steps: int = 100) -> None:
    """A run with a falling `loss/average` of so many steps."""
    writer = EventFileWriter(str(folder))
    for step in range(steps):
        value = Summary.Value(tag="loss/average", simple_value=0.07 + 0.05 * math.exp(-step / 30))
        writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=[value])))
    writer.close()
