package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.policy.Policy;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.Option;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import reactor.core.publisher.Mono;

/** What must hold of any text that comes from outside, whatever it is. */
public final class Fuzzing {

    private static final String SECRET = "Tr0ub4dor-and-3";
    private static final Instant NOW = Instant.parse("2026-11-20T12:00:00Z");

    private static final SigningKey KEY = key("2026-11", 1);
    private static final SigningKey FORMER = key("k", 2);
    private static final TokenCodec CODEC = TokenCodec.hmac(KEY, FORMER).clock(() -> NOW);
    private static final TokenCodec ENCRYPTING =
            TokenCodec.encrypted(KEY, FORMER).clock(() -> NOW);

    /** Longer messages would let whoever sends a text fill a log. */
    private static final int LONGEST_MESSAGE = 1_000;

    private Fuzzing() {}

    public static List<String> policies() {
        return List.of(
                "tags(eu-west)->min(2); tags(eu); all();",
                "not(reporting, slow) -> maxlag(200ms); halt()",
                "groups(a,b)->maxlag(5s)->min(1)\\\n; all()",
                "halt()");
    }

    public static void readPolicy(String text) {
        try {
            Policy policy = Policy.parse(text);
            assertThat(Policy.parse(policy.toString())).isEqualTo(policy);
        } catch (PolicySyntaxException refused) {
            assertThat(refused.offset()).isBetween(0, text.length());
            assertShowable(refused);
        }
    }

    public static List<String> tokens() {
        return List.of(
                "1~pg.7431234567890123456.1.3076018",
                "1~pg.7.1.a~pg.8.1.5",
                "1~u.0.c.7~pg.7.2.ffffffffffffffff",
                "1~u.t5h2q8.a.pg.7431234567890123456.1.3076018");
    }

    public static void readToken(String text) {
        CausalToken token;
        try {
            token = CausalToken.parse(text);
        } catch (InvalidTokenException refused) {
            assertThat(CausalToken.tryParse(text)).isEmpty();
            assertShowable(refused);
            return;
        }
        assertThat(token.encode()).matches("[A-Za-z0-9._~-]+").hasSizeLessThanOrEqualTo(CausalToken.MAX_LENGTH);
        assertThat(CausalToken.parse(token.encode())).isEqualTo(token);
        assertThat(CausalToken.tryParse(text)).contains(token);
        assertThat(token.merge(token)).isEqualTo(token);
        for (TokenCodec codec : List.of(CODEC, ENCRYPTING)) {
            assertThat(codec.encode(token)).hasSizeLessThanOrEqualTo(CausalToken.MAX_LENGTH);
            assertThat(codec.decode(codec.encode(token)).token()).isNotNull();
        }
    }

    public static List<String> signed() {
        CausalToken token = CausalToken.of(
                List.of(new WalPosition("7431234567890123456", 1, 0x3076018), new WalPosition("8", 2, 1)));
        return List.of(CODEC.encode(token), ENCRYPTING.encode(token));
    }

    /** Of a text that was changed nothing is believed. */
    public static void readSigned(String text) {
        TokenCodec.Decoded decoded = CODEC.decode(text);

        assertThat(ENCRYPTING.decode(text)).isEqualTo(decoded);
        if (decoded.token() != null) {
            assertThat(signed().stream().map(Fuzzing::kind)).contains(kind(text));
            assertThat(CODEC.decode(text.substring(0, text.length() - 1)).token())
                    .isNull();
        }
    }

    private static String kind(String text) {
        return text.substring(0, Math.min(text.length(), 2));
    }

    /** The name of an option, an equals sign, and its value: all that a URL may say. */
    public static List<String> options() {
        return Stream.concat(
                        RoutingConnectionFactoryProvider.SETTINGS.stream()
                                .flatMap(setting -> setting.options().stream())
                                .map(option -> option.name() + "=" + value(option)),
                        Stream.of(
                                "host=h1:5432,[::1]:5433,h3",
                                "host=h1,h2",
                                "port=5432",
                                "servers=db0~eu~eu-west,db1~eu",
                                "resolveEvery=10s",
                                "sslMode=verify-full",
                                "schema=shop",
                                "user=app",
                                "database=shop",
                                "protocol=postgresql"))
                .toList();
    }

    private static String value(Option<?> option) {
        return switch (option.name()) {
            case "policy" -> "tags(eu)->min(2); all()";
            case "samplingAtRest",
                    "samplingWatched",
                    "maxWait",
                    "readDeadline",
                    "primaryAfterWrite",
                    "storedTopology" -> "200ms";
            case "whenBehind" -> "WAIT_THEN_PRIMARY";
            case "loadBalancer" -> "leastInFlight";
            case "storedServersAt" -> "10.0.0.1:5432,h2";
            case "readOnlyFunctions" -> "total,billing.due";
            case "preferTags" -> "eu-west,eu";
            default -> "2";
        };
    }

    public static void readOption(String text) {
        int equals = text.indexOf('=');
        String name = equals < 1 ? "host" : text.substring(0, equals);
        Object value = equals < 1 ? text : text.substring(equals + 1);
        ConnectionFactoryOptions.Builder options = ConnectionFactoryOptions.builder()
                .option(ConnectionFactoryOptions.DRIVER, "routing")
                .option(ConnectionFactoryOptions.PROTOCOL, "postgresql")
                .option(ConnectionFactoryOptions.HOST, "h1,h2")
                .option(ConnectionFactoryOptions.USER, "app")
                .option(ConnectionFactoryOptions.PASSWORD, SECRET)
                .option(ConnectionFactoryOptions.DATABASE, "shop");
        if (!name.equals("driver") && !name.isBlank()) {
            options = options.option(Option.valueOf(name), value);
        }
        create(options.build());
    }

    private static void create(ConnectionFactoryOptions options) {
        try {
            ConnectionFactory factory = new RoutingConnectionFactoryProvider().create(options);
            Blocking.run(Mono.from(((RoutingConnectionFactory) factory).close()));
        } catch (IllegalArgumentException refused) {
            assertShowable(refused);
        }
    }

    public static List<String> routingUrls() {
        return List.of(
                "r2dbc:routing:postgresql://app:" + SECRET + "@h1:5432,h2:5433/shop?samplingAtRest=200ms&maxWait=50ms",
                "r2dbc:routing:postgresql://app:" + SECRET
                        + "@h1,[::1]:5433,h3/shop?servers=db0~eu,db1~eu~us&policy=all()",
                "r2dbcs:routing:postgresql://app:" + SECRET
                        + "@h1/shop?storedServersAt=10.0.0.1:5432&resolveEvery=10s&whenBehind=WAIT_THEN_PRIMARY");
    }

    /** All of an application's configuration in one text. What the SPI refuses does not come to the router. */
    public static void readRoutingUrl(String text) {
        ConnectionFactoryOptions options;
        try {
            options = ConnectionFactoryOptions.parse(text);
        } catch (IllegalArgumentException notAnUrl) {
            return;
        }
        if (new RoutingConnectionFactoryProvider().supports(options)) {
            create(options);
        }
    }

    public static List<String> urls() {
        return List.of(
                "r2dbc:postgresql://app:" + SECRET + "@10.0.0.1:5432/shop?sslMode=require&schema=a",
                "r2dbcs:postgresql://app:" + SECRET + "@[::1]/shop",
                "r2dbc:pool:postgresql://app:" + SECRET + "@h%20:1/s#f");
    }

    /** Nobody may learn the password of a URL that was mistyped. */
    public static void readUrl(String text) {
        try {
            var unused = RoutingConnectionFactory.builder().server("db0", text);
        } catch (IllegalArgumentException refused) {
            assertShowable(refused);
        }
    }

    /** What is thrown at an application ends up in its log. */
    private static void assertShowable(Throwable thrown) {
        for (Throwable at = thrown; at != null; at = at.getCause()) {
            assertThat(at.getMessage())
                    .doesNotContain(SECRET)
                    .doesNotContainPattern("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]")
                    .hasSizeLessThan(LONGEST_MESSAGE);
        }
    }

    private static SigningKey key(String id, int fill) {
        byte[] secret = new byte[SigningKey.MIN_BYTES];
        Arrays.fill(secret, (byte) fill);
        return SigningKey.of(id, secret);
    }
}
