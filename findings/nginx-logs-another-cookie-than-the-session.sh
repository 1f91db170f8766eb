#!/usr/bin/env bash
# nginx cannot log the cookie connect.sid, and $cookie_session may be the cookie SESSION: the log shows sessions that are none.
#
# Versions    nginx 1.22.1 (Debian 12's package nginx 1.22.1-9; 1.30.6 of Debian's unstable does the same). Apache 2.4.71 has the second
#             half too (%{session}C)
#
# Behaviour   - The name of a variable ends at the first dot or hyphen. "$cookie_connect.sid" in a log_format is the cookie "connect"
#               and the text ".sid"; nginx -t is content. Every line has the text, whoever sent no cookie too. Express, whose default
#               the name is, and names such as "my-session" cannot be logged so at all.
#             - $cookie_NAME finds a cookie by its name without regard to upper and lower case, and takes the first: with
#               "SESSION=a; session=b" (Spring's and Flask's defaults behind one nginx) $cookie_session and $cookie_SESSION are both "a",
#               and with the other order both "b". For browsers and applications these are two cookies.
#
# Seen        sent                            $cookie_connect.sid   $cookie_session   $cookie_SESSION
#             nothing                         -.sid                 -                 -
#             connect.sid=s%3Aabc             -.sid                 -                 -
#             SESSION=spring; session=flask   -.sid                 spring            spring
#             session=flask; SESSION=spring   -.sid                 flask             flask
#
# Why         Whether a client brings its session back is what tells a robot from a visitor. By such a log every client of an Express
#             application brings one, the prober that never does as well; and a visitor of two applications has the session of the
#             other. Whatever is balanced by "hash $cookie_session" goes astray in the same way. A map of $http_cookie with a
#             case-sensitive regular expression gives the cookie that is meant.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$(cat "$work/pid" 2>/dev/null)" 2>/dev/null || true; sleep 0.2; rm -rf "$work"' EXIT
(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download nginx && dpkg-deb -x ./nginx_*.deb "$work")
case $(dpkg-deb -f "$work"/nginx_*.deb Version) in 1.22.1-9*) ;; *) echo "another version than 1.22.1: not what was described" >&2; exit 1 ;; esac
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/nginx.conf" <<CONF
pid $work/pid;
error_log $work/error.log;
events {}
http {
    log_format cookies '\$cookie_connect.sid \$cookie_session \$cookie_SESSION';
    access_log $work/access.log cookies;
    client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3; uwsgi_temp_path $work/t4; scgi_temp_path $work/t5;
    server { listen 127.0.0.1:$port; return 200 ok; }
}
CONF
"$work/usr/sbin/nginx" -t -c "$work/nginx.conf"
"$work/usr/sbin/nginx" -c "$work/nginx.conf"
python3 - "$port" <<'PY'
import sys
import urllib.request

for cookie in ("", "connect.sid=s%3Aabc", "SESSION=spring; session=flask", "session=flask; SESSION=spring"):
    request = urllib.request.Request(f"http://127.0.0.1:{sys.argv[1]}/", headers={"Cookie": cookie} if cookie else {})
    urllib.request.urlopen(request, timeout=10).read()
PY
kill -QUIT "$(cat "$work/pid")"
for _ in $(seq 100); do [ -e "$work/pid" ] || break; sleep 0.1; done
cat "$work/access.log"
diff "$work/access.log" - <<'LOG' && echo "as described" || { echo "DIFFERENT from what is described"; exit 1; }
-.sid - -
-.sid - -
-.sid spring spring
-.sid flask flask
LOG
