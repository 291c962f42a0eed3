package io.github.r2dbcrouting.webflux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingListener;
import io.r2dbc.spi.Connection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;

/** No server is reached: that nobody can serve a write is decided, too. */
class RoutingListenersTests {

    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final ApplicationContextRunner routed = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(RoutingAutoConfiguration.class))
            .withPropertyValues("r2dbc.routing.servers.main.url=r2dbc:postgresql://app:secret@127.0.0.1:1/shop");

    @Test
    void tellsABeanThatWantsNoneOfThemNothing() {
        routed.withBean("sampling", RoutingListener.class, () -> new RoutingListener() {
                    @Override
                    public void onDecision(RouteDecision decision) {
                        heard.add("sampling");
                    }

                    @Override
                    public boolean wantsNext() {
                        return false;
                    }
                })
                .withBean("next", RoutingListener.class, () -> decision -> heard.add("next"))
                .run(context -> decide(context, "next"));

        assertThat(heard).containsOnly("next");
    }

    @Test
    void tellsTheNextBeanWhateverOneThrows() {
        routed.withBean("failing", RoutingListener.class, () -> decision -> {
                    heard.add("failing");
                    throw new IllegalStateException("on purpose");
                })
                .withBean("next", RoutingListener.class, () -> decision -> heard.add("next"))
                .run(context -> decide(context, "failing", "next"));
    }

    @Test
    void tellsBeansBesidesTheListenerOfACustomizer() {
        routed.withBean("bean", RoutingListener.class, () -> decision -> heard.add("bean"))
                .withBean(
                        RoutingConnectionFactoryBuilderCustomizer.class,
                        () -> builder -> builder.listener(decision -> heard.add("customizer")))
                .run(context -> decide(context, "customizer", "bean"));
    }

    private void decide(AssertableApplicationContext context, String... listeners) {
        Disposable write = Flux.usingWhen(
                        context.getBean(RoutingConnectionFactory.class).create(),
                        connection ->
                                connection.createStatement("DELETE FROM orders").execute(),
                        Connection::close)
                .subscribe(result -> {}, error -> {});
        try {
            await().untilAsserted(() -> assertThat(heard).contains(listeners));
        } finally {
            write.dispose();
        }
    }
}
