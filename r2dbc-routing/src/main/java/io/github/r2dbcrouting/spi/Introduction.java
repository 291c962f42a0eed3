package io.github.r2dbcrouting.spi;

/**
 * What did a connection say about itself and its server when it was opened?
 *
 * @param identity which server it leads to
 * @param observation the server's role and position at that moment
 * @param backend what the server calls this connection, for {@link Engine#backendGone}
 * @param durableCommits whether a commit on this connection is answered only after it is safe on the server's disk;
 *     {@code false} also where that is not known
 */
public record Introduction(ServerIdentity identity, Observation observation, String backend, boolean durableCommits) {}
