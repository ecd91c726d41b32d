package tenure;

/** The work of a leader: it lives until it is told to stop, and says so again and again. */
final class Work {
    private final Options options;
    private final Teller teller;

    Work(Options options, Teller teller) {
        this.options = options;
        this.teller = teller;
    }

    /** Beats until {@code goesOn} says no, or until it is interrupted. */
    void run(long token, Goes goesOn) throws Exception {
        String id = options.text("id");
        String path = options.text("path");
        long beat = options.number("beat", 10);
        try (Beats beats = new Beats(options.text("log", null), token, options.count("candidate", 0))) {
            if (!goesOn.on()) {
                return;
            }
            beats.tell("start");
            // Whoever hears of it finds it in the log.
            teller.tell("leads", id, path, token);
            try {
                while (true) {
                    Thread.sleep(beat);
                    if (!goesOn.on()) {
                        return;
                    }
                    beats.tell("beat");
                }
            } finally {
                teller.tell("stops", id, path);
            }
        }
    }

    /** Whether the work goes on. */
    interface Goes {
        boolean on();
    }
}
