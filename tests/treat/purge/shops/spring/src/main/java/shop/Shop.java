package shop;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpSession;
import java.util.Map;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.session.FindByIndexNameSessionRepository;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** A shop on Spring Session's indexed repository; every visitor gets a session. Arguments: own port, port of Redis. */
@Configuration
@EnableAutoConfiguration
@Import(Shop.Pages.class)
public class Shop {
  public static void main(String[] arguments) {
    new SpringApplicationBuilder(Shop.class)
        .properties(
            Map.of(
                "server.port", arguments[0],
                "server.address", "127.0.0.1",
                "spring.data.redis.port", arguments[1],
                "spring.main.banner-mode", "off",
                "spring.session.timeout", "1d",
                "spring.session.redis.repository-type", "indexed",
                "spring.session.redis.configure-action", "none"))
        .run();
  }

  @RestController
  static class Pages {
    @GetMapping("/")
    String index(HttpSession session) {
      return "welcome";
    }

    @GetMapping("/login/{name}")
    String login(@PathVariable String name, HttpServletRequest request) {
      request.getSession();
      request.changeSessionId();
      HttpSession session = request.getSession();
      session.setAttribute(FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME, name);
      session.setAttribute("SPRING_SECURITY_CONTEXT", name); // as Spring Security would, with less in it
      session.setAttribute("count", 0);
      return name;
    }

    @GetMapping("/work")
    String work(HttpServletRequest request) {
      HttpSession session = request.getSession();
      Object name = session.getAttribute("SPRING_SECURITY_CONTEXT");
      if (name == null) return "who are you?";
      int count = (Integer) session.getAttribute("count") + 1;
      session.setAttribute("count", count);
      return name + " " + count;
    }

    @GetMapping("/logout")
    String logout(HttpSession session) {
      session.invalidate();
      return "bye";
    }
  }
}
