/** Texts that nobody expects, for everything that reads texts from outside. */
package io.github.r2dbcrouting.fuzz;
