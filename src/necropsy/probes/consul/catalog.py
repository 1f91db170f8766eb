"""One catalogue from everything that was given: answers know address and health, definitions know the lines."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from necropsy.model.errors import ConfigurationError, NotJudged
from necropsy.model.evidence import Origin
from necropsy.model.figures import several
from necropsy.probes.consul.answers import Answers, read_answers
from necropsy.probes.consul.definitions import Definitions, own_addresses, read_definitions
from necropsy.probes.consul.fields import NormalisedFields
from necropsy.probes.consul.model import Check, ConsulNode, Instance
from necropsy.probes.syntax.hcl import parse_hcl

_HINT = "Give definition files of agents, or saved answers of /v1/health/service/NAME."


@dataclass(frozen=True, slots=True)
class ConsulText:
    """One file that has to do with Consul."""

    name: str
    text: str
    node_address: str | None = None
    """Address of the node whose agent reads it, if somebody knows it."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The catalog of Consul, as far as the given files tell."""

    instances: tuple[Instance, ...]
    node_checks: tuple[tuple[ConsulNode, Check], ...] = ()
    """HTTP checks that belong to no service."""
    problems: tuple[ConfigurationError, ...] = ()


@dataclass(slots=True)
class _Agent:
    """One agent with its files: those of one folder, or those that came with the same address."""

    node: ConsulNode
    definitions: list[tuple[str, Definitions]]


def read_catalog(texts: Sequence[ConsulText]) -> Catalog:
    """Read definition files and saved answers, and join them. Nothing is raised: see ``problems``."""
    problems: list[ConfigurationError] = []
    answers = Answers()
    agents: dict[str, _Agent] = {}
    for text in texts:
        try:
            root = parse_hcl(text.text, text.name)
        except ConfigurationError as error:
            problems.append(error)
            continue
        found = read_answers(root)
        if found is not None:
            _add_answers(answers, found, text)
            continue
        definitions = read_definitions(NormalisedFields(root))
        if definitions is None:
            reason = "neither a definition file nor a known answer of Consul"
            problems.append(NotJudged(text.name, root.line, reason, hint=_HINT))
            continue
        key = f"at {text.node_address}" if text.node_address else posixpath.dirname(text.name)
        agent = agents.setdefault(key, _Agent(_node_at(text.node_address), []))
        agent.node = _merged_node(agent.node, definitions.node)
        agent.definitions.append((text.name, definitions))
    answered = _answered(answers)
    problems.extend(_missing(answers, answered, agents.values()))
    defined: list[Instance] = []
    node_checks: list[tuple[ConsulNode, Check]] = []
    stale: list[_Stale] = []
    for agent in agents.values():
        defined.extend(instance for instance in _of_agent(agent, problems) if not _attach(answered, instance, stale))
        node_checks.extend((agent.node, check) for check in _loose_checks(agent) if not check.service_id)
    problems.extend(_say_stale(stale))
    return Catalog((*answered, *_distinct(defined, problems)), tuple(node_checks), tuple(problems))


def _node_at(address: str | None) -> ConsulNode:
    return ConsulNode(address=address, tagged_addresses=own_addresses(address)) if address else ConsulNode()


def _add_answers(answers: Answers, found: Answers, text: ConsulText) -> None:
    """Collect; what an agent says of itself gets the address that the file came with."""
    if found.local and text.node_address:
        node = ConsulNode(address=text.node_address)
        found.instances = [replace(i, node=node) if not i.node.name else i for i in found.instances]
    answers.nodes.extend(found.nodes)
    answers.instances.extend(found.instances)
    answers.checks.extend(found.checks)
    answers.service_tags.update(found.service_tags)
    answers.agent = found.agent or answers.agent


def _merged_node(node: ConsulNode, other: ConsulNode) -> ConsulNode:
    return ConsulNode(
        name=node.name or other.name,
        address=node.address if node.known else other.address,
        datacenter=node.datacenter or other.datacenter,
        meta={**other.meta, **node.meta},
        tagged_addresses={**other.tagged_addresses, **node.tagged_addresses},
    )


# -- answers --------------------------------------------------------------------------------------------------------


def _answered(answers: Answers) -> list[Instance]:
    """Answered instances, each once, with their node and their checks, whichever answer held them."""
    nodes: dict[str, ConsulNode] = {}
    for node in (*answers.nodes, *(instance.node for instance in answers.instances)):
        nodes[node.name] = _merged_node(nodes.get(node.name, ConsulNode(name=node.name)), node)
    if answers.agent is not None:
        nodes[answers.agent.name] = _merged_node(answers.agent, nodes.get(answers.agent.name, ConsulNode()))
    joined: dict[tuple[str, str, str], Instance] = {}
    for instance in answers.instances:
        node = instance.node
        if not node.name and not node.known and answers.agent is not None:
            node = answers.agent
        node = nodes[node.name] if node.name else node
        key = (node.name or node.address, instance.namespace, instance.service_id)
        known = joined.get(key)
        if known is None:
            joined[key] = replace(instance, node=node)
        else:
            joined[key] = replace(known, checks=known.checks or instance.checks, origin=known.origin + instance.origin)
    agent_name = answers.agent.name if answers.agent is not None else ""
    return [_with_separate_checks(instance, answers.checks, agent_name) for instance in joined.values()]


def _with_separate_checks(instance: Instance, checks: Iterable[Check], agent_name: str) -> Instance:
    """Add checks that came in an answer of their own: of this service on this node, and of the node itself."""
    have = {check.identity for check in instance.checks}
    more = [
        check
        for check in checks
        if check.identity not in have
        and check.service_id in ("", instance.service_id)
        and (check.node or agent_name) == instance.node.name
    ]
    return instance.with_checks((*instance.checks, *more)) if more else instance


def _missing(answers: Answers, answered: Sequence[Instance], agents: Iterable[_Agent]) -> Iterator[ConfigurationError]:
    """Services that /v1/catalog/services names and no other file describes."""
    known = {instance.name for instance in answered}
    known.update(i.name for agent in agents for _, d in agent.definitions for i in d.instances)
    for name in answers.service_tags:
        if name not in known and name != "consul":
            reason = f"Consul lists the service {name}, but no given file says where it runs"
            yield ConfigurationError("/v1/catalog/services", 0, reason, hint=f"Save /v1/health/service/{name} as well.")


# -- definitions ----------------------------------------------------------------------------------------------------


def _of_agent(agent: _Agent, problems: list[ConfigurationError]) -> Iterator[Instance]:
    """Instances of one agent, each ID once, with the checks that stand beside them.

    Of two definitions with one ID in a file the agent keeps the last (measured: Consul 1.8.7).
    """
    last = {
        (instance.service_id, instance.origin[0].file): instance.origin[0]
        for _, definitions in agent.definitions
        for instance in definitions.instances
    }
    loose = _loose_checks(agent)
    for _, definitions in agent.definitions:
        for instance in definitions.instances:
            origin = instance.origin[0]
            kept = last[instance.service_id, origin.file]
            if kept is not origin:
                reason = (
                    f"service ID {instance.service_id} is defined again at line {kept.line}: the agent keeps the last"
                )
                problems.append(ConfigurationError(origin.file, origin.line, reason, hint="Give each its own id."))
                continue
            own = tuple(check for check in loose if check.service_id == instance.service_id)
            yield replace(instance, node=agent.node, checks=instance.checks + own)


def _loose_checks(agent: _Agent) -> list[Check]:
    return [check for _, definitions in agent.definitions for check in definitions.checks]


@dataclass(frozen=True, slots=True)
class _Stale:
    """A saved answer that lacks what its definition has."""

    service: str
    place: Origin
    """Line of the answer."""
    written: Origin
    """Line of the definition."""
    lacking: tuple[str, ...]


def _behind(answer: Instance, definition: Instance) -> _Stale | None:
    lacking = [f"meta {name}" for name, value in definition.meta.items() if answer.meta.get(name) != value]
    lacking += [f"tag {tag}" for tag in definition.tags if tag not in answer.tags]
    if not lacking or not answer.origin or not definition.origin:
        return None
    return _Stale(answer.name, answer.origin[-1], definition.origin[0], tuple(lacking))


def _say_stale(stale: Iterable[_Stale]) -> Iterator[ConfigurationError]:
    """Say once a saved answer that it is from before its definitions were written, or loaded."""
    by_file: dict[str, list[_Stale]] = {}
    for found in stale:
        by_file.setdefault(found.place.file, []).append(found)
    for file, found_there in by_file.items():
        first = found_there[0]
        lacking = ", ".join(dict.fromkeys(name for found in found_there for name in found.lacking))
        places = len({found.place for found in found_there})
        yield ConfigurationError(
            file,
            first.place.line,
            f"saved before {first.written} was written or loaded: {several(places, 'instance')} of it"
            f" {'lacks' if places == 1 else 'lack'} {lacking}; the saved answer is what counts here",
            hint=f"Reload the agents, save /v1/health/service/{first.service} again; or leave the saved answer out.",
        )


def _attach(answered: list[Instance], definition: Instance, stale: list[_Stale]) -> bool:
    """Give the lines of a definition to the instances that Consul answered for it; False if there are none."""
    found = False
    for place, instance in enumerate(answered):
        if (
            instance.service_id == definition.service_id
            and instance.name == definition.name
            and instance.port == definition.port
            and (not definition.node.known or definition.node.address in (instance.node.address, instance.address))
        ):
            found = True
            behind = _behind(instance, definition)
            if behind is not None:
                stale.append(behind)
            answered[place] = replace(
                instance,
                origin=definition.origin + instance.origin,
                meta_lines={**instance.meta_lines, **definition.meta_lines},
                checks=_merged_checks(instance.checks, definition.checks),
            )
    return found


def _merged_checks(answered: tuple[Check, ...], defined: tuple[Check, ...]) -> tuple[Check, ...]:
    """Answered checks keep their status; the URL, the interval and the line come from the definition."""
    rest = list(defined)
    merged: list[Check] = []
    for check in answered:
        match = next(
            (
                d
                for d in rest
                if d.identity == check.identity or (d.name == check.name and d.service_id == check.service_id)
            ),
            None,
        )
        if match is None:
            merged.append(check)
        else:
            rest.remove(match)
            merged.append(replace(match, identity=check.identity, status=check.status, node=check.node))
    return (*merged, *rest)


def _distinct(defined: list[Instance], problems: list[ConfigurationError]) -> Iterator[Instance]:
    """Drop what cannot be told apart: the same service of two agents whose addresses nobody gave."""
    seen: dict[tuple[str, str, int], Instance] = {}
    for instance in defined:
        if instance.node.known or instance.address:
            yield instance
            continue
        key = (instance.service_id, instance.name, instance.port)
        if key in seen:
            first, origin = seen[key].origin[0], instance.origin[0]
            reason = (
                f"{instance.service_id} is also defined at {first}, and neither node's address is known: counted once"
            )
            problems.append(
                ConfigurationError(
                    origin.file, origin.line, reason, hint=f"Give the node: --consul ADDRESS={origin.file}"
                )
            )
            continue
        seen[key] = instance
        yield instance
