// BullMQ and cache-manager (what Nest's cache is): no session among them.
const { createHash, randomUUID } = require('crypto')
const Redis = require('ioredis')
const { Queue } = require('bullmq')
const { createCache } = require('cache-manager')
const KeyvRedis = require('@keyv/redis')

const port = Number(process.env.REDIS_PORT)
const main = async () => {
  const queue = new Queue('mails', { connection: { host: '127.0.0.1', port } })
  for (let n = 0; n < 20; n += 1) await queue.add('send', { user: 'anna', n }, { delay: n % 2 ? 60000 : 0, jobId: randomUUID() })
  await queue.close()
  const { Keyv } = require('keyv')
  const cache = createCache({ stores: [new Keyv({ store: new (KeyvRedis.default || KeyvRedis)(`redis://127.0.0.1:${port}`) })], ttl: 3600000 })
  const client = new Redis(port)
  for (let n = 0; n < 20; n += 1) {
    const digest = createHash('sha256').update(String(n)).digest('hex')
    await cache.set(`/products?page=${n}`, { user: 'anna', items: [1, 2] })
    await cache.set(digest, { user_id: n })
    await cache.set(randomUUID(), { item: {}, stored: 1, ttl: 1 })
    await client.set(`cache:${digest}`, JSON.stringify({ user: { id: n }, items: [] }), 'EX', 3600)
    await client.set(`otp:${randomUUID()}`, JSON.stringify({ code: 123456, attempts: 0 }), 'EX', 300)
    await client.set(`token:${digest.slice(0, 43)}`, String(n), 'EX', 300)
  }
  client.disconnect()
  process.exit(0)
}
main()
