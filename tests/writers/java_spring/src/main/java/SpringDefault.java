package writers;

import jakarta.servlet.http.HttpSession;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.csrf.CsrfToken;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Boot's own security, nothing changed: every page asks for a login, with a token against forged requests. */
@Configuration
@EnableAutoConfiguration
public class SpringDefault {
  @RestController
  public static class Pages {
    @RequestMapping({"/", "/health"})
    String home() {
      return "home";
    }

    @GetMapping("/account")
    String account(CsrfToken token) {
      return "<form><input name=\"_csrf\" type=\"hidden\" value=\"" + token.getToken() + "\"></form>";
    }

    @PostMapping("/cart")
    String cart(HttpSession session) {
      session.setAttribute("cart", "hat");
      return "kept";
    }
  }

  @Bean
  InMemoryUserDetailsManager people() {
    return new InMemoryUserDetailsManager(Stream.of("anna", "berta", "carla")
        .map(name -> User.withUsername(name).password("{noop}right").roles("CUSTOMER").build()).toList());
  }

  public static void main(String[] args) {
    Map<String, Object> settings = new HashMap<>(Map.of(
        "server.port", System.getenv("PORT"), "server.address", "127.0.0.1", "spring.main.banner-mode", "off",
        "spring.main.web-application-type", "servlet", "spring.data.redis.port", System.getenv("REDIS_PORT"),
        "spring.session.timeout", System.getenv().getOrDefault("LIFETIME", "1d")));
    if (System.getenv("INDEXED") != null) settings.put("spring.session.data.redis.repository-type", "indexed");
    SpringApplication application = new SpringApplication(SpringDefault.class);
    application.setDefaultProperties(settings);
    application.run(args);
  }
}
