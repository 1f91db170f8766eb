#!/usr/bin/env bash
# lnav: when summer time ends, an hour of requests happens in one second; a line that comes late gets the time of the one before.
#
# Versions    lnav 0.11.1 (Debian 12's package lnav 0.11.1-3), beside GoAccess 1.7 (1:1.7-1). By its tracker, lnav minds zones since 0.12
#             (issues 1034, 1210), and late lines are moved in 0.14 too (1672)
#
# Behaviour   Both read an access log's time and leave its zone (+0200) aside: 02:30 of one zone and of the other are the same moment.
#             lnav keeps the lines of a file in order too: a line with an earlier time than the one before is given the time of
#             that one in log_time, by which its histogram, timeline and SQL go; log_actual_time keeps what was written. Nothing in
#             the result says so.
#
# Seen        a request every 10 s through the night of 25 October 2026, in Berlin, as nginx logs it
#             lnav       hour 02: 720 requests, 361 of them at 02:59:50; hour 03: 360      by log_actual_time: at most 2 in a second
#             GoAccess   hour 02: 720, hour 03: 360
#             a log of Apache's, where a slow request of 12:00:00 is written after one of 12:00:09: log_time 12:00:09 for both
#
# Why         Who makes sessions by clockwork is found by the second at which they come, and a burst by how many come in one. By
#             log_time there is a burst of an hour's requests that never was, a prober every 10 s pauses for an hour, and behind a
#             slow page (Apache logs the time a request began) moments are moved without a trace. Ask for log_actual_time, and
#             in October for UTC.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download lnav goaccess libarchive13 libpcre2-8-0 libmaxminddb0 &&
  for package in ./*.deb; do dpkg-deb -x "$package" "$work"; done)
case $(dpkg-deb -f "$work"/lnav_*.deb Version) in 0.11.1-*) ;; *) echo "another version than 0.11.1: not what was described" >&2; exit 1 ;; esac
cat >"$work/look.py" <<'PY'
import collections, csv, datetime, io, json, os, pathlib, subprocess, sys

work, good = pathlib.Path(sys.argv[1]), True
libraries = next(work.glob("usr/lib/*/libmaxminddb.so.*")).parent
environment = dict(os.environ, HOME=str(work), XDG_CONFIG_HOME=str(work / "config"), LD_LIBRARY_PATH=str(libraries), TZ="UTC", TERM="dumb")


def line(utc, zone):
    local = utc + datetime.timedelta(hours=zone)
    return f'192.0.2.1 - - [{local:%d/%b/%Y:%H:%M:%S} +0{zone}00] "GET /cart HTTP/1.1" 200 2 "-" "checker/1.0"\n'


def lnav(name):
    question = "SELECT log_time, log_actual_time FROM access_log"
    command = [work / "usr/bin/lnav", "-n", "-c", f";{question}", "-c", ":write-csv-to -", work / name]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return list(csv.DictReader(io.StringIO(said)))


def hours(times):
    return {hour: times for hour, times in sorted(collections.Counter(time[11:13] for time in times).items())}


midnight = datetime.datetime(2026, 10, 25)
night = [midnight + datetime.timedelta(seconds=10 * n) for n in range(3 * 360)]
(work / "night.log").write_text("".join(line(utc, 2 if utc.hour < 1 else 1) for utc in night))
rows = lnav("night.log")
for column, most in (("log_time", 361), ("log_actual_time", 2)):
    times = collections.Counter(row[column] for row in rows)
    moment, count = times.most_common(1)[0]
    print(f"lnav      {column:16} {hours(times.elements())}   most in one second: {count}, at {moment}")
    good &= hours(times.elements()) == {"02": 720, "03": 360} and count == most
    good &= column != "log_time" or moment[:19] == "2026-10-25 02:59:50"
command = [work / "usr/bin/goaccess", work / "night.log", "--log-format=COMBINED", "-o", work / "night.json", "--no-global-config"]
subprocess.run(command, env=environment, capture_output=True, check=True)
counted = {hour["data"]: hour["hits"]["count"] for hour in json.loads((work / "night.json").read_text())["visit_time"]["data"]}
print("GoAccess ", counted)
good &= counted == {"02": 720, "03": 360}
noon = datetime.datetime(2026, 11, 30, 12)
(work / "slow.log").write_text(line(noon + datetime.timedelta(seconds=9), 0) + line(noon, 0))
late = lnav("slow.log")[1]
print("lnav      a late line", late)
good &= late["log_time"][11:19] == "12:00:09" and late["log_actual_time"][11:19] == "12:00:00"
print("as described" if good else "DIFFERENT from what is described")
sys.exit(not good)
PY
python3 "$work/look.py" "$work"
