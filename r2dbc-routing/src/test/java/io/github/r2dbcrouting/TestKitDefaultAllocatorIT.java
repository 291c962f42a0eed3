package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The driver releases a buffer twice under Netty 4.2's own choice of allocator, which is what applications run with: so
 * all other tests set another one. Here none is set, and what works without the router works through it.
 *
 * <p>What fails without the router is left out otherwise: a buffer that was released twice may belong to another
 * connection by then, and anything can become of that one.
 */
class TestKitDefaultAllocatorIT {

    private static final int TESTS = 34;

    /** What the driver fails alone. */
    private static final String BROKEN = "blobSelect";

    @Test
    void worksThroughTheRouterWhereTheDriverWorksAlone(@TempDir Path folder) throws IOException, InterruptedException {
        Map<String, Map<String, String>> routed =
                outcomes(folder, "TestKitPrimaryIT", "TestKitSessionIT", "-" + BROKEN);

        assertThat(routed).containsOnlyKeys("TestKitPrimaryIT", "TestKitSessionIT");
        assertThat(routed).allSatisfy((kit, tests) -> {
            assertThat(tests).hasSize(TESTS - 1);
            assertThat(failed(tests)).isEmpty();
        });
    }

    /** When this fails the driver has been mended, and nothing needs to be left out, or set, any more. */
    @Test
    void nothingIsLeftOutThatTheDriverDoesAlone(@TempDir Path folder) throws IOException, InterruptedException {
        assertThat(failed(outcomes(folder, "TestKitBareIT", "+" + BROKEN).get("TestKitBareIT")))
                .containsExactly(BROKEN);
    }

    private static Set<String> failed(Map<String, String> outcomes) {
        Set<String> failed = new TreeSet<>(outcomes.keySet());
        failed.removeIf(test -> outcomes.get(test).equals("SUCCESSFUL"));
        return failed;
    }

    private static Map<String, Map<String, String>> outcomes(Path folder, String... arguments)
            throws IOException, InterruptedException {
        Path output = Files.createTempFile(folder, "output", "");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("-X"))
                .forEach(command::add);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), TestKitRun.class.getName()));
        command.addAll(List.of(arguments));
        Process run = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended;
        try {
            ended = run.waitFor(3, TimeUnit.MINUTES);
        } finally {
            run.destroyForcibly();
        }

        String printed = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(ended).as("it ended; it printed%n%s", printed).isTrue();
        Map<String, Map<String, String>> outcomes = new TreeMap<>();
        for (String line : printed.split("\n", -1)) {
            // the driver's complaints may share a line with it
            int at = line.indexOf(TestKitRun.PREFIX);
            if (at >= 0) {
                String[] words =
                        line.substring(at + TestKitRun.PREFIX.length()).trim().split(" ", -1);
                outcomes.computeIfAbsent(words[0], kit -> new TreeMap<>()).put(words[1], words[2]);
            }
        }
        return outcomes;
    }
}
