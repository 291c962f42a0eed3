package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.r2dbc.spi.ConnectionFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServerUrlTests {

    private static final String SECRET = "hunter2";

    @Test
    void opensNothingForAUrlThatIsWellFormed() {
        assertThat(open("r2dbc:postgresql://app:hunter2@localhost:5432/shop")
                        .getMetadata()
                        .getName())
                .isEqualTo("PostgreSQL");
        assertThat(open("r2dbc:postgresql://app:hu%7Cnter%3E2@localhost/shop?connectTimeout=PT1S"))
                .isNotNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "hunter2",
                "postgresql://app:hunter2@localhost/shop",
                "jdbc:postgresql://app:hunter2@localhost/shop",
                "r2dbc:",
                "r2dbc:postgresql",
                "r2dbc:postgresql:app:hunter2@localhost",
                "r2dbc:postgresql:/app:hunter2@localhost/shop",
                "r2dbc:postgresql//app:hunter2@localhost/shop",
                "r2dbc://app:hunter2@localhost/shop",
                "r2dbc::postgresql://app:hunter2@localhost/shop",
                "r2dbc:postgresql://",
                "r2dbc:postgresql:///shop",
                "r2dbc:postgresql://app:hunter2@/shop",
                "r2dbc:postgresql://app:hunter2@:5432/shop",
                "r2dbc:postgresql://app:hunter2|x@localhost/shop",
                "r2dbc:postgresql://app:hunter2>x@localhost/shop",
                "r2dbc:postgresql://app:hunter2 x@localhost/shop",
                "r2dbc:postgresql://app:hunter2\"x@localhost/shop",
                "r2dbc:postgresql://app:hunter2%@localhost/shop",
                "r2dbc:postgresql://app:hunter2%zz@localhost/shop",
                "r2dbc:postgresql://app:hunter2%2@localhost/shop",
                "r2dbc:postgresql://app:hunter2\\@localhost/shop",
                "r2dbc:postgresql://app:hunter2^@localhost/shop",
                "r2dbc:postgresql://app:hunter2{}@localhost/shop",
                "r2dbc:postgresql://app:hunter2\n@localhost/shop",
                "r2dbc:postgresql://app:hunter2@local host/shop",
                "r2dbc:postgresql://app:hunter2@localhost:port/shop",
                "r2dbc:postgresql://app:hunter2@localhost:99999999999/shop",
                "r2dbc:postgresql://app:hunter2@[::1/shop",
                "r2dbc:postgresql://app:hunter2@localhost/shop?options=a|b",
                "r2dbc:postgresql://app:hunter2@localhost/shop?%zz=1",
                "r2dbc:postgresql://app:hunter2@localhost/shop?connectTimeout=hunter2",
                "r2dbc:postgresql://app:hunter2@localhost/shop?statementTimeout=hunter2",
                "r2dbc:postgresql://app:hunter2@localhost/shop?sslMode=hunter2",
                "r2dbc:postgresql://app:hunter2@localhost/shop?preparedStatementCacheQueries=hunter2",
                "r2dbc:postgresql://app:hunter2@localhost/shop?fetchSize=hunter2",
                "r2dbc:postgresql://app:hunter2@localhost/shop?targetServerType=hunter2",
                "r2dbc:postgresql://app:hunter2@localhost/shop?password=hunter2&port=hunter2",
                "r2dbc:postgresql://localhost/shop",
                "r2dbc:nosuchdriver://app:hunter2@localhost/shop",
                "r2dbc:pool:hunter2://app:hunter2@localhost/shop",
                "r2dbc:postgresql:hunter2://app:hunter2@localhost:x/shop"
            })
    void saysWhatIsWrongWithoutThePassword(String url) {
        Throwable failure = failure(url);

        if (failure != null) {
            assertThat(failure).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("'db0'");
            assertNoSecret(failure);
        }
    }

    @Test
    void refusesWhatCannotBeAUrl() {
        for (String url : List.of(
                "",
                "hunter2",
                "r2dbc:",
                "r2dbc:postgresql://",
                "r2dbc:postgresql://app:hunter2|@h/d",
                "r2dbc:x://h/d")) {
            assertThat(failure(url)).as(url).isNotNull();
        }
    }

    @Test
    void tellsWhereACharacterHasToBeEncoded() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> open("r2dbc:postgresql://app:x@localhost/shop?options=a|b"))
                .withMessageContaining("percent-encode")
                .withMessageContaining("at offset " + "r2dbc:postgresql://app:x@localhost/shop?options=a".length());
    }

    @Test
    void tellsThatADriverIsMissing() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> open("r2dbc:nosuchdriver://app:hunter2@localhost/shop"))
                .withMessageContaining("'nosuchdriver'");
    }

    @Test
    void tellsWhatAUrlBeginsWith() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> open("postgresql://app:hunter2@localhost/shop"))
                .withMessageContaining("does not begin with r2dbc:");
    }

    @Test
    void keepsThePasswordOfAnyUrlToItself() {
        List<String> noise = List.of(
                "|",
                ">",
                "<",
                " ",
                "%",
                "%2",
                "%zz",
                "%7C",
                "@",
                ":",
                "/",
                "?",
                "#",
                "&",
                "=",
                "\\",
                "^",
                "[",
                "]",
                "{",
                "\"",
                "'",
                "\n",
                "é",
                "\ud83d\ude00",
                "\0",
                "r2dbc:",
                "//",
                ";",
                ",",
                "+");
        Random random = new Random(5);
        int refused = 0;

        for (int round = 0; round < 5_000; round++) {
            StringBuilder url = new StringBuilder("r2dbc:postgresql://app:" + SECRET + "@localhost:5432/shop?a=b");
            for (int left = 1 + random.nextInt(3); left > 0; left--) {
                int at = random.nextInt(url.length() + 1);
                int secret = url.indexOf(SECRET);
                if (at > secret && at < secret + SECRET.length()) {
                    continue;
                }
                if (random.nextInt(4) == 0 && at < secret) {
                    url.deleteCharAt(at);
                } else {
                    url.insert(at, noise.get(random.nextInt(noise.size())));
                }
            }

            Throwable failure = failure(url.toString());

            if (failure != null) {
                refused++;
                assertThat(failure).as(url.toString()).isInstanceOf(IllegalArgumentException.class);
                assertNoSecret(failure);
            }
        }
        assertThat(refused).isGreaterThan(1_000);
    }

    private static ConnectionFactory open(String url) {
        return ServerUrl.open("db0", ServerUrl.parse("db0", url, true));
    }

    @Test
    void namesTheOptionThatTheDriverRefuses() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> open("r2dbc:postgresql://app:x@localhost/shop?schema=a&sslMode=hunter2&fetchSize=5"))
                .withMessage("the driver refuses the value of the option 'sslMode' of server 'db0'");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> open("r2dbc:postgresql://app:x@localhost/shop?connectTimeout=hunter2"))
                .withMessageContaining("'connectTimeout'");
    }

    private static Throwable failure(String url) {
        try {
            assertThat(open(url)).isNotNull();
            return null;
        } catch (RuntimeException failure) {
            return failure;
        }
    }

    private static void assertNoSecret(Throwable failure) {
        List<Throwable> all = new ArrayList<>();
        for (Throwable at = failure; at != null && !all.contains(at); at = at.getCause()) {
            all.add(at);
            all.addAll(List.of(at.getSuppressed()));
        }
        assertThat(all).allSatisfy(one -> assertThat(one.toString()).doesNotContain(SECRET));
    }
}
