"""Regular expressions (RE2) for lines of application logs."""

from __future__ import annotations

from typing import Final

LINKS: Final = r"^(?:During handling|The above exception)"
"""Finds the sentence between two tracebacks of one error."""
TRACEBACK: Final = r"^Traceback \(most recent"
"""Finds the first line of a traceback of Python."""
_ENGLISH: Final = (
    "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "FATAL", "SEVERE", "CRITICAL", "FINE", "FINER",
    "FINEST", "CONFIG", "FAIL", "CRIT", "DBUG", "TRCE", "VERBOSE", "ALERT", "EMERG",
)  # fmt: skip
_OTHERS: Final = (
    "SCHWERWIEGEND", "WARNUNG", "GRAVE", "AVERTISSEMENT", "严重", "警告", "信息", "重大", "심각", "경고", "정보", "情報",
)  # fmt: skip
LEVELS: Final = frozenset((*_ENGLISH, *_OTHERS))
"""Names of levels, in capitals: what stands in a column of these is no service."""
LEVEL: Final = (
    rf"^(?:\[(?i:{'|'.join(_ENGLISH)})\]|(?:{'|'.join((*_ENGLISH, *_OTHERS))})(?:: |\s+[\[\d(-]|\s*\||:\w+:)"
    r"|(?:trace|debug|info|notice|warn|warning|error|fatal|fail|crit|dbug|trce): |[IWEDF], \[)"
)
"""Finds a level at the beginning of a line."""
JSON: Final = r'^\s*\{\s*"'
"""Finds an object of JSON at the beginning of a line."""
TELLING: Final = r'"[^"]*(?i:msg|message|mesg|level|lvl|severity|log|err|exception|event|text|@m|@t|time)[^"]*"\s*:'
"""Finds a key of JSON that entries of a log have: an object without one, and without a time, is of another file."""
CALM: Final = (
    r"(?:^|[\s\[|<(])(?:INFO|DEBUG|TRACE|NOTICE|FINER?|FINEST|CONFIG|INF|DBG|信息|정보|情報)(?:[\s\]|>):,]|$)|\[(?:info|debug|trace|notice)\]|\b(?:level|lvl|severity)=\"?(?:info|debug|trace|notice)"
    r"|\"(?i:level|lvl|severity|loglevel|log\.level|@l)\"\s*:\s*(?:\"(?i:info|debug|trace|notice|information|verbose)\"|[123]0\b)|^(?:info|debug|dbug|trce|verbose): |^[ID], \[|^I\d{4} "
)
"""Finds a level below a warning."""
HARSH: Final = r"\b(?:ERROR|SEVERE|FATAL|CRITICAL|WARN|WARNING|Exception)\b"
"""Finds a level from a warning on, or the name of an exception."""
EXCEPTION: Final = r"^(?:Exception in thread|Uncaught|Unhandled|PHP |\*\* \(|panic: |[A-Za-z_$][\w$.\\:]*(?:Exception|Error|Timeout)\b)"
"""Finds the line that names an error, above its frames."""
STAMPED_FRAME: Final = r"\sat [\w.$/<>-]+\([^()]*\)(?: ~?\[[^\]]*\])?\s*$|\.\.\. \d+ (?:more|common frames omitted)\s*$|\s{2}File \"[^\"]+\", line \d+"
"""Finds a frame of a stack trace behind anything: a shipper that is not known may have stamped it."""
CAUSE_BEHIND: Final = r"^(.{0,120}?)[\s:|\]]Caused by: "
"""Finds a cause behind something; group 1 is what."""
REQUEST: Final = r'"?[A-Z]{3,8} [^\s"]+ HTTP/\d(?:\.\d)?"? \d{3}\b'
"""Finds a request with its status in a line: a log of these is an access log."""
METHOD: Final = r'":\s*"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)(?:"| \S+ HTTP/\d)'
"""Finds a request, or its method, as a value of JSON; with ``STATUS`` in the same line it is one of an access log."""
STATUS: Final = r'"[^"]*(?i:status|code)[^"]*":\s*"?[1-5]\d\d"?\s*[,}]'
"""Finds the status of a response in JSON."""
