package tenure;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderLatchListener;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;

/** What Curator's recipes cost. */
final class Measure {
    /** How long anything may take before the measurement fails. */
    private static final long PATIENCE_SECONDS = 60;

    private Measure() {}

    /** A contender with a client of its own. */
    private interface Contender {
        /** Stands, and tells {@code leads} when it leads: the number of the contender, and when. */
        void stand() throws Exception;

        /** Gives up the leadership. */
        void release() throws Exception;

        void close() throws Exception;
    }

    private record Led(int contender, long at) {}

    private static CuratorFramework connected(Options options) throws Exception {
        CuratorFramework client = options.client();
        client.start();
        if (!client.blockUntilConnected((int) PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("no connection to " + options.text("connect"));
        }
        return client;
    }

    private static Contender contender(
            CuratorFramework client, Options options, Teller teller, int number, BlockingQueue<Led> leads) {
        String path = options.text("path");
        if (options.text("recipe", "selector").equals("latch")) {
            return new LatchContender(client, path, teller, number, leads);
        }
        return new SelectorContender(client, path, teller, number, leads);
    }

    private static final class SelectorContender implements Contender {
        private final CuratorFramework client;
        private final Semaphore end = new Semaphore(0);
        private final LeaderSelector selector;

        SelectorContender(CuratorFramework client, String path, Teller teller, int number, BlockingQueue<Led> leads) {
            this.client = client;
            selector = new LeaderSelector(client, path, new LeaderSelectorListenerAdapter() {
                @Override
                public void takeLeadership(CuratorFramework same) throws Exception {
                    leads.add(new Led(number, teller.now()));
                    end.acquire();
                }
            });
            selector.autoRequeue();
        }

        @Override
        public void stand() {
            selector.start();
        }

        @Override
        public void release() {
            end.release();
        }

        @Override
        public void close() {
            selector.close();
            client.close();
        }
    }

    private static final class LatchContender implements Contender {
        private final CuratorFramework client;
        private final String path;
        private final Teller teller;
        private final int number;
        private final BlockingQueue<Led> leads;
        private LeaderLatch latch;

        LatchContender(CuratorFramework client, String path, Teller teller, int number, BlockingQueue<Led> leads) {
            this.client = client;
            this.path = path;
            this.teller = teller;
            this.number = number;
            this.leads = leads;
        }

        @Override
        public void stand() throws Exception {
            latch = new LeaderLatch(client, path, Integer.toString(number));
            latch.addListener(new LeaderLatchListener() {
                @Override
                public void isLeader() {
                    leads.add(new Led(number, teller.now()));
                }

                @Override
                public void notLeader() {
                    // The next one tells.
                }
            });
            latch.start();
        }

        @Override
        public void release() throws Exception {
            latch.close();
        }

        @Override
        public void close() throws Exception {
            if (latch.getState() == LeaderLatch.State.STARTED) {
                latch.close();
            }
            client.close();
        }
    }

    private static Led next(BlockingQueue<Led> leads) throws Exception {
        Led led = leads.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (led == null) {
            throw new IllegalStateException("nobody leads");
        }
        return led;
    }

    /** From a release to the next leader. Whoever released stands again when the next one leads. */
    static void handover(Options options, Teller teller) throws Exception {
        BlockingQueue<Led> leads = new LinkedBlockingQueue<>();
        List<Contender> contenders = new ArrayList<>();
        boolean isLatch = options.text("recipe", "selector").equals("latch");
        for (int number = 0; number < options.count("count", 2); number++) {
            Contender contender = contender(connected(options), options, teller, number, leads);
            contender.stand();
            contenders.add(contender);
        }
        Led leader = next(leads);
        int rounds = options.count("rounds", 100);
        for (int round = 0; round < rounds; round++) {
            // The others have to be in the queue.
            Thread.sleep(options.number("pause", 20));
            long released = teller.now();
            contenders.get(leader.contender()).release();
            Led following = next(leads);
            if (isLatch) {
                contenders.get(leader.contender()).stand();
            }
            teller.tellAt(following.at(), "took", options.text("recipe", "selector"), (following.at() - released) / 1000);
            leader = following;
        }
        for (Contender contender : contenders) {
            contender.close();
        }
    }

    /** From nothing to a leader of a free lock: client, connection, recipe. */
    static void start(Options options, Teller teller) throws Exception {
        int rounds = options.count("rounds", 20);
        for (int round = 0; round < rounds; round++) {
            BlockingQueue<Led> leads = new LinkedBlockingQueue<>();
            long began = teller.now();
            CuratorFramework client = options.client();
            client.start();
            Contender contender = contender(client, options, teller, 0, leads);
            contender.stand();
            Led led = next(leads);
            teller.tellAt(led.at(), "took", options.text("recipe", "selector"), (led.at() - began) / 1000);
            contender.release();
            contender.close();
        }
    }

    /** Many selectors that lead in this JVM, with one client, until the input ends. */
    static void many(Options options, Teller teller) throws Exception {
        int count = options.count("count", 1000);
        CuratorFramework client = connected(options);
        tellCosts(teller, 0);
        CountDownLatch all = new CountDownLatch(count);
        List<LeaderSelector> selectors = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            String path = options.text("path") + "-" + number;
            LeaderSelector selector = new LeaderSelector(client, path, new LeaderSelectorListenerAdapter() {
                @Override
                public void takeLeadership(CuratorFramework same) throws Exception {
                    all.countDown();
                    new Semaphore(0).acquire();
                }
            });
            selector.start();
            selectors.add(selector);
        }
        if (!all.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException(all.getCount() + " selectors do not lead");
        }
        tellCosts(teller, count);
        while (System.in.read() >= 0) {
            // Whoever measures the requests meanwhile closes the input when it has done so.
        }
        selectors.forEach(LeaderSelector::close);
        client.close();
    }

    private static void tellCosts(Teller teller, int count) throws Exception {
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(100);
        }
        int threads = ManagementFactory.getThreadMXBean().getThreadCount();
        long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        teller.tell("holds", Integer.toString(count), threads, heap);
    }
}
