package io.github.r2dbcrouting.samples.shop.store;

import org.springframework.data.annotation.Id;

/**
 * What is for sale?
 *
 * @param id its number
 * @param name what it is called
 * @param description a line about it
 * @param icon which picture the page shows
 * @param priceCents what one costs
 * @param stock how many there are
 */
public record Product(@Id int id, String name, String description, String icon, int priceCents, int stock) {}
