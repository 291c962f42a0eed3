package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.StatementText;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import reactor.util.context.ContextView;

/**
 * What does one statement or transaction ask for, all things said about it taken together?
 *
 * @param intent whether a replica may serve it
 * @param freshness how fresh it must be
 * @param session on whose behalf; {@code null} if nobody's
 */
public record Ask(
        Intent intent, Freshness freshness, @Nullable SessionState session) {

    /**
     * Puts together what a statement outside a transaction asks.
     *
     * <p>A text that writes is a write whatever is said of it: an entry covers a whole chain, and a chain that reads may
     * save something, too. Where the text does not tell, an entry that reads decides; under a session alone it is a
     * write. With neither, everything is one.
     *
     * @param context the Context of whoever subscribed to it
     * @param kind what its text says
     * @return what it asks
     */
    public static Ask ofStatement(ContextView context, StatementText.Kind kind) {
        Routing entry = Routing.of(context);
        boolean read = entry == null
                ? kind == StatementText.Kind.READ && context.hasKey(SessionState.class)
                : entry.intent() == Intent.READ && kind != StatementText.Kind.WRITE;
        return of(read, entry, context);
    }

    /**
     * Puts together what a transaction asks. Of what is said, the nearest to the primary wins.
     *
     * @param context the Context of whoever subscribed to its begin
     * @param readOnly whether it is declared read-only, and at an isolation level that a replica can keep
     * @return what it asks
     */
    public static Ask ofTransaction(ContextView context, boolean readOnly) {
        Routing entry = Routing.of(context);
        boolean spokenFor = entry == null ? context.hasKey(SessionState.class) : entry.intent() == Intent.READ;
        return of(readOnly && spokenFor, entry, context);
    }

    /**
     * Puts together what a session and an entry ask, with no subscription at hand.
     *
     * @param entry what is asked
     * @param session on whose behalf; {@code null} if nobody's
     * @return what they ask together
     */
    public static Ask of(Routing entry, @Nullable SessionState session) {
        return new Ask(entry.intent(), freshness(entry, session), session);
    }

    private static Ask of(boolean read, @Nullable Routing entry, ContextView context) {
        SessionState session = context.getOrDefault(SessionState.class, null);
        return new Ask(read ? Intent.READ : Intent.WRITE, freshness(entry, session), session);
    }

    private static Freshness freshness(@Nullable Routing entry, @Nullable SessionState session) {
        Freshness asked = entry == null ? null : entry.freshness();
        return asked != null ? asked : session == null ? Freshness.any() : Freshness.causal();
    }

    /**
     * Asks the same of the primary.
     *
     * @return what is asked, as something that only the primary may serve
     */
    public Ask onPrimary() {
        return new Ask(Intent.WRITE, freshness, session);
    }

    boolean causal() {
        return freshness.kind() == Freshness.Kind.CAUSAL && session != null;
    }

    /**
     * Returns the positions that whoever serves it must cover.
     *
     * @param cluster the cluster that is routed to
     * @return the session's positions in that cluster, if the read is causal
     */
    public List<Position> required(String cluster) {
        CausalToken token = causal() && session != null ? session.observed() : null;
        if (token == null) {
            return List.of();
        }
        List<Position> positions = token.positions();
        if (positions.size() == 1) {
            return positions.get(0).cluster().equals(cluster) ? positions : List.of();
        }
        List<Position> own = new ArrayList<>(positions.size());
        for (Position position : positions) {
            if (position.cluster().equals(cluster)) {
                own.add(position);
            }
        }
        return own;
    }

    @Override
    public String toString() {
        return intent == Intent.WRITE ? "a write" : "a read with freshness " + freshness;
    }
}
