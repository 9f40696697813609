"""The checks of an application: pure functions in one list, codes in one table.

- `codes`, `finding`, `page`: the one table of codes, a finding, the page printed from the table
- `context`, `policy`, `shipped`, `regions`, `named_codes`, `tables/`: what the checks may know
- `rows`: the list of checks of one application, over `structure`, `number`, `ethnic`, `names` (`characters`),
  `authority`, `validity` (`days`), `reason`, `portrait` (`jpeg`)
- `pixels` (`pixel_kernel`, its twin `pixel_twin`, `pixel_bounds`): the portrait once somebody has decoded it
- `record`: what could not be typed
- `digests`, `duplicates`, `batch`: what only the whole batch and the history show
"""
