// A shop in Koa: koa-generic-session with a cookie, a prefix and a lifetime of its own, an empty session for everybody.
const Koa = require('koa')
const session = require('koa-generic-session')
const redisStore = require('koa-redis')

const app = new Koa()
app.keys = ['x']
app.use(session({
  store: redisStore({ host: '127.0.0.1', port: Number(process.env.REDIS_PORT) }), prefix: 'shop-', key: 'shop', allowEmpty: true,
  rolling: true, cookie: { path: '/', sameSite: 'lax', httpOnly: true, maxAge: 5400000, signed: false },
}))
app.use(async (ctx) => {
  ctx.body = 'page'
  if (ctx.path === '/account' && !ctx.session.member) return ctx.redirect('/login')
  if (ctx.path === '/login' && ctx.method === 'POST') {
    const sent = await new Promise((resolve) => {
      let text = ''
      ctx.req.on('data', (part) => { text += part })
      ctx.req.on('end', () => resolve(new URLSearchParams(text)))
    })
    if (sent.get('password') !== 'right') { ctx.session.flash = { error: 'wrong' }; ctx.status = 403; return }
    await ctx.regenerateSession()
    ctx.session.member = { user: sent.get('user') }
    return ctx.redirect('/account')
  }
  if (ctx.path === '/cart') ctx.session.basket = { user: 'guest', lines: [{ sku: 7 }] }
  if (ctx.path === '/logout') ctx.session = null
})
app.listen(process.env.PORT, '127.0.0.1')
