package writers;

import java.io.Serializable;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.UUID;
import org.springframework.data.redis.cache.RedisCacheConfiguration;
import org.springframework.data.redis.cache.RedisCacheManager;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.data.redis.core.StringRedisTemplate;
import org.springframework.data.redis.serializer.GenericJacksonJsonRedisSerializer;
import org.springframework.data.redis.serializer.RedisSerializationContext.SerializationPair;

/** Spring's cache in Redis, with the JDK's serializer and JSON, and what services keep beside it: no session among them. */
public class SpringCaches {
  record Product(int id, String name, String user) implements Serializable {}

  public static void main(String[] args) throws Exception {
    var connections = new LettuceConnectionFactory("127.0.0.1", Integer.parseInt(System.getenv("REDIS_PORT")));
    connections.afterPropertiesSet();
    connections.start();
    var jdk = RedisCacheConfiguration.defaultCacheConfig().entryTtl(Duration.ofDays(1));
    var json = jdk.serializeValuesWith(SerializationPair.fromSerializer(
        GenericJacksonJsonRedisSerializer.builder().enableUnsafeDefaultTyping().build())).prefixCacheNameWith("json:");
    var caches = RedisCacheManager.builder(connections).cacheDefaults(jdk)
        .withCacheConfiguration("sessions", json).withCacheConfiguration("users", json).build();
    caches.afterPropertiesSet();
    var texts = new StringRedisTemplate(connections);
    for (int n = 0; n < 20; n++) {
      String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(("x" + n).getBytes()));
      var product = new Product(n, "hat", "anna");
      for (String name : new String[] {"products", "sessions", "users"}) {
        caches.getCache(name).put(n, product);
        caches.getCache(name).put(digest, n);
        caches.getCache(name).put(UUID.randomUUID().toString(), Map.of("user", "anna", "creationTime", 1796000000000L));
        caches.getCache(name).put("none" + n, null);
      }
      texts.opsForValue().set("spring:oauth2:authorization:" + UUID.randomUUID(), "{\"user\":\"anna\"}", Duration.ofMinutes(5));
      texts.opsForHash().putAll("products:" + UUID.randomUUID(),
          Map.of("_class", "shop.Product", "creationTime", "1796000000000", "name", "hat"));
      texts.opsForValue().set("lock:" + digest.substring(0, 32), UUID.randomUUID().toString(), Duration.ofMinutes(5));
    }
    connections.destroy();
    System.exit(0);
  }
}
