package io.github.r2dbcrouting.webflux;

import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;
import reactor.blockhound.BlockHound;

/** Installs BlockHound in a JVM that is started with {@code -Dblocking.calls=fail}: not in Maven's, which looks for tests. */
public final class BlockingCallsFail implements LauncherSessionListener {

    @Override
    public void launcherSessionOpened(LauncherSession session) {
        if ("fail".equals(System.getProperty("blocking.calls"))) {
            BlockHound.install();
        }
    }
}
