#!/usr/bin/env bash
# connect-redis 8 with node-redis 5 or 6: store.length() says 10 for 1,000 sessions; with ioredis and a keyPrefix it says 0.
#
# Versions    connect-redis 8.1.0, express-session 1.18.2, node-redis 5.8.2 and 6.3.1, ioredis 5.8.2 (npm), Node 20 or newer, any Redis or
#             Valkey server (redis-server in the PATH)
#
# Behaviour   length(), ids(), all() and clear() of the store look for their keys by SCAN; get, set and destroy know theirs.
#             - Since version 5 the iterator of node-redis gives a list of keys for each answer of the server, where 4 gave key by key.
#               connect-redis 8 takes either (it names no version of a client that it needs) and counts what it is given: length()
#               is the number of answers, by default one for each hundred keys of the whole database, whatever they are. ids(), all() and
#               clear() raise errors, length() does not. connect-redis 7.1.1 does the same; 9 and 10 are right.
#             - ioredis puts its keyPrefix before each key but not before the pattern of a SCAN: no session is found, and clear()
#               answers without an error and removes none. The sessions themselves work in both cases.
#
# Seen        1,000 sessions              length()   all()    clear()   sessions after it
#             node-redis 5.8.2, 6.3.1     10         error    error     1000
#             ioredis                     1000       1000     ok        0
#             ioredis with a keyPrefix    0          0        ok        1000
#
# Why         "Sessions now" on an admin page or a gauge for Prometheus is length(), and after an upgrade of the client alone
#             it falls to a hundredth, follows the load as before, and no alert on its growth fires any more. Whoever clears all
#             sessions after an incident hears that it was done.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$(cat "$work/pid" 2>/dev/null)" 2>/dev/null || true; sleep 0.2; rm -rf "$work"' EXIT
redis-server --port 0 --unixsocket "$work/redis.sock" --dir "$work" --save '' --daemonize yes --pidfile "$work/pid" >/dev/null
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --loglevel=error connect-redis@8.1.0 express-session@1.18.2 redis5@npm:redis@5.8.2 redis6@npm:redis@6.3.1 \
  ioredis@5.8.2 >/dev/null
cat >look.mjs <<'JS'
import { RedisStore } from 'connect-redis'
import { Redis } from 'ioredis'
import { createClient as create5 } from 'redis5'
import { createClient as create6 } from 'redis6'

const path = process.argv[2]
const count = new Redis({ path })
const node = async create => create({ socket: { path } }).connect()
const CLIENTS = [
  ['node-redis 5.8.2', await node(create5), { length: 10, all: 'error', clear: 'error', left: 1000 }],
  ['node-redis 6.3.1', await node(create6), { length: 10, all: 'error', clear: 'error', left: 1000 }],
  ['ioredis', new Redis({ path }), { length: 1000, all: 1000, clear: 'ok', left: 0 }],
  ['ioredis, keyPrefix', new Redis({ path, keyPrefix: 'shop:' }), { length: 0, all: 0, clear: 'ok', left: 1000 }],
]
let good = true

for (const [name, client, wanted] of CLIENTS) {
  await count.flushall()
  const store = new RedisStore({ client })
  const ask = (method, ...words) => new Promise(done => store[method](...words, (error, answer) => done(error ? 'error' : answer ?? 'ok')))
  for (let i = 0; i < 1000; i++) await ask('set', `id${i}`, { cookie: {}, views: 1 })
  const all = await ask('all')
  const got = { length: await ask('length'), all: all.length === undefined || all === 'error' ? all : all.length, clear: await ask('clear') }
  got.left = await count.dbsize()
  // A SCAN may give some keys more than its COUNT, so that it takes an answer or two less.
  const same = Object.keys(wanted).every(part => got[part] === wanted[part] || (wanted[part] === 10 && got[part] >= 8 && got[part] <= 11))
  good &&= same
  console.log(name.padEnd(20), JSON.stringify(got), same ? '' : `WANTED ${JSON.stringify(wanted)}`)
}
console.log(good ? 'as described' : 'DIFFERENT from what is described')
process.exit(good ? 0 : 1)
JS
node look.mjs "$work/redis.sock"
