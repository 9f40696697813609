"""Why a run of the pretend upstream cannot be done, in a file that loads nothing."""

from __future__ import annotations


class UpstreamError(Exception):
    """This run cannot be done; the sentence says why.  `code` is stable."""

    code = "upstream.other_run"
