package writers;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpSession;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.ResponseEntity;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** A shop on Spring Boot with Spring Session in Redis: a namespace, a lifetime and attributes of its own. */
@Configuration
@EnableAutoConfiguration
public class SpringShop {
  record Line(int article, String user) implements Serializable {}

  @RestController
  public static class Pages {
    @RequestMapping("/")
    String home(HttpServletRequest request) {
      if (System.getenv("COUNTS") != null) request.getSession().setAttribute("views", 1);
      return "home";
    }

    @GetMapping("/health")
    String health() {
      return "ok";
    }

    @GetMapping("/login")
    String who() {
      return "who?";
    }

    @GetMapping("/account")
    String account() {
      return "yours";
    }

    @PostMapping("/cart")
    String cart(HttpSession session) {
      session.setAttribute("cart", new ArrayList<>(List.of(new Line(7, "anna"))));
      session.setAttribute("forgotten", "x");
      session.removeAttribute("forgotten");
      return "kept";
    }

    @RequestMapping("/gone")
    ResponseEntity<String> gone() {
      return ResponseEntity.ok("gone");
    }
  }

  @Bean
  SecurityFilterChain chain(HttpSecurity http) throws Exception {
    http.authorizeHttpRequests(requests -> requests.requestMatchers("/account").authenticated().anyRequest().permitAll());
    http.formLogin(form -> form.loginPage("/login").usernameParameter("user").defaultSuccessUrl("/account")
        .failureHandler((request, response, error) -> response.setStatus(403)).permitAll());
    http.logout(out -> out.logoutUrl("/logout").logoutSuccessUrl("/gone").invalidateHttpSession(System.getenv("KEEPS") == null));
    http.csrf(csrf -> csrf.disable());
    return http.build();
  }

  @Bean
  InMemoryUserDetailsManager people() {
    return new InMemoryUserDetailsManager(java.util.stream.Stream.of("anna", "berta", "carla")
        .map(name -> User.withUsername(name).password("{noop}right").roles("CUSTOMER").build()).toList());
  }

  public static void main(String[] args) {
    Map<String, Object> settings = new HashMap<>(Map.of(
        "server.port", System.getenv("PORT"), "server.address", "127.0.0.1", "spring.main.banner-mode", "off",
        "spring.data.redis.port", System.getenv("REDIS_PORT"), "spring.data.redis.database", "3",
        "spring.session.timeout", System.getenv().getOrDefault("LIFETIME", "45m"), "spring.session.data.redis.namespace", "shop:web",
        "spring.session.data.redis.flush-mode", "immediate"));
    settings.put("spring.main.web-application-type", "servlet");
    if (System.getenv("INDEXED") != null) settings.put("spring.session.data.redis.repository-type", "indexed");
    SpringApplication application = new SpringApplication(SpringShop.class);
    application.setDefaultProperties(settings);
    application.run(args);
  }
}
