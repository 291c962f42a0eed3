package io.github.r2dbcrouting.samples.shop.store;

/**
 * What of one product is in a cart?
 *
 * @param productId the product
 * @param name what it is called
 * @param priceCents what one costs
 * @param quantity how many of it
 */
public record CartLine(int productId, String name, int priceCents, int quantity) {}
