package io.github.r2dbcrouting.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Does each example of the documentation do what it says there? */
class PolicyExamplesTests {

    private static final List<String> PAGE = page();

    /**
     * A row below an example.
     *
     * @param fresh who is fresh enough, each perhaps with how far it is behind
     */
    record Example(String title, String policy, boolean primaryReads, String fresh, String serves) {
        @Override
        public String toString() {
            return title + ": " + fresh + " -> " + serves;
        }
    }

    static Stream<Example> examples() {
        List<Example> examples = new ArrayList<>();
        String title = "";
        String policy = "";
        boolean primaryReads = false;
        for (int i = 0; i < PAGE.size(); i++) {
            String line = PAGE.get(i);
            if (line.startsWith("### ")) {
                title = line.substring(4);
            } else if (line.startsWith("```policy")) {
                primaryReads = line.endsWith("primaryReads");
                int end = i + 1 + PAGE.subList(i + 1, PAGE.size()).indexOf("```");
                policy = String.join("\n", PAGE.subList(i + 1, end));
            } else if (line.equals("| fresh enough | who serves |")) {
                for (i += 2; i < PAGE.size() && PAGE.get(i).startsWith("|"); i++) {
                    String[] cells = PAGE.get(i).split("\\|", -1);
                    examples.add(new Example(title, policy, primaryReads, cells[1].trim(), cells[2].trim()));
                }
            }
        }
        return examples.stream();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void servesWhomThePageSays(Example example) {
        List<List<String>> tags = tags();
        Map<Integer, Long> lags = new HashMap<>();
        BitSet fresh = new BitSet();
        for (String server : words(example.fresh)) {
            String[] behind = server.split("\\+", -1);
            int index = behind[0].charAt(2) - '0';
            fresh.set(index);
            if (behind.length > 1) {
                lags.put(
                        index,
                        Duration.ofMillis(Long.parseLong(behind[1].replace("ms", "")))
                                .toNanos());
            }
        }
        assertThat(fresh.get(0)).as("the primary is among them").isEqualTo(example.primaryReads);

        BitSet served = new PolicyOverServers(Policy.parse(example.policy), tags)
                .select(fresh, server -> lags.getOrDefault(server, 0L));

        String names = String.join(
                " ", served.stream().mapToObj(server -> "db" + server).toList());
        assertThat(names.isEmpty() ? "nobody" : names).isEqualTo(example.serves);
    }

    @Test
    void coversWhatIsPromised() {
        assertThat(examples().map(Example::title).distinct()).hasSizeGreaterThanOrEqualTo(8);
        assertThat(examples()).hasSizeGreaterThanOrEqualTo(20);
        assertThat(PAGE.stream().filter(line -> line.startsWith("```policy")).count())
                .as("each example has a table below it")
                .isEqualTo(PAGE.stream()
                        .filter(line -> line.equals("| fresh enough | who serves |"))
                        .count());
    }

    /** The tags of the servers that the page names, from its table. */
    private static List<List<String>> tags() {
        int head = PAGE.indexOf("| server | role | tags |");
        return PAGE.subList(head + 2, PAGE.size()).stream()
                .takeWhile(line -> line.startsWith("|"))
                .map(line -> Arrays.asList(line.split("\\|", -1)[3].trim().split(", ", -1)))
                .toList();
    }

    private static List<String> words(String text) {
        return text.isEmpty() ? List.of() : List.of(text.split(" ", -1));
    }

    private static List<String> page() {
        try {
            return Files.readAllLines(Path.of("..", "docs", "policies.md"));
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
