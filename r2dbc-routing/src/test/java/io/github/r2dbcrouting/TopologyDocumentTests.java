package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class TopologyDocumentTests {

    @Test
    void showsTheScriptThatIsInTheLibrary() throws IOException {
        String page = Files.readString(Path.of("..", "docs", "topology.md"));

        assertThat(page).contains("```sql\n" + StoredTopologyIT.script() + "```");
    }
}
