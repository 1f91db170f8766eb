#!/usr/bin/env bash
# Fiber and Vert.x: "remove all sessions" is FLUSHDB, and Vert.x' number of sessions is DBSIZE: queues and carts are sessions too.
#
# Versions    github.com/gofiber/fiber/v2 v2.52.9 with github.com/gofiber/storage/redis/v3 v3.4.1, Go 1.25 or newer; vertx-web-sstore-redis
#             4.5.14 (Maven Central), a JDK of 17 or newer and Maven; any Redis or Valkey server (redis-server in the PATH)
#
# Behaviour   Both write sessions under their bare id, without a prefix, so neither can tell its keys from others, and neither tries.
#             - Fiber's session store: Reset(), documented as deleting all sessions, removes every key of the database.
#             - Vert.x' SessionStore: clear() ("remove all sessions from the store") does the same, and size() ("the number of sessions in
#               the store") counts every key. Its other stores, in memory and clustered, do what they say.
#             Neither returns an error.
#
# Seen        a database with a queue, a cart, a price and one session:
#             Fiber     Reset(): <nil>    keys left 0
#             Vert.x    size(): 4         clear(): ok      keys left 0
#
# Why         Small shops have one Redis for sessions, jobs and the cache. "Log everybody out" after an incident, tried on a laptop
#             where only sessions were in Redis, takes the orders that wait in the queue. And a gauge of sessions that is made
#             of size() rises with a full queue, so that somebody looks for robots that are not there. Give sessions a database (or a
#             server) of their own, and allow them no FLUSHDB by an ACL.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$(cat "$work/pid" 2>/dev/null)" 2>/dev/null || true; sleep 0.2; rm -rf "$work"' EXIT
export PORT
PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
redis-server --port "$PORT" --bind 127.0.0.1 --dir "$work" --save '' --daemonize yes --pidfile "$work/pid" >/dev/null
mkdir "$work/fiber" "$work/vertx"
cat >"$work/fiber/go.mod" <<'MOD'
module look

go 1.25.0

require (
	github.com/gofiber/fiber/v2 v2.52.9
	github.com/gofiber/storage/redis/v3 v3.4.1
	github.com/redis/go-redis/v9 v9.11.0
	github.com/valyala/fasthttp v1.51.0
)
MOD
cat >"$work/fiber/main.go" <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/session"
	"github.com/gofiber/storage/redis/v3"
	goredis "github.com/redis/go-redis/v9"
	"github.com/valyala/fasthttp"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	port, err := strconv.Atoi(os.Getenv("PORT"))
	must(err)
	server := goredis.NewClient(&goredis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", port)})
	ctx := context.Background()
	must(server.MSet(ctx, "queue:orders", "1", "cart:7", "2", "price:8", "3").Err())
	store := session.New(session.Config{Storage: redis.New(redis.Config{Host: "127.0.0.1", Port: port})})
	app := fiber.New()
	one, err := store.Get(app.AcquireCtx(&fasthttp.RequestCtx{}))
	must(err)
	one.Set("user", "anna")
	must(one.Save())
	before := server.DBSize(ctx).Val()
	answer := store.Reset()
	after := server.DBSize(ctx).Val()
	fmt.Printf("Fiber     keys %d   Reset(): %v   keys left %d\n", before, answer, after)
	if before != 4 || answer != nil || after != 0 {
		os.Exit(1)
	}
}
GO
cat >"$work/vertx/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>look</groupId><artifactId>look</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>io.vertx</groupId><artifactId>vertx-web-sstore-redis</artifactId><version>4.5.14</version></dependency>
    <dependency><groupId>io.vertx</groupId><artifactId>vertx-redis-client</artifactId><version>4.5.14</version></dependency>
  </dependencies>
</project>
XML
cat >"$work/vertx/Look.java" <<'JAVA'
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.ext.web.sstore.redis.RedisSessionStore;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.Request;

public class Look {
    static <T> T wait(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get();
    }

    public static void main(String[] arguments) throws Exception {
        var vertx = Vertx.vertx();
        var redis = Redis.createClient(vertx, "redis://127.0.0.1:" + System.getenv("PORT"));
        for (var key : new String[] {"queue:orders", "cart:7", "price:8"}) {
            wait(redis.send(Request.cmd(Command.SET).arg(key).arg("1")));
        }
        var store = RedisSessionStore.create(vertx, redis);
        var session = store.createSession(60_000);
        session.put("user", "anna");
        wait(store.put(session));
        int size = wait(store.size());
        wait(store.clear());
        int left = wait(redis.send(Request.cmd(Command.DBSIZE))).toInteger();
        System.out.printf("Vert.x    size(): %d   clear(): ok   keys left %d%n", size, left);
        wait(vertx.close());
        System.exit(size == 4 && left == 0 ? 0 : 1);
    }
}
JAVA
good=true
(cd "$work/fiber" && GOFLAGS=-mod=mod go mod tidy >tidy.log 2>&1 || { cat tidy.log; exit 1; }; go run .) || good=false
(cd "$work/vertx" && mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib && java -cp 'lib/*' Look.java) || good=false
$good && echo "as described" || { echo "DIFFERENT from what is described"; exit 1; }
