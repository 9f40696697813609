"""A recall of many pages is put together whole, and who waits for it hears how far it is."""

from __future__ import annotations

from controller.commandline.trace import PAGES_MAX, pages


def page_after(after, last):
    return {"jobs": [{"job_id": after}], "cards": [[after], [after]], "after": after + 1 if after < last else 0}


def test_pages_are_put_together_in_order_and_each_is_told_of():
    told = []
    whole = pages(lambda after: page_after(after, 3), told.append)
    assert whole["cards"] == [[one] for after in range(4) for one in (after, after)]
    assert [job["job_id"] for job in whole["jobs"]] == [0, 1, 2, 3]
    assert (told, whole["after"]) == ([4, 6, 8], 0)


def test_a_recall_that_never_ends_is_cut_and_says_where_it_was():
    whole = pages(lambda after: page_after(after, PAGES_MAX * 2))
    assert whole["after"] == PAGES_MAX + 1
