package io.github.r2dbcrouting.benchmarks.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CrewTests {

    private final Crew crew = new Crew(2, new Random(1));
    private final List<User> busy = new ArrayList<>();

    @Test
    void aUserDoesOneThingAtATime() {
        crew.give(busy::add);
        crew.give(busy::add);
        crew.give(busy::add);

        assertThat(busy).hasSize(2).doesNotHaveDuplicates();
    }

    @Test
    void whatWaitsIsDoneByTheNextUserWhoIsReady() {
        crew.give(busy::add);
        crew.give(busy::add);
        crew.give(busy::add);

        User first = busy.get(0);
        crew.done(first);

        assertThat(busy).hasSize(3);
        assertThat(busy.get(2)).isSameAs(first);
    }

    @Test
    void whoWasIdleForLongestGoesFirst() {
        crew.give(busy::add);
        User first = busy.get(0);
        crew.done(first);

        crew.give(busy::add);

        assertThat(busy.get(1)).isNotSameAs(first);
    }
}
