"""The settings: every section of config.toml, with units, ranges and defaults."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import platformdirs

from controller.core.settings import (
    ActConfig,
    AndonConfig,
    CalendarConfig,
    CoreConfig,
    DriftConfig,
    PlanConfig,
    RemakeConfig,
    SettingError,
    VaultConfig,
    require_range,
)
from devices.peers import LOOPBACK

MAX_BYTES, MAX_DOTS = 1 << 16, 200  # of a settings file, and in one line of it
INSECURE = "with sockets.insecure a loopback address, which nobody beyond this machine reaches"
RUNS_MIN, RUNS_MAX = 50, 2_000  # of one forecast: fewer say little of a P90
SHARED_NUMBER_POLICIES = ("neither", "both", "first_only")


class ConfigError(Exception):
    """config.toml cannot be used; the sentence says where and what to do."""

    code = "config"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConfig:
    """Section [service]: what the installation is called, and where it keeps its files."""

    centre: str = "cardmill"  # the installation's name, as stations and upstreams see it
    folder: str = ""  # where ledger, vault and keys lie; empty: the user's data folder

    def path(self) -> Path:
        """Give the data folder."""
        return Path(self.folder).expanduser() if self.folder else Path(platformdirs.user_data_dir("cardmill"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketConfig:
    """Section [sockets]: where the three kinds of peers connect; a port `*` takes a free one."""

    upstreams: str = "tcp://127.0.0.1:5701"  # the door of upstreams
    stations: str = "tcp://127.0.0.1:5702"  # of stations
    operators: str = "tcp://127.0.0.1:5703"  # of people with the command line
    messages_per_s: float = 1_000.0  # of one peer in the long run, real seconds, times clock.scale; more are dropped
    burst_messages: int = 2_000  # of one peer, at once
    insecure: bool = False  # no encryption, and a peer is who it says it is; for tests on one machine only

    def __post_init__(self) -> None:
        require_range("sockets.messages_per_s", self.messages_per_s, 1, 1_000_000)
        require_range("sockets.burst_messages", self.burst_messages, 1, 1_000_000)
        for name in ("upstreams", "stations", "operators"):
            if not getattr(self, name).startswith("tcp://"):
                raise SettingError(f"sockets.{name}", getattr(self, name), "an address like tcp://127.0.0.1:5701")
            if self.insecure and not LOOPBACK.fullmatch(getattr(self, name)):
                raise SettingError(f"sockets.{name}", getattr(self, name), INSECURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsConfig:
    """Section [metrics]: where Prometheus reads; empty turns it off."""

    listen: str = "127.0.0.1:9464"  # plain HTTP: let Prometheus alone reach it

    def __post_init__(self) -> None:
        host, _, port = self.listen.rpartition(":")
        if self.listen and not (host and port.isascii() and port.isdigit() and int(port) < 65_536):
            raise SettingError("metrics.listen", self.listen, "an address and port like 127.0.0.1:9464, or empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleConfig:
    """Section [console]: where people log in with a browser; empty turns it off."""

    listen: str = ""  # address and port of the pages
    certificate: str = ""  # PEM file, the whole chain; with it and `key` any address may be listened on
    key: str = ""  # PEM file of mode 0600
    insecure: bool = False  # without TLS, on loopback alone; never with a certificate
    idle_s: float = 900.0  # real seconds: a log-in ends when nothing was asked for so long
    longest_s: float = 36_000.0  # real seconds after which it ends in any case, at least idle_s

    def __post_init__(self) -> None:
        host, _, port = self.listen.rpartition(":")
        if self.listen and not (host and port.isascii() and port.isdigit() and int(port) < 65_536):
            raise SettingError("console.listen", self.listen, "an address and port like 127.0.0.1:9443, or empty")
        if bool(self.certificate) != bool(self.key):
            raise SettingError("console.certificate", self.certificate, "set together with console.key, or empty")
        if self.insecure and (self.certificate or host not in ("", "127.0.0.1", "[::1]")):
            raise SettingError("console.insecure", self.insecure, "false, but on 127.0.0.1 or [::1] without TLS")
        if self.listen and not (self.insecure or self.certificate):
            wanted = "empty, unless console.certificate and console.key are set, or console.insecure on loopback"
            raise SettingError("console.listen", self.listen, wanted)
        require_range("console.idle_s", self.idle_s, 60, 86_400)
        require_range("console.longest_s", self.longest_s, self.idle_s, 86_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageConfig:
    """Section [storage]: where ledger and vault are written, and when the disk is too full for new work."""

    url: str = ""  # like postgresql://user@host/cardmill; empty: SQLite in the data folder
    free_min_mib: int = 2_048  # below so much free space nothing new is taken in
    reserve_mib: int = 256  # kept as a file, and given up when the disk is full, so that the floor can end its work

    def __post_init__(self) -> None:
        if self.url and not self.url.startswith("postgresql://"):
            raise SettingError("storage.url", "(not shown)", "postgresql://USER@HOST/DATABASE, or empty for SQLite")
        require_range("storage.free_min_mib", self.free_min_mib, 0, 1_048_576)
        require_range("storage.reserve_mib", self.reserve_mib, 0, 65_536)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockConfig:
    """Section [clock]: the floor clock."""

    simulated: bool = False  # the stations are simulated: only then may floor time run faster
    scale: float = 1.0  # floor seconds per real second
    epoch: str = ""  # floor time of the first start, like 2026-03-02T08:00; empty: real time

    def __post_init__(self) -> None:
        require_range("clock.scale", self.scale, 0.001, 100_000)
        if self.scale != 1.0 and not self.simulated:
            raise SettingError("clock.scale", self.scale, "1, unless clock.simulated is true")
        if self.epoch and not self.simulated:
            raise SettingError("clock.epoch", self.epoch, "empty, unless clock.simulated is true")
        if self.epoch:
            try:
                datetime.fromisoformat(self.epoch)
            except ValueError:
                raise SettingError("clock.epoch", self.epoch, "a time like 2026-03-02T08:00") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeConfig:
    """Section [intake]: what is taken from upstreams at once."""

    batches_max: int = 64  # batches that have no verdicts yet, over all upstreams; then `busy`
    chunks_max: int = 8  # chunks in work at once; then `busy`
    retry_after_s: float = 0.5  # real seconds a busy answer asks to wait

    def __post_init__(self) -> None:
        require_range("intake.batches_max", self.batches_max, 1, 10_000)
        require_range("intake.chunks_max", self.chunks_max, 1, 256)
        require_range("intake.retry_after_s", self.retry_after_s, 0.05, 600)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamConfig:
    """Section [upstreams]: what each upstream may bring; then `busy` with a time."""

    applications_per_day: int = 200_000  # that it announces on one floor day
    batches_max: int = 32  # of which applications are missing
    chunks_max: int = 6  # in work at once, each at most 3.5 MiB
    quotas: str = ""  # applications a day of upstreams with another number, like `city-1 50000, city-2 20000`

    def __post_init__(self) -> None:
        require_range("upstreams.applications_per_day", self.applications_per_day, 1, 100_000_000)
        require_range("upstreams.batches_max", self.batches_max, 1, 10_000)
        require_range("upstreams.chunks_max", self.chunks_max, 1, 256)
        try:
            found = self.per_day()
        except ValueError:
            raise SettingError("upstreams.quotas", self.quotas, "`NAME APPLICATIONS, …`, each name once") from None
        for name, applications in found.items():
            require_range(f"upstreams.quotas {name}", applications, 1, 100_000_000)

    def per_day(self) -> dict[str, int]:
        """Give the applications a day of each upstream that `quotas` names.  Raises: ValueError."""
        found: dict[str, int] = {}
        for one in filter(None, map(str.strip, self.quotas.split(","))):
            name, count = one.split()
            if name in found:
                raise ValueError(one)
            found[name] = int(count)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodingConfig:
    """Section [encoding]: the threads that make records, portraits and faces."""

    workers: int = 2  # threads
    card_s: float = 0.02  # floor seconds of one card in one worker, for what is simulated alone

    def __post_init__(self) -> None:
        require_range("encoding.workers", self.workers, 1, 64)
        require_range("encoding.card_s", self.card_s, 0.0001, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitConfig:
    """Section [portraits]: how photos are prepared, for the chip and for the film."""

    flatten_background: bool = False  # the chip's picture gets an even wall, gently; the face is never touched
    tones: str = ""  # CSV `kind,lot,level,printed`, read again when it changes; empty: photos are printed as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckConfig:
    """Section [checks]: tables and choices of the checks."""

    authorities: str = ""  # CSV `code,name` of the province's counties; empty: the synthetic table that is shipped
    shared_number: str = "first_only"  # two people, one number: neither, both or first_only may have a card

    def __post_init__(self) -> None:
        if self.shared_number not in SHARED_NUMBER_POLICIES:
            raise SettingError("checks.shared_number", self.shared_number, ", ".join(SHARED_NUMBER_POLICIES))


@dataclass(frozen=True, slots=True, kw_only=True)
class KindConfig:
    """Section [kinds]: when the centre goes over from one card kind to the other; by the day a batch is received."""

    first_until: str = ""  # last day of first-generation cards, like 2026-12-31; empty: no end
    second_from: str = ""  # first day of second-generation cards; empty: always

    def __post_init__(self) -> None:
        for name in ("first_until", "second_from"):
            day = getattr(self, name)
            if day and not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
                raise SettingError(f"kinds.{name}", day, "a day like 2026-12-31, or empty")
            try:
                date.fromisoformat(day or "2000-01-01")
            except ValueError:
                raise SettingError(f"kinds.{name}", day, "a day of the calendar, or empty") from None

    def is_made(self, card_kind: str, day: str) -> bool:
        """Say whether a batch of a kind is taken on a day `YYYYMMDD`."""
        if card_kind == "first":
            return not self.first_until or day <= self.first_until.replace("-", "")
        return not self.second_from or day >= self.second_from.replace("-", "")

    def dates_of(self, card_kind: str) -> str:
        """Give from or until when a kind is made, in Chinese and English; empty when it always is."""
        if card_kind == "first" and self.first_until:
            return f" (一代证截止日期 first until {self.first_until})"
        if card_kind == "second" and self.second_from:
            return f" (二代证启用日期 second from {self.second_from})"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignConfig:
    """Section [campaign]: what each unit is to reach, and who counts."""

    plan: str = ""  # CSV `unit,year,from,to,cards`; empty: the shipped example of a pretend province
    scope_age: int = 16  # people of this age or older on the day of application are counted
    acceptance_percent: float = 98.0  # of its cards: from there on a unit is complete

    def __post_init__(self) -> None:
        for name, least in (("scope_age", 0), ("acceptance_percent", 1)):
            require_range(f"campaign.{name}", getattr(self, name), least, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostConfig:
    """Section [posts]: who may work where and decide."""

    table: str = ""  # CSV `name,post,valid_until`, read again when it changes; empty: no certificates are asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastConfig:
    """Section [forecast]: the runs of the floor beside the service, and how much they may take."""

    every_s: float = 1_800.0  # real seconds between forecasts that nobody asks for; 0: none
    runs: int = 200  # of a forecast, unless somebody asks for another number
    processes: int = 2  # that do the runs, at idle priority
    within_s: float = 120.0  # real seconds for the runs of one question; then those that are done must do
    memory_mib: int = 2_048  # that each of these processes may take
    priority: str = "idle"  # of these processes: idle (when nothing else wants to work), low (nice 19) or normal

    def __post_init__(self) -> None:
        if self.every_s:
            require_range("forecast.every_s", self.every_s, 10, 86_400)
        require_range("forecast.runs", self.runs, RUNS_MIN, RUNS_MAX)
        require_range("forecast.processes", self.processes, 1, 2)
        require_range("forecast.within_s", self.within_s, 1, 3_600)
        require_range("forecast.memory_mib", self.memory_mib, 256, 65_536)
        if self.priority not in ("idle", "low", "normal"):
            raise SettingError("forecast.priority", self.priority, "idle, low, normal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All of config.toml; a service with these defaults starts as it is."""

    service: ServiceConfig = field(default_factory=ServiceConfig)
    sockets: SocketConfig = field(default_factory=SocketConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    console: ConsoleConfig = field(default_factory=ConsoleConfig)
    storage: StorageConfig = field(default_factory=StorageConfig)
    vault: VaultConfig = field(default_factory=VaultConfig)
    clock: ClockConfig = field(default_factory=ClockConfig)
    intake: IntakeConfig = field(default_factory=IntakeConfig)
    upstreams: UpstreamConfig = field(default_factory=UpstreamConfig)
    encoding: EncodingConfig = field(default_factory=EncodingConfig)
    portraits: PortraitConfig = field(default_factory=PortraitConfig)
    checks: CheckConfig = field(default_factory=CheckConfig)
    calendar: CalendarConfig = field(default_factory=CalendarConfig)
    plan: PlanConfig = field(default_factory=PlanConfig)
    remake: RemakeConfig = field(default_factory=RemakeConfig)
    acts: ActConfig = field(default_factory=ActConfig)
    drift: DriftConfig = field(default_factory=DriftConfig)
    andon: AndonConfig = field(default_factory=AndonConfig)
    kinds: KindConfig = field(default_factory=KindConfig)
    campaign: CampaignConfig = field(default_factory=CampaignConfig)
    posts: PostConfig = field(default_factory=PostConfig)
    forecast: ForecastConfig = field(default_factory=ForecastConfig)

    def core(self) -> CoreConfig:
        """Give what the foreman is told."""
        return CoreConfig(
            plan=self.plan,
            remake=self.remake,
            acts=self.acts,
            drift=self.drift,
            calendar=self.calendar,
            vault=self.vault,
            andon=self.andon,
        )


def load_config(path: Path | None) -> Config:
    """Give the settings of a file, or the defaults without one.  Raises: ConfigError with a sentence."""
    if path is None:
        return Config()
    try:
        tables = _toml(path.read_bytes())
    except FileNotFoundError:
        raise ConfigError(f"there is no settings file {path}: give another one with --config") from None
    except OSError as error:
        raise ConfigError(f"the settings file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the settings file {path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the settings file {path} is not TOML: {error}") from None
    except (ValueError, RecursionError):  # thousands of digits or brackets are too much for Python
        raise ConfigError(
            f"the settings file {path} is too long, or nests too deep, or has too long a number"
        ) from None
    return _config_from(tables, path)


def _toml(text: bytes) -> dict[str, Any]:
    """Give what a text says.  Raises: ValueError of many kinds, RecursionError."""
    # tomllib takes the square of a dotted key's length: 4,000 parts stop it for 0.3 s
    if len(text) > MAX_BYTES or any(line.count(b".") > MAX_DOTS for line in text.splitlines()):
        raise ValueError(len(text))
    return tomllib.loads(text.decode("utf-8"))


def _config_from(tables: dict[str, Any], path: Path) -> Config:
    sections = {one.name: one for one in dataclasses.fields(Config)}
    made = {}
    for name, table in tables.items():
        if name not in sections or not isinstance(table, dict):
            raise ConfigError(f"{path}: there is no section [{name}]; there are {', '.join(sections)}")
        made[name] = _section(sections[name].default_factory, name, table, path)  # type: ignore[arg-type]
    try:
        return Config(**made)
    except SettingError as error:
        raise ConfigError(f"{path}: {error}") from None


def _section(kind: type, name: str, table: dict[str, Any], path: Path) -> Any:
    """Give one section's dataclass; each value must be of its default's type (a whole number may stand for a float)."""
    known = {one.name: one for one in dataclasses.fields(kind)}
    values = {}
    for key, value in table.items():
        if key not in known:
            raise ConfigError(f"{path}: [{name}] has no setting {key!r}; it has {', '.join(known)}")
        wanted = type(known[key].default)
        if wanted is float and type(value) is int:
            value = float(value)
        if type(value) is not wanted:
            raise ConfigError(f"{path}: {name}.{key} = {value!r}: this is not a {WORDS[wanted]}")
        values[key] = value
    try:
        return kind(**values)
    except SettingError as error:
        raise ConfigError(f"{path}: {error}") from None


WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}
