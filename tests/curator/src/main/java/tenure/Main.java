package tenure;

import java.io.BufferedReader;
import java.io.InputStreamReader;

/**
 * Candidates of Curator and Camel, unmodified, for tests and benchmarks that have them beside tenure's.
 *
 * <p>The first argument says what it is: {@code selector}, {@code latch} or {@code camel}, a candidate; or a measurement, {@code many},
 * {@code handover} or {@code start}. The others are {@code --name=value}:
 *
 * <pre>
 * --connect             where the servers are
 * --path                the election's path; of Camel, base path and namespace in one
 * --id                  who the candidate is
 * --session-timeout     milliseconds; Curator's own 60000 unless said
 * --connection-timeout  milliseconds; Curator's own 15000 unless said
 * --log                 a file that a line is appended to at each beat while leading
 * --beat                milliseconds between beats: 10 unless said
 * --candidate           the number of the candidate in the beats
 * --route               of Camel, how the route is led: master or policy
 * --recipe              of a measurement: selector or latch
 * --count               of a measurement: how many elections (many) or contenders (handover)
 * --rounds              of a measurement: how many times
 * --boottime-offset     nanoseconds of CLOCK_BOOTTIME beyond CLOCK_MONOTONIC
 * </pre>
 *
 * <p>Each event is one line on standard output, {@code <nanoseconds of CLOCK_BOOTTIME> <event> <about whom> <more>}:
 *
 * <pre>
 * starts  takes part from now on
 * leads   the candidate's work was started; path and fencing token follow
 * stops   the work has ended
 * leaves  the process was asked to end
 * took    a measurement: microseconds follow
 * holds   a measurement: threads and bytes of heap follow
 * </pre>
 *
 * <p>On standard input it obeys {@code release}, which gives up a leadership and stands again, and {@code quit}.
 */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        Options options = new Options(arguments);
        Teller teller = new Teller(options.number("boottime-offset", 0));
        switch (options.mode()) {
            case "selector" -> obey(new Selector(options, teller), options, teller);
            case "latch" -> obey(new Latch(options, teller), options, teller);
            case "camel" -> obey(new Camel(options, teller), options, teller);
            case "many" -> Measure.many(options, teller);
            case "handover" -> Measure.handover(options, teller);
            case "start" -> Measure.start(options, teller);
            default -> throw new IllegalArgumentException("unknown: " + options.mode());
        }
        System.exit(0);
    }

    private static void obey(Peer peer, Options options, Teller teller) throws Exception {
        peer.start();
        teller.tell("starts", options.text("id"), options.text("path"));
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        for (String line = commands.readLine(); line != null && !line.equals("quit"); line = commands.readLine()) {
            if (line.equals("release")) {
                peer.release();
            } else {
                System.err.println("curator: unknown command: " + line);
            }
        }
        teller.tell("leaves", options.text("id"), options.text("path"));
        peer.close();
    }
}
