package io.github.r2dbcrouting.benchmarks.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.benchmarks.report.RouterSummary;
import io.github.r2dbcrouting.benchmarks.report.Summary;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class LoadIT {

    @TempDir
    private Path directory;

    @Test
    void aShortRunLeavesAReportInWhichOursIsNotStaleAndTheControlIs() throws Exception {
        int code = run("--routers", "round-robin,causal", "--lag", "delay=100,delay=100");

        Summary summary = Summary.read(directory.resolve("summary.json"));
        assertThat(summary.routers())
                .extracting(RouterSummary::router)
                .containsExactly("round-robin", "round-robin-again", "causal");
        assertThat(summary.routers()).allSatisfy(router -> {
            assertThat(router.readsTotal()).isPositive();
            assertThat(router.errors()).isZero();
        });
        assertThat(summary.routers().get(0).staleShare()).isGreaterThan(0.01);
        assertThat(summary.routers().get(2).staleReads()).isZero();
        // how many position queries so few writes cost says nothing, so the exit code is not of interest here
        assertThat(code).isBetween(0, 1);
        assertThat(directory.resolve("report.html")).isNotEmptyFile();
    }

    @Test
    void anOpenLoopCountsFromTheIntendedStart() throws Exception {
        int code = run("--routers", "round-robin,primary", "--rate", "200", "--workload", "read-90");

        assertThat(code).isZero();
        assertThat(Summary.read(directory.resolve("summary.json")).routers())
                .allSatisfy(router -> assertThat(router.readsTotal()).isBetween(50L, 400L));
    }

    @Test
    void wrongOptionsSayWhatIsExpected() {
        assertThat(run("--workload", "sleep")).isEqualTo(2);
        assertThat(run("--routers", "causal")).isEqualTo(2);
    }

    private int run(String... options) {
        CommandLine command = new CommandLine(new Load());
        String[] common = {
            "--warm-up",
            "0",
            "--duration",
            "2",
            "--slice",
            "200",
            "--concurrency",
            "4",
            "--users",
            "20",
            "--keys",
            "500",
            "--no-fsync",
            "--out",
            directory.toString()
        };
        return command.execute(
                java.util.stream.Stream.concat(java.util.Arrays.stream(common), java.util.Arrays.stream(options))
                        .toArray(String[]::new));
    }
}
