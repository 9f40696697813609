"""The page of all metrics for people: `python -m controller.metrics_page > docs/metrics.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client.core import Metric

from controller.config import StorageConfig
from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.forecasting.record import Record
from controller.markdown import table
from controller.metrics import LABELS, OF_THE_PROCESS, Metrics
from controller.readiness import REASONS, Readiness
from controller.refusals import Refusals
from controller.upkeep.disk import DiskWatch

HEAD = """\
# Metrics

Printed by `python -m controller.metrics_page` from the code that gives them; do not edit.

`http://ADDRESS/metrics`, where `[metrics] listen` of `config.toml` says. It is plain HTTP without log-in and holds
counts only; let Prometheus alone reach it. A page shows what is durable: it waits for the ledger.

Asked with `Accept: application/openmetrics-text` it is OpenMetrics 1.0, and the buckets of the lead time and of
encoding name the batch of their last observation: `batch_id` holds its 25 digits, which `cardmill why` takes. Else it
is the plain text format, without them.

*Goes on*: after a restart the count is not less than before, because the ledger holds it. *Begins anew*: it measures
the process. Floor seconds are those of the floor's clock, which a simulated floor scales:
`rate(cardmill_floor_seconds_total[5m])` is 1 on a real floor. A station whose key was taken away disappears with all
its series. A floor of 64 stations has fewer than 2,000 series.

Alert rules, recording rules and an example of `prometheus.yml` are in `deploy/prometheus/`, a dashboard for Grafana in
`deploy/grafana/`: [deployment](deployment.md).
"""


def page() -> str:
    """Give the page as Markdown."""
    lines = [*_families(), *_labels(), *_health()]
    return HEAD + "\n".join(lines) + "\n"


def watch_all(metrics: Metrics, state: FloorState, refusals: Refusals | None = None) -> None:
    """Let metrics show everything that a service shows."""
    with TemporaryDirectory() as folder:
        metrics.watch_disk(DiskWatch(Path(folder), StorageConfig()))
    metrics.watch_ledger(lambda: 0)
    metrics.watch_tasks(int)
    metrics.watch_readiness(Readiness(bool, bool, bool))
    metrics.watch_refusals(refusals or Refusals())
    metrics.watch_keys(state.peer_keys, False)
    metrics.watch_alarms(list)
    metrics.watch_forecasts(Record, float)


def families() -> list[tuple[str, Metric, tuple[str, ...]]]:
    """Give each family by the name that a query uses, with its labels; by name."""
    found, state = [], FloorState()
    metrics = Metrics(Tally(), state)
    watch_all(metrics, state)
    for family in metrics.registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = ("le",) if family.type == "histogram" else tuple(getattr(family, "_labelnames", ()))
        found.append((name, family, labels))
    return sorted(found, key=lambda one: one[0])


def _families() -> Iterator[str]:
    yield "\n## All of them\n"
    yield from table(("metric", "kind", "labels", "after a restart", "what it is"), (_row(*one) for one in families()))


def _row(name: str, family: Metric, labels: tuple[str, ...]) -> tuple[str, ...]:
    after = "begins anew" if name.startswith(OF_THE_PROCESS) else "goes on"
    named = " ".join(f"`{label}`" for label in labels)
    return f"`{name}`", family.type, named, "" if family.type == "gauge" else after, family.documentation.rstrip(".")


def _labels() -> Iterator[str]:
    yield "\n## Labels\n"
    yield "There are no others, and none of them ever holds a card, a batch or a person.\n"
    yield from table(("label", "what it holds"), ((f"`{name}`", text) for name, text in LABELS.items()))


def _health() -> Iterator[str]:
    yield "\n## Health\n"
    yield (
        '`/healthz` answers `ok` while the process lives. `/readyz` answers 200 with `{"ready": true, "reasons": []}`'
        "\nwhile new work is taken in; else 503, and each reason has a `code` and a `sentence`:\n"
    )
    rows = ((f"`{code}`", sentence) for code, sentence in REASONS.items())
    yield from table(("code", "what it means, and what to do"), rows)


if __name__ == "__main__":
    sys.stdout.write(page())
