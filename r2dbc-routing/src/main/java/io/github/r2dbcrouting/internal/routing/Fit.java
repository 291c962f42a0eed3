package io.github.r2dbcrouting.internal.routing;

import java.util.function.IntBinaryOperator;

/**
 * Who of the eligible has not failed requests lately? Worked out once for a set and what is on record, and not for each
 * decision: looking at each server takes longer the more there are.
 *
 * @param outliers who has
 * @param admitted who is not ejected
 * @param steady who does not start slowly either
 * @param leastBad the replica to take where no steady one is left; {@link Members#NOBODY} where one is, or where there is
 *     no replica
 */
record Fit(Outliers outliers, EligibleSet admitted, EligibleSet steady, int leastBad) {

    /**
     * Divides a set.
     *
     * @param eligible the set
     * @param outliers who has failed
     * @param lessBad of two who are ejected, or start slowly, the one to be preferred
     */
    static Fit of(EligibleSet eligible, Outliers outliers, IntBinaryOperator lessBad) {
        EligibleSet admitted = eligible.only(server -> !outliers.ejected(server));
        EligibleSet steady = admitted.only(server -> !outliers.starting(server));
        int leastBad = Members.NOBODY;
        for (int i = 0; i < eligible.size() && !steady.anyReplica(); i++) {
            int server = eligible.server(i);
            if (!eligible.isPrimary(server)) {
                leastBad = leastBad == Members.NOBODY ? server : lessBad.applyAsInt(leastBad, server);
            }
        }
        return new Fit(outliers, admitted, steady, leastBad);
    }
}
