import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.File;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.catalina.Context;
import org.apache.catalina.realm.GenericPrincipal;
import org.apache.catalina.realm.RealmBase;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.LoginConfig;
import org.redisson.tomcat.RedissonSessionManager;

/** A shop on Tomcat with Redisson: a prefix, another codec, the container's own login, sessions only where they are needed. */
public class RedissonShop {
  record Line(int article, String userId) implements Serializable {}

  static class Members extends RealmBase {
    @Override
    public java.security.Principal authenticate(String name, String password) {
      return "right".equals(password) ? getPrincipal(name) : null;
    }

    @Override
    protected String getPassword(String name) { return "right"; }

    @Override
    protected java.security.Principal getPrincipal(String name) { return new GenericPrincipal(name, List.of("customer")); }
  }

  static class Pages extends HttpServlet {
    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
      try {
        switch (request.getRequestURI()) {
          case "/account" -> {
            if (request.getUserPrincipal() == null) {
              request.getSession().setAttribute("next", "/account");
              response.sendRedirect("/login");
            } else response.getWriter().print("yours");
          }
          case "/login" -> {
            if (!request.getMethod().equals("POST")) { response.getWriter().print("who?"); return; }
            try {
              request.getSession();
              request.login(request.getParameter("user"), request.getParameter("password"));
              request.getSession().setAttribute("visits", 1);
              response.sendRedirect("/account");
            } catch (jakarta.servlet.ServletException wrong) {
              response.setStatus(403);
            }
          }
          case "/cart" -> {
            request.getSession().setAttribute("cart", new ArrayList<>(List.of(new Line(7, "12"))));
            request.getSession().setAttribute("total", 12.5);
            response.getWriter().print("kept");
          }
          case "/logout" -> {
            request.logout();
            if (System.getenv("KEEPS") == null) request.getSession().invalidate();
            response.getWriter().print("gone");
          }
          default -> response.getWriter().print("page");
        }
      } catch (jakarta.servlet.ServletException error) {
        throw new IOException(error);
      }
    }
  }

  public static void main(String[] args) throws Exception {
    Path folder = Files.createTempDirectory("tomcat");
    Path config = folder.resolve("redisson.yaml");
    String codec = System.getenv("CODEC");
    Files.writeString(config, "singleServerConfig:\n  address: \"redis://127.0.0.1:" + System.getenv("REDIS_PORT") + "\"\n  database: 4\n"
        + (codec == null ? "" : "codec: !<org.redisson.codec." + codec + "> {}\n"));
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(folder.toString());
    tomcat.setPort(Integer.parseInt(System.getenv("PORT")));
    tomcat.getConnector().setProperty("address", "127.0.0.1");
    Context context = tomcat.addContext("", new File(".").getAbsolutePath());
    context.setSessionTimeout(45);
    context.setRealm(new Members());
    RedissonSessionManager manager = new RedissonSessionManager();
    manager.setConfigPath(config.toString());
    manager.setKeyPrefix("shop");
    manager.setReadMode("REDIS");
    manager.setUpdateMode("AFTER_REQUEST");
    manager.setBroadcastSessionEvents(System.getenv("BROADCAST") != null);
    context.setManager(manager);
    context.setLoginConfig(new LoginConfig("FORM", null, "/login", "/login"));
    context.getPipeline().addValve(new org.apache.catalina.authenticator.FormAuthenticator());
    Tomcat.addServlet(context, "pages", new Pages());
    context.addServletMappingDecoded("/*", "pages");
    tomcat.start();
    tomcat.getServer().await();
  }
}
