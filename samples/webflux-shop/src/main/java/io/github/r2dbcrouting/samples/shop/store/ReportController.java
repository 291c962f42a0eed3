package io.github.r2dbcrouting.samples.shop.store;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;

/** What does the owner want to know? */
@RestController
class ReportController {

    private final Orders orders;

    ReportController(Orders orders) {
        this.orders = orders;
    }

    @GetMapping("/api/reports/revenue")
    Flux<Revenue> revenue() {
        return orders.revenue();
    }
}
