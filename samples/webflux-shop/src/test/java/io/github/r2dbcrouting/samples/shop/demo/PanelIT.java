package io.github.r2dbcrouting.samples.shop.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.webflux.http.TokenKeeper;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.http.HttpMethod;

/** Do the panel's buttons do what they say, while customers are in the shop? */
@ExtendWith(SharedServers.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PanelIT {

    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final DemoServers servers;
    private final Visitor operator = new Visitor("operator", null);
    private final Visitor customer = new Visitor("customer", TokenKeeper.byCookie());
    private RunningShop shop;

    PanelIT(DemoServers servers) {
        this.servers = servers;
    }

    @BeforeAll
    void open() {
        shop = RunningShop.start(servers, "--server.port=0");
    }

    @AfterAll
    void close() {
        shop.close();
    }

    @Test
    void theShopSellsOnAfterItsPrimaryWasLost() {
        operator.status(shop, HttpMethod.POST, "/demo/load?users=4", 200);
        press("server1", "pause");
        press("server2", "delay?millis=200");
        assertThat(server("server1").fault()).isEqualTo(new Fault(true, true, 0));
        assertThat(server("server2").fault()).isEqualTo(new Fault(true, false, 200));
        long saved = customer.save(shop, "before");
        assertThat(customer.note(shop).revision()).isEqualTo(saved);
        await().atMost(LIMIT).until(() -> load().counts().reads() > 20);

        press("server2", "restore");
        press("server0", "kill");
        press("server2", "promote");

        await().atMost(LIMIT).untilAsserted(() -> {
            assertThat(server("server2").role()).isEqualTo("primary");
            // what the old primary alone had is lost, and said so once
            customer.at(shop).get().uri("/api/note").exchange().expectStatus().isOk();
        });
        long again = customer.save(shop, "after");
        assertThat(customer.note(shop).revision()).isEqualTo(again);
        assertThat(server("server1").fault()).as("others follow it").isEqualTo(Fault.NONE);

        press("server0", "restore");
        await().atMost(LIMIT).untilAsserted(() -> {
            assertThat(server("server0").role()).isEqualTo("replica");
            assertThat(server("server0").status()).isEqualTo("up");
        });
        long reads = load().counts().reads();
        await().atMost(LIMIT).until(() -> load().counts().reads() > reads + 20);
        operator.status(shop, HttpMethod.POST, "/demo/load?users=0", 200);
        assertThat(load().counts().stale()).isZero();
    }

    @Test
    void customersLeaveBeforeTheShopCloses() {
        RunningShop closing = RunningShop.start(servers, "--server.port=0");
        Load load = closing.bean(Load.class);
        load.users(4);
        await().atMost(LIMIT).until(() -> load.standing().tally().counts().reads() > 20);

        closing.close();

        assertThat(load.standing().users()).isZero();
        assertThat(load.standing().tally().counts().failed()).isZero();
    }

    private void press(String server, String verb) {
        operator.status(shop, HttpMethod.POST, "/demo/servers/" + server + "/" + verb, 204);
    }

    private ServersController.Server server(String name) {
        return Arrays.stream(operator.body(shop, HttpMethod.GET, "/demo/servers", ServersController.Server[].class))
                .filter(server -> server.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private LoadController.View load() {
        return operator.body(shop, HttpMethod.GET, "/demo/load", LoadController.View.class);
    }
}
