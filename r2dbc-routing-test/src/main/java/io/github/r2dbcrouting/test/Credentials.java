package io.github.r2dbcrouting.test;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/** Who logs in, and where to? Prints no password. */
record Credentials(String user, String password, String database) {

    static final Credentials DEFAULT = new Credentials("app", "not-for-logs", "app");

    String r2dbcUrl(String host, int port) {
        return "r2dbc:postgresql://%s:%s@%s:%d/%s"
                .formatted(encoded(user), encoded(password), host, port, encoded(database));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    @Override
    public String toString() {
        return user + "/" + database;
    }
}
