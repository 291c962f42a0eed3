package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.R2dbcPermissionDeniedException;
import io.r2dbc.spi.R2dbcTimeoutException;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

class ProblemsTests {

    @Test
    void tellsOfARefusedLogin() {
        assertThat(Problems.describe(new R2dbcPermissionDeniedException("password authentication failed", "28P01")))
                .contains("refused the login", "password authentication failed", "check user name");
    }

    @Test
    void tellsWhatToCheckWhereAServerCannotBeTrusted() {
        Throwable foreign =
                new IllegalStateException(new SSLHandshakeException("unable to find valid certification path"));
        Throwable renamed = new R2dbcPermissionDeniedException("The hostname '/10.0.0.1' could not be verified.");

        assertThat(Problems.describe(foreign))
                .startsWith("cannot be trusted (unable to find valid certification path): check its certificate");
        assertThat(Problems.describe(renamed)).startsWith("cannot be trusted (The hostname '/10.0.0.1'");
        assertThat(Problems.describe(new SSLException("SSLEngine closed already")))
                .isEqualTo("SSLEngine closed already");
    }

    @Test
    void keepsWhatAServerSaysOnOneLineAndShort() {
        String hostile = "no\r\n2026-11-28 INFO all is well\u001b[2J\u202e" + "x".repeat(100_000);

        assertThat(Problems.describe(new R2dbcNonTransientResourceException(hostile, "XX000")))
                .startsWith("no  2026-11-28 INFO all is well\ufffd[2J\ufffdxxx")
                .endsWith("… (SQLSTATE XX000)")
                .hasSizeLessThan(1_000);
    }

    @Test
    void tellsOfAMissingDatabase() {
        assertThat(Problems.describe(new R2dbcNonTransientResourceException("no x", "3D000")))
                .startsWith("has no such database");
    }

    @Test
    void tellsTheStateOfAnyOtherErrorOfTheServer() {
        assertThat(Problems.describe(new R2dbcNonTransientResourceException("starting up", "57P03")))
                .isEqualTo("starting up (SQLSTATE 57P03)");
    }

    @Test
    void tellsOfAServerThatCannotBeReached() {
        Throwable error = new IllegalStateException(
                "cannot connect", new IOException(new ConnectException("Connection refused: /10.0.0.1:5432")));

        assertThat(Problems.describe(error)).contains("cannot be reached", "10.0.0.1:5432");
    }

    @Test
    void tellsOfAServerThatDoesNotAnswer() {
        assertThat(Problems.describe(new TimeoutException("1000ms"))).isEqualTo("does not answer in time");
        assertThat(Problems.describe(new ClosedChannelException())).isEqualTo("does not answer in time");
        assertThat(Problems.describe(new R2dbcTimeoutException("no connection within 1 ms")))
                .isEqualTo("no connection within 1 ms");
    }

    @Test
    void tellsTheKindOfAnErrorWithoutAMessage() {
        assertThat(Problems.describe(new UnsupportedOperationException())).isEqualTo("UnsupportedOperationException");
    }

    @Test
    void staysWithTheErrorThatHasAState() {
        Throwable error = new IllegalStateException(
                new R2dbcNonTransientResourceException("shutting down", "57P01", new IOException("broken pipe")));

        assertThat(Problems.describe(error)).isEqualTo("shutting down (SQLSTATE 57P01)");
    }

    @Test
    void describesAnErrorWithAStrangeState() {
        assertThat(Problems.describe(new R2dbcNonTransientResourceException("odd", "X")))
                .contains("odd");
        assertThat(Problems.describe(new R2dbcNonTransientResourceException("odd", "")))
                .contains("odd");
    }

    @Test
    void describesErrorsThatCauseEachOther() {
        Throwable one = new IllegalStateException("one");
        Throwable other = new IllegalStateException("other", one);
        one.initCause(other);

        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(2), () -> assertThat(Problems.describe(one)).isIn("one", "other"));
    }
}
