package io.github.r2dbcrouting;

import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;
import reactor.blockhound.BlockHound;

/**
 * Installs BlockHound in a JVM that is started with {@code -Dblocking.calls=fail}, and in no other: Maven's own JVM looks
 * for tests, too, and those of the races and of the mutations have their classes rewritten by others.
 */
public final class BlockingCallsFail implements LauncherSessionListener {

    @Override
    public void launcherSessionOpened(LauncherSession session) {
        if ("fail".equals(System.getProperty("blocking.calls"))) {
            BlockHound.install();
        }
    }
}
