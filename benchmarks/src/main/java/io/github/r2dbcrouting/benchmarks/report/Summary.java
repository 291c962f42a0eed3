package io.github.r2dbcrouting.benchmarks.report;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What did a run measure, for programs?
 *
 * @param schema the version of this form; a field may be added without a new one
 * @param machine where it was measured
 * @param settings with which options
 * @param baseline the router that ratios are against
 * @param routers one entry for each router under each workload
 * @param gates what had to hold
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Summary(
        int schema,
        Map<String, String> machine,
        Map<String, String> settings,
        String baseline,
        List<RouterSummary> routers,
        List<Gate> gates) {

    /** The present version. */
    public static final int SCHEMA = 1;

    private static final JsonMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    /**
     * One thing that had to hold.
     *
     * @param name what it is about
     * @param workload under which workload
     * @param expected what had to hold
     * @param measured what was measured
     * @param passed whether it held
     */
    public record Gate(String name, String workload, String expected, String measured, boolean passed) {}

    /**
     * Returns this as JSON.
     *
     * @return the text
     */
    public String toJson() {
        return JSON.writeValueAsString(this);
    }

    /**
     * Reads what {@link #toJson()} wrote.
     *
     * @param text the text
     * @return the summary
     */
    public static Summary parse(String text) {
        Summary read;
        try {
            read = JSON.readValue(text, Summary.class);
        } catch (JacksonException malformed) {
            throw new IllegalArgumentException(
                    "this is no summary of a load run: " + malformed.getMessage(), malformed);
        }
        if (read.schema != SCHEMA) {
            throw new IllegalArgumentException("expected a summary of schema " + SCHEMA + ", not " + read.schema);
        }
        return read;
    }

    /**
     * Reads a summary from a file.
     *
     * @param file the file
     * @return the summary
     * @throws IOException if it cannot be read
     */
    public static Summary read(Path file) throws IOException {
        return parse(Files.readString(file));
    }
}
