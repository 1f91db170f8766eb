#!/usr/bin/env bash
# PHP in Redis: pages that open the session with read_and_close do not prolong it: who only reads is logged out while clicking.
#
# Versions    PHP 8.2 (Debian 12's package php8.2-cli 8.2.*), phpredis 5.3.7 (php8.2-redis 5.3.7+4.3.0-3), any Redis or Valkey server
#             (redis-server in the PATH)
#
# Behaviour   session_start() gives a session its whole session.gc_maxlifetime again at the end of each page, changed or not: unchanged
#             (session.lazy_write) phpredis sends EXPIRE instead of the value. session_start(['read_and_close' => true]), made so
#             that pages that only read wait for no lock, sends GET and nothing else. The TTL goes on falling. phpredis' own
#             redis.session.early_refresh, which sends GETEX at the start of a page, comes later than 5.3.7 and is off unless set.
#
# Seen        a session with 100 s left of 1,440 s, then one page:      session_start() 1440 s     read_and_close 100 s
#             lifetime 3 s, a page every half second for 6 s:           session_start() anna       read_and_close nobody
#             commands of one page:                                     GET, EXPIRE                GET
#
# Why         read_and_close is the usual advice against pages that wait for each other. Put into the catalogue of a shop, where people
#             spend most of their time, it ends their sessions after 24 minutes of reading; each comes back with a new, empty
#             session, so births and expiries rise together with nobody new in the shop, as with a robot that drops cookies. Whoever
#             takes the TTL for the last use (lifetime less TTL), as a purge or a count of "active" sessions does, takes these people for
#             gone. OBJECT IDLETIME knows better.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$(cat "$work/pid" 2>/dev/null)" 2>/dev/null || true; sleep 0.2; rm -rf "$work"' EXIT
mkdir "$work/deb"
(cd "$work/deb" && apt-get -qq -o APT::Sandbox::User=root download php8.2-cli php8.2-common php8.2-redis php8.2-igbinary libargon2-1 libsodium23 \
  libxml2 libicu72 libedit2 libbsd0 libmd0 && for package in ./*.deb; do dpkg-deb -x "$package" "$work"; done)
case $(dpkg-deb -f "$work"/deb/php8.2-redis_*.deb Version) in
  5.3.7+*) ;; *) echo "another version than 5.3.7: not what was described" >&2; exit 1 ;; esac
redis-server --port 0 --unixsocket "$work/redis.sock" --dir "$work" --save '' --daemonize yes --pidfile "$work/pid" >/dev/null
cat >"$work/look.php" <<'PHP'
<?php
$path = $argv[1];
$redis = new Redis();
for ($try = 0; ; $try++) {
    try { $redis->connect($path); break; } catch (RedisException $e) { if ($try > 200) throw $e; usleep(50000); }
}
ini_set('session.save_handler', 'redis');
ini_set('session.save_path', "unix://$path");
ini_set('session.use_cookies', '0');
ini_set('session.cache_limiter', '');
const KEY = 'PHPREDIS_SESSION:';

function page(string $id, array $options, ?string $login = null): ?string {
    $_SESSION = [];
    session_id($id);
    session_start($options);
    if ($login !== null) $_SESSION['user'] = $login;
    $user = $_SESSION['user'] ?? null;
    if (session_status() === PHP_SESSION_ACTIVE) session_write_close();
    return $user;
}

function counted(Redis $redis): array {
    $names = array_map(fn($field) => strtoupper(substr($field, 8)), array_keys($redis->info('commandstats')));
    $names = array_values(array_intersect(['GET', 'SET', 'SETEX', 'EXPIRE', 'GETEX'], $names));
    $redis->rawCommand('CONFIG', 'RESETSTAT');
    return $names;
}

$seen = [];
foreach (['session_start' => [], 'read_and_close' => ['read_and_close' => true]] as $name => $options) {
    $id = str_pad(strtr($name, '_', '-'), 26, 'a');
    ini_set('session.gc_maxlifetime', '1440');
    page($id, [], 'anna');
    $redis->expire(KEY . $id, 100);
    counted($redis);
    $user = page($id, $options);
    $commands = counted($redis);
    $ttl = $redis->ttl(KEY . $id);
    ini_set('session.gc_maxlifetime', '3');
    page($id, [], 'anna');
    $end = microtime(true) + 6;
    do {
        usleep(500000);
        $later = page($id, $options);
    } while (microtime(true) < $end);
    $seen[$name] = [$user, $ttl > 1300 ? 'whole' : ($ttl <= 100 && $ttl > 0 ? 'as it was' : $ttl), $commands, $later];
    $lines[] = sprintf('%-15s one page: %s, ttl %d, %s; six seconds of pages: %s', $name, $user, $ttl, implode(' ', $commands), $later ?? 'nobody');
}
echo implode("\n", $lines), "\n";  // not before: after the first output PHP lets nobody change how sessions are kept
$good = $seen === ['session_start' => ['anna', 'whole', ['GET', 'EXPIRE'], 'anna'], 'read_and_close' => ['anna', 'as it was', ['GET'], null]];
echo $good ? "as described\n" : "DIFFERENT from what is described\n";
exit($good ? 0 : 1);
PHP
modules=$(dirname "$work"/usr/lib/php/*/redis.so)
LD_LIBRARY_PATH=$(echo "$work"/usr/lib/*-linux-gnu) "$work/usr/bin/php8.2" -n -d extension_dir="$modules" -d extension=igbinary -d extension=redis \
  "$work/look.php" "$work/redis.sock"
