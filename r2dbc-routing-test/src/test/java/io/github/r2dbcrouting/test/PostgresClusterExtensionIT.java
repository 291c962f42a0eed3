package io.github.r2dbcrouting.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Events;
import org.slf4j.LoggerFactory;

class PostgresClusterExtensionIT {

    private static final String IDENTITY = "SELECT system_identifier FROM pg_control_system()";

    private static final List<PostgresCluster> SEEN = new ArrayList<>();

    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(PostgresClusterExtension.class);

    @BeforeEach
    void listen() {
        SEEN.clear();
        logged.start();
        logger.addAppender(logged);
        logger.setAdditive(false);
    }

    @AfterEach
    void stopListening() {
        logger.setAdditive(true);
        logger.detachAppender(logged);
    }

    @Test
    void classesOfOneKindShareAClusterThatEndsWithTheRun() {
        Events tests = run(FirstCase.class, SecondCase.class, OtherCase.class);

        tests.assertStatistics(statistics -> statistics.succeeded(4).failed(0));
        assertThat(SEEN).hasSize(4);
        assertThat(SEEN.stream().distinct()).hasSize(2);
        assertThat(SEEN)
                .allSatisfy(cluster -> assertThat(cluster.primary().isRunning()).isFalse());
    }

    @Test
    void aClassBeginsWithTheClusterThatItsTestsWillSee() {
        Events tests =
                run(PromotingCase.class, OnceConstructedCase.class, PromotingAgainCase.class, BeforeAllCase.class);

        tests.assertStatistics(statistics -> statistics.succeeded(4).failed(0));
    }

    @Test
    void aFailureIsReportedWithAPictureOfTheServersAndNoPassword() {
        run(FailingCase.class).assertStatistics(statistics -> statistics.failed(1));

        assertThat(logged.list)
                .singleElement()
                .satisfies(event -> assertThat(event.getFormattedMessage())
                        .contains("fails", "server 0 (PRIMARY", "server 1 (REPLICA", "not running", "timeline 1")
                        .doesNotContain(Credentials.DEFAULT.password()));
    }

    @Test
    void aSuccessIsNotReported() {
        run(FirstCase.class).assertStatistics(statistics -> statistics.failed(0));

        assertThat(logged.list).isEmpty();
    }

    @Test
    void aConnectionLeftOpenFailsTheTestThatAskedForACheck() {
        run(LeakingCase.class).assertStatistics(statistics -> statistics.failed(1));
    }

    @Test
    void aSettingWithoutAValueIsRefused() {
        execute(MisconfiguredCase.class).containerEvents().assertStatistics(statistics -> statistics.failed(1));
    }

    private static Events run(Class<?>... cases) {
        return execute(cases).testEvents();
    }

    private static EngineExecutionResults execute(Class<?>... cases) {
        EngineTestKit.Builder kit = EngineTestKit.engine("junit-jupiter");
        for (Class<?> testClass : cases) {
            kit.selectors(selectClass(testClass));
        }
        return kit.execute();
    }

    @PostgresClusterTest(settings = "work_mem=6MB")
    static class FirstCase {

        @Test
        void createsWhatMustNotReachTheNext(PostgresCluster cluster) {
            SEEN.add(cluster);
            assertThat(cluster.primary().query("SHOW work_mem")).isEqualTo("6MB");
            cluster.primary().execute("CREATE TABLE t (id int)");
        }

        @Nested
        class Inner {

            @Test
            void createsItAgain(PostgresCluster cluster) {
                SEEN.add(cluster);
                cluster.primary().execute("CREATE TABLE t (id int)");
            }
        }
    }

    @PostgresClusterTest(settings = "work_mem=6MB")
    static class SecondCase {

        private final PostgresCluster cluster;

        SecondCase(PostgresCluster cluster) {
            this.cluster = cluster;
        }

        @Test
        void createsItOnceMore() {
            SEEN.add(cluster);
            cluster.primary().execute("CREATE TABLE t (id int)");
        }
    }

    @PostgresClusterTest(settings = "work_mem=7MB")
    static class OtherCase {

        @Test
        void hasAClusterOfItsOwn(PostgresCluster cluster) {
            SEEN.add(cluster);
        }
    }

    /** Leaves behind what only a new start can undo. */
    @PostgresClusterTest(replicas = 1, settings = "work_mem=8MB")
    static class PromotingCase {

        @Test
        void promotes(PostgresCluster cluster) {
            cluster.primary().stop();
            cluster.replica(0).promote();
        }
    }

    static class PromotingAgainCase extends PromotingCase {}

    @PostgresClusterTest(replicas = 1, settings = "work_mem=8MB")
    @TestInstance(Lifecycle.PER_CLASS)
    static class OnceConstructedCase {

        private final PostgresServer primary;
        private final String identity;

        OnceConstructedCase(PostgresCluster cluster) {
            primary = cluster.primary();
            identity = primary.query(IDENTITY);
        }

        @Test
        void isNotGivenWhatIsAboutToGo(PostgresCluster cluster) {
            assertThat(cluster.primary()).isSameAs(primary);
            assertThat(primary.query(IDENTITY)).isEqualTo(identity);
        }
    }

    @PostgresClusterTest(replicas = 1, settings = "work_mem=8MB")
    static class BeforeAllCase {

        private static String identity = "";

        @BeforeAll
        static void look(PostgresCluster cluster) {
            identity = cluster.primary().query(IDENTITY);
        }

        @Test
        void isNotGivenWhatIsAboutToGo(PostgresCluster cluster) {
            assertThat(cluster.primary().query(IDENTITY)).isEqualTo(identity);
        }
    }

    @PostgresClusterTest(replicas = 1)
    static class FailingCase {

        @Test
        void fails(PostgresCluster cluster) {
            cluster.replica(0).kill();
            throw new AssertionError("as it should");
        }
    }

    @PostgresClusterTest
    static class LeakingCase {

        @Test
        void leaksAConnection(PostgresCluster cluster, LeakCheck check) {
            check.waitAtMost(Client.SOON);
            Client leaked = Client.of(cluster.primary());
            assertThat(leaked.query("SELECT 1")).isEqualTo("1");
        }
    }

    @PostgresClusterTest(settings = "work_mem")
    static class MisconfiguredCase {

        @Test
        void neverRuns(PostgresCluster cluster) {
            throw new AssertionError("with " + cluster);
        }
    }
}
