package io.github.r2dbcrouting.samples.shop.demo;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.web.reactive.function.client.WebClient;

/** What does the demonstration add to the shop? */
@Configuration(proxyBeanMethods = false)
class DemoConfiguration {

    @Bean
    ServersController serversController(DemoServers servers, RoutingConnectionFactory router) {
        return new ServersController(servers, router);
    }

    @Bean
    Load load(WebClient.Builder client, Environment environment) {
        return new Load(client, environment);
    }

    @Bean
    LoadController loadController(Load load) {
        return new LoadController(load);
    }
}
