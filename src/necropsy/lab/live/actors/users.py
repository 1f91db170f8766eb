"""The users of one application: they log in, work, log out, come back with their cookies, and notice when they were logged out.

Each visit goes through any of the proxies, as a load balancer in front of them would have it. What happens is written as one line
of JSON::

    {"at": 1796007954.1, "user": "principal-anna.keller@corp.example", "event": "work"}

``event`` is ``login``, ``work``, ``logout``, ``noticed`` (a session that should be there is not), ``failed`` (no answer, or an
error) or ``passed-by`` (somebody who only saw the form).
"""

from __future__ import annotations

import argparse
import json
import random
import re
import threading
import time
import urllib.parse
from pathlib import Path

from necropsy.lab.live.actors.asking import ActorResponse, ask
from necropsy.lab.people import BROWSERS, principals

_TOKEN = re.compile(r'name="_csrf" type="hidden" value="([^"]+)"')
_PASSWORD = "admin"  # noqa: S105 -- everybody's, in a lab
_FOUND = 200
_SENT_AWAY = 302
_BROKEN = 500


class Diary:
    """Requests of all users, line by line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, user: str, event: str) -> None:
        """Add one line."""
        line = json.dumps({"at": round(time.time(), 3), "user": user, "event": event})
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


class User:
    """One person with one browser."""

    def __init__(self, name: str, places: list[str], diary: Diary, lifetime_s: float, chance: random.Random) -> None:
        self.name = name
        self._places = places
        self._diary = diary
        self._lifetime_s = lifetime_s
        self._chance = chance
        self._headers = {
            "User-Agent": chance.choice(BROWSERS),
            "Accept": "text/html",
            "X-Real-IP": f"10.20.{chance.randrange(8)}.{chance.randrange(2, 250)}",
        }
        self._cookie = ""
        self._used = 0.0

    def live(self, pace_s: float) -> None:
        """Go on for ever; ``pace_s`` is the usual time between two clicks, seconds."""
        self.rest(pace_s)
        while True:
            if not self._log_in():
                self.rest(pace_s)
                continue
            for _ in range(self._chance.randrange(3, 14)):
                self.rest(pace_s)
                if not self._work():
                    break
            else:
                if self._chance.random() < 0.4:
                    self._log_out()
                    self.rest(2 * pace_s)

    def pass_by(self) -> None:
        """See the form, and leave."""
        self._cookie = ""
        self._ask("GET", "/")
        self._ask("GET", "/login")
        self._diary.write(self.name, "passed-by")

    def rest(self, pace_s: float) -> None:
        """Wait a while, never so long that the session ends."""
        time.sleep(min(self._chance.uniform(0.3, 2.0) * pace_s, 0.5 * self._lifetime_s))

    def _log_in(self) -> bool:
        self._cookie = ""
        self._ask("GET", "/")
        token = self._token(self._ask("GET", "/login"))
        form = urllib.parse.urlencode({"username": self.name, "password": _PASSWORD, "_csrf": token})
        self._ask("POST", "/login", form)
        answer = self._ask("GET", "/?continue")
        self._diary.write(self.name, "login" if answer.status == _FOUND else "failed")
        return answer.status == _FOUND

    def _work(self) -> bool:
        idle = time.time() - self._used
        answer = self._ask("GET", f"/orders/{self._chance.randrange(1, 999)}")
        if answer.status == _FOUND:
            self._diary.write(self.name, "work")
            return True
        expected = idle > self._lifetime_s
        self._diary.write(self.name, "noticed" if answer.status == _SENT_AWAY and not expected else "failed")
        return not (answer.status == _SENT_AWAY or expected)

    def _log_out(self) -> None:
        token = self._token(self._ask("GET", "/logout"))
        self._ask("POST", "/logout", urllib.parse.urlencode({"_csrf": token}))
        self._diary.write(self.name, "logout")

    def _ask(self, method: str, path: str, body: str = "") -> ActorResponse:
        headers = self._headers | ({"Cookie": self._cookie} if self._cookie else {})
        answer = ask(self._chance.choice(self._places), method, path, headers, body)
        if answer.cookie is not None:
            self._cookie = answer.cookie
        if 0 < answer.status < _BROKEN:
            self._used = time.time()
        return answer

    @staticmethod
    def _token(answer: ActorResponse) -> str:
        found = _TOKEN.search(answer.body)
        return found.group(1) if found else ""


def main() -> None:
    """Live until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--proxy", action="append", required=True, help="HOST:PORT; may be repeated")
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--pace", type=float, default=8.0, help="seconds between two clicks")
    parser.add_argument("--lifetime", type=float, required=True, help="seconds that an idle session lives")
    parser.add_argument("--diary", type=Path, required=True)
    options = parser.parse_args()
    chance = random.SystemRandom()
    diary = Diary(options.diary)
    for name in principals(options.count):
        user = User(name, options.proxy, diary, options.lifetime, random.Random(chance.random()))
        threading.Thread(target=user.live, args=(options.pace,), daemon=True).start()
    while True:
        stranger = User("somebody", options.proxy, diary, options.lifetime, random.Random(chance.random()))
        time.sleep(chance.expovariate(1 / (10 * options.pace)))
        stranger.pass_by()


if __name__ == "__main__":
    main()
