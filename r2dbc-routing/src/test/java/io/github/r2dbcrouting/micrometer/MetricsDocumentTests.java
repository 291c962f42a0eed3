package io.github.r2dbcrouting.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The page of the metrics holds the table that the enum yields: if not, the failure prints it for copying. */
class MetricsDocumentTests {

    @Test
    void listsEveryMeter() throws IOException {
        String table =
                Stream.of(RoutingMeter.values()).map(MetricsDocumentTests::row).collect(Collectors.joining("\n"));

        assertThat(Files.readString(Path.of("..", "docs", "metrics.md"))).contains(table);
    }

    @Test
    void listsWhatAnObservationSays() throws IOException {
        String keys = Stream.of(RoutingObservation.Key.values())
                .map(key -> "| `" + key.asString() + "` | " + key.description() + " |")
                .collect(Collectors.joining("\n"));
        String events = Stream.of(RoutingObservation.Event.values())
                .map(event -> "| `" + event.getName() + "` | " + event.description() + " |")
                .collect(Collectors.joining("\n"));

        assertThat(Files.readString(Path.of("..", "docs", "metrics.md")))
                .contains("`" + RoutingObservation.CONNECTION.getName() + "`")
                .contains(keys)
                .contains(events);
    }

    private static String row(RoutingMeter meter) {
        return Stream.of(
                        "`" + meter.meterName() + "`",
                        meter.kind().name().toLowerCase(Locale.ROOT),
                        meter.unit() == null ? meter.kind() == RoutingMeter.Kind.TIMER ? "seconds" : "" : meter.unit(),
                        meter.tags().stream().map(tag -> "`" + tag + "`").collect(Collectors.joining(", ")),
                        meter.description())
                .collect(Collectors.joining(" | ", "| ", " |"));
    }
}
