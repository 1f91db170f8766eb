// A shop with better-auth: sessions in the database as well, more fields, a cache in the cookie, ids of its own.
import http from 'node:http'
import { createRequire } from 'node:module'
import { randomBytes, randomUUID } from 'node:crypto'

const load = createRequire(process.env.NODE_PATH + '/')
const { betterAuth } = await import(load.resolve('better-auth'))
const { memoryAdapter } = await import(load.resolve('better-auth/adapters/memory'))
const Redis = load('ioredis')

const client = new Redis(Number(process.env.REDIS_PORT))
const prefix = 'shop/auth/'
const auth = betterAuth({
  secret: 'x'.repeat(32), baseURL: `http://127.0.0.1:${process.env.PORT}`, emailAndPassword: { enabled: true, minPasswordLength: 4 },
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }), rateLimit: { enabled: false },
  session: { expiresIn: 7200, updateAge: 600, storeSessionInDatabase: true, cookieCache: { enabled: true, maxAge: 60 }, additionalFields: { device: { type: 'string', required: false, defaultValue: 'phone' } } },
  user: { additionalFields: { tier: { type: 'string', required: false, defaultValue: 'gold' } } },
  advanced: { database: { generateId: ({ model }) => (model === 'session' ? randomUUID() : randomBytes(12).toString('hex')) } }, logger: { level: 'error' },
  secondaryStorage: {
    get: (key) => client.get(prefix + key),
    set: (key, value, ttl) => (ttl ? client.set(prefix + key, value, 'EX', ttl) : client.set(prefix + key, value)),
    delete: (key) => client.del(prefix + key),
  },
})
for (const name of ['anna', 'berta', 'carla']) {
  await auth.api.signUpEmail({ body: { email: `${name}@example.org`, password: 'right', name } })
}
http.createServer(async (request, response) => {
  let text = ''
  for await (const part of request) text += part
  const headers = new Headers({ cookie: request.headers.cookie || '' })
  const give = (answer, status, place) => {
    const set = answer && answer.headers ? answer.headers.getSetCookie() : []
    response.writeHead(status, { ...(place ? { location: place } : {}), ...(set.length ? { 'set-cookie': set } : {}) })
    response.end('page')
  }
  if (request.url === '/account') {
    const session = await auth.api.getSession({ headers })
    return session ? give(null, 200) : give(null, 302, '/login')
  }
  if (request.url === '/login' && request.method === 'POST') {
    const form = new URLSearchParams(text)
    const answer = await auth.api.signInEmail({ body: { email: `${form.get('user')}@example.org`, password: form.get('password') }, headers, asResponse: true })
    return answer.ok ? give(answer, 302, '/account') : give(answer, 403)
  }
  if (request.url === '/logout') return give(await auth.api.signOut({ headers, asResponse: true }), 200)
  if (request.url === '/' ) await auth.api.getSession({ headers })
  return give(null, 200)
}).listen(Number(process.env.PORT), '127.0.0.1')
