// koa-session in Redis, by koa-redis or by a store of one's own: the pages of every writer here.
const Koa = require('koa')
const { createSession } = require('koa-session')
const redisStore = require('koa-redis')

const app = new Koa()
app.keys = ['x']
const store = redisStore({ host: '127.0.0.1', port: Number(process.env.REDIS_PORT) })
app.use(createSession({ store, maxAge: 86400000, prefix: process.env.PREFIX || undefined }, app))

const form = (ctx) => new Promise((resolve) => {
  let text = ''
  ctx.req.on('data', (part) => { text += part })
  ctx.req.on('end', () => resolve(new URLSearchParams(text)))
})
app.use(async (ctx) => {
  ctx.body = 'page'
  if (ctx.path === '/account' && !ctx.session.user) { ctx.session.returnTo = '/account'; return ctx.redirect('/login') }
  if (ctx.path === '/login' && ctx.method === 'POST') {
    const sent = await form(ctx)
    if (sent.get('password') !== 'right') { ctx.status = 403; return }
    await ctx.session.regenerate()
    ctx.session.user = sent.get('user')
    return ctx.redirect('/account')
  }
  if (ctx.path === '/cart') ctx.session.cart = [{ sku: 7 }]
  if (ctx.path === '/logout') ctx.session = null
})
app.listen(process.env.PORT, '127.0.0.1')
