package io.github.r2dbcrouting.samples.shop.store;

import org.jspecify.annotations.Nullable;
import org.springframework.data.annotation.Id;

/**
 * What of one product was ordered?
 *
 * @param id the row's number; {@code null} until it is stored
 * @param orderId the order
 * @param productId the product
 * @param name what it was called
 * @param priceCents what one cost
 * @param quantity how many of it
 */
public record OrderLine(
        @Id @Nullable Long id, long orderId, int productId, String name, int priceCents, int quantity) {}
