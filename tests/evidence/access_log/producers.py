"""How producers of access logs write one request: a line each, from their documentation or their default configuration.

Placeholders of a line are those of ``Request``. Where the real program could be had here its lines are among the assets
(``tests/assets/access_log``), and the layout says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

START: Final = datetime(2024, 2, 5, 10, 0, 1, 206000, tzinfo=UTC)
CHECKER: Final = "ELB-HealthChecker/2.0"
BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"


@dataclass(frozen=True)
class Request:
    """One request."""

    at: datetime
    client: str
    port: int
    path: str
    status: int
    agent: str

    @property
    def common(self) -> str:
        return f"{self.at:%d/%b/%Y:%H:%M:%S +0000}"

    @property
    def iso(self) -> str:
        return f"{self.at:%Y-%m-%dT%H:%M:%S}.{self.at.microsecond // 1000:03}Z"

    @property
    def seconds(self) -> str:
        return f"{self.at.timestamp():.3f}"

    @property
    def ms(self) -> int:
        return round(self.at.timestamp() * 1000)

    @property
    def line(self) -> str:
        return f"GET {self.path} HTTP/1.1"

    @property
    def combined(self) -> str:
        return f'{self.client} - - [{self.common}] "{self.line}" {self.status} 5120 "-" "{self.agent}"'

    @property
    def encoded_agent(self) -> str:
        return self.agent.replace(" ", "%20")


def requests() -> Iterator[Request]:
    """Yield a health check every 10 s for ten minutes, and one browser between."""
    for number in range(60):
        yield Request(START + timedelta(seconds=10 * number), "10.8.1.21", 30000 + number * 7, "/", 200, CHECKER)
        if number % 7 == 3:
            at = START + timedelta(seconds=10 * number + number % 9 + 0.4)
            yield Request(at, "203.0.113.9", 40000 + number, "/cart", 200, BROWSER)


@dataclass(frozen=True)
class Written:
    """One layout of lines."""

    line: Callable[[Request], Any]
    """Text, or an object that is written as JSON."""
    tells: str = "client, user agent"
    """What of client, user agent and host its lines tell."""
    status: bool = True
    """Whether they tell the status."""

    def text(self, request: Request) -> str:
        line = self.line(request)
        return line if isinstance(line, str) else json.dumps(line)


C, A, H = "client", "user agent", "host"
ALL: Final = f"{C}, {A}, {H}"

PRODUCERS: Final[dict[str, Written]] = {
    # Text
    "nginx, combined": Written(lambda r: r.combined),
    "Apache, common": Written(lambda r: f'{r.client} - - [{r.common}] "{r.line}" {r.status} 5120', C),
    "Apache, vhost_combined": Written(lambda r: f"shop.example:443 {r.combined}", ALL),
    "nginx, main (X-Forwarded-For last)": Written(lambda r: f'10.0.0.2 - - [{r.common}] "{r.line}" {r.status} 5120 "-" "{r.agent}" "{r.client}"'),
    "ingress-nginx": Written(lambda r: f"{r.combined} 417 0.012 [shop-web-80] [] 10.2.0.7:8080 5120 0.012 200 5c1b2e8d9f"),
    "lighttpd": Written(lambda r: r.combined.replace(" - - ", " shop.example - ", 1), ALL),
    "Nginx Proxy Manager": Written(
        lambda r: f'[{r.common}] - 200 {r.status} - GET https shop.example "{r.path}" [Client {r.client}] [Length 5120] [Gzip -] [Sent-to 10.0.0.5] "{r.agent}" "-"', ALL
    ),
    "Envoy, default": Written(lambda r: f'[{r.iso}] "{r.line}" {r.status} - 0 5120 12 11 "{r.client}" "{r.agent}" "5c1b2e8d-9f" "shop.example" "10.2.0.7:8080"', ALL),
    "Istio, default": Written(
        lambda r: f'[{r.iso}] "{r.line}" {r.status} - via_upstream - "-" 0 5120 12 11 "{r.client}" "{r.agent}" "5c1b-9f" "shop.example" "10.2.0.7:8080" inbound|80|| 127.0.0.6:1 10.1.1.1:80 10.2.2.2:0 - default',
        ALL,
    ),
    "Traefik, common": Written(lambda r: f'{r.combined} 12 "shop@docker" "http://10.2.0.7:80" 5ms'),
    "HAProxy, httplog": Written(
        lambda r: f'{r.client}:{r.port} [{r.at:%d/%b/%Y:%H:%M:%S}.206] www~ app/app1 0/0/1/12/13 {r.status} 5120 - - ---- 3/3/0/0/0 0/0 "{r.line}"', C
    ),
    "HAProxy, httplog with captured headers": Written(
        lambda r: f'{r.client}:{r.port} [{r.at:%d/%b/%Y:%H:%M:%S}.206] www~ app/app1 0/0/1/12/13 {r.status} 5120 - - ---- 3/3/0/0/0 0/0 {{shop.example|{r.agent}}} "{r.line}"', ALL
    ),
    "HAProxy, httpslog": Written(
        lambda r: f'{r.client}:{r.port} [{r.at:%d/%b/%Y:%H:%M:%S}.206] www~ app/app1 0/0/1/12/13 {r.status} 5120 - - ---- 3/3/0/0/0 0/0 "{r.line}" 0/0000000000000000/0/0/0 shop.example/TLSv1.3/TLS_AES_256_GCM_SHA384', C
    ),
    "AWS application load balancer": Written(
        lambda r: f'h2 {r.iso} app/web/50dc6c495c0c9188 {r.client}:{r.port} 10.0.0.1:80 0.000 0.001 0.000 {r.status} 200 34 366 "GET https://shop.example:443{r.path} HTTP/2.0" "{r.agent}" ECDHE TLSv1.2 arn:aws:x "Root=1-5" "-" "-" 0'
    ),
    "AWS classic load balancer": Written(
        lambda r: f'{r.iso} my-elb {r.client}:{r.port} 10.0.0.1:80 0.000073 0.001048 0.000057 {r.status} 200 0 5120 "GET http://shop.example:80{r.path} HTTP/1.1" "{r.agent}" - -'
    ),
    "CloudFront": Written(
        lambda r: f"{r.at:%Y-%m-%d}\t{r.at:%H:%M:%S}\tFRA2-C1\t5120\t{r.client}\tGET\td111.cloudfront.net\t{r.path}\t{r.status}\t-\t{r.encoded_agent}\t-\t-\tMiss\tabc==\tshop.example\thttps\t23\t0.001", ALL
    ),
    "IIS": Written(lambda r: f"{r.at:%Y-%m-%d %H:%M:%S} 10.0.0.1 GET {r.path} - 443 - {r.client} {r.agent.replace(' ', '+')} - {r.status} 0 0 15"),
    "Cloud Foundry's router": Written(
        lambda r: f'shop.example - [{r.iso}] "{r.line}" {r.status} 0 5120 "-" "{r.agent}" "10.0.0.1:1234" "10.0.1.2:61012" x_forwarded_for:"{r.client}, 10.0.0.1" x_forwarded_proto:"https" vcap_request_id:"1" response_time:0.5 app_id:"2"',
        ALL,
    ),
    "Heroku's router": Written(
        lambda r: f'{r.iso} heroku[router]: at=info method=GET path="{r.path}" host=shop.example request_id=8f1 fwd="{r.client}" dyno=web.1 connect=0ms service=5ms status={r.status} bytes=5120 protocol=https',
        f"{C}, {H}",
    ),
    "Reactor Netty": Written(lambda r: f'{r.client} - - [{r.common}] "{r.line}" {r.status} 5120 12 ms', C),
    "Reactor Netty behind a logger": Written(
        lambda r: f'{r.at:%Y-%m-%d %H:%M:%S}.206  INFO 1 --- [ctor-http-epoll-2] reactor.netty.http.server.AccessLog      : {r.client} - - [{r.common}] "{r.line}" {r.status} 5120 12 ms', C
    ),
    "LTSV": Written(
        lambda r: f"time:[{r.common}]\thost:{r.client}\tforwardedfor:-\treq:{r.line}\tstatus:{r.status}\tsize:5120\treferer:-\tua:{r.agent}\tvhost:shop.example", ALL
    ),
    "logfmt": Written(lambda r: f'time={r.iso} level=info msg=request method=GET path={r.path} status={r.status} remote_ip={r.client} user_agent="{r.agent}"'),
    "Gin": Written(lambda r: f'[GIN] {r.at:%Y/%m/%d - %H:%M:%S} | {r.status} |     1.234ms |  {r.client} | GET      "{r.path}"', C),
    "Rails": Written(lambda r: f'Started GET "{r.path}" for {r.client} at {r.at:%Y-%m-%d %H:%M:%S} +0000', C, status=False),
    "uWSGI": Written(
        lambda r: f"[pid: 7|app: 0|req: 1/1] {r.client} () {{40 vars in 500 bytes}} [{r.at:%a %b} {r.at.day:2} {r.at:%H:%M:%S %Y}] GET {r.path} => generated 5120 bytes in 1 msecs (HTTP/1.1 {r.status}) 2 headers in 80 bytes",
        C,
    ),
    "uvicorn behind a container runtime": Written(lambda r: f'{r.iso} stdout F INFO:     {r.client}:{r.port} - "{r.line}" {r.status} OK', C),
    # Wrapped text
    "syslog": Written(lambda r: f"Feb  5 {r.at:%H:%M:%S} web1 nginx: {r.combined}"),
    "syslog, RFC 5424": Written(lambda r: f"<190>1 {r.iso} web1 nginx 12 - - {r.combined}"),
    "journald": Written(lambda r: f"Feb 05 {r.at:%H:%M:%S} web1 nginx[123]: {r.combined}"),
    "container runtime (CRI)": Written(lambda r: f"{r.iso} stdout F {r.combined}"),
    "Docker's JSON": Written(lambda r: {"log": r.combined + "\n", "stream": "stdout", "time": r.iso}),
    "Docker Compose": Written(lambda r: f"proxy-1  | {r.combined}"),
    "kubectl logs --prefix": Written(lambda r: f"[pod/web-7d9f/nginx] {r.combined}"),
    "Logstash, Filebeat around a line": Written(
        lambda r: {"@timestamp": r.iso, "host": {"name": "web1"}, "log": {"file": {"path": "/var/log/nginx/access.log"}}, "message": r.combined, "agent": {"type": "filebeat", "version": "8.1.0"}}
    ),
    "HAProxy behind syslog": Written(
        lambda r: f'Feb  5 {r.at:%H:%M:%S} lb1 haproxy[2211]: {r.client}:{r.port} [{r.at:%d/%b/%Y:%H:%M:%S}.206] www~ app/app1 0/0/1/12/13 {r.status} 5120 - - ---- 3/3/0/0/0 0/0 "{r.line}"', C
    ),
    "HAProxy behind syslog without a host": Written(
        lambda r: f'<134>Feb  5 {r.at:%H:%M:%S} haproxy[1]: ::ffff:{r.client}:{r.port} [{r.at:%d/%b/%Y:%H:%M:%S}.206] www~ app/app1 0/0/1/12/13 {r.status} 5120 - - --NI 3/3/0/0/0 0/0 {{{r.agent}}} {{}} "GET {r.path} HTTP/2.0"'
    ),
    "JSON behind syslog": Written(lambda r: f"Feb  5 {r.at:%H:%M:%S} web1 nginx: " + json.dumps({"time": r.iso, "remote_addr": r.client, "request": r.line, "status": r.status, "http_user_agent": r.agent})),
    "Compose around the runtime around JSON": Written(
        lambda r: f"web-1  | {r.iso} stdout F " + json.dumps({"time": r.iso, "remote_addr": r.client, "request": r.line, "status": r.status, "http_user_agent": r.agent})
    ),
    # JSON
    "nginx, escape=json": Written(lambda r: {"time": r.iso, "remote_addr": r.client, "host": "shop.example", "request": r.line, "status": str(r.status), "http_user_agent": r.agent}, ALL),
    "alp's nginx and Apache": Written(
        lambda r: {"time": r.iso, "host": r.client, "port": str(r.port), "method": "GET", "uri": r.path, "status": str(r.status), "body_bytes": "5120", "referer": "-", "ua": r.agent, "request_time": "0.012", "response_time": "0.012"}
    ),
    "Caddy": Written(
        lambda r: {"level": "info", "ts": float(r.seconds), "logger": "http.log.access", "msg": "handled request", "request": {"remote_ip": r.client, "remote_port": str(r.port), "client_ip": r.client, "method": "GET", "host": "shop.example", "uri": r.path, "headers": {"User-Agent": [r.agent]}}, "size": 5120, "status": r.status},
        ALL,
    ),
    "Traefik, JSON": Written(
        lambda r: {"ClientAddr": f"{r.client}:{r.port}", "ClientHost": r.client, "DownstreamStatus": r.status, "RequestHost": "shop.example", "RequestMethod": "GET", "RequestPath": r.path, "StartUTC": r.iso, "request_User-Agent": r.agent, "time": r.iso},
        ALL,
    ),
    "Envoy, JSON": Written(
        lambda r: {"start_time": r.iso, "method": "GET", "path": r.path, "response_code": r.status, "downstream_remote_address": f"{r.client}:{r.port}", "authority": "shop.example", "user_agent": r.agent, "upstream_host": "10.2.0.7:80", "request_id": "5c1b"},
        ALL,
    ),
    "HAProxy, JSON": Written(
        lambda r: {"timestamp": r.iso, "client_ip": r.client, "client_port": r.port, "backend_name": "app", "server_ip": "10.0.0.7", "http_method": "GET", "http_uri": r.path, "status_code": r.status, "user_agent": r.agent}
    ),
    "Kong": Written(
        lambda r: {"request": {"uri": r.path, "url": f"http://shop.example:8000{r.path}", "headers": {"host": "shop.example", "user-agent": r.agent}, "method": "GET", "size": 75}, "response": {"status": r.status, "size": 5120}, "client_ip": r.client, "started_at": r.ms, "latencies": {"request": 12}},
        ALL,
    ),
    "APISIX": Written(
        lambda r: {"request": {"uri": r.path, "method": "GET", "headers": {"host": "shop.example", "user-agent": r.agent}, "size": 75}, "response": {"status": r.status}, "client_ip": r.client, "start_time": r.ms, "server": {"hostname": "gw"}}, ALL
    ),
    "Google Cloud load balancer": Written(
        lambda r: {"insertId": "x", "httpRequest": {"requestMethod": "GET", "requestUrl": f"https://shop.example{r.path}", "status": r.status, "userAgent": r.agent, "remoteIp": r.client, "serverIp": "10.8.0.5"}, "timestamp": r.iso, "severity": "INFO"},
        ALL,
    ),
    "AWS API gateway": Written(
        lambda r: {"requestId": "5c1b2e8d", "ip": r.client, "requestTime": r.common, "httpMethod": "GET", "resourcePath": r.path, "path": r.path, "status": str(r.status), "protocol": "HTTP/1.1", "userAgent": r.agent, "domainName": "shop.example"},
        ALL,
    ),
    "CloudFront, real time": Written(
        lambda r: {"timestamp": r.seconds, "c-ip": r.client, "sc-status": r.status, "cs-method": "GET", "cs-host": "shop.example", "cs-uri-stem": r.path, "cs-user-agent": r.encoded_agent, "x-edge-location": "FRA2"}, ALL
    ),
    "Azure application gateway": Written(
        lambda r: {"timeStamp": r.iso, "resourceId": "/X", "properties": {"instanceId": "0", "clientIP": r.client, "clientPort": r.port, "httpMethod": "GET", "requestUri": r.path, "userAgent": r.agent, "httpStatus": r.status, "host": "shop.example"}}, ALL
    ),
    "Azure Front Door": Written(
        lambda r: {"time": r.iso, "resourceId": "/X", "properties": {"trackingReference": "0a1b", "httpMethod": "GET", "httpVersion": "2.0.0.0", "requestUri": f"https://shop.example:443{r.path}", "userAgent": r.agent, "clientIp": r.client, "clientPort": str(r.port), "httpStatusCode": str(r.status)}},
        ALL,
    ),
    "Cloudflare": Written(
        lambda r: {"ClientIP": r.client, "ClientRequestHost": "shop.example", "ClientRequestMethod": "GET", "ClientRequestURI": r.path, "ClientRequestUserAgent": r.agent, "EdgeResponseStatus": r.status, "EdgeStartTimestamp": r.iso, "RayID": "5c1b2e8d"},
        ALL,
    ),
    "Akamai DataStream": Written(
        lambda r: {"version": 1, "cp": "123", "reqId": "1239f220", "reqTimeSec": r.seconds, "cliIP": r.client, "statusCode": str(r.status), "reqHost": "shop.example", "reqMethod": "GET", "reqPath": r.path, "UA": r.encoded_agent, "edgeIP": "192.0.2.1"},
        ALL,
    ),
    "Fastly": Written(
        lambda r: {"timestamp": r.iso, "client_ip": r.client, "host": "shop.example", "url": r.path, "request_method": "GET", "request_user_agent": r.agent, "response_status": r.status, "fastly_server": "cache-fra1"}, ALL
    ),
    "Elastic Common Schema": Written(
        lambda r: {"@timestamp": r.iso, "source": {"address": r.client, "ip": r.client}, "url": {"original": r.path}, "http": {"request": {"method": "GET"}, "response": {"status_code": r.status}}, "user_agent": {"original": r.agent}, "host": {"name": "web1"}}
    ),
    "Logstash, COMBINEDAPACHELOG": Written(
        lambda r: {"clientip": r.client, "ident": "-", "auth": "-", "timestamp": r.common, "verb": "GET", "request": r.path, "httpversion": "1.1", "response": str(r.status), "bytes": "5120", "agent": r.agent, "host": "shipper1", "@version": "1"}
    ),
    "Fluent Bit, nginx": Written(lambda r: {"date": float(r.seconds), "remote": r.client, "host": "-", "user": "-", "method": "GET", "path": r.path, "code": str(r.status), "size": "5120", "referer": "-", "agent": r.agent}),
    "fluentd, apache2": Written(lambda r: {"time": r.iso, "host": r.client, "user": None, "method": "GET", "path": r.path, "code": r.status, "size": 5120, "referer": None, "agent": r.agent}),
    "Vector, parse_nginx_log": Written(lambda r: {"agent": r.agent, "client": r.client, "request": r.line, "size": 5120, "status": r.status, "timestamp": r.iso, "user": "-"}),
    "Vector, parse_apache_log": Written(
        lambda r: {"agent": r.agent, "host": r.client, "identity": "-", "method": "GET", "path": r.path, "protocol": "HTTP/1.1", "size": 5120, "status": r.status, "timestamp": r.iso, "user": "-"}
    ),
    "pino-http": Written(
        lambda r: {"level": 30, "time": r.ms, "pid": 19, "hostname": "web-1", "req": {"id": 7, "method": "GET", "url": r.path, "headers": {"host": "shop.example", "user-agent": r.agent}, "remoteAddress": f"::ffff:{r.client}", "remotePort": r.port}, "res": {"statusCode": r.status}, "responseTime": 5, "msg": "request completed"},
        ALL,
    ),
    "bunyan (restify)": Written(
        lambda r: {"name": "audit", "hostname": "web-1", "pid": 19, "level": 30, "remoteAddress": r.client, "remotePort": r.port, "req": {"method": "GET", "url": r.path, "headers": {"host": "shop.example", "user-agent": r.agent}}, "res": {"statusCode": r.status}, "time": r.iso, "v": 0},
        ALL,
    ),
    "express-winston": Written(
        lambda r: {"level": "info", "message": f"HTTP GET {r.path}", "meta": {"req": {"headers": {"host": "shop.example", "user-agent": r.agent}, "httpVersion": "1.1", "method": "GET", "url": r.path}, "res": {"statusCode": r.status}, "responseTime": 5}, "timestamp": r.iso},
        f"{A}, {H}",
    ),
    "structlog (uvicorn)": Written(
        lambda r: {"http": {"url": f"http://shop.example{r.path}", "status_code": r.status, "method": "GET", "request_id": "5c1b", "version": "1.1"}, "network": {"client": {"ip": r.client, "port": r.port}}, "duration": 1234567, "event": "request", "timestamp": r.iso, "level": "info"},
        f"{C}, {H}",
    ),
    "gunicorn, JSON": Written(lambda r: {"remote_ip": r.client, "method": "GET", "path": r.path, "status": str(r.status), "time": r.common, "user_agent": r.agent, "pid": "<12>", "referer": "-"}),
    "Tomcat, JSON valve": Written(lambda r: {"host": r.client, "logicalUserName": "-", "user": "-", "time": f"[{r.common}]", "request": r.line, "statusCode": str(r.status), "size": "5120"}, C),
    "Logback access": Written(lambda r: {"@timestamp": r.iso, "@version": "1", "method": "GET", "protocol": "HTTP/1.1", "status_code": r.status, "requested_url": r.line, "requested_uri": r.path, "remote_host": r.client, "content_length": 5120, "elapsed_time": 12}, C),
    "GitLab": Written(lambda r: {"method": "GET", "path": r.path, "format": "html", "controller": "Root", "status": r.status, "time": r.iso, "remote_ip": r.client, "ua": r.agent, "correlation_id": "5c1b", "duration_s": 0.2}),
    "Vercel": Written(lambda r: {"id": "5c1b", "timestamp": r.ms, "proxy": {"timestamp": r.ms, "method": "GET", "host": "shop.example", "path": r.path, "userAgent": [r.agent], "statusCode": r.status, "clientIp": r.client}}, ALL),
    "Kubernetes audit": Written(lambda r: {"kind": "Event", "requestURI": r.path, "verb": "GET", "sourceIPs": [r.client], "userAgent": r.agent, "responseStatus": {"code": r.status}, "requestReceivedTimestamp": r.iso}),
    "Datadog": Written(
        lambda r: {"timestamp": r.iso, "host": "i-0abc", "service": "web", "attributes": {"http": {"url": f"https://shop.example{r.path}", "method": "GET", "status_code": r.status, "useragent": r.agent}, "network": {"client": {"ip": r.client}}}},
        ALL,
    ),
    "Undertow": Written(lambda r: {"eventSource": "web-access", "hostName": "default-host", "bytesSent": 5120, "dateTime": r.iso, "remoteHost": r.client, "requestLine": r.line, "responseCode": r.status, "userAgent": r.agent}),
    "OpenTelemetry": Written(lambda r: {"timestamp": r.iso, "attributes": {"http.request.method": "GET", "url.path": r.path, "http.response.status_code": r.status, "client.address": r.client, "user_agent.original": r.agent, "server.address": "shop.example"}}, ALL),
}  # fmt: skip
"""Layouts by name."""
