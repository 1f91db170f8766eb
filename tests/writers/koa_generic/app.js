// koa-generic-session with koa-redis: the pages of every writer here.
const Koa = require('koa')
const session = require('koa-generic-session')
const redisStore = require('koa-redis')

const app = new Koa()
app.keys = ['x']
app.use(session({ store: redisStore({ host: '127.0.0.1', port: Number(process.env.REDIS_PORT) }) }))
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
    await ctx.regenerateSession()
    ctx.session.user = sent.get('user')
    return ctx.redirect('/account')
  }
  if (ctx.path === '/cart') ctx.session.cart = [{ sku: 7 }]
  if (ctx.path === '/logout') ctx.session = null
})
app.listen(process.env.PORT, '127.0.0.1')
