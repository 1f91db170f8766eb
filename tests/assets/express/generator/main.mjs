// Runs one application against an empty Redis, lets probes and people visit it, writes what is true of every session
// to a file, and has Redis SAVE.  Arguments: kind (express, express-3, fastify), port of Redis, file for the truth.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createClient } from "redis";

const [kind, redisPort, truthFile] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const url = `redis://127.0.0.1:${redisPort}`;
const client = createClient({ url });
await client.connect();

const traits = {};
const started = Date.now();
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function makeStore(session, options) {
  if (kind === "express-3") {
    const Store = require("connect-redis-3")(session);
    return new Store({ url, ...options });
  }
  const { RedisStore } = await import("connect-redis");
  return new RedisStore({ client, ...options });
}

// One application; `cookie` and `store` are the options under test.
async function application(cookie, storeOptions = {}) {
  if (kind === "fastify") {
    const { default: fastify } = await import("fastify");
    const { default: session } = await import("@fastify/session");
    const app = fastify();
    await app.register(await import("@fastify/cookie"));
    await app.register(session, { secret: "s".repeat(40), cookie: { secure: false, ...cookie }, store: await makeStore(session, storeOptions) });
    app.get("/", async () => "hello");
    app.get("/login/:user", async (request) => {
      request.session.set("user", { name: request.params.user, note: "}{\\\"" });
      return "in";
    });
    app.get("/cart", async (request) => { request.session.set("cart", { lines: 3 }); return "cart"; });
    await app.listen({ port: 0, host: "127.0.0.1" });
    return { port: app.server.address().port, close: () => app.close() };
  }
  const { default: express } = await import("express");
  const { default: session } = await import("express-session");
  const { default: passport } = await import("passport");
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser((user, done) => done(null, user));
  const app = express();
  app.use(session({ secret: "hush", resave: false, saveUninitialized: true, cookie, store: await makeStore(session, storeOptions) }));
  app.use(passport.session());
  app.get("/", (request, response) => response.send("hello"));
  app.get("/login/:user", (request, response, next) =>
    request.logIn({ name: request.params.user, note: "}{\\\"" }, (error) => (error ? next(error) : response.send("in"))));
  app.get("/old-passport", (request, response) => { request.session.passport = {}; response.send("empty"); });
  app.get("/flash", (request, response) => { request.session.flash = {}; request.session.csrfSecret = "c".repeat(24); response.send("flash"); });
  app.get("/cart", (request, response) => { request.session.cart = { lines: 3, user: "nested" }; response.send("cart"); });
  const server = await new Promise((done) => { const one = app.listen(0, "127.0.0.1", () => done(one)); });
  return { port: server.address().port, close: () => server.close() };
}

// A visit; returns the cookie. The id in it is what stands before the signature.
async function visit(app, path, trait, cookie) {
  const answer = await fetch(`http://127.0.0.1:${app.port}${path}`, { headers: cookie ? { cookie } : {} });
  await answer.text();
  const set = answer.headers.get("set-cookie");
  const value = set ? set.split(";")[0] : cookie;
  const id = decodeURIComponent(value.split("=")[1]).replace(/^s:/, "").split(".")[0];
  traits[id] = trait;
  return value;
}

const day = await application({ maxAge: 86_400_000 });
await visit(day, "/", "probe");
await visit(day, "/", "probe");
await visit(day, "/login/principal-alice", "logged in");
await visit(day, "/cart", "with a cart");
if (kind !== "fastify") {
  await visit(day, "/old-passport", "empty passport");
  await visit(day, "/flash", "flash and csrf");
}
const back = await visit(day, "/", "came back");
await pause(1500);
await visit(day, "/", "came back", back);
const short = await application({ maxAge: 1000 });
await visit(short, "/", "expired");
const browser = await application({});
await visit(browser, "/", "browser session");
const apps = [day, short, browser];
const own = await application({ maxAge: 86_400_000 }, { prefix: "shop:web:" });
await visit(own, "/", "own prefix");
apps.push(own);
if (kind === "express") {
  const lasting = await application({ maxAge: 86_400_000 }, { disableTTL: true });
  await visit(lasting, "/", "without expiry");
  apps.push(lasting);
}

const sessions = [];
for (const key of (await client.keys("*")).sort()) {
  const value = JSON.parse(await client.get(key));
  const id = key.slice(key.lastIndexOf(":") + 1);
  sessions.push({
    id,
    namespace: key.slice(0, key.lastIndexOf(":")),
    trait: traits[id] ?? "unnamed",
    original_max_age_ms: value.cookie.originalMaxAge ?? null,
    expires: value.cookie.expires ?? null,
    attributes: Object.keys(value).filter((name) => name !== "cookie"),
  });
}
await client.set("cache:products:1042", '{"cookie":"oatmeal"}');
await client.set("cache:products:1043", '{"name":"x"}');
writeFileSync(truthFile, JSON.stringify({ kind, started_ms: started, keys: sessions.length + 2, sessions }, null, 1) + "\n");
await pause(2500);
await client.sendCommand(["SAVE"]);
process.exit(0);
