package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.fake.FakeEngine;
import io.github.r2dbcrouting.fake.FakeEngine.Kind;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.clock.Surroundings;
import io.github.r2dbcrouting.internal.reactive.Serial;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryMetadata;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.R2dbcTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.test.scheduler.VirtualTimeScheduler;

class ServerSamplerTests {

    private static final Duration PACE = Duration.ofMillis(100);
    private static final Duration TIMEOUT = Duration.ofSeconds(1);

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final FakeEngine engine = new FakeEngine(time);
    private final FakeServer server = new FakeServer("db0", ServerRole.REPLICA);
    private final Listener audience = new Listener();
    private final ServerSampler sampler = sampler(server);

    @Test
    void introducesItselfAndThenObserves() {
        sampler.probeNow(false);

        assertThat(engine.count(server, Kind.INTRODUCE)).isEqualTo(1);
        assertThat(audience.samples).hasSize(1);
        assertThat(audience.samples.get(0).observation()).isEqualTo(server.observation());

        time.advanceTimeBy(Duration.ofMillis(121));

        assertThat(engine.count(server, Kind.INTRODUCE)).isEqualTo(1);
        assertThat(engine.count(server, Kind.OBSERVE)).isEqualTo(1);
        assertThat(server.opened()).hasSize(1);
    }

    @Test
    void probesAtItsPaceWithinAFifth() {
        sampler.probeNow(false);

        time.advanceTimeBy(Duration.ofSeconds(20));

        List<Long> gaps = gaps(engine.times(server, Kind.OBSERVE));
        assertThat(gaps).hasSizeBetween(180, 220);
        assertThat(gaps).allSatisfy(gap -> assertThat(gap).isBetween(millis(80), millis(120)));
        assertThat(gaps.stream().distinct().count()).isGreaterThan(100);
    }

    @Test
    void countsTheTimeOfAProbeTowardsItsPace() {
        engine.latency = Duration.ofMillis(50);
        sampler.probeNow(false);

        time.advanceTimeBy(Duration.ofSeconds(10));

        assertThat(gaps(engine.times(server, Kind.OBSERVE)))
                .allSatisfy(gap -> assertThat(gap).isBetween(millis(80), millis(120)));
    }

    @Test
    void sendsNoProbeWhileOneIsUnderWay() {
        engine.latency = Duration.ofMillis(300);
        sampler.probeNow(false);

        for (int i = 0; i < 100; i++) {
            sampler.probeNow(false);
            time.advanceTimeBy(Duration.ofMillis(1));
        }

        assertThat(engine.questions()).hasSize(1);
        time.advanceTimeBy(Duration.ofMillis(200));
        // all who asked meanwhile share the one that follows
        assertThat(engine.questions()).hasSize(2);
        time.advanceTimeBy(Duration.ofMillis(299));
        assertThat(engine.questions()).hasSize(2);
    }

    @Test
    void takesThePositionOfASampleForAtLeastAsNewAsTheMomentItWasSent() {
        engine.latency = Duration.ofMillis(10);
        sampler.probeNow(false);
        time.advanceTimeBy(Duration.ofMillis(11));

        sampler.probeNow(false);
        long sent = time.now(TimeUnit.NANOSECONDS);
        time.advanceTimeBy(Duration.ofMillis(10));

        Sample last = audience.samples.get(audience.samples.size() - 1);
        assertThat(last.sentAt()).isEqualTo(sent);
        assertThat(last.nudged()).isFalse();
        assertThat(last.openedAt()).isLessThan(sent);
    }

    @Test
    void tellsHowLongTheLatestAnsweredProbeTook() {
        engine.latency = Duration.ofMillis(10);
        assertThat(sampler.probeTime()).isNull();
        sampler.probeNow(false);
        assertThat(sampler.probeTime()).as("on its way").isNull();
        time.advanceTimeBy(Duration.ofMillis(10));
        assertThat(sampler.probeTime()).isEqualTo(Duration.ofMillis(10));

        engine.latency = Duration.ofMillis(30);
        sampler.probeNow(false);
        time.advanceTimeBy(Duration.ofMillis(29));
        assertThat(sampler.probeTime()).as("the one before").isEqualTo(Duration.ofMillis(10));
        time.advanceTimeBy(Duration.ofMillis(1));

        assertThat(sampler.probeTime()).isEqualTo(Duration.ofMillis(30));
    }

    @Test
    void knowsThatItsConnectionWasOpenOnlyOnceItWasIntroduced() {
        engine.latency = Duration.ofMillis(10);

        sampler.probeNow(false);
        time.advanceTimeBy(Duration.ofMillis(10));

        Sample first = audience.samples.get(0);
        assertThat(first.openedAt()).isGreaterThanOrEqualTo(first.sentAt() + millis(10));
    }

    @Test
    void nudgesBeforeItObservesWhenAskedTo() {
        sampler.probeNow(false);
        engine.forget();

        sampler.probeNow(true);

        assertThat(engine.questions()).extracting(FakeEngine.Question::kind).containsExactly(Kind.NUDGE);
        assertThat(audience.samples.get(1).nudged()).isTrue();
    }

    @Test
    void nudgesOnceOnly() {
        sampler.probeNow(false);
        sampler.probeNow(true);

        time.advanceTimeBy(Duration.ofSeconds(1));

        assertThat(engine.count(server, Kind.NUDGE)).isEqualTo(1);
        assertThat(audience.samples.get(2).nudged()).isFalse();
    }

    @Test
    void doesNotTakeItsIntroductionForNudged() {
        sampler.probeNow(true);

        assertThat(engine.questions())
                .extracting(FakeEngine.Question::kind)
                .containsExactly(Kind.INTRODUCE, Kind.NUDGE);
        assertThat(audience.samples).extracting(Sample::nudged).containsExactly(false, true);
    }

    @Test
    void hurriesWhenThePaceHasBecomeQuicker() {
        sampler.probeNow(false);
        engine.forget();

        audience.pace = Duration.ofMillis(2);
        sampler.hurry();
        time.advanceTimeBy(Duration.ofMillis(2));

        assertThat(engine.count(server, Kind.OBSERVE)).isEqualTo(1);
    }

    @Test
    void doesNotPutOffTheNextProbeWhenItHurries() {
        sampler.probeNow(false);
        engine.forget();
        time.advanceTimeBy(Duration.ofMillis(79));

        for (int i = 0; i < 41; i++) {
            sampler.hurry();
            time.advanceTimeBy(Duration.ofMillis(1));
        }

        assertThat(engine.count(server, Kind.OBSERVE)).isEqualTo(1);
    }

    @Test
    void replacesItsConnectionAfterAFailure() {
        sampler.probeNow(false);
        engine.failing = new IllegalStateException("expected");
        time.advanceTimeBy(Duration.ofMillis(121));

        assertThat(audience.failures).hasSize(1);
        assertThat(server.opened().get(0).closes()).isEqualTo(1);

        engine.failing = null;
        time.advanceTimeBy(Duration.ofMillis(20));

        assertThat(server.opened()).hasSize(2);
        assertThat(server.opened().get(1).closes()).isZero();
        assertThat(audience.samples).hasSize(2);
    }

    @Test
    void triesAgainEverMoreSlowlyButAtLeastOnceASecond() {
        server.refusing = new R2dbcNonTransientResourceException("refused");
        sampler.probeNow(false);

        time.advanceTimeBy(Duration.ofSeconds(10));

        List<Long> gaps = gaps(audience.failedAt);
        assertThat(gaps.subList(0, 7))
                .containsExactly(
                        millis(20), millis(40), millis(80), millis(160), millis(320), millis(640), millis(1_000));
        assertThat(gaps.subList(7, gaps.size())).containsOnly(millis(1_000));
    }

    @Test
    void beginsItsPausesAnewAfterAnAnswer() {
        server.refusing = new R2dbcNonTransientResourceException("refused");
        sampler.probeNow(false);
        time.advanceTimeBy(Duration.ofSeconds(10));
        server.refusing = null;
        time.advanceTimeBy(Duration.ofSeconds(2));
        assertThat(audience.samples).isNotEmpty();
        audience.failedAt.clear();

        server.refusing = new R2dbcNonTransientResourceException("refused");
        engine.failing = new IllegalStateException("expected");
        time.advanceTimeBy(Duration.ofMillis(200));

        assertThat(gaps(audience.failedAt).get(0)).isEqualTo(millis(20));
    }

    @Test
    void failsWhenNoConnectionComesInTime() {
        server.opening = Mono.never();
        sampler.probeNow(false);

        time.advanceTimeBy(TIMEOUT.minusNanos(1));
        assertThat(audience.failures).isEmpty();
        time.advanceTimeBy(Duration.ofNanos(1));

        assertThat(audience.failures).hasSize(1);
        assertThat(audience.failures.get(0)).isInstanceOf(R2dbcTimeoutException.class);
    }

    @Test
    void closesAConnectionThatIsNotIntroducedInTime() {
        engine.introducing = Mono.never();
        sampler.probeNow(false);

        time.advanceTimeBy(TIMEOUT);

        assertThat(audience.failures).hasSize(1);
        assertThat(audience.failures.get(0)).isInstanceOf(R2dbcTimeoutException.class);
        assertThat(server.opened()).hasSize(1);
        assertThat(server.stillOpen()).isZero();
    }

    @Test
    void failsWhenAnObservationIsNotAnsweredInTime() {
        sampler.probeNow(false);
        engine.latency = Duration.ofHours(1);
        sampler.probeNow(false);

        time.advanceTimeBy(TIMEOUT);

        assertThat(audience.failures).hasSize(1);
        assertThat(server.opened().get(0).closes()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void goesOnAfterAFactoryThatThrows(boolean atFirst) {
        boolean[] throwing = {atFirst};
        ConnectionFactory moody = new ConnectionFactory() {
            @Override
            public Publisher<? extends io.r2dbc.spi.Connection> create() {
                if (throwing[0]) {
                    throw new IllegalStateException("expected");
                }
                return server.create();
            }

            @Override
            public ConnectionFactoryMetadata getMetadata() {
                return server.getMetadata();
            }
        };
        ServerSampler asking = sampler(moody);

        asking.probeNow(false);
        assertThat(audience.failures).hasSize(atFirst ? 1 : 0);
        throwing[0] = false;
        time.advanceTimeBy(Duration.ofSeconds(1));

        assertThat(audience.samples).isNotEmpty();
    }

    @Test
    void sendsNothingAfterItIsClosed() {
        sampler.probeNow(false);
        engine.forget();

        sampler.close();
        sampler.probeNow(true);
        sampler.hurry();
        time.advanceTimeBy(Duration.ofSeconds(10));

        assertThat(engine.questions()).isEmpty();
        assertThat(server.opened().get(0).closes()).isEqualTo(1);
        assertThat(audience.failures).isEmpty();
    }

    @Test
    void closesAConnectionThatComesAfterItIsClosed() {
        Sinks.Empty<Void> open = Sinks.empty();
        server.opening = open.asMono();
        sampler.probeNow(false);

        sampler.close();
        open.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
        time.advanceTimeBy(Duration.ofSeconds(10));

        assertThat(server.stillOpen()).isZero();
        assertThat(engine.questions()).isEmpty();
    }

    @Test
    void closesAConnectionThatIsBeingIntroducedWhenItIsClosed() {
        engine.latency = Duration.ofMillis(10);
        sampler.probeNow(false);
        assertThat(server.stillOpen()).isEqualTo(1);

        sampler.close();
        time.advanceTimeBy(Duration.ofSeconds(10));

        assertThat(server.stillOpen()).isZero();
        assertThat(audience.samples).isEmpty();
        assertThat(audience.failures).isEmpty();
    }

    private ServerSampler sampler(ConnectionFactory factory) {
        return new ServerSampler(
                new MonitoredServer(0, "db0", List.of(), factory),
                engine,
                TIMEOUT,
                new Serial(),
                time,
                () -> time.now(TimeUnit.NANOSECONDS),
                Surroundings.CHANCE,
                audience);
    }

    private static List<Long> gaps(List<Long> times) {
        List<Long> gaps = new ArrayList<>();
        for (int i = 1; i < times.size(); i++) {
            gaps.add(times.get(i) - times.get(i - 1));
        }
        return gaps;
    }

    private static long millis(int millis) {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private final class Listener implements ServerSampler.Audience {

        final List<Sample> samples = new ArrayList<>();
        final List<Throwable> failures = new ArrayList<>();
        final List<Long> failedAt = new ArrayList<>();
        Duration pace = PACE;
        BranchMarks marks = BranchMarks.NONE;

        @Override
        public void answered(MonitoredServer asked, Sample sample) {
            samples.add(sample);
        }

        @Override
        public void failed(MonitoredServer asked, Throwable error) {
            failures.add(error);
            failedAt.add(time.now(TimeUnit.NANOSECONDS));
        }

        @Override
        public Duration pace(MonitoredServer asked) {
            return pace;
        }

        @Override
        public BranchMarks marks() {
            return marks;
        }
    }
}
