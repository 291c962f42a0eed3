package io.github.r2dbcrouting;

/** How far one subscription of the cancel storm has come. */
enum Phase {
    QUEUED,
    BEGINNING,
    EXECUTING,
    EMITTING,
    COMMITTING,
    CAPTURING
}
