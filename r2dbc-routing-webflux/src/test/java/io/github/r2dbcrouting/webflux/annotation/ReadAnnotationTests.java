package io.github.r2dbcrouting.webflux.annotation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.webflux.RoutingConfigurationException;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.aop.framework.Advised;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.MapPropertySource;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

class ReadAnnotationTests {

    @Retention(RetentionPolicy.RUNTIME)
    @ReadFrom(policy = "reporting", maxStaleness = "2s")
    @interface Reporting {}

    static Mono<String> entry() {
        return Mono.deferContextual(context -> Mono.just(String.valueOf(Routing.of(context))));
    }

    @ReadFrom(freshness = Freshness.Kind.ANY)
    static class Listings {

        Mono<String> ofTheClass() {
            return entry();
        }

        @ReadFrom(maxStaleness = "500ms", maxWait = "50ms", whenBehind = WhenBehind.WAIT)
        Flux<String> ofTheMethod() {
            return entry().flux();
        }

        @ReadFrom("reporting")
        Mono<String> byPolicy() {
            return entry();
        }

        @Reporting
        Mono<String> composed() {
            return entry();
        }

        @ReadLatest
        Mono<String> latest() {
            return entry();
        }

        @ReadLatest
        Mono<String> around(Listings inner) {
            return inner.ofTheClass();
        }

        @ReadFrom(maxStaleness = "${listing.age:3s}", policy = "${listing.policy}")
        Mono<String> resolved() {
            return entry();
        }

        String notReactive() {
            return "as it is";
        }
    }

    interface Statuses {
        @ReadLatest
        Mono<String> status();

        Mono<String> other();
    }

    static class StatusesOfOrders implements Statuses {
        @Override
        public Mono<String> status() {
            return entry();
        }

        @Override
        public Mono<String> other() {
            return entry();
        }
    }

    static class Plain {
        Mono<String> plain() {
            return entry();
        }
    }

    @EnableTransactionManagement(proxyTargetClass = true)
    static class Transactions {}

    static class InTransactions {
        @Transactional
        @ReadLatest
        public Mono<String> both() {
            return entry();
        }
    }

    @Test
    void asksWhatTheNearestAnnotationSays() {
        try (AnnotationConfigApplicationContext spring = started(Listings.class)) {
            Listings listings = spring.getBean(Listings.class);

            assertThat(listings.ofTheClass().block()).isEqualTo("read, any");
            assertThat(listings.ofTheMethod().blockFirst())
                    .isEqualTo("read, at most 500 ms old, WAIT, at most 50 ms waiting");
            assertThat(listings.byPolicy().block()).isEqualTo("read, policy reporting");
            assertThat(listings.composed().block()).isEqualTo("read, at most 2000 ms old, policy reporting");
            assertThat(listings.latest().block()).isEqualTo("read, latest");
            assertThat(listings.around(listings).block()).isEqualTo("read, any");
            assertThat(listings.resolved().block()).isEqualTo("read, at most 3000 ms old, policy reporting");
            assertThat(listings.notReactive()).isEqualTo("as it is");
        }
    }

    @Test
    void seesWhatStandsOnAnInterface() {
        try (AnnotationConfigApplicationContext spring = started(StatusesOfOrders.class)) {
            Statuses statuses = spring.getBean(Statuses.class);

            assertThat(statuses.status().block()).isEqualTo("read, latest");
            assertThat(statuses.other().block()).isEqualTo("null");
        }
    }

    @Test
    void leavesOtherBeansAlone() {
        try (AnnotationConfigApplicationContext spring = started(Plain.class)) {
            assertThat(spring.getBean(Plain.class).getClass()).isSameAs(Plain.class);
        }
    }

    @Test
    void standsBeforeATransaction() {
        try (AnnotationConfigApplicationContext spring = started(Transactions.class, InTransactions.class)) {
            Advised proxy = (Advised) spring.getBean(InTransactions.class);

            assertThat(proxy.getAdvisorCount()).isEqualTo(2);
            assertThat(proxy.getAdvisors()[1].getAdvice().getClass().getSimpleName())
                    .isEqualTo("TransactionInterceptor");
        }
    }

    static class NotReactive {
        @ReadLatest
        String blocking() {
            return "";
        }
    }

    static class Hidden {
        @ReadLatest
        private Mono<String> hidden() {
            return entry();
        }

        Mono<String> visible() {
            return hidden();
        }
    }

    static class NoDuration {
        @ReadFrom(maxStaleness = "soon")
        Mono<String> read() {
            return entry();
        }
    }

    static class NoAge {
        @ReadFrom(maxStaleness = "0ms")
        Mono<String> read() {
            return entry();
        }
    }

    static class NegativeWait {
        @ReadFrom(maxWait = "-1ms")
        Mono<String> read() {
            return entry();
        }
    }

    static class LatestOfReplicas {
        @ReadFrom(policy = "reporting", freshness = Freshness.Kind.LATEST)
        Mono<String> read() {
            return entry();
        }
    }

    static class TwoFreshnesses {
        @ReadFrom(maxStaleness = "2s", freshness = Freshness.Kind.CAUSAL)
        Mono<String> read() {
            return entry();
        }
    }

    static class Unbounded {
        @ReadFrom(freshness = Freshness.Kind.AT_MOST)
        Mono<String> read() {
            return entry();
        }
    }

    static class Both {
        @ReadFrom
        @ReadLatest
        Mono<String> read() {
            return entry();
        }
    }

    static class Unresolved {
        @ReadFrom(maxWait = "${nobody.knows}")
        Mono<String> read() {
            return entry();
        }
    }

    static class UnknownPolicy {
        @ReadFrom("reprting")
        Mono<String> read() {
            return entry();
        }
    }

    static Stream<Map.Entry<Class<?>, String>> mistakes() {
        return Stream.of(
                Map.entry(NotReactive.class, "does not return Mono or Flux, but String"),
                Map.entry(Hidden.class, "private, static or final"),
                Map.entry(NoDuration.class, "\"soon\""),
                Map.entry(NoAge.class, "at least 1 ms"),
                Map.entry(NegativeWait.class, "at least 0 ms"),
                Map.entry(LatestOfReplicas.class, "asks for the latest"),
                Map.entry(TwoFreshnesses.class, "a bound of age"),
                Map.entry(Unbounded.class, "how old"),
                Map.entry(Both.class, "Several of"),
                Map.entry(Unresolved.class, "${nobody.knows}"),
                Map.entry(UnknownPolicy.class, "there is no policy 'reprting', only [reporting]"));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void tellsAtTheStartWhatCannotBeMeant(Map.Entry<Class<?>, String> mistake) {
        assertThatThrownBy(() -> started(mistake.getKey()).close())
                .satisfies(failure -> assertThat(Stream.iterate(failure, thrown -> thrown != null, Throwable::getCause)
                                .filter(RoutingConfigurationException.class::isInstance))
                        .singleElement()
                        .satisfies(found -> assertThat(found)
                                .hasMessageContainingAll(mistake.getKey().getName(), mistake.getValue())));
    }

    /** When the application starts nobody has read them from there. */
    @Test
    void startsWherePoliciesMayComeFromTheDatabase() {
        started(Map.of("r2dbc.routing.stored-topology", "10s"), UnknownPolicy.class)
                .close();
    }

    @Test
    void checksNoPolicyWhereThereAreSeveralRouters() {
        started(Map.of(), UnknownPolicy.class, AnotherRouter.class).close();
    }

    @Configuration(proxyBeanMethods = false)
    static class AnotherRouter {
        @Bean
        RoutingConnectionFactory another() {
            return RoutingConnectionFactory.builder()
                    .server("db0", "r2dbc:postgresql://app:secret@h2/shop")
                    .build();
        }
    }

    private static AnnotationConfigApplicationContext started(Class<?>... beans) {
        return started(Map.of("listing.policy", "reporting"), beans);
    }

    private static AnnotationConfigApplicationContext started(Map<String, Object> properties, Class<?>... beans) {
        AnnotationConfigApplicationContext spring = new AnnotationConfigApplicationContext();
        spring.getEnvironment().getPropertySources().addFirst(new MapPropertySource("test", properties));
        spring.registerBean(
                RoutingConnectionFactory.class,
                () -> RoutingConnectionFactory.builder()
                        .server("db0", "r2dbc:postgresql://app:secret@h1/shop")
                        .policy("reporting", "tags(reporting); halt()")
                        .build());
        spring.register(ReadAnnotationsAutoConfiguration.class);
        spring.register(beans);
        spring.refresh();
        return spring;
    }

    @Test
    void waitsForNothingAndAddsNothingElse() {
        assertThat(AskedByAnnotation.entry(
                                org.springframework.core.annotation.MergedAnnotations.from(Listings.class)
                                        .get(ReadFrom.class),
                                "there",
                                text -> text)
                        .maxWait())
                .isNotEqualTo(Duration.ZERO)
                .isNull();
    }
}
