import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;
import org.redisson.tomcat.RedissonSessionManager;

/** Tomcat with Redisson's session manager: the pages of every writer here. */
public class RedissonWriter {
  static class Pages extends HttpServlet {
    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
      String page = request.getRequestURI();
      var session = request.getSession(true);
      if (page.equals("/account")) {
        if (session.getAttribute("user") == null) response.sendRedirect("/login"); else response.getWriter().print("yours");
      } else if (page.equals("/login") && request.getMethod().equals("POST")) {
        if (!"right".equals(request.getParameter("password"))) { response.setStatus(403); return; }
        request.changeSessionId();
        request.getSession().setAttribute("user", request.getParameter("user"));
        response.sendRedirect("/account");
      } else if (page.equals("/cart")) {
        session.setAttribute("cart", "7");
        response.getWriter().print("kept");
      } else if (page.equals("/logout")) {
        session.invalidate();
        response.getWriter().print("gone");
      } else {
        response.getWriter().print("page");
      }
    }
  }

  public static void main(String[] args) throws Exception {
    Path folder = Files.createTempDirectory("tomcat");
    Path config = folder.resolve("redisson.yaml");
    Files.writeString(config, "singleServerConfig:\n  address: \"redis://127.0.0.1:" + System.getenv("REDIS_PORT") + "\"\n");
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(folder.toString());
    tomcat.setPort(Integer.parseInt(System.getenv("PORT")));
    tomcat.getConnector().setProperty("address", "127.0.0.1");
    Context context = tomcat.addContext("", new File(".").getAbsolutePath());
    context.setSessionTimeout(1440);
    RedissonSessionManager manager = new RedissonSessionManager();
    manager.setConfigPath(config.toString());
    context.setManager(manager);
    Tomcat.addServlet(context, "pages", new Pages());
    context.addServletMappingDecoded("/*", "pages");
    tomcat.start();
    tomcat.getServer().await();
  }
}
