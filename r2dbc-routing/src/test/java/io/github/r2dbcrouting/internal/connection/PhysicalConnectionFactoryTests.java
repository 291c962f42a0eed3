package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Blocking;
import io.r2dbc.spi.Connection;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

class PhysicalConnectionFactoryTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final Fixture fixture = new Fixture();
    private final PhysicalConnectionFactory factory =
            new PhysicalConnectionFactory(fixture.server, fixture.engine, fixture.monitor);

    @Test
    void hasTheConnectionIntroduceItself() {
        PhysicalConnection connection = (PhysicalConnection) Blocking.value(Mono.<Connection>from(factory.create()));

        assertThat(connection.introduction().identity()).isEqualTo(fixture.server.identity());
        assertThat(connection.floor()).isEqualTo(fixture.server.at());
        assertThat(connection.defunct()).isFalse();
        Blocking.run(connection.close());
        assertThat(connection.defunct()).isTrue();
    }

    @Test
    void closesAConnectionThatCannotIntroduceItself() {
        fixture.engine.introducing = Mono.error(new IllegalStateException("expected"));

        StepVerifier.create(factory.create())
                .expectError(IllegalStateException.class)
                .verify(LIMIT);

        assertThat(fixture.server.opened()).hasSize(1);
        assertThat(fixture.server.stillOpen()).isZero();
    }

    @Test
    void closesAConnectionThatNobodyWaitsForAnyLonger() {
        fixture.engine.introducing = Mono.never();

        Disposable waiting = Mono.from(factory.create()).subscribe();
        assertThat(fixture.server.stillOpen()).isEqualTo(1);
        waiting.dispose();

        assertThat(fixture.server.stillOpen()).isZero();
    }

    @Test
    void keepsAConnectionOpenWhoseBorrowerCancelsAfterIt() {
        // Flux.take cancels once it has what it wants
        Connection connection = Blocking.value(Flux.from(factory.create())
                .<Connection>cast(Connection.class)
                .take(1)
                .single());

        assertThat(connection).isNotNull();
        assertThat(fixture.server.stillOpen()).isEqualTo(1);
    }
}
