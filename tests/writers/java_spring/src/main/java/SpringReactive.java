package writers;

import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.config.web.server.ServerHttpSecurity;
import org.springframework.security.core.userdetails.MapReactiveUserDetailsService;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.web.server.SecurityWebFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.WebSession;
import reactor.core.publisher.Mono;

/** A shop on WebFlux with a login form; its sessions in Redis, by the plain repository or the indexed one. */
@Configuration
@EnableAutoConfiguration
public class SpringReactive {
  @RestController
  public static class Pages {
    @RequestMapping("/")
    Mono<String> home() {
      return Mono.just("home");
    }

    @GetMapping({"/health", "/gone"})
    Mono<String> health() {
      return Mono.just("ok");
    }

    @GetMapping("/account")
    Mono<String> account() {
      return Mono.just("yours");
    }

    @PostMapping("/cart")
    Mono<String> cart(WebSession session) {
      session.getAttributes().put("cart", "hat");
      return Mono.just("kept");
    }
  }

  @Bean
  SecurityWebFilterChain chain(ServerHttpSecurity http) {
    return http.authorizeExchange(asked -> asked.pathMatchers("/account").authenticated().anyExchange().permitAll())
        .formLogin(form -> { }).csrf(csrf -> csrf.disable()).build();
  }

  @Bean
  MapReactiveUserDetailsService people() {
    return new MapReactiveUserDetailsService(Stream.of("anna", "berta", "carla")
        .map(name -> User.withUsername(name).password("{noop}right").roles("CUSTOMER").build()).toList());
  }

  public static void main(String[] args) {
    Map<String, Object> settings = new HashMap<>(Map.of(
        "server.port", System.getenv("PORT"), "server.address", "127.0.0.1", "spring.main.banner-mode", "off",
        "spring.main.web-application-type", "reactive", "spring.data.redis.port", System.getenv("REDIS_PORT"),
        "spring.session.timeout", "6h"));
    if (System.getenv("INDEXED") != null) settings.put("spring.session.data.redis.repository-type", "indexed");
    SpringApplication application = new SpringApplication(SpringReactive.class);
    application.setDefaultProperties(settings);
    application.run(args);
  }
}
