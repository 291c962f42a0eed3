package io.github.r2dbcrouting.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class SummaryTests {

    private final Summary summary =
            Runs.summary(Runs.router("round-robin", 300, null), Runs.router("causal", 0, 0.125));

    @Test
    void theNamesThatProgramsReadByAreStable() {
        JsonNode json = JsonMapper.shared().readTree(summary.toJson());

        assertThat(json.propertyNames())
                .containsExactly("schema", "machine", "settings", "baseline", "routers", "gates");
        JsonNode router = json.get("routers").get(1);
        assertThat(router.propertyNames())
                .containsExactly(
                        "workload",
                        "router",
                        "title",
                        "note",
                        "throughput_per_s",
                        "ratio",
                        "read_p50_us",
                        "read_p99_us",
                        "write_p50_us",
                        "write_p99_us",
                        "stale_reads",
                        "reads_total",
                        "writes_total",
                        "replica_share",
                        "fallbacks",
                        "errors",
                        "error_kinds",
                        "client_cpu_us_per_statement",
                        "position_queries_per_write",
                        "servers",
                        "reasons");
        assertThat(router.get("throughput_per_s").asDouble()).isEqualTo(1234.5);
        assertThat(router.get("stale_reads").asLong()).isZero();
        assertThat(router.get("position_queries_per_write").asDouble()).isEqualTo(0.125);
        assertThat(json.get("routers").get(0).get("position_queries_per_write").isNull())
                .isTrue();
    }

    @Test
    void everyNameIsDocumented() throws Exception {
        String page = Files.readString(Path.of("..", "docs", "performance.md"));
        JsonNode json = JsonMapper.shared().readTree(summary.toJson());

        assertThat(json.get("routers").get(0).propertyNames())
                .allSatisfy(name -> assertThat(page).contains("`" + name + "`"));
        assertThat(json.propertyNames()).allSatisfy(name -> assertThat(page).contains("`" + name + "`"));
    }

    @Test
    void whatIsWrittenIsReadBack() {
        assertThat(Summary.parse(summary.toJson())).isEqualTo(summary);
    }

    @Test
    void aFieldThatALaterVersionAddsIsIgnored() {
        String later = summary.toJson().replaceFirst("\\{", "{ \"weather\": \"fine\",");

        assertThat(Summary.parse(later)).isEqualTo(summary);
    }

    @Test
    void otherFilesAndOtherSchemasAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Summary.parse("no json"))
                .withMessageContaining("no summary");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Summary.parse(summary.toJson().replaceFirst("\"schema\" : 1", "\"schema\" : 2")))
                .withMessageContaining("schema 1, not 2");
    }
}
