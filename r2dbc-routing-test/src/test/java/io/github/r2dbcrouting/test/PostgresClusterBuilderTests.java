package io.github.r2dbcrouting.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.r2dbc.spi.ConnectionFactoryOptions;
import org.junit.jupiter.api.Test;

class PostgresClusterBuilderTests {

    @Test
    void refusesWhatMakesNoSense() {
        PostgresClusterBuilder builder = PostgresCluster.builder();

        assertThatThrownBy(() -> builder.replicas(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.postgresVersion(13)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.setting("port = 1 #", "1")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void credentialsSurviveTheUrlAndStayOutOfTexts() {
        Credentials credentials = new Credentials("us er", "p@ss:w/rd%?#", "d b");

        String url = credentials.r2dbcUrl("127.0.0.1", 5432);
        ConnectionFactoryOptions options = ConnectionFactoryOptions.parse(url);

        assertThat(options.getValue(ConnectionFactoryOptions.USER)).isEqualTo("us er");
        assertThat(options.getValue(ConnectionFactoryOptions.PASSWORD)).hasToString("p@ss:w/rd%?#");
        assertThat(options.getValue(ConnectionFactoryOptions.DATABASE)).isEqualTo("d b");
        assertThat(credentials.toString()).doesNotContain("p@ss");
    }

    @Test
    void namesTheVersionsThatAreThereWhenAnotherIsAskedFor() {
        assertThatThrownBy(() -> PostgresCluster.builder().postgresVersion(99).start())
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("PostgreSQL 99 was asked for")
                .hasMessageContaining(Platform.artifact());
    }
}
