package io.github.r2dbcrouting.spi;

import io.github.r2dbcrouting.ServerRole;
import org.jspecify.annotations.Nullable;

/**
 * What did one question to one server bring?
 *
 * @param role what the server was when it answered
 * @param position up to where a replica has replayed, or up to where a primary's history is safe on its disk;
 *     {@code null} where the server cannot say
 * @param branch numbers the branch of history that a primary writes to: of two primaries of one cluster, the one with
 *     the higher number was promoted later; meaningless for a replica
 * @param configuration changes whenever the server has read its configuration again; only compared for equality, and
 *     only with what the same connection said before
 */
public record Observation(ServerRole role, @Nullable Position position, long branch, String configuration) {}
