package io.github.r2dbcrouting.samples.shop.demo;

/**
 * What was done to a server?
 *
 * @param running whether it runs at all
 * @param paused whether it receives, but applies nothing
 * @param delayMillis how old a commit must be before it applies it; 0 for no delay
 */
record Fault(boolean running, boolean paused, int delayMillis) {

    static final Fault NONE = new Fault(true, false, 0);

    static final Fault KILLED = new Fault(false, false, 0);

    Fault paused(boolean whether) {
        return new Fault(running, whether, delayMillis);
    }

    Fault delayed(int millis) {
        return new Fault(running, paused, millis);
    }
}
