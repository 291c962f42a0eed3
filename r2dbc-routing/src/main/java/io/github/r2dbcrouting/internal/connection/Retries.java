package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.internal.routing.RetryBudget;

/**
 * How often may a read be tried again, one by one and all together?
 *
 * @param perRead how often each one, at least 0
 * @param budget what all of them share
 */
public record Retries(int perRead, RetryBudget budget) {

    /** A read is tried for the first time. */
    void readBegins() {
        budget.read();
    }

    /** Takes one more for a read that has had so many, if there is one. */
    boolean take(int before) {
        return before < perRead && budget.take();
    }
}
