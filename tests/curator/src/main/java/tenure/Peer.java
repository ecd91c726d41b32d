package tenure;

/** A candidate. */
interface Peer {
    void start() throws Exception;

    /** Gives up a leadership, and stands again. */
    void release() throws Exception;

    void close() throws Exception;
}
