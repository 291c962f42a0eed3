package io.github.r2dbcrouting.internal.connection;

/**
 * How did a use of a connection end?
 *
 * <p>One of the three is called, once, before the signal is passed on.
 */
interface Ending {

    /** Nobody wants to know. */
    Ending UNWATCHED = new Ending() {
        @Override
        public void completed() {}

        @Override
        public void failed(Throwable error) {}

        @Override
        public void cancelled() {}
    };

    void completed();

    void failed(Throwable error);

    void cancelled();
}
