package io.github.r2dbcrouting.webflux.shop;

import org.springframework.data.annotation.Id;

/** An order: the statement that reads it says whether a replica did. */
public record Placed(@Id Integer id, String status) {}
