#!/usr/bin/env bash
# koa-session with secure cookies behind a balancer that ends TLS: each visit is answered with 500, and its session is stored.
#
# Versions    koa-session 7.0.2, Koa 3.3.0, koa-redis 4.0.1, ioredis 5.8.2 (npm), Node 20 or newer, any Redis or Valkey server (redis-server
#             in the PATH)
#
# Behaviour   With secure: true and app.proxy not set, a request over plain HTTP may not be given the cookie: "Cannot send secure cookie
#             over unencrypted connection" is thrown, and the visitor gets 500. But the session was written to the store before,
#             with its whole lifetime. Nobody has its id. With app.proxy and the balancer's X-Forwarded-Proto all is well.
#
# Seen        three visits to a page that puts something into the session: 500, 500, 500, no Set-Cookie, 3 keys with a ttl of a day
#
# Why         Errors are taken for harmless when one looks for who fills the store: "a 500 renders no page, so it starts no session".
#             A deployment that loses app.proxy = true keeps every health check red and the store filling at the pace of all
#             visitors together, with sessions of which no client ever brings one back.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$(cat "$work/pid")" 2>/dev/null || true; rm -rf "$work"' EXIT
redis-server --port 0 --unixsocket "$work/redis.sock" --dir "$work" --save '' --daemonize yes --pidfile "$work/pid" >/dev/null
cd "$work"
echo '{"private": true}' >package.json
npm install --no-audit --no-fund --loglevel=error koa-session@7.0.2 koa@3.3.0 koa-redis@4.0.1 ioredis@5.8.2 >/dev/null
cat >look.mjs <<'JS'
import Koa from 'koa'
import koaRedis from 'koa-redis'
import { createSession } from 'koa-session'
import Redis from 'ioredis'

const path = process.argv[2]
const server = new Redis({ path })
let good = true

async function visits(behindProxy, headers) {
  await server.flushall()
  const app = new Koa()
  app.keys = ['key']
  app.silent = true
  app.proxy = behindProxy
  const complaints = []
  app.on('error', error => complaints.push(error.message))
  app.use(createSession({ store: koaRedis({ client: new Redis({ path }) }), secure: true, maxAge: 86_400_000 }, app))
  app.use(context => { context.session.seen = true; context.body = 'page' })
  const listener = await new Promise(resolve => { const it = app.listen(0, '127.0.0.1', () => resolve(it)) })
  const answers = []
  for (let i = 0; i < 3; i++) {
    const answer = await fetch(`http://127.0.0.1:${listener.address().port}/`, { headers })
    await answer.text()
    answers.push(`${answer.status} ${answer.headers.has('set-cookie') ? 'with' : 'no'} cookie`)
  }
  const keys = await server.keys('*')
  const lifetimes = await Promise.all(keys.map(key => server.ttl(key)))
  const said = `${answers.join(', ')}; ${keys.length} keys, all for a day: ${lifetimes.every(ttl => ttl > 86_300)}; ${complaints[0] ?? 'no error'}`
  console.log(`app.proxy ${behindProxy}: ${said}`)
  return said
}

good &&= await visits(false, {}) === '500 no cookie, 500 no cookie, 500 no cookie; 3 keys, all for a day: true; ' +
  'Cannot send secure cookie over unencrypted connection'
good &&= await visits(true, { 'x-forwarded-proto': 'https' }) ===
  '200 with cookie, 200 with cookie, 200 with cookie; 3 keys, all for a day: true; no error'
console.log(good ? 'as described' : 'DIFFERENT from what is described')
process.exit(good ? 0 : 1)
JS
node look.mjs "$work/redis.sock"
