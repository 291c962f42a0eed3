package io.github.r2dbcrouting.spi;

/**
 * By what is the history of one primary told from that of any other?
 *
 * <p>Two servers that are promoted apart number their branches alike and go on from the same place, so a position does not
 * say whose it is. A mark does: it is something in the history itself that nobody else's history has.
 *
 * @param at where the mark ends, on the branch that it was written to: a server that has not come so far cannot have it
 * @param signature what a server's history is searched for, as the engine that wrote it understands it
 */
public record HistoryMark(Position at, String signature) {}
