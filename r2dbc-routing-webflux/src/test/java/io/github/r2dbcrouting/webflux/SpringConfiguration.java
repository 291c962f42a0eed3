package io.github.r2dbcrouting.webflux;

import io.r2dbc.spi.ConnectionFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.r2dbc.config.AbstractR2dbcConfiguration;
import org.springframework.data.r2dbc.repository.config.EnableR2dbcRepositories;
import org.springframework.r2dbc.connection.R2dbcTransactionManager;
import org.springframework.transaction.ReactiveTransactionManager;
import org.springframework.transaction.annotation.EnableTransactionManagement;

/** The stock parts of Spring over one connection factory: what an application has that knows nothing of routing. */
@Configuration
@EnableR2dbcRepositories
@EnableTransactionManagement(proxyTargetClass = true)
class SpringConfiguration extends AbstractR2dbcConfiguration {

    private final ConnectionFactory factory;

    SpringConfiguration(ConnectionFactory factory) {
        this.factory = factory;
    }

    @Override
    public ConnectionFactory connectionFactory() {
        return factory;
    }

    @Bean
    ReactiveTransactionManager transactionManager() {
        return new R2dbcTransactionManager(factory);
    }

    @Bean
    Transactions transactions() {
        return new Transactions();
    }
}
