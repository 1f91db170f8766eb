"""Labelled incidents made to order, with a seed: visits as a log would hold them, births as a store would, and who made them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from necropsy.model.probe import Probe
from necropsy.verdict.evidence import Births, Circumstances, LogSpan, VisitorClass, Visits

START_S = 1_700_000_000.0
DAY_S = 86_400.0
BROWSERS = tuple(
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    for system in ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64")
    for version in (118, 119, 120)
)


@dataclass
class Incident:
    """What happens at one store, and what is left of it as evidence."""

    seed: int
    span_s: float = DAY_S
    resolution_s: float = 0.001
    """Of the log."""
    starts: bool = True
    """Whether the log's times are starts."""
    birth_resolution_s: float = 0.001
    lifetime_s: float | None = DAY_S
    answer_s: float = 0.006
    """Median time from a request's start to its birth."""
    visits: list[tuple[str, str, str, str, str, int, np.ndarray]] = field(default_factory=list)
    """Client, agent, host, method, path, status, starts."""
    made: dict[str, list[np.ndarray]] = field(default_factory=dict)
    unlogged: int = 0
    probes: list[Probe] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)

    def delays(self, count: int) -> np.ndarray:
        return self.answer_s * self.random.lognormal(0, 0.5, count)

    def requests(
        self, who: str, at: np.ndarray, *, client: str, agent: str, path: str = "/", method: str = "GET", status: int = 200,
        creates: float = 1.0, logged: bool = True, host: str = "shop",
    ) -> None:  # fmt: skip
        at = np.sort(at[(at >= 0) & (at < self.span_s)])
        if logged:
            self.visits.append((client, agent, host, method, path, status, at))
        made = at[self.random.random(at.size) < creates]
        if made.size:
            self.made.setdefault(who, []).append(made + self.delays(made.size))

    def people(self, sessions: int, *, pages: int = 6, returning: float = 0.3) -> None:
        who = [f"10.1.{n // 250}.{n % 250}" for n in range(sessions)]
        for number, client in enumerate(who):
            agent = BROWSERS[number % len(BROWSERS)]
            first = self.random.uniform(0, self.span_s)
            entry = self.random.choice(["/", "/products", "/login"], p=[0.5, 0.3, 0.2])
            self.requests("people", np.asarray([first]), client=client, agent=agent, path=str(entry))
            count = self.random.poisson(pages)
            after = first + np.cumsum(self.random.exponential(40, count) + 1)
            for path in ("/products", "/cart", "/"):
                some = after[self.random.random(count) < 0.4]
                if some.size:
                    self.requests("people", some, client=client, agent=agent, path=path, creates=0)

    def prober(
        self, who: str, period_s: float, *, client: str = "10.0.0.9", agent: str = "Go-http-client/1.1", path: str = "/",
        logged: bool = True, creates: float = 1.0, jitter_s: float = 0.002, phase_s: float | None = None, drift_s: float = 0.0,
        between: tuple[float, float] = (0.0, 1e12), status: int = 302, host: str = "shop",
    ) -> None:  # fmt: skip
        phase = self.random.uniform(0, period_s) if phase_s is None else phase_s
        ticks = np.arange(int(self.span_s / period_s) + 1)
        at = ticks * (period_s + drift_s) + phase + self.random.uniform(-jitter_s, jitter_s, ticks.size)
        at = at[(at >= between[0]) & (at <= between[1])]
        if not logged and creates:
            self.unlogged += 1
        self.requests(
            who, at, client=client, agent=agent, path=path, logged=logged, creates=creates, status=status, host=host
        )

    def crawler(
        self, who: str, visits: int, addresses: int, *, agent: str = "PriceSpider/1.0", creates: float = 1.0
    ) -> None:
        at = self.random.uniform(0, self.span_s, visits)
        address = self.random.integers(0, addresses, visits)
        page = self.random.integers(0, 3, visits)
        for number in range(addresses):
            for path in range(3):
                mine = at[(address == number) & (page == path)]
                if mine.size:
                    self.requests(
                        who, mine, client=f"77.{number // 60000}.{number // 250 % 250}.{number % 250}", agent=agent,
                        path=("/products", "/offers", "/")[path], creates=creates,
                    )  # fmt: skip

    def build(
        self, *, logs: bool = True, covers: tuple[float, float] = (0.0, 1.0), offset_s: float = 0.0, keep: float = 1.0,
        store: str = "a", start_s: float = START_S,
    ) -> tuple[Births, Circumstances, dict[str, float]]:  # fmt: skip
        """Return the births, the circumstances, and the share of each creator."""
        names = sorted(self.made)
        born = np.concatenate([np.concatenate(self.made[name]) for name in names]) if names else np.zeros(0)
        who = np.concatenate(
            [np.full(sum(map(len, self.made[name])), n) for n, name in enumerate(names)] or [np.zeros(0)]
        )
        kept = self.random.random(born.size) < keep
        born, who = born[kept], who[kept]
        order = np.argsort(born, kind="stable")
        born, who = born[order], who[order]
        born = np.floor((born + start_s) / self.birth_resolution_s + 1e-6) * self.birth_resolution_s
        births = Births(
            store=store,
            born_ms=np.round(born * 1000).astype(np.int64),
            authenticated=np.zeros(born.size, bool),
            creator=np.full(born.size, -1, np.int32),
            creators=(),
            resolution_s=self.birth_resolution_s,
            bytes_per_session=1000.0,
            total=born.size,
            coverage=1.0,
            taken_ms=round((start_s + self.span_s) * 1000),
            lifetime_s=self.lifetime_s,
        )
        share = {name: float((who == n).mean()) for n, name in enumerate(names)}
        self.who = np.asarray(names)[who.astype(int)] if names else who
        around = self._circumstances(covers, offset_s, start_s) if logs else Circumstances(probes=self.probes)
        return births, around, share

    def _circumstances(self, covers: tuple[float, float], offset_s: float, start_s: float) -> Circumstances:
        first, last = covers[0] * self.span_s, covers[1] * self.span_s
        counts: dict[tuple[object, ...], int] = {}
        for client, agent, host, method, path, status, at in self.visits:
            key = (client, agent, host, method, path, status)
            counts[key] = counts.get(key, 0) + at.size
        ids: dict[tuple[object, ...], int] = {}
        columns: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        clients: dict[tuple[str, str], int] = {}
        for client, agent, host, method, path, status, at in self.visits:
            inside = at[(at >= first) & (at < last)]
            if not inside.size:
                continue
            own = counts[client, agent, host, method, path, status] >= 20
            key = (client if own else "*", agent, host, method, path, status)
            number = ids.setdefault(key, len(ids))
            person = clients.setdefault((client, agent), len(clients) * 7919 + 13)
            stamp = inside if self.starts else inside + 2 * self.answer_s
            stamp = np.floor((stamp + start_s + offset_s) / self.resolution_s + 1e-6) * self.resolution_s
            columns.append((np.full(inside.size, number), np.full(inside.size, person), stamp))
        if not columns:
            return Circumstances(probes=self.probes, logs_given=True)
        number, person, stamp = (np.concatenate(part) for part in zip(*columns, strict=True))
        order = np.argsort(stamp, kind="stable")
        visits = Visits(
            class_id=number[order].astype(np.int32),
            client=person[order].astype(np.int64),
            at_us=np.round(stamp[order] * 1e6).astype(np.int64),
            spans=(
                LogSpan(
                    "access.log", round((start_s + first + offset_s) * 1e6), round((start_s + last + offset_s) * 1e6),
                    self.resolution_s, self.starts,
                ),
            ),
        )  # fmt: skip
        sums = np.bincount(visits.class_id, minlength=len(ids))
        classes = [
            VisitorClass(n, str(agent), str(host), str(method), str(path), int(str(status)), None, int(sums[n]),
                         None, None, None, None, "access.log")
            for (_, agent, host, method, path, status), n in ids.items()
        ]  # fmt: skip
        return Circumstances(probes=self.probes, classes=classes, visits=visits, logs_given=True)


def total(shares: dict[str, float], names: Iterable[str]) -> float:
    return sum(shares.get(name, 0.0) for name in names)
