package tenure;

/** Tells lines, with the time by the clock that all processes of a machine share. */
final class Teller {
    private final long offset;

    Teller(long offset) {
        this.offset = offset;
    }

    /** Nanoseconds of CLOCK_BOOTTIME: Java has CLOCK_MONOTONIC, and whoever started this knows the difference. */
    long now() {
        return System.nanoTime() + offset;
    }

    void tell(String event, String whom, Object... more) {
        tellAt(now(), event, whom, more);
    }

    void tellAt(long at, String event, String whom, Object... more) {
        StringBuilder line = new StringBuilder().append(at).append(' ').append(event).append(' ').append(whom);
        for (Object part : more) {
            line.append(' ').append(part);
        }
        synchronized (System.out) {
            System.out.println(line);
            System.out.flush();
        }
    }
}
