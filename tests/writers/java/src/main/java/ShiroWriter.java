import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.apache.shiro.SecurityUtils;
import org.apache.shiro.authc.UsernamePasswordToken;
import org.apache.shiro.mgt.DefaultSecurityManager;
import org.apache.shiro.realm.SimpleAccountRealm;
import org.apache.shiro.session.mgt.DefaultSessionManager;
import org.apache.shiro.subject.Subject;
import org.crazycake.shiro.RedisManager;
import org.crazycake.shiro.RedisSessionDAO;

/** Shiro's native sessions in shiro-redis, behind the JDK's HTTP server: the pages of every writer here. */
public class ShiroWriter {
  static DefaultSecurityManager security;

  static void answer(HttpExchange exchange, Subject subject, int status, String place, String text) throws IOException {
    if (place != null) exchange.getResponseHeaders().set("Location", place);
    var session = subject.getSession(false);
    if (session != null) exchange.getResponseHeaders().set("Set-Cookie", "JSESSIONID=" + session.getId() + "; Path=/");
    byte[] body = text.getBytes();
    exchange.sendResponseHeaders(status, exchange.getRequestMethod().equals("HEAD") || body.length == 0 ? -1 : body.length);
    if (!exchange.getRequestMethod().equals("HEAD") && body.length > 0) exchange.getResponseBody().write(body);
    exchange.close();
  }

  static void handle(HttpExchange exchange) throws IOException {
    try {
      String cookie = exchange.getRequestHeaders().getFirst("Cookie");
      var builder = new Subject.Builder(security).host(exchange.getRemoteAddress().getAddress().getHostAddress());
      if (cookie != null) builder.sessionId(cookie.replaceAll(".*JSESSIONID=([^;]*).*", "$1"));
      Subject subject = builder.buildSubject();
      String body = new String(exchange.getRequestBody().readAllBytes());
      String page = exchange.getRequestURI().getPath();
      boolean post = exchange.getRequestMethod().equals("POST");
      if (page.equals("/account")) {
        if (subject.isAuthenticated()) { answer(exchange, subject, 200, null, "yours"); return; }
        subject.getSession().setAttribute("shiroSavedRequest", "/account"); // as the web filter's redirect saves its request
        answer(exchange, subject, 302, "/login", "");
      } else if (page.equals("/login") && post) {
        try {
          subject.login(new UsernamePasswordToken(body.replaceAll(".*user=([^&]*).*", "$1"), body.replaceAll(".*password=([^&]*).*", "$1")));
          answer(exchange, subject, 302, "/account", "");
        } catch (RuntimeException wrong) {
          answer(exchange, subject, 403, null, "no");
        }
      } else if (page.equals("/cart")) {
        subject.getSession().setAttribute("cart", "7");
        answer(exchange, subject, 200, null, "kept");
      } else if (page.equals("/logout")) {
        subject.logout();
        answer(exchange, subject, 200, null, "gone");
      } else {
        answer(exchange, subject, 200, null, "page");
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
    DefaultSessionManager sessions = new DefaultSessionManager();
    sessions.setSessionDAO(dao);
    sessions.setGlobalSessionTimeout(86_400_000L);
    SimpleAccountRealm realm = new SimpleAccountRealm();
    for (String name : new String[] {"anna", "berta", "carla"}) realm.addAccount(name, "right", "user");
    security = new DefaultSecurityManager(realm);
    security.setSessionManager(sessions);
    SecurityUtils.setSecurityManager(security);
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT"))), 0);
    server.createContext("/", ShiroWriter::handle);
    server.start();
  }
}
