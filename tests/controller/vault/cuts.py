"""Cuts: a program that works on key files is stopped before its n-th change of the disk, as a kill would stop it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

# what changes a file or a folder; `open` may create one, `fsync` marks where a power cut would tell apart
CALLS = ("open", "write", "pwrite", "ftruncate", "fsync", "replace", "link", "unlink", "mkdir", "remove")


class Cut(BaseException):
    """The program is no more; no `except Exception` may see it."""


def cuts(monkeypatch, prepare: Callable[[], Path], work: Callable[[Path], object]) -> Iterator[tuple[int, Path]]:
    """Do `work` on a fresh folder again and again, cut before its first, second, third … call, until one comes through.

    Gives the number of calls that were made and the folder as the cut left it; at last -1 and the folder of the run
    that came through.
    """
    for allowed in range(10_000):
        folder = prepare()
        if _is_cut(monkeypatch, allowed, lambda folder=folder: work(folder)):
            yield allowed, folder
            continue
        yield -1, folder
        return
    raise AssertionError("the work has no end")


def _is_cut(monkeypatch, allowed: int, work: Callable[[], object]) -> bool:
    made = 0

    def counted(real):
        def call(*args, **options):
            nonlocal made
            if made == allowed:
                raise Cut
            made += 1
            return real(*args, **options)

        return call

    with monkeypatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, counted(getattr(os, name)))
        try:
            work()
        except Cut:
            return True
    return False
