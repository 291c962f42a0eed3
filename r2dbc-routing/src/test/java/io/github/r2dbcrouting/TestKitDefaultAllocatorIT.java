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
 * all other tests set another one. Here none is set, and what fails through the router is what fails without it.
 */
class TestKitDefaultAllocatorIT {

    private static final String ALLOCATOR = "-Dio.netty.allocator.type=";
    private static final int TESTS = 34;

    @Test
    void failsThroughTheRouterWhereTheDriverFailsAlone(@TempDir Path folder) throws IOException, InterruptedException {
        Map<String, Map<String, String>> outcomes = outcomes(folder.resolve("output"));

        assertThat(outcomes).containsOnlyKeys("TestKitBareIT", "TestKitPrimaryIT", "TestKitSessionIT");
        assertThat(outcomes).allSatisfy((kit, tests) -> assertThat(tests).hasSize(TESTS));
        assertThat(failed(outcomes.get("TestKitPrimaryIT"))).isEqualTo(failed(outcomes.get("TestKitBareIT")));
        assertThat(failed(outcomes.get("TestKitSessionIT"))).isEqualTo(failed(outcomes.get("TestKitBareIT")));
    }

    private static Set<String> failed(Map<String, String> outcomes) {
        Set<String> failed = new TreeSet<>(outcomes.keySet());
        failed.removeIf(test -> outcomes.get(test).equals("SUCCESSFUL"));
        return failed;
    }

    private static Map<String, Map<String, String>> outcomes(Path output) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("-X") && !argument.startsWith(ALLOCATOR))
                .forEach(command::add);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), TestKitRun.class.getName()));
        Process run = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(run.waitFor(3, TimeUnit.MINUTES)).as("it ended").isTrue();
        } finally {
            run.destroyForcibly();
        }

        Map<String, Map<String, String>> outcomes = new TreeMap<>();
        for (String line : Files.readString(output, StandardCharsets.UTF_8).split("\n", -1)) {
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
