package tenure;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * The log that all leaders append to, in the form that tests/faults/line.rs reads: {@code <kind> <token>.<first pid> <pid> <candidate> -
 * <milliseconds since 1970>}. A line is one write to a file opened for appending, so the order of lines is the order of writes.
 */
final class Beats implements AutoCloseable {
    private final int candidate;
    private final FileOutputStream file;
    private final long token;

    Beats(String path, long token, int candidate) throws IOException {
        this.candidate = candidate;
        this.file = path == null ? null : new FileOutputStream(path, true);
        this.token = token;
    }

    void tell(String kind) throws IOException {
        if (file == null) {
            return;
        }
        long pid = ProcessHandle.current().pid();
        long now = System.currentTimeMillis();
        String line = kind + " " + token + "." + pid + " " + pid + " " + candidate + " - " + now + "\n";
        file.write(line.getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }
}
