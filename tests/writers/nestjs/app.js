// NestJS over Express with express-session and connect-redis: the pages of every writer here.
require('reflect-metadata')
const { Module, Controller, Get, Post, Req, Res } = require('@nestjs/common')
const { NestFactory } = require('@nestjs/core')
const session = require('express-session')
const { RedisStore } = require('connect-redis')
const { createClient } = require('redis')

class Pages {
  home () { return 'home' }
  health () { return 'ok' }
  account (req, res) { return req.session.user ? res.send('yours') : res.redirect('/login') }
  asked () { return 'who?' }
  login (req, res) {
    if (req.body.password !== 'right') return res.sendStatus(403)
    req.session.regenerate(() => { req.session.user = req.body.user; req.session.save(() => res.redirect('/account')) })
  }
  cart (req) { req.session.cart = [{ sku: 7 }]; return 'kept' }
  logout (req, res) { req.session.destroy(() => res.send('gone')) }
}
const on = (name, ...decorators) => {
  Req()(Pages.prototype, name, 0)
  if (['account', 'login', 'logout'].includes(name)) Res()(Pages.prototype, name, 1)
  decorators.forEach((d) => d(Pages.prototype, name, Object.getOwnPropertyDescriptor(Pages.prototype, name)))
}
on('home', Get('/')); on('health', Get('/health')); on('account', Get('/account')); on('asked', Get('/login'))
on('login', Post('/login')); on('cart', Post('/cart')); on('logout', Post('/logout'))
Controller()(Pages)
class App {}
Module({ controllers: [Pages] })(App)

async function main () {
  const client = createClient({ url: `redis://127.0.0.1:${process.env.REDIS_PORT}` })
  await client.connect()
  const app = await NestFactory.create(App, { logger: false })
  app.use(session({
    store: new RedisStore({ client, prefix: 'nest:sess:' }), secret: 'x', resave: false, saveUninitialized: true, cookie: { maxAge: 86400000 },
  }))
  await app.listen(Number(process.env.PORT), '127.0.0.1')
}
main()
