// A shop in Fastify: another prefix, no session for visitors who only look, cookies that end with the browser.
const fastify = require('fastify')()
const { RedisStore } = require('connect-redis')
const { createClient } = require('redis')

const client = createClient({ url: `redis://127.0.0.1:${process.env.REDIS_PORT}` })
client.connect().catch(console.error)
const cookie = process.env.MAX_AGE ? { secure: false, maxAge: Number(process.env.MAX_AGE) } : { secure: false }
fastify.register(require('@fastify/cookie'))
fastify.register(require('@fastify/session'), {
  secret: 'x'.repeat(32), store: new RedisStore({ client, prefix: 'web-', ttl: 5400 }), saveUninitialized: !!process.env.ALL,
  rolling: !process.env.FIXED, cookie,
})
fastify.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body))))
fastify.get('/', async (request) => 'home' + (request.session.basket || ''))
fastify.get('/health', async () => 'ok')
fastify.get('/account', async (request, reply) => {
  if (request.session.account) return 'yours'
  request.session.set('returnTo', '/account')
  return reply.redirect('/login')
})
fastify.get('/login', async () => 'who?')
fastify.post('/login', async (request, reply) => {
  if (request.body.password !== 'right') return reply.code(403).send('no')
  await request.session.regenerate()
  request.session.account = { name: request.body.user, id: 12 }
  return reply.redirect('/account')
})
fastify.post('/cart', async (request) => { request.session.basket = { user: 'guest', lines: [{ sku: 7 }] }; return 'kept' })
fastify.post('/logout', async (request) => { await request.session.destroy(); return 'gone' })
fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
