package tenure;

import java.util.Map;
import java.util.TreeMap;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.ExponentialBackoffRetry;

/** What the command line says. */
final class Options {
    private final String mode;
    private final Map<String, String> values = new TreeMap<>();

    Options(String[] arguments) {
        if (arguments.length == 0) {
            throw new IllegalArgumentException("say what it is to be: see Main.java");
        }
        mode = arguments[0];
        for (int i = 1; i < arguments.length; i++) {
            String[] pair = arguments[i].split("=", 2);
            if (pair.length != 2 || !pair[0].startsWith("--")) {
                throw new IllegalArgumentException("not of the form --name=value: " + arguments[i]);
            }
            values.put(pair[0].substring(2), pair[1]);
        }
    }

    String mode() {
        return mode;
    }

    String text(String name) {
        String value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("--" + name + " is missing");
        }
        return value;
    }

    String text(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    long number(String name, long otherwise) {
        return Long.parseLong(values.getOrDefault(name, Long.toString(otherwise)));
    }

    int count(String name, int otherwise) {
        return Math.toIntExact(number(name, otherwise));
    }

    /** A client of Curator's with a session of its own, not started. */
    CuratorFramework client() {
        return CuratorFrameworkFactory.newClient(
                text("connect"),
                count("session-timeout", 60_000),
                count("connection-timeout", 15_000),
                new ExponentialBackoffRetry(100, 3));
    }
}
