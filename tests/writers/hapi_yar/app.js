// hapi with yar in catbox-redis: the pages of every writer here.
const Hapi = require('@hapi/hapi')
const { Engine } = require('@hapi/catbox-redis')

const start = async () => {
  const server = Hapi.server({
    port: Number(process.env.PORT), host: '127.0.0.1',
    cache: [{ name: 'redis', provider: { constructor: Engine, options: { host: '127.0.0.1', port: Number(process.env.REDIS_PORT), ...(process.env.PARTITION ? { partition: process.env.PARTITION } : {}) } } }],
  })
  await server.register({
    plugin: require('@hapi/yar'),
    options: {
      maxCookieSize: 0, storeBlank: !!process.env.BLANK, cache: { cache: 'redis', expiresIn: 86400000 },
      cookieOptions: { password: 'x'.repeat(32), isSecure: false, isHttpOnly: true },
    },
  })
  const cached = server.cache({ cache: 'redis', segment: 'prices', expiresIn: 600000 })
  server.route([
    { method: 'GET', path: '/', handler: (request) => 'home' + (request.yar.get('cart') || '') },
    { method: 'GET', path: '/health', handler: () => 'ok' },
    { method: 'GET', path: '/account', handler: (request, h) => {
      if (request.yar.get('user')) return 'yours'
      request.yar.flash('error', 'log in first')
      return h.redirect('/login')
    } },
    { method: 'GET', path: '/login', handler: () => 'who?' },
    { method: 'POST', path: '/login', handler: (request, h) => {
      if (request.payload.password !== 'right') { request.yar.flash('error', 'wrong'); return h.redirect('/login') }
      request.yar.reset()
      request.yar.set('user', { name: request.payload.user })
      return h.redirect('/account')
    } },
    { method: 'POST', path: '/cart', handler: async (request) => {
      request.yar.set('cart', [{ sku: 7 }])
      await cached.set('6f1ed002-ab59-4f4b-8a3c-0123456789ab', { price: 12, user: 'anna' })
      return 'kept'
    } },
    { method: 'POST', path: '/logout', handler: (request) => { request.yar.reset(); return 'gone' } },
  ])
  await server.start()
}
start()
