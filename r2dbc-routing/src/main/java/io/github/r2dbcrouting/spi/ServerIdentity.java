package io.github.r2dbcrouting.spi;

/**
 * Which running server answered?
 *
 * <p>Two connections with equal identities lead to the same server process. That says nothing about crashes of it which
 * the process itself survives: those end its connections, and are told apart by when a connection was opened.
 *
 * @param cluster the cluster that the server belongs to, equal on a primary and all its replicas
 * @param startedAt when the server process started, by the server's own clock and in its own text form; only compared
 *     for equality
 */
public record ServerIdentity(String cluster, String startedAt) {}
