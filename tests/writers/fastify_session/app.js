// @fastify/session with connect-redis: the pages of every writer here.
const fastify = require('fastify')()
const { RedisStore } = require('connect-redis')
const { createClient } = require('redis')

const client = createClient({ url: `redis://127.0.0.1:${process.env.REDIS_PORT}` })
client.connect().catch(console.error)
fastify.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (request, body, done) => {
  done(null, Object.fromEntries(new URLSearchParams(body)))
})
fastify.register(require('@fastify/cookie'))
fastify.register(require('@fastify/session'), {
  store: new RedisStore({ client }), secret: 'x'.repeat(40), cookie: { secure: false, maxAge: 86400000 },
})
fastify.get('/', async () => 'home')
fastify.get('/health', async () => 'ok')
fastify.get('/account', async (request, reply) => (request.session.user ? 'yours' : reply.redirect('/login')))
fastify.get('/login', async () => 'who?')
fastify.post('/login', async (request, reply) => {
  if (request.body.password !== 'right') return reply.code(403).send('no')
  await request.session.regenerate()
  request.session.user = request.body.user
  return reply.redirect('/account')
})
fastify.post('/cart', async (request) => { request.session.cart = [{ sku: 7 }]; return 'kept' })
fastify.post('/logout', async (request) => { await request.session.destroy(); return 'gone' })
fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
