package io.github.r2dbcrouting.policy;

import io.github.r2dbcrouting.PolicySyntaxException;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Which servers are preferred, and which come next when those cannot serve?
 *
 * <pre>
 * policy := rule (';' rule)* ';'?          the first rule that leaves any server is the result
 * rule   := filter ('-&gt;' filter)*          filters narrow the set, starting from all that are fresh enough
 * filter := tags(a, b, …) | not(a, b, …) | min(n) | maxlag(200ms) | all() | halt()
 * </pre>
 *
 * <p>Without {@code halt()} in its last rule a policy ends with all servers. Immutable; two policies are equal if they
 * say the same in the same order.
 *
 * @param rules at least one
 * @since 0.1.0
 */
public record Policy(List<Rule> rules) {

    /** A longer text is refused before it is read. */
    public static final int MAX_LENGTH = 4_096;

    /**
     * Copies the rules.
     *
     * @param rules at least one
     */
    public Policy {
        rules = List.copyOf(rules);
        if (rules.isEmpty()) {
            throw new IllegalArgumentException("a policy has at least one rule");
        }
    }

    /**
     * One alternative.
     *
     * @param filters at least one, applied in this order
     */
    public record Rule(List<Filter> filters) {

        /**
         * Copies the filters.
         *
         * @param filters at least one, applied in this order
         */
        public Rule {
            filters = List.copyOf(filters);
        }

        @Override
        public String toString() {
            return filters.stream().map(Filter::toString).collect(Collectors.joining("->"));
        }
    }

    /**
     * Reads a policy.
     *
     * @param text rules of the policy language
     * @return the policy
     * @throws PolicySyntaxException if the text is none; it says where, what is wrong and what was expected
     */
    public static Policy parse(String text) {
        return new PolicyParser(text).policy();
    }

    /**
     * Returns whether the policy ends with nobody if no rule leaves a server.
     *
     * @return whether its last rule is {@code halt()}; if not, it ends with all servers
     */
    public boolean halts() {
        return rules.get(rules.size() - 1).filters().get(0) instanceof Filter.Halt;
    }

    /** Returns the canonical text, which reads as an equal policy. */
    @Override
    public String toString() {
        return rules.stream().map(Rule::toString).collect(Collectors.joining("; "));
    }
}
