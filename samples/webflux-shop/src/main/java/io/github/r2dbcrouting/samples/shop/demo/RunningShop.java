package io.github.r2dbcrouting.samples.shop.demo;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.SigningKey;
import io.github.r2dbcrouting.samples.shop.store.ShopApplication;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.MapPropertySource;

/** Where is one instance of the shop? Several may run on the same servers. */
public final class RunningShop implements AutoCloseable {

    private static final Duration READY_LIMIT = Duration.ofSeconds(20);

    private final ConfigurableApplicationContext context;

    private RunningShop(ConfigurableApplicationContext context) {
        this.context = context;
    }

    /**
     * Starts an instance, and returns when it knows the servers.
     *
     * @param servers the servers; they are not closed with the instance
     * @param arguments Spring Boot's, such as {@code --server.port=0}
     * @return the instance, which listens
     */
    public static RunningShop start(DemoServers servers, String... arguments) {
        return start(servers, new Class<?>[0], arguments);
    }

    static RunningShop start(DemoServers servers, Class<?>[] more, String... arguments) {
        SpringApplication application = new SpringApplication(ShopApplication.class, DemoConfiguration.class);
        application.addPrimarySources(List.of(more));
        Map<String, Object> defaults = new LinkedHashMap<>(servers.properties());
        defaults.put("r2dbc.routing.tokens.keys", key());
        application.addInitializers(context -> {
            // not as default properties, which Boot keeps in no order: the servers are shown in that of their numbers
            context.getEnvironment().getPropertySources().addLast(new MapPropertySource("demo", defaults));
            context.getBeanFactory().registerSingleton("demoServers", servers);
        });
        // whoever starts it knows what has to end first
        application.setRegisterShutdownHook(false);
        ConfigurableApplicationContext context = application.run(arguments);
        var unused = context.getBean(RoutingConnectionFactory.class)
                .ready(READY_LIMIT)
                .block(READY_LIMIT);
        return new RunningShop(context);
    }

    /**
     * Returns where it listens.
     *
     * @return the address, without a slash at its end
     */
    public String url() {
        return "http://localhost:"
                + Objects.requireNonNull(context.getEnvironment().getProperty("local.server.port"));
    }

    <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    /** Ends the instance. */
    @Override
    public void close() {
        context.close();
    }

    /** One for the demo, and for nothing else: instances that shall understand each other are given the same. */
    private static String key() {
        byte[] secret = new byte[SigningKey.MIN_BYTES];
        new SecureRandom().nextBytes(secret);
        return "demo:" + Base64.getEncoder().encodeToString(secret);
    }
}
