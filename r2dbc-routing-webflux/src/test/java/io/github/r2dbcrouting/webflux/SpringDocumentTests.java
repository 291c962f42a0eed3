package io.github.r2dbcrouting.webflux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Does the documentation promise what the servers are asked about? */
class SpringDocumentTests {

    private static final Path DOCUMENT = Path.of("..", "docs", "spring.md");

    @Test
    void holdsTheTableThatIsTestedOnRealServers() throws IOException {
        List<String> table = Scenario.table();

        List<String> documented = Files.readAllLines(DOCUMENT).stream()
                .dropWhile(line -> !line.equals(table.get(0)))
                .takeWhile(line -> line.startsWith("|"))
                .toList();

        assertThat(String.join("\n", documented))
                .as("the table in docs/spring.md")
                .isEqualTo(String.join("\n", table));
    }
}
