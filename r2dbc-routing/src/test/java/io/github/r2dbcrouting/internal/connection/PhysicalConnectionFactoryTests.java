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
    private final OpenConnections opened = new OpenConnections();
    private final PhysicalConnectionFactory factory =
            new PhysicalConnectionFactory("db0", fixture.server, fixture.engine, fixture.monitor, opened);

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
    void closesAConnectionOnceHoweverManyWantItClosed() {
        Connection connection = Blocking.value(Mono.<Connection>from(factory.create()));

        Blocking.run(connection.close());
        Blocking.run(connection.close());
        Blocking.run(opened.closeUnless(lent -> false));

        assertThat(fixture.server.opened().get(0).closes()).isEqualTo(1);
    }

    @Test
    void handsNoConnectionOnOnceItsPoolHasEnded() {
        opened.end();

        StepVerifier.create(factory.create())
                .expectError(UnfitConnectionException.class)
                .verify(LIMIT);

        assertThat(fixture.server.opened().get(0).closes()).isEqualTo(1);
    }

    @Test
    void opensForTheNextPoolWhatThatOneAsksFor() {
        Mono<Connection> ofTheNext = Mono.defer(() -> {
            factory.opensInto(new OpenConnections());
            return Mono.<Connection>from(factory.create());
        });

        opened.end();

        assertThat(Blocking.value(ofTheNext)).isNotNull();
        assertThat(fixture.server.stillOpen()).isEqualTo(1);
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
