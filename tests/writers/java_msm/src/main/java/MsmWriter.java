import de.javakaffee.web.msm.MemcachedBackupSessionManager;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;

/** Tomcat 9 with memcached-session-manager in its Redis mode, sticky or not: the pages of every writer here. */
public class MsmWriter {
  static class Pages extends HttpServlet {
    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
      switch (request.getRequestURI()) {
        case "/account" -> {
          var session = request.getSession(true);
          if (session.getAttribute("user") == null) response.sendRedirect("/login"); else response.getWriter().print("yours");
        }
        case "/login" -> {
          if (!request.getMethod().equals("POST")) { response.getWriter().print("who?"); return; }
          if (!"right".equals(request.getParameter("password"))) { response.setStatus(403); return; }
          request.getSession(true);
          if (System.getenv("NON_STICKY") == null) request.changeSessionId(); // what is not sticky loses it then
          request.getSession().setAttribute("user", request.getParameter("user"));
          response.sendRedirect("/account");
        }
        case "/cart" -> {
          request.getSession().setAttribute("cart", new ArrayList<>(List.of(7)));
          response.getWriter().print("kept");
        }
        case "/logout" -> {
          var session = request.getSession(false);
          if (session != null) session.invalidate();
          response.getWriter().print("gone");
        }
        default -> {
          request.getSession(true);
          response.getWriter().print("page");
        }
      }
    }
  }

  public static void main(String[] args) throws Exception {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(Files.createTempDirectory("tomcat").toString());
    tomcat.setPort(Integer.parseInt(System.getenv("PORT")));
    tomcat.getConnector().setProperty("address", "127.0.0.1");
    Context context = tomcat.addContext("", new File(".").getAbsolutePath());
    context.setSessionTimeout(Integer.parseInt(System.getenv().getOrDefault("MINUTES", "1440")));
    MemcachedBackupSessionManager manager = new MemcachedBackupSessionManager();
    manager.setMemcachedNodes("redis://127.0.0.1:" + System.getenv("REDIS_PORT"));
    manager.setSticky(System.getenv("NON_STICKY") == null);
    if (System.getenv("NON_STICKY") != null) manager.setLockingMode("auto");
    manager.setSessionBackupAsync(false);
    manager.setRequestUriIgnorePattern(".*\\.(ico|png|gif|jpg|css|js)$");
    if (System.getenv("PREFIX") != null) manager.setStorageKeyPrefix("static:" + System.getenv("PREFIX"));
    context.setManager(manager);
    context.setSessionCookieName("JSESSIONID");
    Tomcat.addServlet(context, "pages", new Pages());
    context.addServletMappingDecoded("/*", "pages");
    tomcat.start();
    tomcat.getServer().await();
  }
}
