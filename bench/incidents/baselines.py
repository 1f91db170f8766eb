"""What an operator concludes without necropsy: the busiest client did it; the biggest prefix is the trouble."""

from __future__ import annotations

from typing import Any

from incidents.judge import Marks

NAMES = ("busiest client", "biggest prefix")


def busiest_client(facts: dict[str, Any], withheld: str) -> Marks:
    """Accuse the user agent and address with the most lines; its share of the lines is its share of the sessions."""
    marks = Marks(healthy=facts["healthy"], said="causes")
    busiest = facts["busiest_client"]
    if busiest is None or withheld == "log":
        marks.said, marks.top, marks.causes = "unsure", 0.5, 0.5
        return marks
    asked = [cause for cause in facts["expect"][withheld or "all"]["causes"] if cause["required"]]
    actors = {actor["name"]: actor for actor in facts["actors"]}
    hit = [cause for cause in asked if any(busiest["agent"] in actors[name]["agents"] for name in cause["actors"])]
    largest = max((cause["share"] for cause in asked), default=0.0)
    marks.top = float(bool(hit) and hit[0]["share"] >= largest - 0.1)
    marks.causes = float(bool(hit) and len(asked) == 1)
    marks.actors_named = 1
    marks.actors_right = int(bool(hit))
    marks.actors_asked = sum(actor["role"] == "culprit" and actor["share"] >= 0.05 for actor in actors.values())
    marks.actors_found = int(bool(hit))
    marks.false_alarms = int(facts["healthy"])
    marks.share_errors = [abs(hit[0]["share"] - busiest["share"])] if hit else []
    return marks


def biggest_prefix(facts: dict[str, Any], withheld: str) -> Marks:
    """Name the prefix with the most bytes: right where the trouble is a prefix, and says nothing of who makes sessions."""
    marks = Marks(healthy=facts["healthy"], said="causes")
    if withheld == "dump":
        marks.said, marks.top, marks.causes = "unsure", 1.0, 1.0
        return marks
    asked = [cause for cause in facts["expect"][withheld or "all"]["causes"] if cause["required"]]
    hit = [cause for cause in asked if "memory/not-sessions" in cause["slugs"]]
    marks.top = marks.causes = float(bool(hit) and len(asked) == 1)
    return marks


def judge(name: str, facts: dict[str, Any], withheld: str) -> Marks:
    return (busiest_client if name == NAMES[0] else biggest_prefix)(facts, withheld)
