// express-session with connect-redis, as a health check meets it: a page, a login that it is sent to, a health endpoint.
import express from 'express'
import session from 'express-session'
import { RedisStore } from 'connect-redis'
import { createClient } from 'redis'

const client = createClient({ socket: { path: process.env.REDIS } })
await client.connect()
const app = express()
app.get('/health', (req, res) => res.send('ok'))
if (process.env.HIDDEN) { // as behind a proxy with proxy_hide_header Set-Cookie
  app.use((req, res, next) => {
    const write = res.writeHead
    res.writeHead = function (...words) { this.removeHeader('Set-Cookie'); return write.apply(this, words) }
    next()
  })
}
app.use(session({
  store: new RedisStore({ client }), name: process.env.NAME, secret: 'x', resave: false, saveUninitialized: true,
}))
app.get('/', (req, res) => res.redirect('/login'))
app.get('/login', (req, res) => res.send('who?'))
app.get('/page', (req, res) => res.send('page'))
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
