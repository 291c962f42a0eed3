package io.github.r2dbcrouting.webflux.actuator;

import java.nio.charset.StandardCharsets;
import tools.jackson.databind.json.JsonMapper;

/**
 * How is what the endpoint tells written down? By a mapper of its own, so that its answers look the same whatever the
 * application has set for its own JSON: names in another style would leave the page empty.
 */
final class Json {

    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private Json() {}

    static String text(Object told) {
        return MAPPER.writeValueAsString(told);
    }

    static byte[] bytes(Object told) {
        return text(told).getBytes(StandardCharsets.UTF_8);
    }
}
