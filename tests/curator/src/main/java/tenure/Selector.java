package tenure;

import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;

/** Curator's LeaderSelector, which stands again whenever it has led. */
final class Selector implements Peer {
    private final CuratorFramework client;
    private final LeaderSelector selector;
    private volatile int released;

    Selector(Options options, Teller teller) {
        client = options.client();
        Work work = new Work(options, teller);
        selector = new LeaderSelector(client, options.text("path"), new LeaderSelectorListenerAdapter() {
            @Override
            public void takeLeadership(CuratorFramework same) throws Exception {
                int before = released;
                work.run(Nodes.token(same, options.text("path")), () -> released == before);
            }
        });
        selector.setId(options.text("id"));
        selector.autoRequeue();
    }

    @Override
    public void start() {
        client.start();
        selector.start();
    }

    @Override
    public synchronized void release() {
        released++;
    }

    @Override
    public void close() {
        selector.close();
        client.close();
    }
}
