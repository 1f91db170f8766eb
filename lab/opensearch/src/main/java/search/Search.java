package search;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;
import org.opensearch.transport.Netty4Plugin;

/** OpenSearch as one node in this process: its own bootstrap refuses to run as root. Arguments: HOST HTTP-PORT TRANSPORT-PORT HOME. */
public final class Search {
  private static final class Embedded extends Node {
    Embedded(Settings settings, List<Class<? extends Plugin>> plugins) {
      super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "lab"), plugins, false);
    }
  }

  public static void main(String[] given) throws Exception {
    Settings settings =
        Settings.builder()
            .put("cluster.name", "necropsy-lab")
            .put("node.name", "lab")
            .put("discovery.type", "single-node")
            .put("network.host", given[0])
            .put("http.port", given[1])
            .put("transport.port", given[2])
            .put("path.home", given[3])
            .put("path.data", given[3] + "/data")
            .put("http.type", "netty4")
            .put("transport.type", "netty4")
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
    Embedded node = new Embedded(settings, List.of(Netty4Plugin.class));
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    node.close();
                  } catch (Exception error) {
                    error.printStackTrace();
                  }
                }));
    node.start();
    new CountDownLatch(1).await();
  }
}
