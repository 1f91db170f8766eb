#!/usr/bin/env bash
# Auth.js in Redis: sessions have an expiry of 30 days, their keys have none, and only a cookie that no browser still has removes them.
#
# Versions    @auth/core 0.41.3, @auth/unstorage-adapter 2.11.2, unstorage 1.17.6, ioredis 5.8.2 (npm), Node 20 or newer, any Redis or Valkey
#             server (redis-server in the PATH)
#
# Behaviour   - createSession gets "expires" from Auth.js and writes it into the value; the key is written without a TTL.
#             - Auth.js deletes an expired session when somebody asks with its token. The cookie has the same expiry, so the browser has
#               dropped it by then: in practice nobody asks, and the key stays.
#             - Beside it "by-user-id" knows the latest session of a user alone. deleteUser removes that one; those of the user's other
#               browsers stay, expired or not, for a user who is not there any more.
#
# Seen        two logins, sessions that expire after a second:  user:session:ONE ttl -1   user:session:TWO ttl -1   by-user-id: TWO
#             two seconds later: both still there; asked with the token of ONE: null, its key is gone
#             a third login, then deleteUser: user:session:THREE gone, user:session:TWO still there
#
# Why         The store looks like one of sessions that live for a month and is an archive of all logins since it was made: the count of
#             "logged in" grows for ever, no TTL tells which are over, and an eviction policy volatile-* finds nothing to evict.
#             Whoever reads "expires" from the values counts right. A purge may take what expired, and nothing else will.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$(cat "$work/pid")" 2>/dev/null || true; rm -rf "$work"' EXIT
redis-server --port 0 --unixsocket "$work/redis.sock" --dir "$work" --save '' --daemonize yes --pidfile "$work/pid" >/dev/null
cd "$work"
echo '{"private": true}' >package.json
npm install --no-audit --no-fund --loglevel=error @auth/core@0.41.3 @auth/unstorage-adapter@2.11.2 unstorage@1.17.6 ioredis@5.8.2 >/dev/null
cat >look.mjs <<'JS'
import { Auth } from '@auth/core'
import { UnstorageAdapter } from '@auth/unstorage-adapter'
import Redis from 'ioredis'
import { createStorage } from 'unstorage'
import driver from 'unstorage/drivers/redis'

const path = process.argv[2]
const server = new Redis({ path })
const adapter = UnstorageAdapter(createStorage({ driver: driver({ path }) }))
const config = { adapter, providers: [], secret: 'x'.repeat(32), trustHost: true, basePath: '/auth', session: { strategy: 'database' } }
let good = true

function expect(what, got, wanted) {
  const same = JSON.stringify(got) === JSON.stringify(wanted)
  good &&= same
  console.log(what.padEnd(62), JSON.stringify(got), same ? '' : `WANTED ${JSON.stringify(wanted)}`)
}

const login = (sessionToken, seconds) =>
  adapter.createSession({ sessionToken, userId: user.id, expires: new Date(Date.now() + 1000 * seconds) })
const sessions = async () => (await server.keys('user:session:[A-Z]*')).map(key => key.slice(13)).sort()

const user = await adapter.createUser({ name: 'Anna', email: 'anna@example.org', emailVerified: null })
await adapter.linkAccount({ userId: user.id, type: 'oauth', provider: 'github', providerAccountId: '1' })
await login('ONE', 1)
await login('TWO', 1)
expect('ttl of both', [await server.ttl('user:session:ONE'), await server.ttl('user:session:TWO')], [-1, -1])
await new Promise(resolve => setTimeout(resolve, 2000))
expect('after their expiry', await sessions(), ['ONE', 'TWO'])
const headers = { cookie: 'authjs.session-token=ONE' }
expect('asked with the token of ONE', await (await Auth(new Request('http://localhost/auth/session', { headers }), config)).json(), null)
expect('then', await sessions(), ['TWO'])
await login('THREE', 3600)
await adapter.deleteUser(user.id)
expect('after deleteUser', await sessions(), ['TWO'])
console.log(good ? 'as described' : 'DIFFERENT from what is described')
process.exit(good ? 0 : 1)
JS
node look.mjs "$work/redis.sock"
