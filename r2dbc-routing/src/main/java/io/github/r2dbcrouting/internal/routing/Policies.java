package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.UnknownPolicyException;
import io.github.r2dbcrouting.policy.Policy;
import io.github.r2dbcrouting.policy.PolicyOverServers;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which policy does a read choose by, over the servers that there are? Immutable. */
public final class Policies {

    /** The policy of whoever names none. */
    public static final String DEFAULT = "default";

    /** Nobody has defined one. */
    public static final Policies NONE = new Policies(Map.of(), List.of());

    private final Map<String, Applied> byName = new HashMap<>();
    private final @Nullable Applied usual;

    /**
     * A policy with the tags looked up.
     *
     * @param name its name
     * @param servers what it leaves of them
     * @param halts whether it ends with nobody, so that the primary does not stand in either
     * @param servable whether it leaves anybody if all servers are as fresh as can be
     */
    record Applied(String name, PolicyOverServers servers, boolean halts, boolean servable) {}

    /**
     * Looks the tags up.
     *
     * @param policies the policies by their names
     * @param tags the tags of each server, at its index
     */
    public Policies(Map<String, Policy> policies, List<? extends Collection<String>> tags) {
        BitSet all = new BitSet();
        all.set(0, tags.size());
        policies.forEach((name, policy) -> {
            PolicyOverServers servers = new PolicyOverServers(policy, tags);
            boolean servable = !servers.select(all, server -> 0).isEmpty();
            byName.put(name, new Applied(name, servers, policy.halts(), servable));
        });
        this.usual = byName.get(DEFAULT);
    }

    /**
     * Returns the policy that somebody asked for.
     *
     * @param name its name; {@code null} for the default one
     * @return the policy, or {@code null} if there is no default one
     * @throws UnknownPolicyException if there is none of that name
     */
    @Nullable
    Applied of(@Nullable String name) {
        if (name == null) {
            return usual;
        }
        Applied found = byName.get(name);
        if (found == null && !name.equals(DEFAULT)) {
            throw new UnknownPolicyException(name, byName.keySet());
        }
        return found;
    }

    /**
     * Makes sure that a policy is known.
     *
     * @param name its name; {@code null} for the default one
     * @throws UnknownPolicyException if there is none of that name
     */
    public void check(@Nullable String name) {
        var unused = of(name);
    }

    /**
     * Tells whether the servers that there are can serve under a policy at all.
     *
     * @param name its name; {@code null} for the default one
     * @return {@code false} if it halts however fresh they are
     */
    public boolean servable(@Nullable String name) {
        Applied policy = of(name);
        return policy == null || policy.servable;
    }
}
