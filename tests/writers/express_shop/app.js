// A shop in Express: passport, flash messages, ioredis, sessions that are saved and renewed at each visit.
const express = require('express')
const session = require('express-session')
const flash = require('connect-flash')
const passport = require('passport')
const Local = require('passport-local')
const { default: RedisStore } = require('connect-redis7')
const Redis = require('ioredis')

const store = new RedisStore({ client: new Redis(Number(process.env.REDIS_PORT)), prefix: process.env.PREFIX || 'shop_' })
const app = express()
passport.use(new Local({ usernameField: 'user' }, (user, password, done) => (
  password === 'right' ? done(null, { id: 7, user }) : done(null, false, { message: 'wrong' }))))
passport.serializeUser((user, done) => done(null, user.id))
passport.deserializeUser((id, done) => done(null, { id }))
app.use(express.urlencoded({ extended: false }))
app.use(session({ store, secret: 'x', name: 'shop', rolling: true, resave: true, saveUninitialized: true,
  cookie: { maxAge: 7200000, sameSite: 'lax', secure: false } }))
app.use(passport.initialize(), passport.session(), flash())
app.get('/', (req, res) => res.send('home' + (req.session.views || '')))
app.get('/health', (req, res) => res.send('ok'))
app.get('/account', (req, res) => {
  if (req.isAuthenticated()) return res.send('yours')
  req.session.returnTo = req.originalUrl
  res.redirect('/login')
})
app.get('/login', (req, res) => res.send('who?' + req.flash('error')))
app.post('/login', passport.authenticate('local', { successReturnToOrRedirect: '/account', failureRedirect: '/login', failureFlash: true }))
app.post('/cart', (req, res) => { req.session.basket = { user: 'guest', lines: [{ sku: 7 }] }; res.send('kept') })
app.post('/logout', (req, res, next) => req.logout((error) => (error ? next(error) : res.send('gone'))))
app.listen(process.env.PORT, '127.0.0.1')
