package io.github.r2dbcrouting;

import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Position;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What must a read not be behind?
 *
 * <p>Immutable. Holds positions of one or more clusters; a router uses those of its own and passes the others on. The
 * text form is opaque, has only characters that a header and a cookie may hold, and is at most {@value #MAX_LENGTH}
 * long. It is not authenticated: whoever can send one can make reads go to the primary.
 *
 * @since 0.1.0
 */
public final class CausalToken {

    /** The length that no token's text exceeds. */
    public static final int MAX_LENGTH = 512;

    /** So many positions of the longest form fit {@link #MAX_LENGTH}. */
    private static final int MAX_POSITIONS = 8;

    private static final String VERSION = "1";
    private static final char SEPARATOR = '~';

    private final List<Position> positions;

    private CausalToken(List<Position> positions) {
        this.positions = positions;
    }

    /**
     * Makes a token of positions.
     *
     * @param positions at least one
     * @return the token; where there are more than it may hold, the last ones are left out
     */
    public static CausalToken of(List<Position> positions) {
        if (positions.isEmpty()) {
            throw new IllegalArgumentException("a token holds at least one position");
        }
        return new CausalToken(merge(List.of(), positions));
    }

    /**
     * Reads the text form.
     *
     * @param text what {@link #encode()} returned
     * @return the token
     * @throws InvalidTokenException if the text is anything else; its message does not repeat the text
     */
    public static CausalToken parse(String text) throws InvalidTokenException {
        Objects.requireNonNull(text, "text");
        if (text.length() > MAX_LENGTH) {
            throw new InvalidTokenException(
                    "a causal token has at most " + MAX_LENGTH + " characters, this has " + text.length());
        }
        if (!text.startsWith(VERSION + SEPARATOR)) {
            throw new InvalidTokenException("a causal token begins with '" + VERSION + SEPARATOR + "'");
        }
        List<Position> positions = new ArrayList<>(2);
        int at = VERSION.length() + 1;
        while (at <= text.length()) {
            int end = text.indexOf(SEPARATOR, at);
            end = end < 0 ? text.length() : end;
            Position position = WalPosition.parse(text.substring(at, end));
            if (position == null) {
                throw new InvalidTokenException("no known position at offset " + at + " of the causal token");
            }
            if (positions.size() == MAX_POSITIONS) {
                throw new InvalidTokenException("a causal token holds at most " + MAX_POSITIONS + " positions");
            }
            positions.add(position);
            at = end + 1;
        }
        return of(positions);
    }

    /**
     * Reads the text form, if it is one.
     *
     * @param text any text
     * @return the token, or empty if the text is none
     */
    public static Optional<CausalToken> tryParse(String text) {
        try {
            return Optional.of(parse(text));
        } catch (InvalidTokenException invalid) {
            return Optional.empty();
        }
    }

    /**
     * Merges two tokens: a server that covers the result covers both. Where there are more positions than a token may
     * hold, those of the other token are left out.
     *
     * @param other another token
     * @return the merged token
     */
    public CausalToken merge(CausalToken other) {
        return new CausalToken(merge(positions, other.positions));
    }

    /**
     * Returns the positions that a read must not be behind.
     *
     * @return at least one; none covers another; unmodifiable
     */
    public List<Position> positions() {
        return positions;
    }

    /**
     * Returns the opaque text form, for a header, a cookie or a message.
     *
     * @return the text, at most {@value #MAX_LENGTH} of the characters {@code [A-Za-z0-9._~-]}
     */
    public String encode() {
        return positions.stream()
                .map(Position::text)
                .collect(Collectors.joining(String.valueOf(SEPARATOR), VERSION + SEPARATOR, ""));
    }

    /** Returns whether both hold the same positions, in whatever order they were merged. */
    @Override
    public boolean equals(Object other) {
        return other instanceof CausalToken that && Set.copyOf(positions).equals(Set.copyOf(that.positions));
    }

    @Override
    public int hashCode() {
        return Set.copyOf(positions).hashCode();
    }

    @Override
    public String toString() {
        return encode();
    }

    /**
     * Keeps of the positions those that no other covers: incomparable ones stay side by side. One that goes beyond
     * another takes its place, and where there are too many the last are left out: what was known is never lost to
     * what somebody else added.
     */
    private static List<Position> merge(List<Position> known, List<Position> added) {
        List<Position> merged = new ArrayList<>(known);
        for (Position position : added) {
            if (merged.stream().noneMatch(other -> other.covers(position))) {
                int place = 0;
                while (place < merged.size() && !position.covers(merged.get(place))) {
                    place++;
                }
                merged.add(place, position);
                merged.subList(place + 1, merged.size()).removeIf(position::covers);
            }
        }
        return List.copyOf(merged.size() > MAX_POSITIONS ? merged.subList(0, MAX_POSITIONS) : merged);
    }
}
