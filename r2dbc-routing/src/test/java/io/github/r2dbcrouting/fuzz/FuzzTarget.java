package io.github.r2dbcrouting.fuzz;

import io.github.r2dbcrouting.Fuzzing;
import io.github.r2dbcrouting.postgresql.StatementFuzzing;
import java.util.List;
import java.util.function.Consumer;

/** Which texts come from outside, what do good ones look like, and what must hold of any? */
@SuppressWarnings("ImmutableEnumChecker") // functions without state, and lists that cannot be changed
public enum FuzzTarget {
    POLICY(Fuzzing::readPolicy, Fuzzing.policies(), 4_096),
    TOKEN(Fuzzing::readToken, Fuzzing.tokens(), 512),
    SIGNED_TOKEN(Fuzzing::readSigned, Fuzzing.signed(), 512),
    STATEMENT(StatementFuzzing::readStatement, StatementFuzzing.statements(), Integer.MAX_VALUE),
    HISTORY_FILE(
            StatementFuzzing::readHistory,
            List.of("1\t0/3076018\tno recovery target specified\n", "# a remark\n\n 2 1A/FF before\r\n3\tF/0\n"),
            Integer.MAX_VALUE),
    OPTION(Fuzzing::readOption, Fuzzing.options(), Integer.MAX_VALUE),
    ROUTING_URL(Fuzzing::readRoutingUrl, Fuzzing.routingUrls(), Integer.MAX_VALUE),
    SERVER_URL(Fuzzing::readUrl, Fuzzing.urls(), Integer.MAX_VALUE);

    private final Consumer<String> check;
    private final List<String> seeds;
    private final int limit;

    FuzzTarget(Consumer<String> check, List<String> seeds, int limit) {
        this.check = check;
        this.seeds = seeds;
        this.limit = limit;
    }

    /** Reads a text. Fails if anything happens that is not documented. */
    public void check(String text) {
        check.accept(text);
    }

    /** Texts that are what is expected, to begin with. */
    public List<String> seeds() {
        return seeds;
    }

    /** Longer texts are refused before they are looked at. */
    public int limit() {
        return limit;
    }
}
