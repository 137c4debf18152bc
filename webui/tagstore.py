"""The captions of one opened folder, in memory: find, edit, undo, redo, what is unsaved, conflicts. LIGHT.

Knows nothing of browsers. Writing captions is in tagsave.py, reading them and drafts in tagfiles.py, what can be done
to a text in tagops.py. Pictures are numbered in the order of their names; a number is only good for one `listing`.
The text of a caption is the truth, its tags are read from it; a caption that nobody edits is never written.
Every public method takes the lock, so that two windows and a running save can share one store.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from webui import tagfiles, tagops
from webui.tagfiles import Disk, Draft, Form, Listing, Picture, Unsaved
from webui.tagops import Edit, EditError, TooLong

MOST_STEPS = 200
DRAFT_DELAY_SECONDS = 0.6


Content = tuple[str, tuple[str, ...], "Form | None"]  # a caption's text, its tags, what its file shall be
CaptionPlace = tuple[str, str]  # a folder, every link followed, and the ending of the caption files in it


class Query(BaseModel):
    """Which pictures are meant. Several conditions must all hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    include: tuple[str, ...] = ()
    include_mode: Literal["all", "any"] = "all"
    exclude: tuple[str, ...] = ()
    text: str = Field(default="", max_length=500)
    show: Literal["all", "no_caption", "changed", "problems"] = "all"
    folder: str | None = None


class Stale(Exception):
    """The folder was changed elsewhere since the caller last looked."""


@dataclass(slots=True)
class Row:
    """One picture's caption. `disk` is what the file was when last read: `text` is unsaved where it differs from it.

    form: what a save makes of the file, where something was taken back that is more than a text: no file, or a byte
    order mark. None is a text alone, or the file as it is.
    """

    picture: Picture
    text: str
    tags: tuple[str, ...]
    disk: Disk
    form: Form | None = None
    conflict: Disk | None = None  # the file as somebody else changed it, while there were unsaved edits here

    @property
    def saved(self) -> str:
        """The text of the file; "" when there is none."""
        return self.disk.text or ""


@dataclass(frozen=True)
class Plan:
    """What an edit comes to: new texts by picture number, and the pictures whose captions would be too long."""

    edit: Edit
    texts: dict[int, str]
    too_long: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """One thing done, to be undone: the texts before and after, by picture number."""

    edit: Edit
    before: dict[int, Content]
    after: dict[int, Content]


class Store:
    """Captions of one folder. Raises FolderError when the folder cannot be listed."""

    def __init__(self, folder: Path, recursive: bool, extension: str, draft: Draft) -> None:
        self.folder, self.recursive, self.extension, self.draft = folder, recursive, extension, draft
        self.lock = threading.RLock()
        self.rev = 0  # of the texts: an edit made on an older one is refused
        self.version = 0  # of everything that can be seen: a watcher asks again when it differs
        self.listing_number = 0
        self.saving = False
        self.restored = 0
        self.strays: dict[str, Unsaved] = {}
        self.undone: list[Step] = []
        self.done: list[Step] = []
        self._draft_timer: threading.Timer | None = None
        self._draft_lock = threading.Lock()
        self.restored = self._fill(tagfiles.list_folder(folder, recursive, extension), draft.read())

    # -- what is here ---------------------------------------------------------------------------------------------

    def find(self, query: Query) -> list[int]:
        """Numbers of the pictures that `query` means, ascending."""
        with self.lock:
            found: set[int] | None = None
            if query.include:
                sets = [self.index.get(tag, set()) for tag in query.include]
                found = set.intersection(*sets) if query.include_mode == "all" else set.union(*sets)
            numbers: Iterable[int] = range(len(self.rows)) if found is None else sorted(found)
            if query.exclude:
                unwanted = set().union(*(self.index.get(tag, set()) for tag in query.exclude))
                numbers = (n for n in numbers if n not in unwanted)
            if query.show != "all":
                kept = {"no_caption": self.empty, "changed": self.dirty, "problems": self._problems()}[query.show]
                numbers = (n for n in numbers if n in kept)
            if query.folder is not None:
                numbers = (n for n in numbers if self.rows[n].picture.folder == query.folder)
            if query.text.strip():
                wanted = query.text.strip().casefold()
                rows = self.rows
                numbers = (
                    n for n in numbers if wanted in rows[n].text.casefold() or wanted in rows[n].picture.name.casefold()
                )
            return list(numbers)

    def counts(self, shown: Sequence[int]) -> list[tuple[str, int, int]]:
        """(tag, pictures among `shown`, pictures in all) for every tag in the folder, in no order."""
        with self.lock:
            if len(shown) == len(self.rows):
                return [(tag, len(numbers), len(numbers)) for tag, numbers in self.index.items()]
            chosen = set(shown)
            return [(tag, len(chosen & numbers), len(numbers)) for tag, numbers in self.index.items()]

    def shared(self, number: int) -> list[str]:
        """Names of the other pictures that have the same caption file (a.png and a.jpg)."""
        return [self.rows[twin].picture.name for twin in self.twins.get(number, ()) if twin != number]

    def shared_start(self) -> int:
        """With how many tags all captions begin alike, such as a trigger word; 0 for fewer than two captions."""
        with self.lock:
            tagged = [row.tags for row in self.rows if row.tags]
        alike = zip(*tagged, strict=False) if len(tagged) > 1 else ()
        return sum(1 for _ in itertools.takewhile(lambda tags: len(set(tags)) == 1, alike))

    def unsaved_in(self, places: Collection[CaptionPlace]) -> list[int]:
        """Numbers of the pictures whose unsaved caption a run over `places` would read, one for each caption file."""
        with self.lock:
            return [
                n
                for n in sorted(self.dirty)
                if self.twins.get(n, (n,))[0] == n and self._place_of(self.rows[n].picture.caption) in places
            ]

    def _place_of(self, caption: str) -> CaptionPlace:
        path = self.folder / caption
        return str(path.parent), path.suffix.lower()

    def _problems(self) -> set[int]:
        return self.faulty | self.clashing | set(self.twins)

    # -- edits ----------------------------------------------------------------------------------------------------

    def plan(self, edit: Edit, targets: Sequence[int]) -> Plan:
        """What `apply` would do. Captions that could not be read are passed over, those too long stay as they are.

        Raises EditError when the edit lacks what it needs, or when all that it would change would be too long.
        """
        with self.lock:
            if edit.kind == "revert":
                return Plan(edit, {n: row.saved for n in targets if n in self.dirty and (row := self.rows[n])})
            plan = Plan(edit, {})
            function = tagops.transform(edit, lambda tag: len(self.index.get(tag, ())))
            for n in targets:
                if n in self.faulty or n in plan.texts:
                    continue
                old = self.rows[n].text
                try:
                    new = function(old, self.rows[n].tags)
                except TooLong:
                    plan.too_long.append(n)
                    continue
                if len(new) > max(tagops.LONGEST_CAPTION, len(old)):
                    plan.too_long.append(n)
                elif new != old:
                    plan.texts.update(dict.fromkeys(self.twins.get(n, (n,)), new))
            if plan.too_long and not plan.texts:
                name, most = self.rows[plan.too_long[0]].picture.name, tagops.LONGEST_CAPTION
                raise EditError(f"The caption of {name} would have more than {most:,} letters; shorten it")
            return plan

    def carry_out(self, plan: Plan, rev: int | None = None) -> int:
        """Do what was planned as one step; returns how many pictures changed. Raises Stale."""
        with self.lock:
            self.expect(rev)
            return self._do(plan.edit, plan.texts)

    def apply(self, edit: Edit, targets: Sequence[int], rev: int | None = None) -> int:
        """Plan an edit of the captions of `targets` and carry it out. Raises EditError and Stale."""
        with self.lock:
            self.expect(rev)
            return self.carry_out(self.plan(edit, targets))

    def undo(self, rev: int | None = None) -> Edit | None:
        """Take back the last step; returns what it was, or None when there is none."""
        with self.lock:
            self.expect(rev)
            if not self.done:
                return None
            step = self.done.pop()
            self._put_all(step.before)
            self.undone.append(step)
            self._changed()
            return step.edit

    def redo(self, rev: int | None = None) -> Edit | None:
        """Do again what was last undone."""
        with self.lock:
            self.expect(rev)
            if not self.undone:
                return None
            step = self.undone.pop()
            self._put_all(step.after)
            self.done.append(step)
            self._changed()
            return step.edit

    def travel(self, position: int, rev: int | None = None) -> None:
        """Undo or redo until `position` steps are done (0: as opened)."""
        with self.lock:
            self.expect(rev)
            while len(self.done) > max(0, position):
                self.undo()
            while len(self.done) < position and self.undone:
                self.redo()

    def bring_back(self, texts: Mapping[str, str | None], name: str, rev: int | None = None) -> int:
        """Put `texts` (`Disk.whole` by caption name, before an earlier save) back, as one step yet to be saved."""
        with self.lock:
            self.expect(rev)
            numbers = [n for n, row in enumerate(self.rows) if row.picture.caption in texts and n not in self.faulty]
            wanted = {n: tagfiles.parted(texts[self.rows[n].picture.caption]) for n in numbers}
            after = {n: text for n, (text, _) in wanted.items()}
            return self._do(Edit(kind="restore", text=name), after, {n: form for n, (_, form) in wanted.items()})

    def resolve(self, numbers: Sequence[int], keep: Literal["mine", "disk"], rev: int | None = None) -> int:
        """Settle conflicts: "mine" lets the next save replace the file, "disk" takes the file's text (can be undone).

        Raises EditError for "mine" where the file cannot be read: it is never written over.
        """
        with self.lock:
            self.expect(rev)
            clashing = [n for n in self.with_twins(numbers) if n in self.clashing]
            texts = {}
            for n in clashing:
                row = self.rows[n]
                disk = row.conflict or row.disk
                if disk.problem and keep == "mine":
                    raise EditError(f"{disk.problem}. It is not written over: repair the file or move it away first")
                row.disk, row.conflict = disk, None
                self.clashing.discard(n)
                if disk.problem:
                    self._forget(n)
                    self._set_fault(n)
                    self._put(n, "", ())
                    continue
                self._mark(n)
                if keep == "disk":
                    texts[n] = disk.text or ""
            if clashing and not self._do(Edit(kind="restore", text="disk"), texts):
                self._changed()
            return len(clashing)

    def expect(self, rev: int | None) -> None:
        """Raise Stale unless `rev` is the present one (None: no matter)."""
        if rev is not None and rev != self.rev:
            raise Stale

    def _do(self, edit: Edit, texts: Mapping[int, str], forms: Mapping[int, Form] | None = None) -> int:
        """Make `texts` (and files of these forms) the captions, as one step; returns how many pictures changed."""
        parsed: dict[str, tuple[str, ...]] = {}
        after: dict[int, Content] = {}
        for n, text in texts.items():
            row, form = self.rows[n], (forms or {}).get(n)
            if text == row.saved and form == row.disk.form:
                form = None
            if (text, form) != (row.text, row.form):
                tags = parsed.get(text)
                if tags is None:
                    tags = parsed[text] = tagops.tags_of(text)
                after[n] = (text, tags, form)
        if after:
            before = {n: self._content(n) for n in after}
            self._put_all(after)
            self._remember(Step(edit, before, after))
            self._changed()
        return len(after)

    def _content(self, n: int) -> Content:
        row = self.rows[n]
        return row.text, row.tags, row.form if n in self.dirty else row.disk.form

    def _remember(self, step: Step) -> None:
        self.undone.clear()
        last = self.done[-1] if self.done else None
        if last and step.edit.merge and step.edit.merge == last.edit.merge and last.after.keys() == step.after.keys():
            self.done[-1] = Step(step.edit, last.before, step.after)
        else:
            self.done.append(step)
        del self.done[:-MOST_STEPS]

    def _put_all(self, contents: Mapping[int, Content]) -> None:
        for n, (text, tags, form) in contents.items():
            self._put(n, text, tags, form)

    def _put(self, n: int, text: str, tags: tuple[str, ...], form: Form | None = None) -> None:
        row = self.rows[n]
        if tags != row.tags:
            old, new = set(row.tags), set(tags)
            for tag in old - new:
                numbers = self.index[tag]
                numbers.discard(n)
                if not numbers:
                    del self.index[tag]
            for tag in new - old:
                self.index.setdefault(tag, set()).add(n)
        row.text, row.tags, row.form = text, tags, form
        self._mark(n)

    def _mark(self, n: int) -> None:
        row = self.rows[n]
        if n not in self.faulty and (row.text != row.saved or row.form not in (None, row.disk.form)):
            self.dirty.add(n)
        else:
            self.dirty.discard(n)
            row.form = None
        (self.empty.discard if row.tags or n in self.faulty else self.empty.add)(n)
        if row.conflict is not None and n not in self.dirty:
            row.disk, row.conflict = row.conflict, None  # nothing of ours is left to lose: the file wins
            self.clashing.discard(n)
            text = row.disk.text or ""
            self._set_fault(n)
            self._put(n, text, tagops.tags_of(text))

    def _set_fault(self, n: int) -> None:
        (self.faulty.add if self.rows[n].disk.problem else self.faulty.discard)(n)

    def with_twins(self, numbers: Iterable[int]) -> list[int]:
        """`numbers` and the pictures that share a caption file with one of them."""
        return sorted({twin for n in numbers for twin in self.twins.get(n, (n,))})

    def _changed(self) -> None:
        self.rev += 1
        self.touch()

    def touch(self) -> None:
        """Let watchers know that something can be seen anew, and keep the draft up to date."""
        self.version += 1
        self._draft_soon()

    def written(self, n: int, disk: Disk) -> None:
        """The caption of picture `n` was saved and is now `disk` on disk."""
        with self.lock:
            for twin in self.with_twins([n]):
                self.rows[twin].disk = disk
                self._mark(twin)

    # -- the folder on disk -----------------------------------------------------------------------------------------

    def refresh(self) -> bool:
        """Look at the folder again; returns whether anything is different now.

        Captions changed by others are taken over where nothing is unsaved here, and are conflicts where something is.
        """
        listing = tagfiles.list_folder(self.folder, self.recursive, self.extension)
        with self.lock:
            if self.saving:
                return False
            if listing.pictures != [row.picture for row in self.rows]:
                self._relist(listing)
                self._changed()
                return True
            self.orphans, self.outside, self.unused = listing.orphans, listing.outside, listing.unused
            changed = self._compare(listing)
            if changed:
                self._changed()
            return changed

    def _compare(self, listing: Listing) -> bool:
        changed = False
        looked: dict[str, Disk] = {}
        for n, row in enumerate(self.rows):
            known = row.conflict or row.disk
            name = row.picture.caption
            if listing.stamps.get(name) == known.stamp:
                continue
            disk = looked[name] if name in looked else looked.setdefault(name, tagfiles.read_disk(self.folder, name))
            if disk.digest != known.digest or disk.problem != known.problem:
                self.meet(n, disk)
                changed = True
            elif row.conflict is not None:
                row.conflict = disk
            else:
                row.disk = disk
        return changed

    def meet(self, n: int, disk: Disk) -> None:
        """The file of picture `n` is now `disk`: take its text, or note a conflict when ours is unsaved."""
        row = self.rows[n]
        if n in self.dirty and (disk.text or "") != row.text:
            row.conflict = disk
            self.clashing.add(n)
            return
        row.disk, row.conflict = disk, None
        self.clashing.discard(n)
        self._set_fault(n)
        text = disk.text or ""
        if text != row.text:
            self._forget(n)
        self._put(n, text, tagops.tags_of(text))

    def _forget(self, n: int) -> None:
        """Take picture `n` out of all steps: undo must not bring back a text that somebody else has replaced."""
        for steps in (self.done, self.undone):
            for step in steps:
                step.before.pop(n, None)
                step.after.pop(n, None)
            steps[:] = [step for step in steps if step.after]

    def _relist(self, listing: Listing) -> None:
        """Pictures came or went: number anew, carry unsaved edits over by name, and begin a new history."""
        edits = self._unsaved()
        self.done.clear()
        self.undone.clear()
        self._fill(listing, edits)

    def _unsaved(self) -> dict[str, Unsaved]:
        """What is unsaved by caption name; also where the picture has gone."""
        rows = (self.rows[n] for n in sorted(self.dirty))
        return self.strays | {row.picture.caption: (row.text, row.disk.digest, row.form) for row in rows}

    def _fill(self, listing: Listing, edits: dict[str, Unsaved]) -> int:
        """Read all captions of `listing`, then make `edits` unsaved again; returns how many there were."""
        self.listing_number += 1
        self.orphans, self.outside, self.unused = listing.orphans, listing.outside, listing.unused
        self.index: dict[str, set[int]] = {}
        self.rows: list[Row] = []
        self.dirty: set[int] = set()
        self.empty: set[int] = set()
        self.faulty: set[int] = set()
        self.clashing: set[int] = set()
        by_caption: dict[str, list[int]] = {}
        for n, picture in enumerate(listing.pictures):
            with_caption = by_caption.setdefault(picture.caption, [])
            with_caption.append(n)
            disk = self.rows[with_caption[0]].disk if len(with_caption) > 1 else self._first_look(picture, listing)
            self.rows.append(Row(picture, disk.text or "", (), disk))
            self._set_fault(n)
        self.twins = {n: tuple(group) for group in by_caption.values() if len(group) > 1 for n in group}
        words: dict[str, str] = {}  # one string for a tag that ten thousand captions have
        for n, row in enumerate(self.rows):
            self._put(n, row.text, tuple(words.setdefault(tag, tag) for tag in tagops.tags_of(row.text)))
        self.strays = {name: edit for name, edit in edits.items() if name not in by_caption}
        return self._adopt(edits)

    def _first_look(self, picture: Picture, listing: Listing) -> Disk:
        return tagfiles.read_disk(self.folder, picture.caption) if picture.caption in listing.stamps else Disk(None)

    def _adopt(self, edits: dict[str, Unsaved]) -> int:
        """Make `edits` (by caption name) the unsaved texts; returns how many were."""
        adopted = 0
        for n, row in enumerate(self.rows):
            if row.picture.caption not in edits:
                continue
            text, digest, form = edits[row.picture.caption]
            if text == row.text and form in (None, row.disk.form) and n not in self.faulty:
                continue
            adopted += 1
            if digest != row.disk.digest:
                row.conflict = row.disk
                self.clashing.add(n)
            if n in self.faulty:
                row.disk = Disk(None, digest=digest)
                self.faulty.discard(n)
            self._put(n, text, tagops.tags_of(text), form)
        return adopted

    # -- drafts -------------------------------------------------------------------------------------------------------

    def _draft_soon(self) -> None:
        if self._draft_timer is None or not self._draft_timer.is_alive():
            self._draft_timer = threading.Timer(DRAFT_DELAY_SECONDS, self.keep_draft)
            self._draft_timer.daemon = True
            self._draft_timer.start()

    def keep_draft(self) -> None:
        """Write the unsaved texts to the draft now. A full disk is not reported here: saving will say it."""
        with self._draft_lock:
            with self.lock:
                self._draft_timer = None
                edits = self._unsaved()
            with contextlib.suppress(OSError):
                self.draft.write(self.folder, edits)
