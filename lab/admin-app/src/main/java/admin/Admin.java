package admin;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.Ordered;
import org.springframework.security.config.ObjectPostProcessor;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.authentication.LoginUrlAuthenticationEntryPoint;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * The admin of the incident: a form login before every page but /health, sessions in Redis by Spring Session's indexed repository.
 *
 * <p>Arguments: --address= --port= --redis-host= --redis-port= --lifetime=SECONDS --redirects=absolute|relative --timeout=SECONDS
 * --notes=FILE. Each answer that hands out a session writes one line to the notes: who asked, and for what. Any user may log in
 * with the password "admin".
 */
@Configuration
@EnableAutoConfiguration
@Import(Admin.Pages.class)
public class Admin {
  private static final Map<String, String> GIVEN = new HashMap<>();

  public static void main(String[] arguments) {
    for (String argument : arguments) {
      String[] pair = argument.substring(2).split("=", 2);
      GIVEN.put(pair[0], pair[1]);
    }
    Map<String, Object> properties = new HashMap<>();
    properties.put("server.address", GIVEN.get("address"));
    properties.put("server.port", GIVEN.get("port"));
    properties.put("server.tomcat.use-relative-redirects", GIVEN.get("redirects").equals("relative"));
    properties.put("server.tomcat.threads.max", 20);
    properties.put("server.forward-headers-strategy", "none");
    properties.put("spring.data.redis.host", GIVEN.get("redis-host"));
    properties.put("spring.data.redis.port", GIVEN.get("redis-port"));
    properties.put("spring.data.redis.timeout", GIVEN.get("timeout") + "s");
    properties.put("spring.session.timeout", GIVEN.get("lifetime") + "s");
    properties.put("spring.session.redis.repository-type", "indexed");
    properties.put("spring.session.data.redis.repository-type", "indexed"); // its name in Spring Boot 4
    properties.put("spring.main.banner-mode", "off");
    properties.put("logging.pattern.dateformat", "yyyy-MM-dd HH:mm:ss.SSS");
    new SpringApplicationBuilder(Admin.class).properties(properties).run();
  }

  @Bean
  SecurityFilterChain security(HttpSecurity http) throws Exception {
    http.authorizeHttpRequests(
        requests -> requests.requestMatchers("/health").permitAll().anyRequest().authenticated());
    http.formLogin(
        form ->
            form.addObjectPostProcessor(
                new ObjectPostProcessor<LoginUrlAuthenticationEntryPoint>() {
                  @Override
                  public <O extends LoginUrlAuthenticationEntryPoint> O postProcess(O entry) {
                    entry.setFavorRelativeUris(GIVEN.get("redirects").equals("relative"));
                    return entry;
                  }
                }));
    return http.build();
  }

  @Bean
  UserDetailsService users() {
    return name -> User.withUsername(name).password("{noop}admin").roles("STAFF").build();
  }

  /** Outside of Spring Session's filter: sees the cookie that its answer hands out. */
  @Bean
  FilterRegistrationBean<Notes> notes() {
    FilterRegistrationBean<Notes> registration = new FilterRegistrationBean<>(new Notes());
    registration.setOrder(Ordered.HIGHEST_PRECEDENCE);
    return registration;
  }

  static class Notes extends OncePerRequestFilter {
    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
        throws ServletException, IOException {
      long at = System.currentTimeMillis();
      try {
        chain.doFilter(request, response);
      } finally {
        boolean login = request.getMethod().equals("POST") && request.getRequestURI().equals("/login");
        for (String cookie : response.getHeaders("Set-Cookie")) {
          if (cookie.startsWith("SESSION=") && !cookie.startsWith("SESSION=;") && !login) note(request, at);
        }
      }
    }

    private static void note(HttpServletRequest request, long at) throws IOException {
      String line =
          String.format(
              "{\"at_ms\": %d, \"agent\": %s, \"proxied\": %s, \"path\": %s, \"port\": %d}%n",
              at,
              quoted(request.getHeader("User-Agent")),
              request.getHeader("X-Forwarded-For") != null,
              quoted(request.getRequestURI()),
              request.getLocalPort());
      Files.writeString(Path.of(GIVEN.get("notes")), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static String quoted(String text) {
      return text == null ? "\"\"" : '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
  }

  @RestController
  static class Pages {
    @GetMapping("/health")
    String health() {
      return "health";
    }

    @GetMapping("/")
    String index() {
      return "<h1>admin</h1>";
    }

    @GetMapping("/orders/{number}")
    String order(@PathVariable int number) {
      return "<h1>order " + number + "</h1>";
    }
  }
}
