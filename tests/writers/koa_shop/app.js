// A shop in Koa: koa-session with passport, ids of its own, sessions that end with the browser or are renewed.
const Koa = require('koa')
const { createSession } = require('koa-session')
const Redis = require('ioredis')
const passport = require('koa-passport')
const Local = require('passport-local')

const app = new Koa()
app.keys = ['x']
const client = new Redis(Number(process.env.REDIS_PORT))
const store = {
  get: async (key) => JSON.parse(await client.get(key)),
  set: (key, value, maxAge) => client.set(key, JSON.stringify(value), 'PX', maxAge === 'session' ? 86400000 : maxAge),
  destroy: (key) => client.del(key),
}
const maxAge = process.env.SESSION ? 'session' : 1800000
app.use(createSession({ key: 'shop', store, maxAge, rolling: true, genid: () => 'shop/' + require('crypto').randomBytes(18).toString('base64url') }, app))
passport.use(new Local({ usernameField: 'user' }, (user, password, done) => (password === 'right' ? done(null, { id: 7 }) : done(null, false))))
passport.serializeUser((user, done) => done(null, user.id))
passport.deserializeUser((id, done) => done(null, { id }))
app.use(async (ctx, next) => {
  if (ctx.method === 'POST' && ctx.path === '/login') {
    ctx.request.body = await new Promise((resolve) => {
      let text = ''
      ctx.req.on('data', (part) => { text += part })
      ctx.req.on('end', () => resolve(Object.fromEntries(new URLSearchParams(text))))
    })
  }
  await next()
})
app.use(passport.initialize())
app.use(passport.session())
app.use(async (ctx, next) => {
  ctx.body = 'page'
  if (ctx.path === '/' || ctx.path === '/login') ctx.session.views = (ctx.session.views || 0) + 1
  if (ctx.path === '/account' && !ctx.isAuthenticated()) return ctx.redirect('/login')
  if (ctx.path === '/login' && ctx.method === 'POST') return passport.authenticate('local', { successRedirect: '/account', failureRedirect: '/login' })(ctx, next)
  if (ctx.path === '/cart') ctx.session.basket = { user: 'guest', lines: [{ sku: 7 }] }
  if (ctx.path === '/logout') await ctx.logout()
})
app.listen(process.env.PORT, '127.0.0.1')
