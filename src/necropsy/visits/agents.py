"""Programs by their User-Agent: probers, crawlers, libraries and scanners by lists, people's browsers by ua-parser.

Whoever asks whether a visitor is a browser asks here: traffic, attribution and examiners.

The first list is ours because what matters here is what a program does: whether it brings a cookie back, and whether
somebody configured it; whom it does not know, the maintained list of ``crawlers`` may. Sources of ours: the programs' own
documentation and source; the User-Agents of crawlers are those that their operators publish.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from necropsy.model.traffic import AgentKind
from necropsy.visits import crawlers

if TYPE_CHECKING:
    from ua_parser import Parser

_PROBERS: Final = (
    ("ELB-HealthChecker", "AWS load balancer"), ("Amazon-Route53-Health-Check", "Route 53 health check"),
    ("GoogleHC", "Google Cloud health check"), ("GoogleStackdriverMonitoring", "Google Cloud uptime check"),
    ("Load Balancer Agent", "Azure load balancer"), ("Edge Health Probe", "Azure Front Door"),
    ("AlwaysOn", "Azure App Service always on"), ("Cloudflare-Healthchecks", "Cloudflare health check"),
    ("Cloudflare-Traffic-Manager", "Cloudflare load balancer"), ("Consul Health Check", "Consul"),
    ("kube-probe", "Kubernetes probe"), ("Blackbox Exporter", "Prometheus blackbox exporter"),
    ("Blackbox-Exporter", "Prometheus blackbox exporter"),
    ("Prometheus", "Prometheus"), ("vm_promscrape", "VictoriaMetrics agent"), ("Envoy/HC", "Envoy health check"),
    ("HAProxy", "HAProxy check"), ("nginx/", "nginx plus health check"), ("Traefik", "Traefik health check"),
    ("UptimeRobot", "UptimeRobot"), ("Uptime-Kuma", "Uptime Kuma"), ("Gatus", "Gatus"), ("Pingdom", "Pingdom"),
    ("StatusCake", "StatusCake"), ("Better Uptime", "Better Uptime"), ("Site24x7", "Site24x7"),
    ("Datadog", "Datadog"), ("NewRelicPinger", "New Relic"), ("Catchpoint", "Catchpoint"),
    ("check_http", "Nagios check_http"), ("monitoring-plugins", "Nagios check_http"), ("Zabbix", "Zabbix"),
    ("Icinga", "Icinga"), ("PRTG", "PRTG"), ("Monit/", "Monit"), ("updown.io", "updown.io"),
    ("HetrixTools", "HetrixTools"), ("Checkly", "Checkly"), ("freshping", "Freshping"), ("nodeping", "NodePing"),
    ("hosttracker", "HostTracker"), ("jetmon", "Jetpack monitor"),
)  # fmt: skip
_CRAWLERS: Final = (
    ("Googlebot", "Googlebot"), ("AdsBot-Google", "AdsBot-Google"), ("Mediapartners-Google", "Google AdSense"),
    ("GoogleOther", "GoogleOther"), ("Storebot-Google", "Google Storebot"), ("bingbot", "bingbot"),
    ("BingPreview", "Bing preview"), ("YandexBot", "YandexBot"), ("Baiduspider", "Baiduspider"),
    ("DuckDuckBot", "DuckDuckBot"), ("Applebot", "Applebot"), ("PetalBot", "PetalBot"), ("Sogou", "Sogou spider"),
    ("Yahoo! Slurp", "Yahoo Slurp"), ("SeznamBot", "SeznamBot"), ("Qwantify", "Qwant"), ("Bytespider", "Bytespider"),
    ("Amazonbot", "Amazonbot"), ("GPTBot", "GPTBot"), ("OAI-SearchBot", "OAI-SearchBot"),
    ("ChatGPT-User", "ChatGPT-User"), ("ClaudeBot", "ClaudeBot"), ("Claude-User", "Claude-User"),
    ("anthropic-ai", "anthropic-ai"), ("PerplexityBot", "PerplexityBot"), ("CCBot", "CCBot"),
    ("meta-externalagent", "Meta"), ("facebookexternalhit", "Facebook preview"), ("Twitterbot", "Twitter preview"),
    ("LinkedInBot", "LinkedIn preview"), ("Slackbot", "Slack preview"), ("Discordbot", "Discord preview"),
    ("TelegramBot", "Telegram preview"), ("WhatsApp", "WhatsApp preview"), ("Pinterestbot", "Pinterestbot"),
    ("SkypeUriPreview", "Skype preview"), ("AhrefsBot", "AhrefsBot"), ("SemrushBot", "SemrushBot"),
    ("MJ12bot", "MJ12bot"), ("DotBot", "DotBot"), ("BLEXBot", "BLEXBot"), ("DataForSeoBot", "DataForSeoBot"),
    ("SEOkicks", "SEOkicks"), ("serpstatbot", "serpstatbot"), ("rogerbot", "rogerbot"),
    ("Screaming Frog", "Screaming Frog"), ("archive.org_bot", "archive.org"), ("ia_archiver", "archive.org"),
    ("heritrix", "Heritrix"), ("Chrome-Lighthouse", "Lighthouse"), ("Feedly", "Feedly"),
    ("Feedfetcher", "Google Feedfetcher"),
)  # fmt: skip
_SCANNERS: Final = (
    ("sqlmap", "sqlmap"), ("Nikto", "Nikto"), ("Nmap", "Nmap"), ("masscan", "masscan"), ("zgrab", "zgrab"),
    ("Nuclei", "Nuclei"), ("CensysInspect", "Censys"), ("Expanse", "Expanse"),
    ("InternetMeasurement", "InternetMeasurement"), ("Shodan", "Shodan"), ("WPScan", "WPScan"),
    ("gobuster", "gobuster"), ("Fuzz Faster U Fool", "ffuf"), ("DirBuster", "DirBuster"), ("Acunetix", "Acunetix"),
    ("Nessus", "Nessus"), ("OpenVAS", "OpenVAS"), ("ZAP/", "ZAP"), ("Burp", "Burp"), ("LeakIX", "LeakIX"),
)  # fmt: skip
_LIBRARIES: Final = (
    ("Go-http-client", "Go net/http"), ("python-requests", "Python requests"), ("python-httpx", "Python httpx"),
    ("aiohttp", "Python aiohttp"), ("Python-urllib", "Python urllib"), ("Scrapy", "Scrapy"), ("curl", "curl"),
    ("Wget", "Wget"), ("Apache-HttpClient", "Apache HttpClient"), ("Apache-HttpAsyncClient", "Apache HttpClient"),
    ("ReactorNetty", "Reactor Netty"), ("okhttp", "OkHttp"), ("Java-http-client", "Java HttpClient"),
    ("Java/", "Java"), ("Jakarta Commons", "Commons HttpClient"), ("axios", "axios"), ("node-fetch", "node-fetch"),
    ("undici", "undici"), ("got (", "got"), ("superagent", "superagent"), ("node", "Node.js"), ("Deno", "Deno"),
    ("Bun/", "Bun"), ("GuzzleHttp", "Guzzle"), ("Symfony HttpClient", "Symfony HttpClient"), ("PHP/", "PHP"),
    ("WordPress", "WordPress"), ("Ruby", "Ruby"), ("Faraday", "Faraday"), ("rest-client", "rest-client"),
    ("libwww-perl", "libwww-perl"), ("LWP::", "libwww-perl"), ("Dalvik", "Android app"), ("CFNetwork", "Apple app"),
    ("PostmanRuntime", "Postman"), ("insomnia", "Insomnia"), ("HTTPie", "HTTPie"), ("k6/", "k6"),
    ("Apache-JMeter", "JMeter"), ("ApacheBench", "ApacheBench"), ("Gatling", "Gatling"), ("vegeta", "vegeta"),
    ("hey/", "hey"), ("reqwest", "Rust reqwest"), ("hyper", "Rust hyper"), ("RestSharp", "RestSharp"),
    ("PowerShell", "PowerShell"), ("WinHttp", "WinHTTP"), ("Dart/", "Dart"), ("HeadlessChrome", "headless Chrome"),
    ("PhantomJS", "PhantomJS"), ("Puppeteer", "Puppeteer"), ("Playwright", "Playwright"), ("Selenium", "Selenium"),
)  # fmt: skip
AGENTS: Final[tuple[tuple[AgentKind, tuple[tuple[str, str], ...]], ...]] = (
    ("prober", _PROBERS),
    ("scanner", _SCANNERS),
    ("crawler", _CRAWLERS),
    ("library", _LIBRARIES),
)
"""Kind to what a User-Agent holds (case does not count) and what the program is called; the first that fits counts."""

_INTERMEDIARIES: Final = ("Amazon CloudFront", "AmazonAPIGateway")
"""User-Agents that intermediaries send instead of their clients', by their documentation."""
_LOWERED: Final = tuple((kind, sign.lower(), name) for kind, known in AGENTS for sign, name in known)
BEGINNING: Final = r"(?:Mozilla|Opera)/[0-9]"
"""Regular expression of how a browser's User-Agent begins; that of many a robot, too."""
_BROWSER: Final = re.compile(BEGINNING)
_CALLS_ITSELF: Final = re.compile(
    r"(?i)\b(?!cubot\b)\w*(?:bot|crawl(?:er|ing)?|spider|slurp|fetch(?:er)?|preview|archiver|indexer|scan(?:ner)?)\b|\+https?://"
)
"""Finds what a robot calls itself; Cubot makes telephones."""
_MONITORS: Final = re.compile(
    r"(?i)health.?check|\b\w*(?:monitor(?:ing)?|uptime|probe|heartbeat|check(?:er)?|exporter|synthetics?)\b"
)
_FIRST_WORD: Final = re.compile(r"[A-Za-z][\w.+-]{1,30}")


@dataclass(frozen=True, slots=True)
class Agent:
    """A program as its User-Agent describes it."""

    name: str
    kind: AgentKind


def load() -> None:
    """Load what is known of crawlers and browsers, a tenth of a second, before somebody waits for it."""
    recognise("Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0")


@lru_cache(maxsize=50_000)
def recognise(user_agent: str) -> Agent:
    """Name a program by its User-Agent.

    >>> recognise("Go-http-client/1.1"), recognise("curl/8.5.0")
    (Agent(name='Go net/http', kind='library'), Agent(name='curl', kind='library'))
    >>> recognise("Mozilla/5.0 (compatible; AcmeBot/2.1; +https://acme.example/bot)")
    Agent(name='AcmeBot', kind='crawler')
    >>> recognise("our-backup-job/7"), recognise("")
    (Agent(name='our-backup-job', kind='unknown'), Agent(name='', kind='unknown'))
    """
    name, kind = _told(user_agent)
    return Agent(_browser(user_agent) if name is None else name, kind)


def kind_of(user_agent: str) -> AgentKind:
    """Return the kind of a program, without its name: that of a browser takes a parser."""
    return _told(user_agent)[1]


def begins_as_browser(user_agent: str) -> bool:
    """Whether a User-Agent begins as a browser's, whoever it is."""
    return _BROWSER.match(user_agent) is not None


def is_browser(user_agent: str) -> bool:
    """Whether a User-Agent is a browser's, and no program's that begins as one.

    >>> is_browser("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
    True
    >>> is_browser("Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)"), is_browser("")
    (False, False)
    """
    return kind_of(user_agent) == "browser"


def hides_its_clients(user_agent: str) -> bool:
    """Whether a User-Agent is that of an intermediary which does not pass on its clients': anybody may be behind it.

    >>> hides_its_clients("Amazon CloudFront"), hides_its_clients("curl/8.5.0")
    (True, False)
    """
    return user_agent.startswith(_INTERMEDIARIES)


@lru_cache(maxsize=50_000)
def _told(user_agent: str) -> tuple[str | None, AgentKind]:
    """Return name and kind; of browsers no name."""
    if user_agent in {"", "-", "*"}:
        return "", "unknown"
    listed = _listed(user_agent.lower()) or crawlers.find(user_agent)
    if listed is not None:
        return listed
    robot = _CALLS_ITSELF.search(user_agent)
    if robot is not None:
        return "a robot" if "://" in robot[0] else robot[0], "crawler"
    monitor = _MONITORS.search(user_agent)
    if monitor is not None:
        return monitor[0] if _BROWSER.match(user_agent) else _first_word(user_agent), "prober"
    if _BROWSER.match(user_agent):
        return None, "browser"
    return _first_word(user_agent), "unknown"


def _listed(lowered: str) -> tuple[str, AgentKind] | None:
    for kind, sign, name in _LOWERED:
        if sign in lowered and (kind != "library" or _stands_alone(sign, lowered)):
            return name, kind
    return None


def _stands_alone(sign: str, lowered: str) -> bool:
    """Whether a library's short name is a word of its own: ``node`` is not in ``nodeping``, nor ``curl`` in ``curly``."""
    return re.search(rf"(?<![a-z]){re.escape(sign)}(?![a-z])", lowered) is not None


def _first_word(user_agent: str) -> str:
    found = _FIRST_WORD.search(user_agent)
    return found[0] if found else ""


def _browser(user_agent: str) -> str:
    parser = _parser()
    browser, system = parser.parse_user_agent(user_agent), parser.parse_os(user_agent)
    name = " ".join(filter(None, (browser.family, browser.major))) if browser else "browser"
    return f"{name} on {system.family}" if system else name


@cache
def _parser() -> Parser:
    """Load the parser without its devices: they are half of it, and never asked for."""
    from ua_parser import Parser, load_lazy_builtins

    browsers, systems, _ = load_lazy_builtins()
    return Parser.from_matchers((browsers, systems, []))
