import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.User;
import io.vertx.ext.auth.authentication.AuthenticationProvider;
import io.vertx.ext.auth.authentication.UsernamePasswordCredentials;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.handler.BodyHandler;
import io.vertx.ext.web.handler.FormLoginHandler;
import io.vertx.ext.web.handler.RedirectAuthHandler;
import io.vertx.ext.web.handler.SessionHandler;
import io.vertx.ext.web.sstore.redis.RedisSessionStore;
import io.vertx.redis.client.Redis;

/** A shop on Vert.x Web: its own login handlers, longer ids, a lifetime of its own, lazy if so asked. */
public class VertxShop {
  public static void main(String[] args) {
    Vertx vertx = Vertx.vertx();
    Redis redis = Redis.createClient(vertx, "redis://127.0.0.1:" + System.getenv("REDIS_PORT") + "/2");
    SessionHandler sessions = SessionHandler.create(RedisSessionStore.create(vertx, 100, redis))
        .setSessionTimeout(2_700_000L)
        .setMinLength(Integer.parseInt(System.getenv().getOrDefault("ID_LENGTH", "24")))
        .setLazySession(System.getenv("LAZY") != null)
        .setSessionCookieName("shop");
    AuthenticationProvider members = credentials -> {
      var given = (UsernamePasswordCredentials) credentials;
      return "right".equals(given.getPassword())
          ? Future.succeededFuture(User.create(new JsonObject().put("username", given.getUsername()), new JsonObject().put("n", 7)))
          : Future.failedFuture("no");
    };
    Router router = Router.router(vertx);
    router.route("/health").handler(rc -> rc.response().end("ok"));
    router.route().handler(BodyHandler.create());
    router.route().handler(sessions);
    router.route("/").handler(rc -> {
      rc.session().put("views", 1);
      rc.session().put("seen", true);
      rc.response().end("home");
    });
    router.get("/login").handler(rc -> rc.response().end("who?"));
    router.post("/login").handler(FormLoginHandler.create(members)
        .setUsernameParam("user").setPasswordParam("password").setDirectLoggedInOKURL("/account"));
    router.post("/login").failureHandler(rc -> rc.response().setStatusCode(403).end());
    router.route("/account").handler(RedirectAuthHandler.create(members, "/login"));
    router.get("/account").handler(rc -> rc.response().end("yours"));
    router.post("/cart").handler(rc -> {
      rc.session().put("cart", new JsonObject().put("lines", new JsonArray().add(7)).put("user_id", 12));
      rc.session().put("raw", Buffer.buffer("user"));
      rc.session().put("total", 12.5);
      rc.response().end("kept");
    });
    router.post("/logout").handler(rc -> rc.userContext().logout("/").onFailure(Throwable::printStackTrace));
    vertx.createHttpServer().requestHandler(router).listen(Integer.parseInt(System.getenv("PORT")), "127.0.0.1");
  }
}
