import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.Serializable;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.shiro.SecurityUtils;
import org.apache.shiro.authc.AuthenticationInfo;
import org.apache.shiro.authc.AuthenticationToken;
import org.apache.shiro.authc.IncorrectCredentialsException;
import org.apache.shiro.authc.SimpleAuthenticationInfo;
import org.apache.shiro.authc.UsernamePasswordToken;
import org.apache.shiro.authz.AuthorizationInfo;
import org.apache.shiro.authz.SimpleAuthorizationInfo;
import org.apache.shiro.mgt.DefaultSecurityManager;
import org.apache.shiro.realm.AuthorizingRealm;
import org.apache.shiro.session.mgt.DefaultSessionManager;
import org.apache.shiro.session.mgt.eis.RandomSessionIdGenerator;
import org.apache.shiro.subject.PrincipalCollection;
import org.apache.shiro.subject.Subject;
import org.crazycake.shiro.RedisCacheManager;
import org.crazycake.shiro.RedisManager;
import org.crazycake.shiro.RedisSessionDAO;

/** A shop on Shiro: a prefix and a lifetime of its own, a member as principal, authorization cached in the same store. */
public class ShiroShop {
  static DefaultSecurityManager security;

  /** Who is logged in; shiro-redis' cache asks for its id. */
  public static class Member implements Serializable {
    private final int id;
    private final String name;

    Member(int id, String name) {
      this.id = id;
      this.name = name;
    }

    public int getId() { return id; }

    public String getName() { return name; }
  }

  public static class Line implements Serializable {
    int article = 7;
    int userId = 12;
  }

  static class Members extends AuthorizingRealm {
    @Override
    protected AuthenticationInfo doGetAuthenticationInfo(AuthenticationToken token) {
      var given = (UsernamePasswordToken) token;
      if (!"right".equals(new String(given.getPassword()))) throw new IncorrectCredentialsException();
      return new SimpleAuthenticationInfo(new Member(given.getUsername().hashCode(), given.getUsername()), "right", getName());
    }

    @Override
    protected AuthorizationInfo doGetAuthorizationInfo(PrincipalCollection principals) {
      var info = new SimpleAuthorizationInfo();
      info.addRole("customer");
      return info;
    }
  }

  static void answer(HttpExchange exchange, Subject subject, int status, String place, String text) throws IOException {
    if (place != null) exchange.getResponseHeaders().set("Location", place);
    var session = subject.getSession(false);
    if (session != null) exchange.getResponseHeaders().set("Set-Cookie", "sid=" + session.getId() + "; Path=/");
    byte[] body = text.getBytes();
    boolean head = exchange.getRequestMethod().equals("HEAD") || body.length == 0;
    exchange.sendResponseHeaders(status, head ? -1 : body.length);
    if (!head) exchange.getResponseBody().write(body);
    exchange.close();
  }

  static Map<String, String> form(HttpExchange exchange) throws IOException {
    Map<String, String> fields = new HashMap<>();
    for (String pair : new String(exchange.getRequestBody().readAllBytes()).split("&")) {
      int at = pair.indexOf('=');
      if (at > 0) fields.put(pair.substring(0, at), URLDecoder.decode(pair.substring(at + 1), StandardCharsets.UTF_8));
    }
    return fields;
  }

  static void handle(HttpExchange exchange) throws IOException {
    try {
      String cookie = exchange.getRequestHeaders().getFirst("Cookie");
      var builder = new Subject.Builder(security);
      if (cookie != null) builder.sessionId(cookie.replaceAll(".*sid=([^;]*).*", "$1"));
      Subject subject = builder.buildSubject();
      var fields = form(exchange);
      boolean post = exchange.getRequestMethod().equals("POST");
      switch (exchange.getRequestURI().getPath()) {
        case "/health" -> answer(exchange, subject, 200, null, "ok");
        case "/account" -> {
          if (subject.isAuthenticated() && subject.hasRole("customer")) answer(exchange, subject, 200, null, "yours");
          else answer(exchange, subject, 302, "/login", "");
        }
        case "/login" -> {
          if (!post) {
            subject.getSession().setAttribute("csrf", "t0k3n");
            answer(exchange, subject, 200, null, "who?");
            return;
          }
          try {
            var token = new UsernamePasswordToken(fields.get("user"), fields.get("password"));
            token.setRememberMe(true);
            subject.login(token);
            subject.getSession().setAttribute("visits", 1);
            answer(exchange, subject, 302, "/account", "");
          } catch (RuntimeException wrong) {
            answer(exchange, subject, 403, null, "no");
          }
        }
        case "/cart" -> {
          subject.getSession().setAttribute("cart", new ArrayList<>(List.of(new Line(), new Line())));
          answer(exchange, subject, 200, null, "kept");
        }
        case "/logout" -> {
          if (System.getenv("KEEPS") != null) {
            var session = subject.getSession();
            for (Object name : new ArrayList<>(session.getAttributeKeys()))
              if (name.toString().startsWith("org.apache.shiro")) session.removeAttribute(name);
          } else {
            subject.logout();
          }
          answer(exchange, subject, 200, null, "gone");
        }
        default -> {
          subject.getSession().setAttribute("views", 1L);
          answer(exchange, subject, 200, null, "page");
        }
      }
    } catch (Throwable error) {
      error.printStackTrace();
      exchange.close();
    }
  }

  public static void main(String[] args) throws IOException {
    RedisManager redis = new RedisManager();
    redis.setHost("127.0.0.1:" + System.getenv("REDIS_PORT"));
    RedisSessionDAO dao = new RedisSessionDAO();
    dao.setRedisManager(redis);
    dao.setKeyPrefix("web:sid.");
    dao.setSessionInMemoryEnabled(false);
    if (System.getenv("RANDOM_IDS") != null) dao.setSessionIdGenerator(new RandomSessionIdGenerator());
    if (System.getenv("EXPIRE") != null) dao.setExpire(Integer.parseInt(System.getenv("EXPIRE")));
    DefaultSessionManager sessions = new DefaultSessionManager();
    sessions.setSessionDAO(dao);
    sessions.setGlobalSessionTimeout(2_700_000L);
    sessions.setSessionValidationSchedulerEnabled(false);
    Members realm = new Members();
    realm.setCredentialsMatcher((token, info) -> true);
    RedisCacheManager caches = new RedisCacheManager();
    caches.setRedisManager(redis);
    caches.setPrincipalIdFieldName("id");
    realm.setCacheManager(caches);
    realm.setAuthorizationCachingEnabled(true);
    security = new DefaultSecurityManager(realm);
    security.setSessionManager(sessions);
    SecurityUtils.setSecurityManager(security);
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT"))), 0);
    server.createContext("/", ShiroShop::handle);
    server.start();
  }
}
