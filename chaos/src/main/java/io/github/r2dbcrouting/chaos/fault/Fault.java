package io.github.r2dbcrouting.chaos.fault;

/**
 * What goes wrong?
 *
 * @param name what it is called in reports
 * @param lane with which others it may come at the same time
 * @param happening what happens, from its beginning until all is well again
 */
public record Fault(String name, Lane lane, Happening happening) {

    /** Faults of one lane come one after the other, those of different lanes at the same time. */
    public enum Lane {
        /** Servers, their roles and the network: each expects to find them whole. */
        SERVERS,
        /** What applications and their operators do, and what their hosts do to them. */
        APPLICATIONS
    }

    /** Something that blocks until it is over, and leaves nothing behind. */
    @FunctionalInterface
    public interface Happening {
        /**
         * Lets it happen.
         *
         * @param target to whom
         * @throws Exception if it could not, at this moment
         */
        void to(Target target) throws Exception;
    }
}
