import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import io.vertx.ext.web.handler.SessionHandler;
import io.vertx.ext.web.sstore.redis.RedisSessionStore;
import io.vertx.redis.client.Redis;

/** Vert.x Web with its Redis session store: the pages of every writer here. */
public class VertxWriter {
  static void to(RoutingContext rc, String place) {
    rc.response().setStatusCode(302).putHeader("location", place).end();
  }

  public static void main(String[] args) {
    Vertx vertx = Vertx.vertx();
    Redis redis = Redis.createClient(vertx, "redis://127.0.0.1:" + System.getenv("REDIS_PORT"));
    SessionHandler sessions = SessionHandler.create(RedisSessionStore.create(vertx, redis)).setSessionTimeout(86_400_000L);
    if (System.getenv("LAZY") != null) {
      sessions.setLazySession(true);
    }
    Router router = Router.router(vertx);
    router.route().handler(BodyHandler.create());
    router.route().handler(sessions);
    router.route("/").handler(rc -> { rc.session().get("cart"); rc.response().end("home"); });
    router.get("/health").handler(rc -> rc.response().end("ok"));
    router.get("/account").handler(rc -> {
      if (rc.session().get("user") == null) to(rc, "/login"); else rc.response().end("yours");
    });
    router.get("/login").handler(rc -> rc.response().end("who?"));
    router.post("/login").handler(rc -> {
      if (!"right".equals(rc.request().getFormAttribute("password"))) { rc.response().setStatusCode(403).end(); return; }
      rc.session().regenerateId();
      rc.session().put("user", rc.request().getFormAttribute("user"));
      to(rc, "/account");
    });
    router.post("/cart").handler(rc -> { rc.session().put("cart", "7"); rc.response().end("kept"); });
    router.post("/logout").handler(rc -> { rc.session().destroy(); rc.response().end("gone"); });
    vertx.createHttpServer().requestHandler(router).listen(Integer.parseInt(System.getenv("PORT")), "127.0.0.1");
  }
}
