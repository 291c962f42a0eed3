package io.github.r2dbcrouting.policy;

import java.time.Duration;
import java.util.List;

/** What narrows the set of servers, within one rule of a policy? Its text form is that of the language. */
public sealed interface Filter {

    /**
     * Passes the servers that have any of the tags.
     *
     * @param tags at least one
     */
    record Tags(List<String> tags) implements Filter {

        /**
         * Copies the tags.
         *
         * @param tags at least one
         */
        public Tags {
            tags = List.copyOf(tags);
        }

        @Override
        public String toString() {
            return "tags(" + String.join(", ", tags) + ")";
        }
    }

    /**
     * Passes the servers that have none of the tags.
     *
     * @param tags at least one
     */
    record Not(List<String> tags) implements Filter {

        /**
         * Copies the tags.
         *
         * @param tags at least one
         */
        public Not {
            tags = List.copyOf(tags);
        }

        @Override
        public String toString() {
            return "not(" + String.join(", ", tags) + ")";
        }
    }

    /**
     * Passes the whole set if it is large enough, else nothing.
     *
     * @param servers the least number of servers, from 1
     */
    record Min(int servers) implements Filter {
        @Override
        public String toString() {
            return "min(" + servers + ")";
        }
    }

    /**
     * Passes the servers that are at most so far behind the primary.
     *
     * @param lag whole milliseconds, positive
     */
    record MaxLag(Duration lag) implements Filter {
        @Override
        public String toString() {
            boolean wholeSeconds = lag.toMillis() % 1_000 == 0;
            return "maxlag(" + (wholeSeconds ? lag.toSeconds() + "s" : lag.toMillis() + "ms") + ")";
        }
    }

    /** Passes every server. It only opens a rule, where it says nothing but that. */
    record All() implements Filter {
        @Override
        public String toString() {
            return "all()";
        }
    }

    /** Passes nobody, and ends the policy with that. It is alone in the last rule. */
    record Halt() implements Filter {
        @Override
        public String toString() {
            return "halt()";
        }
    }
}
