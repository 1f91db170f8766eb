"""Error replies of the server (src/server.c, networking.c of Redis and Valkey), whatever the client's language; and its own log."""

from __future__ import annotations

from typing import Final

from necropsy.evidence.app_log.clients.interface import ErrorClass
from necropsy.model.store_trouble import StoreTrouble as T

SERVER: Final[tuple[ErrorClass, ...]] = (
    ErrorClass(
        "OOM command not allowed",
        r"OOM command not allowed|(?:command )?not allowed when used memory|redis\.exceptions\.OutOfMemoryError"
        r"|RedisOutOfMemoryException",
        T.FULL,
    ),
    ErrorClass(
        "LOADING",
        r"LOADING (?:Redis|Valkey|KeyDB|Dragonfly) is loading|(?:Redis|Valkey|KeyDB) is loading the dataset"
        r"|BusyLoadingError|RedisLoadingException",
        T.LOADING,
    ),
    ErrorClass(
        "MISCONF",
        r"MISCONF (?:Redis|Valkey|KeyDB|Errors)|(?:Redis|Valkey) is configured to save RDB snapshots"
        r"|Can't save in background: fork|Background saving error",
        T.CANNOT_SAVE,
    ),
    ErrorClass(
        "max number of clients reached",
        r"max number of clients (?:\+ cluster connections )?reached|MaxClientsError",
        T.CONNECTIONS,
    ),
    ErrorClass(
        "READONLY",
        r"READONLY You can't write|can't write against a read[- ]only|ReadOnlyError|RedisReadOnlyException",
        T.READ_ONLY,
    ),
    ErrorClass("NOREPLICAS", r"NOREPLICAS |Not enough good (?:replicas|slaves) to write", T.READ_ONLY),
    ErrorClass("MASTERDOWN", r"MASTERDOWN Link with MASTER|MasterDownError|Link with MASTER is down", T.CLUSTER_DOWN),
    ErrorClass(
        "CLUSTERDOWN",
        r"CLUSTERDOWN |ClusterDownError|RedisClusterDownException|RedisClusterStateFailureException"
        r"|JedisNoReachableClusterNodeException|No reachable node in cluster|ClusterAllFailedError"
        r"|Failed to refresh slots cache|No more cluster attempts left|No way to dispatch this command to (?:Redis|Valkey) Cluster"
        r"|JedisClusterMaxAttemptsException|TooManyClusterRedirectionsException|Too many Cluster redirections",
        T.CLUSTER_DOWN,
    ),
    ErrorClass(
        "no master by Sentinel",
        r"All sentinels are unreachable|All sentinels down|MasterNotFoundError|No master found for "
        r"|all sentinels specified in configuration are unreachable|Can(?:no|')t connect to (?:master|slave)",
        T.CLUSTER_DOWN,
    ),
    ErrorClass(
        "BUSY",
        r"BUSY (?:Redis|Valkey|KeyDB) is busy running|(?:Redis|Valkey) is busy running a script|RedisBusyException|JedisBusyException",
        T.BUSY,
    ),
    ErrorClass(
        "NOAUTH",
        r"NOAUTH Authentication required|NOAUTH HELLO|WRONGPASS |NOPERM |ERR invalid password|ERR AUTH |ERR Client sent AUTH"
        r"|RedisAuthRequiredException|JedisAccessControlException|redis\.exceptions\.(?:AuthenticationError|NoPermissionError)"
        r"|Failed to AUTH connection|DENIED (?:Redis|Valkey) is running in protected mode",
        T.LOGIN,
    ),
)
"""Answers of the server."""
