package io.github.r2dbcrouting.micrometer;

import io.micrometer.common.docs.KeyName;
import io.micrometer.observation.Observation;
import io.micrometer.observation.Observation.Context;
import io.micrometer.observation.ObservationConvention;
import io.micrometer.observation.docs.ObservationDocumentation;

/**
 * Which observations are there, and what does each say?
 *
 * @since 0.1.0
 */
public enum RoutingObservation implements ObservationDocumentation {
    /** A transaction, or a statement outside of one: from the question where it runs until it is over. */
    CONNECTION {
        @Override
        public String getName() {
            return DefaultRoutedConnectionConvention.NAME;
        }

        @Override
        public Class<? extends ObservationConvention<? extends Context>> getDefaultConvention() {
            return DefaultRoutedConnectionConvention.class;
        }

        @Override
        public KeyName[] getLowCardinalityKeyNames() {
            return Key.values();
        }

        @Override
        public Observation.Event[] getEvents() {
            return Event.values();
        }
    };

    /** What one is told apart by; each has few values. */
    public enum Key implements KeyName {
        /** Name of the server that was chosen last; {@code none} if there was none. */
        SERVER("server", "Name of the server; `none` if none was chosen"),
        /** Whether that is the primary. */
        ROLE("role", "`primary`, `replica`, or `unknown` if none was chosen"),
        /** A statement or a transaction. */
        SCOPE("scope", "`statement`, or a batch, outside of a transaction; `transaction`"),
        /** A read or a write. */
        INTENT("intent", "`read` or `write`, as it was decided by"),
        /** How fresh it had to be. */
        FRESHNESS("freshness", "`any`, `causal`, `at_most` or `latest`"),
        /** Why that server. */
        REASON("reason", "Why that server: a constant of `RouteDecision.Reason`"),
        /** Which policy chose among the replicas. */
        POLICY("policy", "Name of the policy that chose; `none` if none did"),
        /** How it ended. */
        END("end", "`completed`, `rolled_back`, `failed` or `cancelled`; `none` until it is over");

        private final String name;
        private final String description;

        Key(String name, String description) {
            this.name = "r2dbc.routing." + name;
            this.description = description;
        }

        @Override
        public String asString() {
            return name;
        }

        /**
         * Returns what its values are.
         *
         * @return the description, in Markdown
         */
        public String description() {
            return description;
        }
    }

    /** What may happen to one on its way. Most have no event. */
    public enum Event implements Observation.Event {
        /** It had waited for its server. */
        WAITED("waited", "It had waited for a replica, or for a place in the fallback budget"),
        /** It had to move on from the server that was chosen first. */
        MOVED("moved", "Another server than the one chosen before is tried");

        private final String name;
        private final String description;

        Event(String name, String description) {
            this.name = name;
            this.description = description;
        }

        @Override
        public String getName() {
            return name;
        }

        /**
         * Returns when it happens.
         *
         * @return the description
         */
        public String description() {
            return description;
        }
    }
}
