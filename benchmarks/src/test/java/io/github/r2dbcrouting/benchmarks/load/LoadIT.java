package io.github.r2dbcrouting.benchmarks.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

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
    void keysMayBeWrittenIntoStatements() throws Exception {
        int code = run("--routers", "round-robin,primary", "--workload", "select-1,read-90", "--literal");

        assertThat(code).isZero();
        Summary summary = Summary.read(directory.resolve("summary.json"));
        assertThat(summary.settings()).containsEntry("statements", "keys written into them");
        assertThat(summary.routers())
                .allSatisfy(router -> {
                    assertThat(router.errors()).isZero();
                    assertThat(router.readsTotal()).isPositive();
                })
                .filteredOn(router -> router.router().equals("primary"))
                .extracting(RouterSummary::workload, router -> router.writesTotal() > 0, RouterSummary::replicaShare)
                .containsExactly(tuple("select-1", false, 0.0), tuple("read-90", true, 0.0));
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
