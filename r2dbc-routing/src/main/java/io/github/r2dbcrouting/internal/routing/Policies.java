package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.UnknownPolicyException;
import io.github.r2dbcrouting.policy.Policy;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Which policies are there, and what does each say? Immutable: replacing one makes another set of them. */
public final class Policies {

    /** The policy of whoever names none. */
    public static final String DEFAULT = "default";

    /** Nobody has defined one. */
    public static final Policies NONE = new Policies(Map.of());

    private final Map<String, Policy> byName;

    /**
     * Takes the policies.
     *
     * @param byName the policies by their names
     */
    public Policies(Map<String, Policy> byName) {
        this.byName = new TreeMap<>(byName);
    }

    /**
     * Adds a policy, or replaces the one of the same name.
     *
     * @param name its name
     * @param policy what it says
     * @return these policies with that one
     */
    public Policies with(String name, Policy policy) {
        Map<String, Policy> changed = new TreeMap<>(byName);
        changed.put(name, policy);
        return new Policies(changed);
    }

    /**
     * Returns what each policy says.
     *
     * @return the policies by their names, sorted; a copy
     */
    public Map<String, Policy> byName() {
        return new TreeMap<>(byName);
    }

    /**
     * Makes sure that a policy is known.
     *
     * @param name its name; {@code null} for the default one, which need not exist
     * @throws UnknownPolicyException if there is none of that name
     */
    public void check(@Nullable String name) {
        if (name != null && !name.equals(DEFAULT) && !byName.containsKey(name)) {
            throw unknown(name);
        }
    }

    UnknownPolicyException unknown(String name) {
        return new UnknownPolicyException(name, byName.keySet());
    }
}
