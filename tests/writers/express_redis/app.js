// express-session with connect-redis: the pages of every writer here.
const express = require('express')
const session = require('express-session')
const { RedisStore } = require('connect-redis')
const { createClient } = require('redis')

const client = createClient({ url: `redis://127.0.0.1:${process.env.REDIS_PORT}` })
client.connect().catch(console.error)
const day = 86400
const ttl = process.env.TTL ? (sess) => (sess.user ? day : 60) : undefined
const cookie = process.env.COOKIE ? JSON.parse(process.env.COOKIE) : {}
const app = express()
app.use(express.urlencoded({ extended: false }))
app.use(session({
  store: new RedisStore({ client, ttl }), secret: 'x', resave: false, saveUninitialized: !process.env.CURED, cookie,
}))
app.get('/', (req, res) => res.send('home'))
app.get('/health', (req, res) => res.send('ok'))
app.get('/account', (req, res) => (req.session.user ? res.send('yours') : res.redirect('/login')))
app.get('/login', (req, res) => res.send('who?'))
app.post('/login', (req, res) => {
  if (req.body.password !== 'right') return res.sendStatus(403)
  req.session.regenerate(() => { req.session.user = req.body.user; req.session.save(() => res.redirect('/account')) })
})
app.post('/cart', (req, res) => { req.session.cart = [{ sku: 7 }]; res.send('kept') })
app.post('/logout', (req, res) => req.session.destroy(() => res.send('gone')))
app.listen(process.env.PORT, '127.0.0.1')
