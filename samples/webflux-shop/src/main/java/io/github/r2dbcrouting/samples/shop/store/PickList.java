package io.github.r2dbcrouting.samples.shop.store;

import java.util.List;

/**
 * What has the warehouse packed?
 *
 * @param orderId the order
 * @param lines what is in the parcel
 */
public record PickList(long orderId, List<OrderLine> lines) {}
