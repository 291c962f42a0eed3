package io.github.r2dbcrouting.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@DisabledOnOs(OS.WINDOWS)
class LeftoversIT {

    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path temporary;

    /** What a JVM of its own runs: a cluster, maybe with a frozen and a killed server, until it is killed itself. */
    static final class Victim {

        private Victim() {}

        public static void main(String[] arguments) throws IOException {
            boolean broken = arguments[0].equals("broken");
            PostgresCluster cluster =
                    PostgresCluster.builder().replicas(broken ? 2 : 0).start();
            if (broken) {
                cluster.replica(0).freeze();
                cluster.replica(1).kill();
            }
            String primary = cluster.primary().query("SELECT current_setting('data_directory')");
            System.out.println("DATA " + primary);
            System.out.flush();
            if (System.in.read() == 'x') {
                System.exit(0);
            }
        }
    }

    @Test
    void closingRemovesProcessesAndFolder() {
        Path folder;
        try (PostgresCluster cluster = PostgresCluster.builder().replicas(1).start()) {
            folder = run(cluster.primary().query("SELECT current_setting('data_directory')"));
            assertThat(folder).isDirectory();
            assertThat(processesIn(folder)).isNotEmpty();
            cluster.replica(0).freeze();
        }

        assertThat(folder).doesNotExist();
        assertThat(processesIn(folder)).isEmpty();
    }

    @Test
    void aKilledJvmTakesItsServersAlong() throws IOException {
        Process jvm = startVictim("broken");
        Path folder = runOf(jvm);
        assertThat(processesIn(folder)).isNotEmpty();

        jvm.destroyForcibly();

        await().atMost(SOON).untilAsserted(() -> {
            assertThat(processesIn(folder)).isEmpty();
            assertThat(folder).doesNotExist();
        });
    }

    @Test
    void aJvmThatEndsWithoutClosingTakesItsServersAlong() throws IOException {
        Process jvm = startVictim("broken");
        Path folder = runOf(jvm);

        jvm.outputWriter().append('x').flush();

        assertThat(jvm.onExit()).succeedsWithin(SOON);
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(processesIn(folder)).isEmpty();
            assertThat(folder).doesNotExist();
        });
    }

    @Test
    void theNextRunCleansUpWhereTheWatchdogDiedTooAndSparesTheLiving() throws IOException {
        Process living = startVictim("whole");
        Path livingFolder = runOf(living);
        Process dead = startVictim("broken");
        Path deadFolder = runOf(dead);
        List<ProcessHandle> watchdogs = dead.children()
                .filter(child -> child.info().command().orElse("").endsWith("sh"))
                .toList();
        assertThat(watchdogs).isNotEmpty();
        watchdogs.forEach(ProcessHandle::destroyForcibly);
        dead.destroyForcibly();
        assertThat(dead.onExit()).succeedsWithin(SOON);
        assertThat(processesIn(deadFolder)).isNotEmpty();

        Process next = startVictim("whole");
        runOf(next);

        assertThat(processesIn(deadFolder)).isEmpty();
        assertThat(deadFolder).doesNotExist();
        assertThat(processesIn(livingFolder)).isNotEmpty();
        living.destroyForcibly();
        next.destroyForcibly();
        await().atMost(SOON).untilAsserted(() -> assertThat(livingFolder).doesNotExist());
    }

    private Process startVictim(String state) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Djava.io.tmpdir=" + temporary,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Victim.class.getName(),
                        state)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static Path runOf(Process jvm) throws IOException {
        BufferedReader reader = jvm.inputReader(StandardCharsets.UTF_8);
        String line;
        while ((line = reader.readLine()) != null) {
            if (line.startsWith("DATA ")) {
                return run(line.substring("DATA ".length()));
            }
        }
        throw new AssertionError("The JVM started no cluster");
    }

    private static Path run(String dataDirectory) {
        return Path.of(dataDirectory).resolve("../..").normalize();
    }

    private static List<ProcessHandle> processesIn(Path folder) {
        return ProcessHandle.allProcesses()
                .filter(process -> process.info()
                                .commandLine()
                                .filter(line -> line.contains(folder + "/server"))
                                .isPresent()
                        || workingDirectory(process).startsWith(folder))
                .toList();
    }

    /** A server's children change their command lines, but where there is /proc this tells whose they are. */
    private static Path workingDirectory(ProcessHandle process) {
        try {
            return Files.readSymbolicLink(Path.of("/proc", Long.toString(process.pid()), "cwd"));
        } catch (IOException e) {
            return Path.of("");
        }
    }
}
