"""``necropsy guard dashboards``, ``scrape``, ``alertmanager`` and ``compose``: files for what stands around a guard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from necropsy.cli.output import unwritable
from necropsy.model.errors import NecropsyError, UsageError

if TYPE_CHECKING:
    from necropsy.guard.around.alertmanager import Receiver
    from necropsy.guard.configuration import GuardConfig
    from necropsy.guard.notify.plan import ReceiverRules
    from necropsy.guard.web import WebConfig

_SEVERITIES: Final = ("info", "warning", "critical")

Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Write to this folder.")]
Prometheus = Annotated[
    str,
    typer.Option(
        "--prometheus", metavar="URL", help="Address of Prometheus, as Grafana reaches it.", show_default=True
    ),
]


def dashboards(out: Out, prometheus: Prometheus = "http://127.0.0.1:9090") -> None:
    """Write three Grafana dashboards (one store, all stores, probes), and the files that provision them.

    \b
    Examples:
      necropsy guard dashboards --out grafana
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.guard.around.dashboards import files

    written(out, files(prometheus))
    typer.echo(
        f"Wrote {out}. Copy provisioning/ into Grafana's provisioning folder, and dashboards/ to /etc/grafana/dashboards.",
        err=True,
    )


def scrape(
    config: Annotated[Path, typer.Argument(metavar="GUARD.TOML", help="The file of `necropsy guard run`.")],
    out: Out,
    probe: Annotated[
        list[str] | None, typer.Option("--probe", metavar="URL", help="A URL to probe. Repeatable.")
    ] = None,
    module: Annotated[str, typer.Option("--module", metavar="NAME", help="Module of the prober.")] = "http_2xx",
    alertmanager: Annotated[
        list[str] | None,
        typer.Option("--alertmanager", metavar="HOST:PORT", help="Address of an Alertmanager. Repeatable."),
    ] = None,
) -> None:
    """Write prometheus.yml for a guard: its own metrics, each of its stores, and the probes that it sends.

    \b
    Examples:
      necropsy guard scrape guard.toml --probe http://10.0.0.1:8080/health --out /etc/prometheus
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.guard.around import access
    from necropsy.guard.around.scrape import as_yaml
    from necropsy.guard.configuration import read_guard
    from necropsy.guard.rules import as_yaml as rules

    without_password(probe or [])
    guard = read_guard(str(config))
    web, address = web_of(guard), access.reached_at(guard.listen, guard.hosts)
    text = as_yaml(address, list(live_stores(config)), probe or [], module, alertmanager or [], access.settings(web))
    written(out, {"prometheus.yml": text, "necropsy.rules.yml": rules(), **access.files(web)})
    typer.echo(f"Wrote {out / 'prometheus.yml'} and the rules beside it.", err=True)
    for note in access.left_to_do(web, out, address.rpartition(":")[0]):
        typer.echo(f"note: {note}", err=True)


def alertmanager(
    config: Annotated[Path, typer.Argument(metavar="GUARD.TOML", help="The file of `necropsy guard run`.")],
    out: Out,
    slack_file: Annotated[
        list[str] | None,
        typer.Option(
            "--slack-file",
            metavar="[SEVERITY=]FILE",
            help="File that holds the address of a Slack incoming webhook. SEVERITY= limits it to alerts of this severity"
            " and above. Repeatable.",
        ),
    ] = None,
    webhook_file: Annotated[
        list[str] | None,
        typer.Option("--webhook-file", metavar="[SEVERITY=]FILE", help="The same for Alertmanager's generic webhook."),
    ] = None,
    page: Annotated[
        str, typer.Option("--page", metavar="URL", help="Address of the guard's page, for the links in messages.")
    ] = "",
) -> None:
    """Write alertmanager.yml and the message templates: routes, receivers and inhibition rules.

    Quiet hours and the repeat interval are taken from [guard]. Webhook addresses are secrets: alertmanager.yml names
    only the files that hold them.

    \b
    Examples:
      necropsy guard alertmanager guard.toml --slack-file /etc/alertmanager/slack.url --out /etc/alertmanager
      necropsy guard alertmanager guard.toml --slack-file a.url --webhook-file critical=pager.url --out alertmanager
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.guard.around.alertmanager import SLACK, TEMPLATE, WEBHOOK, as_yaml, template
    from necropsy.guard.configuration import read_guard

    guard = read_guard(str(config))
    receivers = [receiver(SLACK, text, guard) for text in slack_file or []]
    receivers += [receiver(WEBHOOK, text, guard) for text in webhook_file or []]
    if not receivers:
        raise UsageError("nobody would be told", hint="Give --slack-file FILE or --webhook-file FILE.")
    written(out, {"alertmanager.yml": as_yaml(receivers, page), TEMPLATE: template()})
    typer.echo(f"Wrote {out / 'alertmanager.yml'} and its texts. Check it: amtool check-config", err=True)
    if not any(channel.kind == "alertmanager" for channel in guard.channels):
        typer.echo(f'note: the guard does not tell it yet; in {config}: [[guard.tell]] alertmanager = "URL"', err=True)
    direct = [channel.name for channel in guard.channels if channel.kind != "alertmanager"]
    if direct:
        typer.echo(f"note: the guard itself tells {', '.join(direct)}, too", err=True)


def compose(
    config: Annotated[Path, typer.Argument(metavar="GUARD.TOML", help="The file of `necropsy guard run`.")],
    out: Out,
    probe: Annotated[
        list[str] | None, typer.Option("--probe", metavar="URL", help="A URL to probe. Repeatable.")
    ] = None,
    module: Annotated[str, typer.Option("--module", metavar="NAME", help="Module of the prober.")] = "http_2xx",
) -> None:
    """Write a compose file with its configuration: the guard, Prometheus, Alertmanager and Grafana.

    It contains no store: the guard reads the stores that GUARD.TOML names. The guard's image is built from this checkout
    by deploy/Dockerfile. Write the address of a Slack webhook into secrets/slack.url.

    \b
    Examples:
      necropsy guard compose guard.toml --probe http://shop.example/health --out watch
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.guard.around import access
    from necropsy.guard.around import alertmanager as alerting
    from necropsy.guard.around import compose as composed
    from necropsy.guard.around.dashboards import files
    from necropsy.guard.around.scrape import as_yaml as scraping
    from necropsy.guard.configuration import read_guard
    from necropsy.guard.rules import as_yaml as rules

    without_password(probe or [])
    guard, stores = read_guard(str(config)), live_stores(config)
    for name, host in stores.items():
        if host in ("", "127.0.0.1", "localhost", "::1"):
            raise UsageError(
                f"store {name} is at {host or 'a socket'}, which inside a container is the container itself",
                hint="Name the machine by the address under which containers reach it.",
            )
    slack = alerting.Receiver(
        alerting.SLACK, f"{composed.SECRETS}/{composed.SLACK_SECRET}", receiver_rules(guard, "info")
    )
    web = web_of(guard)
    scrape_config = scraping(
        composed.GUARD_ADDRESS,
        list(stores),
        probe or [],
        module,
        [composed.ALERTMANAGER_ADDRESS],
        access.settings(web),
    )
    made = {
        "compose.yml": composed.as_yaml(str(config.resolve().parent), config.name),
        "prometheus/prometheus.yml": scrape_config,
        "prometheus/necropsy.rules.yml": rules(),
        **{f"prometheus/{name}": text for name, text in access.files(web).items()},
        "alertmanager/alertmanager.yml": alerting.as_yaml(
            [slack], f"http{'s' if web.cert_file else ''}://127.0.0.1:9120/"
        ),
        f"alertmanager/{alerting.TEMPLATE}": alerting.template(),
        **{f"grafana/{name}": text for name, text in files(composed.PROMETHEUS_URL).items()},
    }
    written(out, made)
    typer.echo(
        f"Wrote {out / 'compose.yml'} and what it needs. The address of Slack: {out}/secrets/slack.url", err=True
    )
    for note in access.left_to_do(web, out / "prometheus", composed.GUARD_ADDRESS.partition(":")[0]):
        typer.echo(f"note: {note}", err=True)
    if not any(channel.kind == "alertmanager" for channel in guard.channels):
        typer.echo(
            f'note: in {config}: [[guard.tell]] alertmanager = "http://{composed.ALERTMANAGER_ADDRESS}"', err=True
        )


def web_of(guard: GuardConfig) -> WebConfig:
    """Read the file of TLS and passwords that a guard names."""
    from necropsy.guard.web import WebConfig, read_web_config

    return read_web_config(Path(guard.web_config)) if guard.web_config else WebConfig()


def written(out: Path, files: Mapping[str, str]) -> None:
    """Write files below a folder.

    Raises
    ------
    NecropsyError
        It cannot be written.
    """
    for name, text in files.items():
        path = out / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            hint = "Name another folder with --out."
            raise NecropsyError(f"{path}: cannot write: {unwritable(error)}", hint=hint) from error


def live_stores(config: Path) -> dict[str, str]:
    """Return the host of each live store of the file, by name; of a socket it is empty. Dumps have no metrics of a server."""
    from urllib.parse import urlsplit

    from necropsy.autopsy.incident_file import load
    from necropsy.autopsy.sources import LiveAddress

    stores = load(str(config)).stores
    return {
        store.name: urlsplit(store.locator.text).hostname or ""
        for store in stores
        if isinstance(store.locator, LiveAddress)
    }


def receiver(kind: str, text: str, guard: GuardConfig) -> Receiver:
    """Read ``[SEVERITY=]FILE``."""
    from necropsy.guard.around.alertmanager import Receiver

    severity, equals, file = text.partition("=")
    if not equals:
        severity, file = "info", text
    if severity not in _SEVERITIES or not file:
        raise UsageError(f"{text!r} is not [SEVERITY=]FILE", hint=f"Severities: {', '.join(_SEVERITIES)}.")
    return Receiver(kind, file, receiver_rules(guard, severity))


def receiver_rules(guard: GuardConfig, least: str) -> ReceiverRules:
    """Return what a receiver is told, by the table ``[guard]``."""
    from necropsy.guard.notify.plan import ReceiverRules

    return ReceiverRules(least=least, quiet=guard.quiet, repeat_s=guard.repeat_s)


def without_password(urls: Iterable[str]) -> None:
    """Refuse addresses that hold a password.

    Raises
    ------
    UsageError
        One does.
    """
    if any("@" in url.partition("://")[2].partition("/")[0] for url in urls):
        raise UsageError(
            "a --probe URL contains a password, which every reader of Prometheus' labels would see",
            hint="Leave it out, and give it in the prober's module: basic_auth.",
        )
