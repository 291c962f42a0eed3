package io.github.r2dbcrouting.internal.session;

import java.util.ArrayList;
import java.util.List;

/** Keeps what it is asked to find, for the test to settle; its clock stands still until it is moved. */
final class AskedFloors implements Floors {

    final List<SightedFloor> asked = new ArrayList<>();
    long now = 10;
    long partedAt;

    @Override
    public void find(SightedFloor floor) {
        asked.add(floor);
    }

    @Override
    public boolean partedSince(long time) {
        return time < partedAt;
    }

    @Override
    public long now() {
        return now;
    }

    long tick() {
        return ++now;
    }
}
