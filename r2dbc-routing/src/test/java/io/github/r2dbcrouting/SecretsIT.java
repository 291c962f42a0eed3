package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** No password in any log, message or description, whatever is wrong and however much is logged. */
@PostgresClusterTest(replicas = 1)
class SecretsIT {

    private static final String SECRET = "Tr0ub4dor-and-3";

    private final PostgresCluster cluster;
    private final Queue<String> said = new ConcurrentLinkedQueue<>();
    private final Logger root = (Logger) LoggerFactory.getLogger("io.github.r2dbcrouting");
    private final AppenderBase<ILoggingEvent> everything = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            IThrowableProxy thrown = event.getThrowableProxy();
            said.add(event.getFormattedMessage() + (thrown == null ? "" : ThrowableProxyUtil.asString(thrown)));
        }
    };

    SecretsIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void listen() {
        everything.start();
        root.addAppender(everything);
        root.setAdditive(false);
        root.setLevel(Level.TRACE);
    }

    @AfterEach
    void stopListening() {
        root.detachAppender(everything);
        root.setAdditive(true);
        root.setLevel(null);
    }

    @FailsWithout(Safeguard.REDACTION)
    @Test
    void staysOutOfWhatIsSaidOfAMalformedUrl(Safeguards safeguards) {
        String good = cluster.primary().r2dbcUrl().replace(cluster.password(), SECRET);
        List<String> malformed = List.of(
                good + "?policy=a|b",
                good.replace("//", "// "),
                good.replace(SECRET, SECRET + "%zz"),
                good.replace("r2dbc:", "jdbc:"),
                good.replace("@", "@["),
                good + ">",
                good.replace("postgresql", "postgresql~"),
                "r2dbc:" + SECRET);

        for (String url : malformed) {
            remember(() -> {
                var unused = RoutingConnectionFactory.builder()
                        .safeguards(safeguards)
                        .server("db0", url);
            });
        }

        assertThat(said).hasSize(malformed.size());
        assertThat(said).allSatisfy(text -> assertThat(text).contains("db0").doesNotContain(SECRET));
    }

    @Test
    void staysOutOfWhatIsSaidOfServersThatRefuseIt() {
        String wrong = cluster.primary().r2dbcUrl().replace(cluster.password(), SECRET);
        RoutingConnectionFactory factory = RoutingConnectionFactory.builder()
                .server("db0", wrong)
                .server("db1", cluster.replica(0).r2dbcUrl())
                .build();

        remember(() -> Blocking.run(factory.ready(Duration.ofMillis(500))));
        remember(() -> Blocking.run(Queries.update(factory, "CREATE TABLE note ()")));
        remember(() -> Blocking.value(Queries.rows(factory, "SELECT 1").contextWrite(Routing.read())));
        said.add(factory.toString());
        said.add(factory.table().toString());
        said.add(factory.table().servers().toString());
        said.add(factory.explain(Routing.read(), CausalSession.create()).toString());
        said.add(String.valueOf(factory.pool("db0")));
        said.add(Blocking.value(factory.create()).toString());
        Blocking.run(factory.close());

        assertThat(said).anySatisfy(text -> assertThat(text).contains("check user name and password"));
        assertThat(said).noneSatisfy(text -> assertThat(text).contains(SECRET));
        assertThat(said).noneSatisfy(text -> assertThat(text).contains(cluster.password()));
    }

    private void remember(Runnable failing) {
        try {
            failing.run();
        } catch (RuntimeException error) {
            StringWriter text = new StringWriter();
            error.printStackTrace(new PrintWriter(text));
            said.add(text.toString());
        }
    }
}
