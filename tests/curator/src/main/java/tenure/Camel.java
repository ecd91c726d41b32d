package tenure;

import org.apache.camel.CamelContext;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.zookeeper.cluster.ZooKeeperClusterService;
import org.apache.camel.impl.cluster.ClusteredRoutePolicy;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.curator.framework.CuratorFramework;

/** Camel's ZooKeeper cluster service, with a route that beats while it is led. */
final class Camel implements Peer {
    private final CuratorFramework client;
    private final Options options;
    private final Teller teller;
    private CamelContext context;

    Camel(Options options, Teller teller) {
        this.options = options;
        this.teller = teller;
        client = options.client();
    }

    @Override
    public void start() throws Exception {
        client.start();
        stand();
    }

    private void stand() throws Exception {
        String path = options.text("path");
        int last = path.lastIndexOf('/');
        ZooKeeperClusterService service = new ZooKeeperClusterService();
        service.setId(options.text("id"));
        service.setNodes(options.text("connect"));
        service.setBasePath(path.substring(0, last));
        service.setSessionTimeout(options.number("session-timeout", 60_000));
        service.setConnectTimeout(options.number("connection-timeout", 15_000));
        context = new DefaultCamelContext();
        context.addService(service);
        context.addRoutes(new Route(path.substring(last + 1)));
        context.start();
    }

    @Override
    public void release() throws Exception {
        context.stop();
        stand();
    }

    @Override
    public void close() throws Exception {
        context.stop();
        client.close();
    }

    private final class Route extends RouteBuilder {
        private final String namespace;
        private Beats beats;

        Route(String namespace) {
            this.namespace = namespace;
        }

        @Override
        public void configure() throws Exception {
            String timer = "timer:beat?delay=0&includeMetadata=true&period=" + options.number("beat", 10);
            var route = switch (options.text("route", "master")) {
                case "master" -> from("master:" + namespace + ":" + timer);
                case "policy" -> from(timer).routePolicy(ClusteredRoutePolicy.forNamespace(namespace));
                default -> throw new IllegalArgumentException("--route is master or policy");
            };
            route.routeId("beats").process(exchange -> beat(exchange.getProperty("CamelTimerCounter", Long.class)));
        }

        /** A timer that was started again counts from one. */
        private synchronized void beat(long number) throws Exception {
            if (number > 1 && beats != null) {
                beats.tell("beat");
                return;
            }
            long token = Nodes.first(client, options.text("path"));
            beats = new Beats(options.text("log", null), token, options.count("candidate", 0));
            beats.tell("start");
            teller.tell("leads", options.text("id"), options.text("path"), token);
        }
    }
}
