package io.github.r2dbcrouting.samples.shop.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.samples.shop.store.CartLine;
import io.github.r2dbcrouting.samples.shop.store.Product;
import io.github.r2dbcrouting.samples.shop.store.Revenue;
import io.github.r2dbcrouting.webflux.http.TokenKeeper;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.http.HttpMethod;

/** What does the shop answer? */
@ExtendWith(SharedServers.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ShopIT {

    private static final int CAMERA = 7;
    private static final int MUG = 1;

    private final DemoServers servers;
    private RunningShop shop;

    ShopIT(DemoServers servers) {
        this.servers = servers;
    }

    @BeforeAll
    void open() {
        shop = RunningShop.start(servers, "--server.port=0");
        servers.cluster().awaitReplayed();
    }

    @AfterAll
    void close() {
        shop.close();
    }

    @Test
    void anOrderIsSeenWholeByTheNextRequest() {
        Visitor buyer = new Visitor("buyer", TokenKeeper.byCookie());
        int before = stock(buyer, CAMERA);

        long id = buyer.order(shop, CAMERA, 2);

        String order = buyer.body(shop, HttpMethod.GET, "/api/orders/" + id, String.class);
        assertThat(order).contains("\"status\":\"placed\"", "\"totalCents\":25800", "Snapshot Camera");
        assertThat(buyer.body(shop, HttpMethod.GET, "/api/orders", String.class))
                .contains("\"id\":" + id);
        assertThat(buyer.body(shop, HttpMethod.GET, "/api/cart", CartLine[].class))
                .isEmpty();
        assertThat(stock(buyer, CAMERA)).isEqualTo(before - 2);
    }

    @Test
    void anOrderThatCannotBeFilledChangesNothing() {
        Visitor buyer = new Visitor("greedy", TokenKeeper.byCookie());
        int mugs = stock(buyer, MUG);
        buyer.status(shop, HttpMethod.PUT, "/api/cart/" + MUG + "?quantity=1", 204);
        buyer.status(shop, HttpMethod.PUT, "/api/cart/" + CAMERA + "?quantity=99", 204);

        buyer.status(shop, HttpMethod.POST, "/api/orders", 409);

        assertThat(buyer.body(shop, HttpMethod.GET, "/api/cart", CartLine[].class))
                .hasSize(2);
        assertThat(buyer.body(shop, HttpMethod.GET, "/api/orders", String.class))
                .isEqualTo("[]");
        assertThat(stock(buyer, MUG)).isEqualTo(mugs);
    }

    @Test
    void eachQuestionIsAnsweredByAServerOfItsKind() {
        Visitor buyer = new Visitor("watcher", TokenKeeper.byCookie());
        // whoever has written nothing can be answered by each of its kind, whatever the router knows of them then
        assertThat(buyer.servedBy(shop, "/api/products")).singleElement().isIn("server1 replica", "server2 replica");

        long id = buyer.order(shop, MUG, 1);
        servers.cluster().awaitReplayed();
        assertThat(buyer.servedBy(shop, "/api/orders/" + id + "/status")).containsExactly("server0 primary");
        assertThat(buyer.body(shop, HttpMethod.GET, "/api/reports/revenue", Revenue[].class))
                .extracting(Revenue::server)
                .containsOnly("server3");
    }

    @Test
    void whatIsWrongIsRefused() {
        Visitor visitor = new Visitor("wrong", TokenKeeper.byCookie());
        long others = new Visitor("somebody", TokenKeeper.byCookie()).order(shop, MUG, 1);
        servers.cluster().awaitReplayed();

        visitor.status(shop, HttpMethod.POST, "/api/orders", 409);
        visitor.status(shop, HttpMethod.PUT, "/api/cart/1?quantity=-1", 400);
        visitor.status(shop, HttpMethod.PUT, "/api/cart/99?quantity=1", 404);
        visitor.status(shop, HttpMethod.GET, "/api/orders/" + others, 404);
        visitor.status(shop, HttpMethod.GET, "/api/orders/" + others + "/status", 404);
        visitor.status(shop, HttpMethod.POST, "/api/orders/" + others + "/shipment", 404);
        visitor.status(shop, HttpMethod.POST, "/demo/load?users=65", 400);
        visitor.status(shop, HttpMethod.POST, "/demo/servers/server9/pause", 404);
        visitor.status(shop, HttpMethod.POST, "/demo/servers/server0/promote", 409);
    }

    @Test
    void thePageHasAllItsParts() {
        Visitor visitor = new Visitor("reader", null);
        String page = visitor.body(shop, HttpMethod.GET, "/", String.class);

        assertThat(page).contains("Standby Goods").doesNotContain("http:", "https:");
        Matcher part =
                Pattern.compile("(?:src|href)=\"([\\w/]+\\.(?:js|css|svg))\"").matcher(page);
        assertThat(part.results().map(found -> found.group(1)).distinct())
                .hasSize(3)
                .allSatisfy(path -> visitor.status(shop, HttpMethod.GET, "/" + path, 200));
    }

    private int stock(Visitor visitor, int product) {
        return visitor.body(shop, HttpMethod.GET, "/api/products/" + product, Product.class)
                .stock();
    }
}
