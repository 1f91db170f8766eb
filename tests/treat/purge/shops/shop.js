// A shop on express-session with connect-redis; every visitor gets a session, as by default.
const express = require('express')
const session = require('express-session')
const { RedisStore } = require('connect-redis')
const { createClient } = require('redis')

const client = createClient({ url: `redis://127.0.0.1:${process.env.REDIS_PORT}` })
client.connect()
const app = express()
app.use(session({
  store: new RedisStore({ client }), secret: 'x', resave: false, saveUninitialized: true, cookie: { maxAge: 86400000 },
}))
app.get('/', (req, res) => res.send('welcome'))
app.get('/login/:name', (req, res) => {
  req.session.regenerate(() => {
    req.session.user = req.params.name
    req.session.count = 0
    req.session.save(() => res.send(req.params.name))
  })
})
app.get('/work', (req, res) => {
  if (!req.session.user) return res.send('who are you?')
  req.session.count += 1
  res.send(`${req.session.user} ${req.session.count}`)
})
app.get('/logout', (req, res) => req.session.destroy(() => res.send('bye')))
app.listen(process.env.PORT, '127.0.0.1')
