package io.github.r2dbcrouting.internal.connection;

/** Who wants to know how the results of an execution end? One of the three is called, once for each result. */
interface Watched {

    /** The result was consumed to its end. */
    void resultConsumed();

    void failed(Throwable error);

    /** Nobody consumes the rest of it. */
    void abandoned();
}
