package tenure;

import java.util.List;
import org.apache.curator.framework.CuratorFramework;
import org.apache.zookeeper.data.Stat;

/** Curator has no fencing token. The transaction that made the own node is one, which tests read beside it. */
final class Nodes {
    private Nodes() {}

    /** The token of whoever has this session. */
    static long token(CuratorFramework client, String path) throws Exception {
        long session = client.getZookeeperClient().getZooKeeper().getSessionId();
        List<String> children = client.getChildren().forPath(path);
        for (String child : children) {
            Stat stat = client.checkExists().forPath(path + "/" + child);
            if (stat != null && stat.getEphemeralOwner() == session) {
                return stat.getCzxid();
            }
        }
        throw new IllegalStateException("no node of session 0x" + Long.toHexString(session) + " in " + path);
    }

    /** The token of the first node in Curator's order. */
    static long first(CuratorFramework client, String path) throws Exception {
        List<String> children = client.getChildren().forPath(path);
        String lock = "-lock-";
        children.removeIf(child -> !child.contains(lock));
        children.sort((one, other) -> one.substring(one.lastIndexOf(lock)).compareTo(other.substring(other.lastIndexOf(lock))));
        if (children.isEmpty()) {
            throw new IllegalStateException("no node in " + path);
        }
        Stat stat = client.checkExists().forPath(path + "/" + children.get(0));
        return stat == null ? 0 : stat.getCzxid();
    }
}
