package io.github.r2dbcrouting.internal.table;

/**
 * What would the requests like to know sooner?
 *
 * <p>Called on request threads, as often as they like: implementations only take note and return at once.
 */
public interface Questions {

    /** A read found no replica that surely has what its session wrote. */
    void replicaBehind();

    /**
     * A server did not behave as the table says.
     *
     * @param server its index
     */
    void surprisedBy(int server);
}
