package io.github.r2dbcrouting.webflux.actuator;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.util.MimeType;
import org.springframework.util.MimeTypeUtils;

/** Which files is the page made of? Read once, when it is made: no request waits for a disk. Immutable. */
final class DashboardPage {

    static final String INDEX = "dashboard.html";

    /** Where the files are, as resources. */
    static final String FOLDER = "io/github/r2dbcrouting/webflux/actuator/";

    private static final Map<String, String> TYPES = Map.of(
            INDEX,
            "text/html;charset=UTF-8",
            "dashboard.css",
            "text/css;charset=UTF-8",
            "dashboard.js",
            "text/javascript;charset=UTF-8",
            "charts.js",
            "text/javascript;charset=UTF-8",
            "icon.svg",
            "image/svg+xml;charset=UTF-8");

    private final Map<String, File> files = new LinkedHashMap<>();

    /** A file, and what it is. */
    static final class File {

        private final MimeType type;
        private final byte[] content;

        File(MimeType type, byte[] content) {
            this.type = type;
            this.content = content;
        }

        MimeType type() {
            return type;
        }

        /** Not to be changed: it is sent as it is. */
        byte[] content() {
            return content;
        }
    }

    DashboardPage() {
        TYPES.forEach((name, type) -> files.put(name, new File(MimeTypeUtils.parseMimeType(type), read(name))));
    }

    private static byte[] read(String name) {
        try (InputStream resource = DashboardPage.class.getClassLoader().getResourceAsStream(FOLDER + name)) {
            if (resource == null) {
                throw new IllegalStateException("the page's file " + name + " is missing");
            }
            return resource.readAllBytes();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    @Nullable
    File file(String name) {
        return files.get(name);
    }
}
