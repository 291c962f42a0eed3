package io.github.r2dbcrouting.webflux;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.micrometer.DefaultRoutedConnectionConvention;
import io.github.r2dbcrouting.micrometer.RoutedConnectionConvention;
import io.github.r2dbcrouting.spi.ConnectionObserver;
import io.github.r2dbcrouting.spi.ConnectionObserver.End;
import io.github.r2dbcrouting.spi.ConnectionObserver.Scope;
import io.github.r2dbcrouting.spi.ConnectionObserver.Use;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import io.r2dbc.proxy.observation.QueryObservationConvention;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import reactor.core.publisher.Flux;
import reactor.util.context.Context;

/** Nothing is opened: there are no servers. */
class RoutingObservationAutoConfigurationTests {

    private final List<String> stopped = new ArrayList<>();
    private final ApplicationContextRunner routed = new ApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(RoutingAutoConfiguration.class, RoutingObservationAutoConfiguration.class))
            .withPropertyValues("r2dbc.routing.servers.main.url=r2dbc:postgresql://app:secret@h1/shop");

    private ObservationRegistry registry() {
        ObservationRegistry registry = ObservationRegistry.create();
        registry.observationConfig().observationHandler(new ObservationHandler<>() {
            @Override
            public void onStop(Observation.Context context) {
                stopped.add(context.getName());
            }

            @Override
            public boolean supportsContext(Observation.Context context) {
                return true;
            }
        });
        return registry;
    }

    private static void observe(ConnectionObserver observer) {
        Use use = Objects.requireNonNull(observer.begins(Scope.STATEMENT, Context.empty()));
        use.ended(End.COMPLETED, null);
    }

    @Test
    void observesConnectionsWhereThereIsARegistry() {
        routed.withBean(ObservationRegistry.class, this::registry)
                .run(context -> observe(context.getBean(ConnectionObserver.class)));

        assertThat(stopped).containsExactly("r2dbc.routing.connection");
    }

    @Test
    void observesNoneWhereThereIsNoRegistry() {
        routed.run(context -> assertThat(context)
                .hasNotFailed()
                .doesNotHaveBean(ConnectionObserver.class)
                .hasSingleBean(QueryObservationConvention.class));
    }

    @Test
    void observesNoneIfToldSo() {
        routed.withBean(ObservationRegistry.class, this::registry)
                .withPropertyValues("r2dbc.routing.observation.connections=false")
                .run(context -> assertThat(context)
                        .doesNotHaveBean(ConnectionObserver.class)
                        .hasSingleBean(QueryObservationConvention.class));
    }

    @Test
    void observesWithoutTheProxyOfQueries() {
        routed.withBean(ObservationRegistry.class, this::registry)
                .withClassLoader(new FilteredClassLoader("io.r2dbc.proxy"))
                .run(context -> assertThat(context)
                        .hasSingleBean(ConnectionObserver.class)
                        .doesNotHaveBean("serverObservationConvention"));
    }

    @Test
    void backsOffForAnObserverOfTheApplications() {
        ConnectionObserver own = (scope, context) -> null;

        routed.withBean(ObservationRegistry.class, this::registry)
                .withBean(ConnectionObserver.class, () -> own)
                .run(context ->
                        assertThat(context.getBean(ConnectionObserver.class)).isSameAs(own));
    }

    @Test
    void followsNothingWhereACustomizerHasSetAnotherObserver() {
        List<Scope> followed = new ArrayList<>();

        routed.withBean(ObservationRegistry.class, this::registry)
                .withBean(
                        RoutingConnectionFactoryBuilderCustomizer.class,
                        () -> builder -> builder.observer((scope, context) -> {
                            followed.add(scope);
                            return null;
                        }))
                .run(context -> Flux.from(
                                context.getBean(RoutingConnectionFactory.class).create())
                        .flatMap(connection ->
                                connection.createStatement("SELECT 1").execute())
                        .subscribe(result -> {}, error -> {})
                        .dispose());

        assertThat(followed).containsExactly(Scope.STATEMENT);
        assertThat(stopped).isEmpty();
    }

    @Test
    void takesAConventionOfTheApplications() {
        routed.withBean(ObservationRegistry.class, this::registry)
                .withBean(RoutedConnectionConvention.class, () -> new DefaultRoutedConnectionConvention() {
                    @Override
                    public String getName() {
                        return "db.use";
                    }
                })
                .run(context -> observe(context.getBean(ConnectionObserver.class)));

        assertThat(stopped).containsExactly("db.use");
    }
}
