package io.github.r2dbcrouting.simulation;

import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import java.util.ArrayList;
import java.util.List;

/**
 * What of a story is needed to break the rule?
 *
 * <p>Delta debugging: ever smaller parts are left out, as long as the same rule is broken without them. Since whatever is
 * left out changes when the rest happens, each candidate is played with several seeds.
 */
final class Shrinking {

    private static final int SEEDS = 12;

    /** Where one happening is left out, it is worth more of them: nothing comes after that. */
    private static final int SEEDS_FOR_ONE = 25;

    private final Safeguards safeguards;
    private final String rule;

    private Shrinking(Safeguards safeguards, String rule) {
        this.safeguards = safeguards;
        this.rule = rule;
    }

    /** Returns a story of as few happenings as can be found, in which the same rule is broken. */
    static Story shrink(Story story, Safeguards safeguards, Violation broken) {
        return new Shrinking(safeguards, broken.rule()).shrunk(story);
    }

    private Story shrunk(Story story) {
        Story smallest = story;
        int parts = 2;
        while (smallest.happenings().size() >= 2) {
            Story smaller = withoutOneOf(smallest, parts);
            if (smaller != null) {
                smallest = smaller;
                parts = Math.max(parts - 1, 2);
            } else if (parts < smallest.happenings().size()) {
                parts = Math.min(parts * 2, smallest.happenings().size());
            } else {
                break;
            }
        }
        return smallest;
    }

    private Story withoutOneOf(Story story, int parts) {
        List<Happening> all = story.happenings();
        int size = (all.size() + parts - 1) / parts;
        for (int from = 0; from < all.size(); from += size) {
            List<Happening> left = new ArrayList<>(all.subList(0, from));
            left.addAll(all.subList(Math.min(from + size, all.size()), all.size()));
            Story breaking =
                    breaking(new Story(story.seed(), story.settings(), left), size == 1 ? SEEDS_FOR_ONE : SEEDS);
            if (breaking != null) {
                return breaking;
            }
        }
        return null;
    }

    private Story breaking(Story story, int seeds) {
        for (int i = 0; i < seeds; i++) {
            Story played =
                    i == 0 ? story : new Story(Chance.mix(story.seed() + i), story.settings(), story.happenings());
            Violation broken =
                    Simulation.play(played, safeguards, Story.Teller.SILENT).broken();
            if (broken != null && broken.rule().equals(rule)) {
                return played;
            }
        }
        return null;
    }
}
