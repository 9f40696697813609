"""The worker: a process of its own that forecasts, at idle priority before it imports what it works with."""

from __future__ import annotations

import sys

from controller.forecasting.idle_process import become_idle, belong_to


def main() -> None:
    """Work for the process whose number is the first argument, at the priority that is the second.

    The third is the service's program.  It is an argument because an older message might not be understood.
    """
    belong_to(int(sys.argv[1]))
    become_idle(sys.argv[2])
    from controller.forecasting.worker_loop import work

    work(" ".join(sys.argv[3:]))


if __name__ == "__main__":
    main()
