package io.github.r2dbcrouting.internal.routing;

import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntUnaryOperator;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Which replicas have failed requests lately, and are better left alone?
 *
 * <p>What requests find out by themselves, before a probe does: connects that fail, connections that are lost. Errors
 * that a server reports for a statement are none of it. The rules are Envoy's outlier detection, with smaller numbers
 * since there are few replicas and a probe looks after each of them anyway:
 *
 * <ul>
 *   <li>{@value #FAILURES} failures with no success between them eject a replica for a second, twice as long each time
 *       it comes back and fails again, up to half a minute; after as long without a failure it starts anew.
 *   <li>Never more than half of the replicas are ejected ({@code max_ejection_percent}).
 *   <li>One that comes back gets a tenth of its share first, and all of it after five seconds ({@code slow_start}). One
 *       failure meanwhile ejects it again.
 * </ul>
 *
 * <p>Thread-safe: one immutable account, replaced whole. Nothing is written while nothing fails. A failure, an ejection
 * that is over and a start that is over cost a look at each server that has ever failed; a decision does not.
 */
public final class Ejections {

    /** So many failures in a row eject a replica; fewer are what an administrator does who ends one backend. */
    public static final int FAILURES = 3;

    private static final long SHORTEST = Duration.ofSeconds(1).toNanos();
    private static final long LONGEST = Duration.ofSeconds(30).toNanos();
    private static final long SLOW_START = Duration.ofSeconds(5).toNanos();

    /** Shares are counted in hundredths. */
    private static final int WHOLE_SHARE = 100;

    private static final int FIRST_SHARE = 10;

    private final LongSupplier clock;
    private final AtomicReference<Account> accounts = new AtomicReference<>(Account.EMPTY);

    /**
     * Creates an account in which nothing has failed.
     *
     * @param clock the time in nanoseconds, of any origin
     */
    public Ejections(LongSupplier clock) {
        this.clock = clock;
    }

    /**
     * What is on record of one server.
     *
     * @param failures in a row, since it was last ejected
     * @param ejectedFor how long it was ejected the last time; 0 if never, or long ago
     * @param until when that is or was over
     */
    private record Standing(int failures, long ejectedFor, long until) {

        static final Standing CLEAN = new Standing(0, 0, 0);

        boolean ejected(long now) {
            return ejectedFor > 0 && until - now > 0;
        }

        boolean starting(long now) {
            return ejectedFor > 0 && now - until >= 0 && now - until < SLOW_START;
        }

        /** So long without another ejection, and the earlier ones are forgotten. */
        boolean forgotten(long now) {
            return ejectedFor > 0 && now - until >= LONGEST;
        }

        /** The hundredths of its share that it gets while it starts. */
        long share(long now) {
            return FIRST_SHARE + (WHOLE_SHARE - FIRST_SHARE) * (now - until) / SLOW_START;
        }

        /** How long it stays what it is now, if no request tells of it. */
        long lasts(long now) {
            if (ejected(now)) {
                return until - now;
            }
            return starting(now) ? until + SLOW_START - now : Long.MAX_VALUE;
        }
    }

    /** What is on record of all servers. */
    private static final class Account {

        static final Account EMPTY = new Account(new Standing[0], false, 0);

        /** At the servers' indexes; those that are missing at its end are clean. */
        private final Standing[] standings;

        /** Whether any server was ever ejected. */
        private final boolean ejects;

        /** When the last of the ejections is over: soon after it nobody needs to look through them. */
        private final long lastUntil;

        private final AtomicReference<@Nullable Outliers> latest = new AtomicReference<>();

        Account(Standing[] standings, boolean ejects, long lastUntil) {
            this.standings = standings;
            this.ejects = ejects;
            this.lastUntil = lastUntil;
        }

        Account with(int server, Standing standing) {
            Standing[] changed = Arrays.copyOf(standings, Math.max(standings.length, server + 1));
            Arrays.fill(changed, standings.length, changed.length, Standing.CLEAN);
            changed[server] = standing;
            boolean later = standing.ejectedFor > 0 && (!ejects || standing.until - lastUntil > 0);
            return new Account(changed, ejects || standing.ejectedFor > 0, later ? standing.until : lastUntil);
        }

        Outliers outliers(long now) {
            Outliers known = latest.get();
            if (known != null && known.holdsAt(now)) {
                return known;
            }
            BitSet ejected = new BitSet();
            BitSet starting = new BitSet();
            long lasts = Long.MAX_VALUE;
            for (int server = 0; server < standings.length; server++) {
                ejected.set(server, standings[server].ejected(now));
                starting.set(server, standings[server].starting(now));
                lasts = Math.min(lasts, standings[server].lasts(now));
            }
            Outliers outliers = new Outliers(ejected, starting, now, lasts);
            latest.set(outliers);
            return outliers;
        }
    }

    /**
     * A request could not use a server.
     *
     * @param server the index of a replica
     * @param replicas how many replicas may be read from
     */
    public void failed(int server, int replicas) {
        long now = clock.getAsLong();
        accounts.updateAndGet(account -> account.with(server, afterFailure(account.standings, server, replicas, now)));
    }

    private static Standing afterFailure(Standing[] all, int server, int replicas, long now) {
        Standing before = of(all, server);
        if (before.ejected(now)) {
            // it was sent before the ejection, or because nobody else was left: no news
            return before;
        }
        if (before.forgotten(now)) {
            before = new Standing(before.failures, 0, 0);
        }
        int failures = before.failures + 1;
        boolean enough = failures >= FAILURES || before.starting(now);
        if (!enough || ejected(all, now) >= replicas / 2) {
            return new Standing(failures, before.ejectedFor, before.until);
        }
        long time = before.ejectedFor == 0 ? SHORTEST : Math.min(before.ejectedFor * 2, LONGEST);
        return new Standing(0, time, now + time);
    }

    /**
     * A request was answered by a server.
     *
     * @param server the index of any server
     */
    public void succeeded(int server) {
        if (of(current(), server).failures > 0) {
            accounts.updateAndGet(account -> {
                Standing before = of(account.standings, server);
                return account.with(server, new Standing(0, before.ejectedFor, before.until));
            });
        }
    }

    /**
     * Tells whether a server is ejected now.
     *
     * @param server the index of any server
     * @return whether it is; not while it only starts slowly
     */
    public boolean ejected(int server) {
        Standing[] all = current();
        return all.length > 0 && of(all, server).ejected(clock.getAsLong());
    }

    /**
     * Returns who is to be left alone now.
     *
     * @return who is ejected or starts slowly; {@code null} if nobody does
     */
    @Nullable
    Outliers outliers() {
        Account account = account();
        if (!account.ejects) {
            return null;
        }
        long now = clock.getAsLong();
        return now - account.lastUntil < SLOW_START ? account.outliers(now) : null;
    }

    /**
     * Draws whether a request goes to a server that starts slowly: as often as its share says.
     *
     * @param server the index of any server that is not ejected
     * @param random draws a number from 0 to below its argument
     * @return whether it does; always if the server does not start slowly
     */
    boolean admits(int server, IntUnaryOperator random) {
        Standing standing = of(current(), server);
        long now = clock.getAsLong();
        return !standing.starting(now) || random.applyAsInt(WHOLE_SHARE) < standing.share(now);
    }

    /** Of two that were ejected the one that is back sooner, or has been back for longer. */
    int sooner(int one, int other) {
        Standing[] all = current();
        return of(all, other).until - of(all, one).until < 0 ? other : one;
    }

    private Account account() {
        return Objects.requireNonNull(accounts.get());
    }

    private Standing[] current() {
        return account().standings;
    }

    private static long ejected(Standing[] all, long now) {
        return Arrays.stream(all).filter(standing -> standing.ejected(now)).count();
    }

    private static Standing of(Standing[] all, int server) {
        return server < all.length ? all[server] : Standing.CLEAN;
    }
}
