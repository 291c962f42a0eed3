package io.github.r2dbcrouting.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.util.NetUtil;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FaultProxyTests {

    private static final int PATIENCE_MILLIS = 200;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final ServerSocket server = newServer();
    private final FaultProxy proxy =
            FaultProxy.to(() -> new InetSocketAddress(server.getInetAddress(), server.getLocalPort()));

    private static ServerSocket newServer() {
        try {
            return new ServerSocket(0, 10, NetUtil.LOCALHOST4);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sends back whatever comes, until the client has finished. */
    @BeforeEach
    void echo() {
        threads.execute(() -> {
            while (!server.isClosed()) {
                try {
                    Socket accepted = server.accept();
                    threads.execute(() -> {
                        try (accepted) {
                            accepted.getInputStream().transferTo(accepted.getOutputStream());
                        } catch (IOException e) {
                            // the test has cut it
                        }
                    });
                } catch (IOException e) {
                    // closed
                }
            }
        });
    }

    @AfterEach
    void close() throws IOException {
        proxy.close();
        server.close();
        threads.shutdownNow();
    }

    @Test
    void manyBytesArriveWholeAndInOrderEvenDelayed() throws IOException {
        byte[] sent = new byte[8 << 20];
        new Random(7).nextBytes(sent);
        proxy.latency(Duration.ofMillis(2));
        try (Socket client = connect()) {
            CompletableFuture<Void> sending = CompletableFuture.runAsync(
                    () -> {
                        try {
                            client.getOutputStream().write(sent);
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    },
                    threads);

            byte[] received = client.getInputStream().readNBytes(sent.length);

            assertThat(Arrays.equals(received, sent)).isTrue();
            assertThat(sending).succeedsWithin(Duration.ofSeconds(5));
        }
    }

    @Test
    void whatIsSentWhileIsolatedArrivesAfterReconnecting() throws IOException {
        try (Socket open = connect()) {
            assertThat(echoed(open, 1)).isEqualTo(1);

            proxy.isolate();
            open.getOutputStream().write(2);
            assertThatThrownBy(() -> open.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
            try (Socket fresh = connect()) {
                fresh.getOutputStream().write(3);
                assertThatThrownBy(() -> fresh.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);

                proxy.reconnect();
                assertThat(open.getInputStream().read()).isEqualTo(2);
                assertThat(fresh.getInputStream().read()).isEqualTo(3);
            }
        }
    }

    @Test
    void theEndOfAConnectionIsHeldToo() throws IOException {
        try (Socket client = connect()) {
            assertThat(echoed(client, 1)).isEqualTo(1);
            proxy.isolate();
        }
        assertThat(proxy.connections()).isEqualTo(1);

        proxy.reconnect();
        await().until(() -> proxy.connections() == 0);
    }

    @Test
    void aResetEndsOpenConnectionsOnly() throws IOException {
        try (Socket open = connect()) {
            assertThat(echoed(open, 1)).isEqualTo(1);

            proxy.resetConnections();

            assertThatThrownBy(() -> open.getInputStream().read()).isInstanceOf(SocketException.class);
            try (Socket fresh = connect()) {
                assertThat(echoed(fresh, 2)).isEqualTo(2);
            }
        }
    }

    @Test
    void whileRefusingNobodyGetsThrough() throws IOException {
        try (Socket open = connect()) {
            assertThat(echoed(open, 1)).isEqualTo(1);

            proxy.refuse();

            assertThatThrownBy(() -> echoed(open, 2)).isInstanceOf(SocketException.class);
            assertThatThrownBy(() -> {
                        try (Socket fresh = connect()) {
                            echoed(fresh, 3);
                        }
                    })
                    .isInstanceOf(SocketException.class);
        }
        proxy.reconnect();
        try (Socket fresh = connect()) {
            assertThat(echoed(fresh, 4)).isEqualTo(4);
        }
    }

    @Test
    void withoutATargetConnectionsAreReset() throws IOException {
        try (FaultProxy nowhere = FaultProxy.to(() -> null);
                Socket client = new Socket(NetUtil.LOCALHOST4, nowhere.port())) {
            assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(SocketException.class);
            assertThat(nowhere.connections()).isZero();
        }
    }

    @Test
    void connectionsThatEndAreForgotten() throws IOException {
        try (Socket client = connect()) {
            assertThat(echoed(client, 1)).isEqualTo(1);
            assertThat(proxy.connections()).isEqualTo(1);
        }
        await().until(() -> proxy.connections() == 0);
    }

    @Test
    void latencyIsNeverNegative() {
        assertThatThrownBy(() -> proxy.latency(Duration.ofMillis(-1))).isInstanceOf(IllegalArgumentException.class);
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(NetUtil.LOCALHOST4, proxy.port());
        socket.setSoTimeout(PATIENCE_MILLIS);
        return socket;
    }

    private static int echoed(Socket socket, int value) throws IOException {
        socket.setSoTimeout(5_000);
        socket.getOutputStream().write(value);
        int answer = socket.getInputStream().read();
        socket.setSoTimeout(PATIENCE_MILLIS);
        return answer;
    }
}
