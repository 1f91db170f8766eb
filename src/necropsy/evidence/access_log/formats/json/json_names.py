"""Names under which producers of access logs keep each field, and the producers that use one for something else.

Names are compared without case and punctuation, and a name counts whole or behind an object that is known to hold
requests (``httpRequest.remoteIp``, ``properties.clientIp``): the ``path`` of ``log.file.path`` is no target.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    # Where there are several, the start of the request and the finer clock are better.
    "time": (
        "startutc", "starttime", "requeststarttime", "startedat", "requesttimeepoch", "reqtimesec", "edgestarttimestamp",
        "requestreceivedtimestamp", "msec", "timemsec", "timestamp", "timeiso8601", "iso8601", "time", "ts", "datetime",
        "requesttime", "timelocal", "eventtime", "logtime", "accesstime", "timegenerated", "startlocal", "loggedat",
        "createdat", "accessat", "utctime", "date", "dt", "t",
    ),
    "client": (
        "httpxforwardedfor", "xforwardedfor", "forwardedfor", "requestheadersxforwardedfor", "reqheadersxforwardedfor", "xff",
        "httpxrealip", "xrealip", "realip", "realremoteaddr", "httpcfconnectingip", "cfconnectingip", "trueclientip", "fastlyclientip",
        "clientip", "clientaddr", "clientaddress", "clientipaddress", "callerip", "calleripaddress", "userip",
        "visitorip", "peerip", "netpeerip", "netsockpeeraddr", "networkclientip", "httpclientip", "cliip", "cip", "remoteaddr",
        "remoteip", "remoteipaddress", "requestclientip", "requestremoteip", "requestip", "identitysourceip", "remotehost", "remoteaddress",
        "clienthost", "downstreamremoteaddress", "downstreamdirectremoteaddress", "sourceip", "sourceips", "sourceaddress", "srcip",
        "ip", "ipaddress", "clientaddressip", "client", "remote", "peer", "peeraddress", "requestremoteaddr", "requestremoteaddress", "addr",
    ),
    "request": (
        "request", "requestline", "httprequest", "firstline", "firstrequestline", "requestfirstline", "req", "requestedurl", "r",
        "clientrequest", "httprequestline",
    ),
    "method": (
        "requestmethod", "httpmethod", "httprequestmethod", "clientrequestmethod", "method", "verb", "reqmethod", "csmethod",
        "requesthttpmethod", "httpverb", "requestverb",
    ),
    "target": (
        "requesturi", "requesteduri", "requesttarget", "clientrequesturi", "httprequesturi", "requesturl", "httprequesturl",
        "clientrequesturl", "httptarget", "httpuri", "httpurl", "httprequestpath", "httppath", "csuristem", "uri", "requestpath",
        "clientrequestpath", "xenvoyoriginalpath", "originalpath", "urlpath", "urloriginal", "originalurl", "urlfull", "url", "path",
        "rawpath", "target", "reqpath", "requrl", "requri", "resourcepath", "endpoint", "page", "request",
    ),
    "host": (
        "httphost", "requesthost", "clientrequesthost", "requestheadershost", "reqheadershost", "reqhost", "originalhost", "authority", "vhost",
        "virtualhost", "xhostheader", "cshost", "host", "servername", "urldomain", "domain", "domainname", "requestaddr", "serveraddress",
        "targethost",
    ),
    "status": (
        "status", "statuscode", "responsestatus", "httpstatus", "httpstatuscode", "responsecode", "downstreamstatus", "edgeresponsestatus",
        "httpresponsestatuscode", "httpresponsestatus", "responsestatuscode", "originstatus", "scstatus", "resstatuscode",
        "resstatus", "rescode", "respstatus", "code", "response", "httpcode",
    ),
    "agent": (
        "httpuseragent", "useragent", "requestheadersuseragent", "reqheadersuseragent", "requestuseragent", "clientrequestuseragent",
        "useragentoriginal", "httprequestuseragent", "csuseragent", "requseragent", "identityuseragent", "browser", "agent", "ua",
    ),
    "referer": (
        "httpreferer", "httpreferrer", "referer", "referrer", "requestheadersreferer", "reqheadersreferer", "requestreferer", "httprequestreferrer",
        "clientrequestreferer", "requestheadersreferrer", "csreferer", "httprequestreferer",
    ),
    "duration": ("requesttime", "duration"),
    "body": (
        "bodybytessent", "responsebodybytes", "responsebodysize", "downstreamcontentsize", "bytessent", "sentbytes", "size",
        "bytes",
    ),
}  # fmt: skip
"""Field to names, better ones first."""

HOLDERS: Final = frozenset((
    "request", "response", "req", "res", "resp", "http", "httprequest", "httpresponse", "headers", "header", "requestheaders", "url", "client",
    "network", "fields", "data", "json", "jsonpayload", "attributes", "attrs", "properties", "props", "payload", "body", "context", "extra", "meta",
    "metadata", "event", "access", "accesslog", "nginx", "apache", "caddy", "traefik", "envoy", "haproxy", "iis", "log", "message", "msg", "proxy",
    "edge", "identity", "source", "useragent", "requestcontext", "span", "http1", "http2", "details", "info", "entry", "record", "result", "raw",
    "httpaccess", "tags", "labels", "resource", "responsestatus", "parsed", "structured", "doc", "params",
))  # fmt: skip
"""Objects that may hold the fields of a request; a name behind any other object is not believed (``log.file.path``)."""

STRANGERS: Final = frozenset(
    (
        "file",
        "agent",
        "host",
        "server",
        "upstream",
        "ecs",
        "input",
        "kubernetes",
        "container",
        "docker",
        "user",
        "process",
        "cloud",
        "backend",
        "destination",
        "origin",
        "tls",
        "service",
        "beat",
        "geo",
        "logger",
        "error",
        "exception",
    )
)
"""Objects that describe something else than the request, whatever their keys are called."""

HOST_IS_CLIENT: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("alp", frozenset(("host", "port", "method", "uri", "ua"))),
    ("LTSV", frozenset(("host", "vhost"))),
    ("LTSV", frozenset(("host", "req", "ua"))),
    ("LTSV", frozenset(("host", "ident", "req"))),
    ("fluentd's apache2", frozenset(("host", "user", "method", "path", "code", "size"))),
    ("fluentd's apache", frozenset(("host", "user", "method", "path", "code"))),
    ("Vector's Apache parser", frozenset(("host", "identity", "user"))),
    ("Vector's common parser", frozenset(("host", "identity", "method"))),
    ("Tomcat's JSON valve", frozenset(("host", "logicalusername", "request"))),
    ("Apache in JSON", frozenset(("host", "logname", "request"))),
)
"""Producers in whose objects ``host`` is the client's address, by keys that only they have together."""
