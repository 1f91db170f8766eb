"""``necropsy lab``: the incident as running processes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from necropsy.cli import output
from necropsy.cli.durations import seconds
from necropsy.cli.lab_guarded import guarded
from necropsy.cli.options import QuietOption

if TYPE_CHECKING:
    from necropsy.lab.live.conductor import Missing
    from necropsy.lab.live.plan import LabPlan

app = typer.Typer(
    no_args_is_help=True,
    help="The incident of 2019 as real processes on loopback: two Redis servers, applications behind nginx with users, Consul,"
    " Prometheus, the blackbox exporter, Alertmanager. Components that are not installed are left out and listed.",
)

FolderOption = Annotated[Path, typer.Option(metavar="DIR", help="Where the lab keeps its files.")]
_DEFAULT: Final = Path("lab-run")


@app.command("up", short_help="Start every component that is installed.")
def up(
    folder: FolderOption = _DEFAULT,
    speed: Annotated[
        float, typer.Option(metavar="FACTOR", help="Speed of time: 60 replays an hour in a minute.")
    ] = 60.0,
    interval: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Interval of the prober. Default: 10s divided by --speed, at least 500ms."),
    ] = None,
    lifetime: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Lifetime of sessions in store A. Default: a day divided by --speed."),
    ] = None,
    limit_a: Annotated[str, typer.Option(metavar="SIZE", help="Memory limit of Redis A.")] = "64MB",
    limit_b: Annotated[str, typer.Option(metavar="SIZE", help="Memory limit of Redis B.")] = "16MB",
    application: Annotated[
        str,
        typer.Option(
            metavar="twin|spring|spring-4", help="The admin application: Python, or Java on Spring Boot 3.5 or 4."
        ),
    ] = "twin",
    redirects: Annotated[
        str,
        typer.Option(
            metavar="absolute|relative", help="Form of the redirect to the login page: a full URL, or a path."
        ),
    ] = "absolute",
    users: Annotated[
        int, typer.Option(min=1, metavar="NUMBER", help="Number of users of A; B has two thirds as many.")
    ] = 6,
    without: Annotated[
        list[str] | None, typer.Option(metavar="COMPONENT", help="Leave this component out. Repeatable.")
    ] = None,
    second_prometheus: Annotated[
        bool, typer.Option("--second-prometheus", help="Let the second Prometheus send the probes as well.")
    ] = False,
    kubelet: Annotated[
        bool, typer.Option("--kubelet", help="Send probes like a kubelet's to the first page of each blue process.")
    ] = False,
    opensearch: Annotated[
        bool,
        typer.Option(
            "--opensearch", help="Ship the error logs to OpenSearch, and read them from there (needs Java and Maven)."
        ),
    ] = False,
    weather: Annotated[
        bool, typer.Option("--weather", help="Give each store a replica, on a network that `lab act` can disturb.")
    ] = False,
    victoria_metrics: Annotated[
        bool,
        typer.Option(
            "--victoria-metrics",
            help="Run VictoriaMetrics as well: it discovers services in Consul and stores metrics.",
        ),
    ] = False,
    prober: Annotated[bool, typer.Option("--prober/--no-prober", help="Start with the prober on.")] = True,
    quiet: QuietOption = False,
) -> None:
    """Start every component that is installed, in the background.

    \b
    Examples:
      necropsy lab up
      necropsy lab up --speed 60 --interval 2s --lifetime 2m --no-prober
      necropsy examine lab-run/incident.toml
      necropsy lab down
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.autopsy.sources import parse_size
    from necropsy.lab.live import acts, conductor
    from necropsy.lab.live.plan import APPLICATIONS, REDIRECTS, LabOptions

    wish = LabOptions(
        speed=speed,
        interval_s=None if interval is None else seconds("--interval", interval),
        lifetime_s=None if lifetime is None else max(1, round(seconds("--lifetime", lifetime))),
        limit_a=parse_size(limit_a),
        limit_b=parse_size(limit_b),
        application=_one_of("--application", application, APPLICATIONS),
        redirects=_one_of("--redirects", redirects, REDIRECTS),
        users=users,
        without=tuple(without or ()),
        second_prometheus=second_prometheus,
        kubelet=kubelet,
        opensearch=opensearch,
        weather=weather,
        victoria_metrics=victoria_metrics,
    )
    with output.progress(quiet=quiet) as say:
        lab = conductor.up(folder, wish, lambda what: say(what, None))
        if prober and "prometheus" in lab.supervisor.noted():
            acts.act(folder, "prober-on")
    _show(lab.plan)
    _say_missing(lab.missing)
    typer.echo(f"\nEvidence  necropsy examine {folder}/incident.toml\nEnd       necropsy lab down --folder {folder}")


@app.command("down", short_help="Stop every process.")
def down(folder: FolderOption = _DEFAULT) -> None:
    """Stop every process of the lab. Its files stay."""
    from necropsy.lab.live import conductor

    stopped = conductor.down(folder)
    typer.echo(f"{folder}: {stopped} stopped" if stopped else f"{folder}: nothing ran")


@app.command("status", short_help="Show the processes and their addresses.")
def status(folder: FolderOption = _DEFAULT) -> None:
    """Show each process, its address, and what is left out. Exits with 1 if a process that should run does not."""
    from necropsy.lab.live import conductor

    plan, states, left_out = conductor.status(folder)
    _show(plan)
    typer.echo("")
    for state in states:
        typer.echo(
            f"  {state.name:<22} {'runs' if state.alive else 'has ended':<10} {state.pid if state.alive else ''}".rstrip()
        )
    if not states:
        typer.echo("  nothing runs")
    _say_missing(left_out)
    raise typer.Exit(0 if states and all(state.alive for state in states) else 1)


@app.command("record", short_help="Save the evidence, and who really created the sessions.")
def record(
    to: Annotated[Path, typer.Argument(metavar="FOLDER", help="New folder for the evidence.")],
    folder: FolderOption = _DEFAULT,
) -> None:
    """Save the evidence of a running lab in a folder, for `necropsy examine` on any machine: dumps, logs, configuration.

    truth.json in it lists how many sessions each client really created, as the applications recorded it.

    \b
    Examples:
      necropsy lab record evidence
      necropsy examine evidence/incident.toml
    """  # noqa: D301
    from necropsy.lab.live.record import record as keep

    typer.echo(f"Evidence  necropsy examine {keep(folder, to)}\nTruth     {to / 'truth.json'}")


@app.command("act", short_help="Change a running lab: deploy, hang, kill.")
def act(
    name: Annotated[str, typer.Argument(metavar="ACT", help="One of those above.")],
    argument: Annotated[str, typer.Argument(metavar="[WHERE]", help="A machine, prometheus, or a store.")] = "",
    folder: FolderOption = _DEFAULT,
) -> None:
    """Change a running lab.

    \b
    prober-on                  switch the prober on, as in the incident
    prober-off                 switch it off again
    deploy MACHINE|prometheus  copy the files of configuration/ there, and reload
    replace-agent MACHINE      restart its Consul agent under a new name:
                               nginx of the old node stays, as a zombie
    kill-agent MACHINE         kill its Consul agent, without `consul leave`
    hang STORE                 freeze its Redis server for 15 seconds
    cut STORE                  close all TCP connections of its clients
    delay STORE                delay its answers by 0.3 s, for 15 seconds
    lose STORE                 drop every packet to and from it, for 15 seconds
    failover STORE             kill its primary; its replica takes over

    The last three need `necropsy lab up --weather`. Machines: a1, a2, b1.
    Stores: A, B.


    \b
    Examples:
      necropsy lab act prober-on
      necropsy lab act deploy a1
      necropsy lab act hang B
    """  # noqa: D301
    from necropsy.lab.live import acts

    acts.act(folder, name, argument)


app.command("guarded", short_help="Replay the incident with the guard watching.")(guarded)


def _show(plan: LabPlan) -> None:
    for admin in plan.admins:
        typer.echo(f"{admin.name:<20} redis://{admin.redis}, sessions live {admin.lifetime_s:,} s")
        for one in plan.machines:
            if one.admin == admin.name:
                typer.echo(f"  {one.name:<18} http://{one.proxy}/ (blue {one.blue.port}, green {one.green.port})")
    for component, place in _WITH_A_PAGE:
        if plan.found(component) is not None:
            typer.echo(f"{place.partition('/')[0]:<20} http://{plan.at(place)}/")


_WITH_A_PAGE: Final = (
    ("consul", "consul-server-001/http"), ("prometheus", "prometheus"), ("prometheus-metrics", "prometheus-metrics"),
    ("victoria-metrics", "victoria-metrics"), ("opensearch", "opensearch"), ("alertmanager", "alertmanager"), ("guard", "guard"),
)  # fmt: skip
"""Components that answer a browser, and where."""


def _say_missing(missing: tuple[Missing, ...]) -> None:
    from textwrap import fill

    for one in missing:
        why = f" Get it: {'; '.join(one.get)}." if one.get else " Left out as asked."
        said = f"LEFT OUT  {one.component.name}: {one.component.what}; {one.component.left_out or 'nothing else'}.{why}"
        typer.echo(fill(said, 79, subsequent_indent=" " * 10, break_on_hyphens=False))


def _one_of(option: str, given: str, known: tuple[str, ...]) -> str:
    from necropsy.model.errors import UsageError

    if given not in known:
        raise UsageError(f"{option} {given!r} is not known", hint=f"Known: {', '.join(known)}.")
    return given
