package io.github.r2dbcrouting.samples.shop.store;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.springframework.data.annotation.Id;
import org.springframework.data.relational.core.mapping.Table;

/**
 * What did a customer buy?
 *
 * @param id its number; {@code null} until it is stored
 * @param customer whose it is
 * @param status {@code placed}, then {@code packed}
 * @param totalCents what it costs
 * @param placedAt when it was placed; {@code null} until it is stored, since the database says it
 */
@Table("customer_order")
public record CustomerOrder(
        @Id @Nullable Long id,
        String customer,
        String status,
        long totalCents,
        @Nullable Instant placedAt) {}
