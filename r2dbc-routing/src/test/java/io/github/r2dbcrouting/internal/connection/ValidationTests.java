package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.r2dbc.spi.ValidationDepth;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** Who validates a connection, as a pool does around the factory, is not its session. */
class ValidationTests {

    private final FakeCluster cluster = new FakeCluster(1);
    private final RoutedConnection connection =
            new RoutedConnection(cluster.strictLender(), cluster.engine, null, false, null);
    private final SessionState session = new SessionState();

    @AfterEach
    void nothingIsLeft() {
        Blocking.run(connection.close());
        cluster.assertNothingIsLent();
    }

    @Test
    void leavesTheWordOfALossToTheSession() {
        cluster.start();
        session.tellLostWrites();
        session.begin("7", false, () -> {}).lost();

        Boolean valid = Blocking.value(Mono.from(connection.validate(ValidationDepth.REMOTE))
                .contextWrite(context -> context.put(SessionState.class, session)));

        assertThat(valid).isTrue();
        assertThat(session.takeLost()).isTrue();
    }
}
