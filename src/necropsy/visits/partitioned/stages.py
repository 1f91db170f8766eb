"""The stages of the analysis of one partition; see the package. All of them can be pickled, and need nothing that Ibis makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from necropsy.rhythm import periods
from necropsy.visits import analyse
from necropsy.visits.tables import RHYTHM

if TYPE_CHECKING:
    from necropsy.visits.partitioned.partition import Partition

CROWD: Final = 0x5EED_0C1A_55E5_0000
"""What tells the key of a crowd (classes that are not kept apart, summed up) from those of classes."""
_CROWD_KEY: Final = f"xor(overflow_key, {CROWD})"


@dataclass(frozen=True, slots=True)
class Guess:
    """Guess which line followed a redirect, by the page that its Referer names; keep the texts of this partition."""

    slack_us: int
    redirects: bool
    """Whether the log has any."""

    def __call__(self, part: Partition) -> None:
        """Run."""
        part.run("CREATE TEMP TABLE text AS SELECT key, min(text) AS text FROM given GROUP BY key")
        part.keep("text")
        if self.redirects:
            part.engine.create("redirect_candidates", slack_us=self.slack_us)
            part.engine.create("hop")
            analyse.guess_pairs(part.engine, "by_referer", analyse.by_referer(self.slack_us))
            part.say("pair_count")
            part.keep("redirect_candidates", "hop", "keyed", "guess")


@dataclass(frozen=True, slots=True)
class GuessAgain:
    """Settle the pairs of the first round, and guess those of the second, by host."""

    slack_us: int
    again: bool
    """Whether some guesses of the first round are mere coincidence."""

    def __call__(self, part: Partition) -> None:
        """Run."""
        analyse.settle_pairs(part.engine, "first_pair", analyse.by_referer(self.slack_us), again=self.again)
        part.engine.create("unpaired")
        analyse.guess_pairs(part.engine, "by_host", analyse.by_host(self.slack_us))
        part.say("pair_count")
        part.keep("redirect_candidates", "hop", "keyed", "guess", "first_pair")


@dataclass(frozen=True, slots=True)
class MakeClasses:
    """Settle the pairs of the second round; make visits, classes, and clients with their cookies."""

    slack_us: int
    redirects: bool
    again: bool
    cookies: bool
    """Whether the log tells of them."""
    visits: bool
    """Whether visits are wanted one by one."""

    def __call__(self, part: Partition) -> None:
        """Run."""
        engine = part.engine
        if self.redirects:
            analyse.settle_pairs(engine, "second_pair", analyse.by_host(self.slack_us), again=self.again)
            analyse.chain_pairs(engine)
        else:
            analyse.nothing_followed(engine)
        if self.cookies:
            engine.create("cookie_client")
            engine.create("cookie_kept", clients=analyse.CLIENTS)
            engine.create("cookie_rest")
            part.say("cookie_kept")
            part.say("cookie_rest")
        analyse.make_classes(engine)
        part.say("frequent", f"SELECT count(*) AS classes FROM classes WHERE visits >= {periods.FEWEST}")
        part.say(
            "most",
            f"SELECT class_key, visits, number FROM classes ORDER BY visits DESC, number LIMIT {analyse.CLASSES}",
        )
        if self.visits:
            engine.create("busy")
            part.say("busy")
        part.run(
            "CREATE TEMP TABLE standing AS SELECT number, client_key, agent_key, host_key, page_key, status FROM line"
            " SEMI JOIN classes USING (number)"
        )
        part.keep("visit", "classes", "redirect_target", "standing")


@dataclass(frozen=True, slots=True)
class JudgeClasses:
    """Find the rhythms; say the classes that are kept, and the sums of the others without their clients."""

    among: int
    """Frequent classes of the whole log."""

    def __call__(self, part: Partition) -> None:
        """Run; ``most`` has the keys of the largest classes of the log."""
        part.engine.create("judged", fewest=periods.fewest(self.among))
        part.engine.map_groups("rhythm", analyse.Rhythms(self.among), "judged", "class_key", RHYTHM)
        part.say("rhythm")
        part.run("CREATE TEMP TABLE kept AS SELECT class_key FROM most UNION SELECT class_key FROM rhythm")
        part.say("own", "SELECT * FROM classes SEMI JOIN kept USING (class_key)")
        part.say(
            "crowd",
            f"SELECT {_CROWD_KEY} AS class_key, sum(visits)::BIGINT AS visits, min(first_us) AS first_us,"
            " max(last_us) AS last_us, min(number) AS number, overflow_key, min(rest_key) AS rest_key"
            " FROM classes ANTI JOIN kept USING (class_key) GROUP BY overflow_key",
        )
        part.say("own_target", "SELECT * FROM redirect_target SEMI JOIN kept USING (class_key)")
        part.say(
            "crowd_target",
            f"SELECT {_CROWD_KEY} AS class_key, followed_to, sum(followed)::BIGINT AS followed, max(most)::BIGINT AS most"
            " FROM classes INNER JOIN redirect_target USING (class_key) ANTI JOIN kept USING (class_key)"
            " GROUP BY overflow_key, followed_to",
        )
        part.scratch.connection.register("said_own", part.said["own"])
        part.scratch.connection.register("said_crowd", part.said["crowd"])
        part.say(
            "standing",
            "SELECT * FROM standing WHERE number IN (SELECT number FROM said_own UNION SELECT number FROM said_crowd)",
        )


@dataclass(frozen=True, slots=True)
class CountVisits:
    """Say visits by class and minute, and those of the stretches that are kept one by one; ``folded`` has the classes."""

    bins: bool
    visits: bool

    def __call__(self, part: Partition) -> None:
        """Run."""
        for wanted, step in ((self.bins, "bins"), (self.visits, "started")):
            if wanted:
                part.engine.create(step)
                part.say(step)


@dataclass(frozen=True, slots=True)
class FindTexts:
    """Say the texts of the keys in ``wanted``."""

    def __call__(self, part: Partition) -> None:
        """Run."""
        part.say("given", "SELECT key, text FROM text SEMI JOIN wanted USING (key)")
