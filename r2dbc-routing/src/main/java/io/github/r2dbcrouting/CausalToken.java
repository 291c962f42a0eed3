package io.github.r2dbcrouting;

import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Position;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What must a read not be behind?
 *
 * <p>Immutable. Holds positions of one or more clusters; a router uses those of its own and passes the others on. The
 * text form is opaque, has only characters that a header and a cookie may hold, and is at most {@value #MAX_LENGTH}
 * long. It is not authenticated: whoever can send one can make reads go to the primary.
 *
 * <p>A token may be {@link #isUnresolved() unresolved}: something was written whose position was not known in time. Reads
 * under a session that has observed such a token go to the primary until a router has found a position that covers it.
 *
 * @since 0.1.0
 */
public final class CausalToken {

    /** The length that no token's text exceeds. */
    public static final int MAX_LENGTH = 512;

    /** So many positions of the longest form fit {@link #MAX_LENGTH}. */
    private static final int MAX_POSITIONS = 8;

    /** So many marks of the longest form leave room for positions beside a signature. */
    private static final int MAX_UNRESOLVED = 4;

    private static final String VERSION = "1";
    private static final char SEPARATOR = '~';

    private final List<Position> positions;
    private final List<Unresolved> unresolved;

    private CausalToken(List<Position> positions, List<Unresolved> unresolved) {
        this.positions = fitting(positions, unresolved);
        this.unresolved = List.copyOf(unresolved);
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
        return new CausalToken(merge(List.of(), positions), List.of());
    }

    /**
     * Makes a token of positions, and of what has none yet.
     *
     * @param positions what reads must not be behind; may be empty
     * @param unresolved what reads must see besides
     * @return the token; where there is more than it may hold, the last positions are left out
     * @throws IllegalArgumentException if both are empty
     */
    public static CausalToken of(List<Position> positions, List<Unresolved> unresolved) {
        if (positions.isEmpty() && unresolved.isEmpty()) {
            throw new IllegalArgumentException("a token holds at least one position, or something unresolved");
        }
        return new CausalToken(merge(List.of(), positions), mergeUnresolved(List.of(), unresolved));
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
        List<Unresolved> unresolved = new ArrayList<>(0);
        int at = VERSION.length() + 1;
        while (at <= text.length()) {
            int end = text.indexOf(SEPARATOR, at);
            end = end < 0 ? text.length() : end;
            String part = text.substring(at, end);
            Unresolved mark = Unresolved.parse(part, WalPosition::parse);
            Position position = mark == null ? WalPosition.parse(part) : null;
            if (mark != null) {
                unresolved.add(mark);
            } else if (position != null) {
                positions.add(position);
            } else {
                throw new InvalidTokenException("no known position at offset " + at + " of the causal token");
            }
            if (positions.size() > MAX_POSITIONS || unresolved.size() > MAX_UNRESOLVED) {
                throw new InvalidTokenException("a causal token holds at most " + MAX_POSITIONS + " positions and "
                        + MAX_UNRESOLVED + " marks of something unresolved");
            }
            at = end + 1;
        }
        return of(positions, unresolved);
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
        return new CausalToken(merge(positions, other.positions), mergeUnresolved(unresolved, other.unresolved));
    }

    /**
     * Takes out what is in another token: for whoever keeps a token, and knows that what was found in it was gone on from
     * since.
     *
     * @param other another token
     * @return the positions and marks that are not in the other one; empty if there are none
     */
    public Optional<CausalToken> without(CausalToken other) {
        List<Position> places = new ArrayList<>(positions);
        places.removeAll(other.positions);
        List<Unresolved> marks = new ArrayList<>(unresolved);
        marks.removeAll(other.unresolved);
        return places.isEmpty() && marks.isEmpty() ? Optional.empty() : Optional.of(new CausalToken(places, marks));
    }

    /**
     * Returns the positions that a read must not be behind.
     *
     * @return at least one, unless the token is unresolved; none covers another; unmodifiable
     */
    public List<Position> positions() {
        return positions;
    }

    /**
     * Returns what reads must see though its position is not known.
     *
     * @return at most one mark for each cluster; unmodifiable
     */
    public List<Unresolved> unresolved() {
        return unresolved;
    }

    /**
     * Tells whether something was written, or seen, whose position was not known when the token was made.
     *
     * @return whether reads in some cluster have to see the primary first
     */
    public boolean isUnresolved() {
        return !unresolved.isEmpty();
    }

    /**
     * Returns the opaque text form, for a header, a cookie or a message.
     *
     * @return the text, at most {@value #MAX_LENGTH} of the characters {@code [A-Za-z0-9._~-]}
     */
    public String encode() {
        return Stream.concat(
                        unresolved.stream().map(Unresolved::text),
                        positions.stream().map(Position::text))
                .collect(Collectors.joining(String.valueOf(SEPARATOR), VERSION + SEPARATOR, ""));
    }

    /** Returns whether both hold the same, in whatever order it was merged. */
    @Override
    public boolean equals(Object other) {
        return other instanceof CausalToken that
                && Set.copyOf(positions).equals(Set.copyOf(that.positions))
                && Set.copyOf(unresolved).equals(Set.copyOf(that.unresolved));
    }

    @Override
    public int hashCode() {
        return 31 * Set.copyOf(positions).hashCode() + Set.copyOf(unresolved).hashCode();
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
        if (known.isEmpty() && added.size() == 1) {
            return List.copyOf(added);
        }
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

    private static List<Unresolved> mergeUnresolved(List<Unresolved> known, List<Unresolved> added) {
        if (added.isEmpty()) {
            return known;
        }
        Map<String, Unresolved> merged = new LinkedHashMap<>();
        known.forEach(mark -> merged.put(mark.cluster(), mark));
        added.forEach(mark -> merged.merge(mark.cluster(), mark, Unresolved::merge));
        return merged.values().stream().limit(MAX_UNRESOLVED).toList();
    }

    /** The marks take the place of the last positions: what they stand for is newer than those. */
    private static List<Position> fitting(List<Position> positions, List<Unresolved> unresolved) {
        if (unresolved.isEmpty()) {
            return positions;
        }
        int left = MAX_LENGTH - VERSION.length();
        for (Unresolved mark : unresolved) {
            left -= 1 + mark.text().length();
        }
        int kept = 0;
        while (kept < positions.size() && left > positions.get(kept).text().length()) {
            left -= 1 + positions.get(kept).text().length();
            kept++;
        }
        return List.copyOf(positions.subList(0, kept));
    }
}
