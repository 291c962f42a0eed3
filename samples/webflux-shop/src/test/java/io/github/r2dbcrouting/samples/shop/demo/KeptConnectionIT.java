package io.github.r2dbcrouting.samples.shop.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Does a connection that a browser keeps go on being answered, when a request came before the answer to the one before was
 * over? Reactor Netty 1.3.6 and 1.3.7 read nothing more from it then, and a page that waits stands still.
 */
@ExtendWith(SharedServers.class)
class KeptConnectionIT {

    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final DemoServers servers;

    KeptConnectionIT(DemoServers servers) {
        this.servers = servers;
    }

    @Test
    void aRequestAfterTwoThatCameAtOnceIsAnswered() throws IOException {
        try (RunningShop shop = RunningShop.start(servers, "--server.port=0");
                Socket connection = new Socket(
                        InetAddress.getLoopbackAddress(), URI.create(shop.url()).getPort())) {
            connection.setSoTimeout((int) LIMIT.toMillis());

            // the first has to ask a server, the second does not
            send(connection, get("/api/products") + get("/demo/load"));
            awaitAnswers(connection, 2);
            send(connection, get("/demo/load"));

            awaitAnswers(connection, 1);
        }
    }

    private static String get(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    }

    private static void send(Socket connection, String requests) throws IOException {
        connection.getOutputStream().write(requests.getBytes(StandardCharsets.US_ASCII));
    }

    /** Fails when nothing comes any more. */
    private static void awaitAnswers(Socket connection, int count) throws IOException {
        InputStream answers = connection.getInputStream();
        StringBuilder seen = new StringBuilder();
        byte[] some = new byte[4096];
        while (seen.toString().split("HTTP/1.1 200", -1).length <= count) {
            int read = answers.read(some);
            assertThat(read).as("bytes after: %s", seen).isPositive();
            seen.append(new String(some, 0, read, StandardCharsets.ISO_8859_1));
        }
    }
}
