package tenure;

import java.util.concurrent.Executors;
import java.util.concurrent.ExecutorService;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderLatchListener;

/** Curator's LeaderLatch. Only closing gives up a leadership, so that standing again takes another one. */
final class Latch implements Peer {
    private final CuratorFramework client;
    private final Options options;
    private final Work work;
    private final ExecutorService worker = Executors.newSingleThreadExecutor();
    private LeaderLatch latch;

    Latch(Options options, Teller teller) {
        this.options = options;
        client = options.client();
        work = new Work(options, teller);
    }

    @Override
    public void start() throws Exception {
        client.start();
        stand();
    }

    private void stand() throws Exception {
        LeaderLatch own = new LeaderLatch(client, options.text("path"), options.text("id"));
        own.addListener(new LeaderLatchListener() {
            @Override
            public void isLeader() {
                worker.execute(() -> lead(own));
            }

            @Override
            public void notLeader() {
                // The work asks the latch.
            }
        });
        own.start();
        latch = own;
    }

    private void lead(LeaderLatch own) {
        try {
            work.run(Nodes.token(client, options.text("path")), own::hasLeadership);
        } catch (Exception error) {
            System.err.println("curator: " + error);
        }
    }

    @Override
    public void release() throws Exception {
        latch.close();
        stand();
    }

    @Override
    public void close() throws Exception {
        latch.close();
        client.close();
    }
}
