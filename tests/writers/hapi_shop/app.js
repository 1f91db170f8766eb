// A shop on hapi with yar: a segment, ids and names of its own; a counter in every session.
const crypto = require('node:crypto')
const Hapi = require('@hapi/hapi')
const { Engine } = require('@hapi/catbox-redis')

const start = async () => {
  const server = Hapi.server({
    port: Number(process.env.PORT), host: '127.0.0.1',
    cache: [{ name: 'store', provider: { constructor: Engine, options: { url: `redis://127.0.0.1:${process.env.REDIS_PORT}/4`, partition: 'web-1' } } }],
  })
  await server.register({
    plugin: require('@hapi/yar'),
    options: {
      name: 'shop_sid', maxCookieSize: 0, cache: { cache: 'store', segment: 'visits', expiresIn: 7200000 },
      customSessionIDGenerator: () => crypto.randomBytes(24).toString('hex'),
      cookieOptions: { password: 'y'.repeat(40), isSecure: false, isHttpOnly: true, ttl: 7200000 },
    },
  })
  server.route([
    { method: 'GET', path: '/', handler: (request) => { request.yar.set('views', (request.yar.get('views') || 0) + 1); return 'home' } },
    { method: 'GET', path: '/health', options: { plugins: { yar: { skip: true } } }, handler: () => 'ok' },
    { method: 'GET', path: '/account', handler: (request, h) => request.yar.get('member') ? 'yours' : h.redirect('/login') },
    { method: 'GET', path: '/login', handler: () => 'who?' },
    { method: 'POST', path: '/login', handler: (request, h) => {
      if (request.payload.password !== 'right') { request.yar.set('notes', { user: 'wrong', tries: 1 }); return h.redirect('/login') }
      request.yar.set('member', { id: 7, mail: `${request.payload.user}@example.org` })
      return h.redirect('/account')
    } },
    { method: 'POST', path: '/cart', handler: (request) => { request.yar.set('cart', { lines: [7], user_id: 9 }); return 'kept' } },
    { method: 'POST', path: '/logout', handler: (request) => { request.yar.clear('member'); return 'gone' } },
  ])
  await server.start()
}
start()
