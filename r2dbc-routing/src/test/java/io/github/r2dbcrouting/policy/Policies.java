package io.github.r2dbcrouting.policy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Random policies, over few tags, so that they meet. */
final class Policies {

    static final List<String> TAGS = List.of("eu", "eu-west", "us", "reporting", "a", "b_1");

    private Policies() {}

    static Policy random(Random random) {
        List<Policy.Rule> rules = new ArrayList<>();
        for (int rule = random.nextInt(4); rule >= 0; rule--) {
            List<Filter> filters = new ArrayList<>();
            if (random.nextInt(5) == 0) {
                filters.add(new Filter.All());
            }
            for (int filter = random.nextInt(3); filter >= 0; filter--) {
                filters.add(filter(random));
            }
            rules.add(new Policy.Rule(filters));
        }
        if (random.nextInt(3) == 0) {
            rules.add(new Policy.Rule(List.of(new Filter.Halt())));
        }
        return new Policy(rules);
    }

    private static Filter filter(Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> new Filter.Min(1 + random.nextInt(4));
            case 1 -> new Filter.MaxLag(Duration.ofMillis(1 + random.nextInt(3_000)));
            case 2 -> new Filter.Not(tags(random));
            default -> new Filter.Tags(tags(random));
        };
    }

    private static List<String> tags(Random random) {
        List<String> tags = new ArrayList<>();
        for (int tag = random.nextInt(3); tag >= 0; tag--) {
            tags.add(TAGS.get(random.nextInt(TAGS.size())));
        }
        return tags;
    }
}
