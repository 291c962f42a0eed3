package io.github.r2dbcrouting.fake;

import io.github.r2dbcrouting.internal.session.Unplaced;
import io.github.r2dbcrouting.internal.table.Questions;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

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
    public Mono<List<Position>> beyondTheEnd(List<Position> positions) {
        return Mono.just(List.of());
    }

    @Override
    public void positionsLost(int positions) {}

    @Override
    public void positionWanted(Unplaced write, int primary, @Nullable Position basis, long sentAt) {}

    @Override
    public void positionAwaited() {}

    @Override
    public boolean partedSince(long time) {
        return false;
    }
}
