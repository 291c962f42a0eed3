package io.github.r2dbcrouting.fake;

import io.github.r2dbcrouting.internal.table.Questions;
import java.time.Duration;

/** Hears every question, and looks no sooner for it. */
public class NoQuestions implements Questions {

    @Override
    public void replicaBehind() {}

    @Override
    public void olderThan(Duration bound) {}

    @Override
    public void replicaAwaited() {}

    @Override
    public void replicasUnwatched() {}

    @Override
    public void surprisedBy(int server) {}

    @Override
    public void positionsLost(int positions) {}
}
