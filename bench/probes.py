"""Targets through ten relabel rules, beside promtool on the same files; then the whole way to the probes.

Limits: 100,000 targets in 10 s on one core, and linear; 1,000 targets in 0.3 s after start-up. ``promtool check
service-discovery`` always waits for its timeout, so both are compared by the processor time of the whole process,
start-up, reading and printing labels as JSON included.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from table import Measured, Table, function

SIZES = (1_000, 10_000, 100_000)
RULES: list[dict[str, Any]] = [
    {"source_labels": ["__meta_consul_tags"], "regex": ".*,blackbox,.*", "action": "keep"},
    {"source_labels": ["__meta_consul_tags"], "regex": ".*,off,.*", "action": "drop"},
    {
        "source_labels": ["__address__", "__meta_consul_service_metadata_path"],
        "regex": "(.*);(.*)",
        "target_label": "__param_target",
        "replacement": "http://$1$2",
    },
    {"source_labels": ["__address__"], "target_label": "instance"},
    {"source_labels": ["__meta_consul_service"], "target_label": "service"},
    {"source_labels": ["__meta_consul_node"], "regex": "node-(.+)", "target_label": "node"},
    {"regex": "__meta_consul_(dc|health)", "action": "labelmap"},
    {"source_labels": ["__address__"], "modulus": 8, "target_label": "__tmp_shard", "action": "hashmod"},
    {"target_label": "__address__", "replacement": "blackbox-exporter:9115"},
    {"regex": "__tmp_.*", "action": "labeldrop"},
]
JOB = {
    "job_name": "blackbox",
    "metrics_path": "/probe",
    "params": {"module": ["http_2xx"]},
    "relabel_configs": RULES,
    "file_sd_configs": [{"files": ["targets.json"]}],
}
OURS = """
import json, sys
from necropsy.evidence.configuration.reader import read
from necropsy.probes.monitoring import Monitoring
files, _, absent = read("prometheus", [sys.argv[1]])
found = [one.target for one in Monitoring(files, prometheus_version="2.42").targets()]
json.dump([{"labels": target.labels, "url": target.url} for target in found], sys.stdout)
"""


WHOLE = """
import sys
from pathlib import Path
from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.simulate import simulate
folder = Path(sys.argv[1])
kinds = {"prometheus.yml": "prometheus", "targets.json": "file_sd"}
files = [ConfigurationFile(name, (folder / name).read_text("utf-8"), kind) for name, kind in kinds.items()]
found = simulate(files, prometheus_version="2.42")
sys.exit(not found.probes)
"""


LINT = "import sys; from necropsy.cli.main import main; sys.argv[1:] = ['lint', *sys.argv[1:], '--fail-on', 'never']; main()"
"""Exits with 0: the targets are found, and nothing is wrong with them."""


def group(number: int) -> dict[str, Any]:
    """One instance as Consul's discovery shows it; every twentieth is switched off."""
    return {
        "targets": [f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}:{8080 + number % 3}"],
        "labels": {
            "__meta_consul_node": f"node-{number // 3}",
            "__meta_consul_service": f"service-{number % 200}",
            "__meta_consul_service_id": f"id-{number}",
            "__meta_consul_tags": ",http,blackbox," + ("off," if number % 20 == 0 else ""),
            "__meta_consul_dc": "eu-1",
            "__meta_consul_health": "passing",
            "__meta_consul_service_metadata_path": "/health",
        },
    }


def processor(words: Sequence[str], repeat: int = 3) -> Measured:
    """Median processor time of a command, after one run that is thrown away."""
    seconds, peak = [], 0
    for _ in range(repeat + 1):
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(words)}: exit code {process.returncode}")
        seconds.append(usage.ru_utime + usage.ru_stime)
        peak = max(peak, usage.ru_maxrss * 1024)
    return Measured(median(seconds[1:]), peak)


def against_promtool(folder: Path, size: int) -> None:
    """One table: the same file through promtool and through ours."""
    path = folder / "prometheus.yml"
    path.write_text(json.dumps({"scrape_configs": [JOB]}), encoding="utf-8")
    (folder / "targets.json").write_text(json.dumps([group(number) for number in range(size)]), encoding="utf-8")
    table = Table(f"{size:,} targets, ten rules, whole process, processor time, median of 3")
    promtool = shutil.which("promtool")
    if promtool is None:
        print("promtool is not installed: apt-get install prometheus")
    else:
        wait = f"--timeout={1 + size // 50_000}s"
        words = (promtool, "check", "service-discovery", wait, str(path), "blackbox")
        table.add("promtool check service-discovery", processor(words))
    table.add("the same labels and URLs, ours", processor((sys.executable, "-c", OURS, str(path))))
    # More than promtool does: the URL behind the exporter, its secrets masked, and the chain of lines of each target.
    table.add("necropsy.probes.simulate", processor((sys.executable, "-c", WHOLE, str(folder)), repeat=1))
    # More again: how many targets each rule touches, the examiners, the report.
    table.add("necropsy lint", processor((sys.executable, "-c", LINT, str(path)), repeat=1))


def after_start_up() -> None:
    """One table: relabelling and URLs alone, in a process that has done it before."""
    from necropsy.probes import targets

    table = Table("targets, labels and URLs alone, after start-up, median of 3")
    for size in SIZES:
        groups = [group(number) for number in range(size)]
        job = {name: value for name, value in JOB.items() if name != "file_sd_configs"}

        def run(groups: list[dict[str, Any]] = groups, job: dict[str, Any] = job) -> list[str]:
            return [target.url for target in targets({"scrape_configs": [job]}, {"blackbox": groups})]

        measured = function(run, repeat=3)
        table.add(f"{size:,} targets ({measured.seconds / size * 1e6:.0f} microseconds each)", measured)


def main() -> None:
    for size in SIZES:  # first, while this process is small: a child's peak begins with its parent's
        with tempfile.TemporaryDirectory() as folder:
            against_promtool(Path(folder), size)
    after_start_up()


if __name__ == "__main__":
    main()
