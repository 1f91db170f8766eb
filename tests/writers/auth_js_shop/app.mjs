// A shop with Auth.js: tokens, base and prefix of its own.
import http from 'node:http'
import { createRequire } from 'node:module'
import { randomBytes, randomUUID } from 'node:crypto'

const load = createRequire(process.env.NODE_PATH + '/')
const { UnstorageAdapter } = await import(`${process.env.NODE_PATH}/@auth/unstorage-adapter/index.js`)
const { createStorage } = await import(load.resolve('unstorage'))
const driver = (await import(load.resolve('unstorage/drivers/redis'))).default
const base = 'web'
const storage = createStorage({ driver: driver({ base, host: '127.0.0.1', port: Number(process.env.REDIS_PORT) }) })
const adapter = UnstorageAdapter(storage, { baseKeyPrefix: 'shop:' })
const people = {}
http.createServer(async (request, response) => {
  let text = ''
  for await (const part of request) text += part
  const token = /authjs.session-token=([^;]+)/.exec(request.headers.cookie || '')?.[1]
  const give = (status, headers) => { response.writeHead(status, headers); response.end('page') }
  if (request.url === '/account') {
    return token && (await adapter.getSessionAndUser(token)) ? give(200, {}) : give(302, { location: '/login' })
  }
  if (request.url === '/login' && request.method === 'POST') {
    const form = new URLSearchParams(text)
    if (form.get('password') !== 'right') return give(403, {})
    // What @auth/core does at a login with the strategy "database".
    const name = form.get('user')
    people[name] ??= await adapter.createUser({ id: randomUUID(), name, email: `${name}@example.org`, emailVerified: null })
    const sessionToken = randomBytes(32).toString('hex')
    await adapter.createSession({ sessionToken, userId: people[name].id, expires: new Date(Date.now() + 7200000) })
    return give(302, { location: '/account', 'set-cookie': `authjs.session-token=${sessionToken}; Path=/` })
  }
  if (request.url === '/logout' && token) await adapter.deleteSession(token)
  return give(200, {})
}).listen(Number(process.env.PORT), '127.0.0.1')
