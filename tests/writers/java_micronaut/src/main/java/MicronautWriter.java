package writers;

import io.micronaut.core.annotation.Nullable;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.MediaType;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Consumes;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Post;
import io.micronaut.http.annotation.Produces;
import io.micronaut.runtime.Micronaut;
import io.micronaut.session.Session;
import java.net.URI;
import java.util.Map;

/** Micronaut with its sessions in Redis: the pages of every writer here. */
@Controller
@Produces(MediaType.TEXT_PLAIN)
public class MicronautWriter {
  @Get("/")
  HttpResponse<?> home(Session session) {
    if (System.getenv("USER_KEY") != null) session.put("views", 1);
    return HttpResponse.ok("home");
  }

  @Get("/health")
  String health() {
    return "ok";
  }

  @Get("/account")
  HttpResponse<?> account(@Nullable Session session) {
    return session == null || session.get(user(), String.class).isEmpty() ? HttpResponse.redirect(URI.create("/login")) : HttpResponse.ok("yours");
  }

  @Get("/login")
  String who() {
    return "who?";
  }

  @Post("/login")
  @Consumes(MediaType.APPLICATION_FORM_URLENCODED)
  HttpResponse<?> login(Session session, @Body Map<String, String> form) {
    if (!"right".equals(form.get("password"))) return HttpResponse.status(io.micronaut.http.HttpStatus.FORBIDDEN);
    session.put(user(), form.get("user"));
    return HttpResponse.redirect(URI.create("/account"));
  }

  @Post(value = "/cart", consumes = MediaType.ALL)
  String cart(Session session) {
    session.put("cart", "7");
    return "kept";
  }

  @Post(value = "/logout", consumes = MediaType.ALL)
  String logout(@Nullable Session session) {
    if (session != null) session.remove(user());
    return "gone";
  }

  static String user() {
    return System.getenv().getOrDefault("USER_KEY", "micronaut.AUTHENTICATION");
  }

  public static void main(String[] args) {
    Map<String, Object> settings = new java.util.HashMap<>(Map.of(
        "micronaut.server.port", System.getenv("PORT"), "micronaut.server.host", "127.0.0.1",
        "redis.uri", "redis://127.0.0.1:" + System.getenv("REDIS_PORT"),
        "micronaut.session.http.redis.enabled", "true", "micronaut.session.http.cookie", "true",
        "micronaut.session.max-inactive-interval", System.getenv().getOrDefault("LIFETIME", "1d"),
        "micronaut.application.name", "shop"));
    if (System.getenv("NAMESPACE") != null) settings.put("micronaut.session.http.redis.namespace", System.getenv("NAMESPACE"));
    if (System.getenv("BATCH") != null) settings.put("micronaut.session.http.redis.write-mode", "BACKGROUND");
    Micronaut.build(args).properties(settings).mainClass(MicronautWriter.class).packages("writers").start();
  }
}
