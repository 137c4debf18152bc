"""Long series in bounded memory: points of a curve that are merged, lists of which every second entry goes. LIGHT."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

Entry = TypeVar("Entry")
MOST_RATES = 64


class Thinned(Generic[Entry]):
    """At most `most` entries, spread evenly over all that were added, and always those of the newest step.

    step_of: the step at which an entry stands. Entries of one step (previews of several prompts) stay or go together.
    """

    def __init__(self, most: int, step_of: Callable[[Entry], int]) -> None:
        self._most = most
        self._step_of = step_of
        self._groups: list[tuple[int, list[Entry]]] = []  # the how-manieth step with entries, and these
        self._stride = 1
        self._count = 0  # of entries in all groups

    def add(self, entry: Entry) -> None:
        """Take the newest entry."""
        if self._groups and self._step_of(self._groups[-1][1][-1]) == self._step_of(entry):
            newest = self._groups[-1][1]
            newest.append(entry)
            self._count += 1
            if len(newest) > self._most:
                del newest[0]
                self._count -= 1
        else:
            number = self._groups[-1][0] + 1 if self._groups else 0
            if self._groups and self._groups[-1][0] % self._stride:
                self._count -= len(self._groups.pop()[1])  # it stood there only as the newest
            self._groups.append((number, [entry]))
            self._count += 1
        while len(self._groups) > 2 and self._count > self._most:
            self._stride *= 2
            *old, newest_group = self._groups
            self._groups = [*(group for group in old if group[0] % self._stride == 0), newest_group]
            self._count = len(self.entries())

    def cut(self, step: int) -> None:
        """Forget the entries at `step` and behind it: the run went back."""
        while self._groups and self._step_of(self._groups[-1][1][0]) >= step:
            self._count -= len(self._groups.pop()[1])

    def entries(self) -> list[Entry]:
        """What is left, in order."""
        return [entry for _, entries in self._groups for entry in entries]

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {"stride": self._stride, "groups": self._groups}

    def load(self, content: Mapping[str, Any]) -> None:
        """From what `plain` gave."""
        self._stride = content["stride"]
        self._groups = [(number, list(entries)) for number, entries in content["groups"]]
        self._count = len(self.entries())


class ThinCurve:
    """Loss and rates over the steps in at most `most` points, however many steps there are.

    A point stands for `stride` steps in a row, at the last of them, with their lowest and highest loss. When there are
    too many points, neighbours are merged and the stride doubles, so a step costs the same at any length of the run.
    None is a value that is not known (a loss that was not a number).
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._stride = 1
        self._filled = 0  # steps in the last point
        self.steps: list[int] = []
        self.low: list[float | None] = []
        self.high: list[float | None] = []
        self.smooth: list[float | None] = []
        self.rates: dict[str, list[float | None]] = {}

    def add(self, step: int, loss: float | None, smooth: float | None, rates: Mapping[str, float | None]) -> None:
        """Take the next step."""
        if not self.steps or self._filled >= self._stride:
            self._filled = 0
            self.steps.append(step)
            for series in (self.low, self.high, self.smooth, *self.rates.values()):
                series.append(None)
        self._filled += 1
        self.steps[-1], self.smooth[-1] = step, smooth
        if loss is not None:
            low, high = self.low[-1], self.high[-1]
            self.low[-1] = loss if low is None or loss < low else low
            self.high[-1] = loss if high is None or loss > high else high
        for name, rate in rates.items():
            if name in self.rates:
                self.rates[name][-1] = rate
            elif len(self.rates) < MOST_RATES:
                self.rates[name] = [*([None] * (len(self.steps) - 1)), rate]
        if len(self.steps) > self._most:
            self._merge()

    def cut(self, step: int) -> None:
        """Forget the points at `step` and behind it: the run went back. A point across it goes too."""
        while self.steps and self.steps[-1] >= step:
            self.steps.pop()
            for series in (self.low, self.high, self.smooth, *self.rates.values()):
                series.pop()
            self._filled = self._stride

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "stride": self._stride, "filled": self._filled, "steps": self.steps, "low": self.low, "high": self.high,
            "smooth": self.smooth, "rates": self.rates,
        }  # fmt: skip

    def load(self, content: Mapping[str, Any]) -> None:
        """From what `plain` gave."""
        self._stride, self._filled = content["stride"], content["filled"]
        self.steps, self.low, self.high = list(content["steps"]), list(content["low"]), list(content["high"])
        self.smooth = list(content["smooth"])
        self.rates = {name: list(series) for name, series in content["rates"].items()}

    def _merge(self) -> None:
        if len(self.steps) % 2 == 0:
            self._filled += self._stride
        self._stride *= 2
        pairs = [slice(start, start + 2) for start in range(0, len(self.steps), 2)]
        self.low = [_least(self.low[pair]) for pair in pairs]
        self.high = [_most(self.high[pair]) for pair in pairs]
        self.steps = [self.steps[pair][-1] for pair in pairs]
        self.smooth = [self.smooth[pair][-1] for pair in pairs]
        self.rates = {name: [series[pair][-1] for pair in pairs] for name, series in self.rates.items()}


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
