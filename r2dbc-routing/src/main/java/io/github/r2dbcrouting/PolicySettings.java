package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.routing.Policies;
import io.github.r2dbcrouting.policy.Filter;
import io.github.r2dbcrouting.policy.Policy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which policies does a factory begin with? Not thread-safe. */
final class PolicySettings {

    private final Map<String, Policy> defined = new LinkedHashMap<>();
    private @Nullable Policy preference;

    void define(String name, String text) {
        Names.check(name, "a policy's name", "_");
        defined.put(name, Policy.parse(text));
    }

    /** By tags, the best first; by none for no preference. It gives way to a default policy that is defined. */
    void prefer(String... tags) {
        List<Policy.Rule> rules = new ArrayList<>();
        for (String tag : tags) {
            Names.check(tag, "a tag", "_-");
            rules.add(new Policy.Rule(List.of(new Filter.Tags(List.of(tag)))));
        }
        rules.add(new Policy.Rule(List.of(new Filter.All())));
        preference = tags.length == 0 ? null : new Policy(rules);
    }

    Policies all() {
        Policies all = new Policies(defined);
        return preference == null || defined.containsKey(Policies.DEFAULT)
                ? all
                : all.with(Policies.DEFAULT, preference);
    }
}
