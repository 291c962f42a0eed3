package io.github.r2dbcrouting.simulation;

import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingEvent;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.simulation.SimulatedConnection.Exchange;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Is every rule kept?
 *
 * <p>Judged by what really is in the histories of the simulated servers, of which the router knows only what it was told.
 * The first rule that is broken ends the simulation.
 */
final class Rules {

    static final String STALE = "no read behind its token";
    static final String SILENT = "what may be lost is told";
    static final String UNTOLD = "a session is told before it is served without what is lost";
    static final String TOO_OLD = "age is bounded";
    static final String LOST_BRANCH = "no read from a branch that was left";
    static final String TWO_PRIMARIES = "nothing is written to a primary that is not followed";
    static final String STAMPEDE = "reads that fall back keep within the budget";
    static final String SHARED = "a connection is one borrower's";
    static final String STUCK = "a replica reaches what was captured";
    static final String LEAK = "everything comes back";
    static final String POOLS = "a pool belongs to one role";
    static final String PROBES = "all who wait share one stream of probes";
    static final String RECOVERY = "it recovers when the cluster has";

    /** Who was followed since when. */
    private record Followed(long since, int server) {}

    private final Agenda agenda;
    private final SimulatedCluster cluster;
    private final Story.Teller teller;
    private RoutingConnectionFactory factory;
    private final Map<Integer, Operation> operations = new HashMap<>();
    private final List<Followed> followed = new ArrayList<>();
    private RoutingTable table;
    private Violation broken;
    private boolean twins;
    private int falling;
    private long told;
    private long probes;

    Rules(Agenda agenda, SimulatedCluster cluster, Story.Teller teller) {
        this.agenda = agenda;
        this.cluster = cluster;
        this.teller = teller;
    }

    void over(RoutingConnectionFactory judged) {
        this.factory = judged;
        this.table = judged.table();
    }

    /** The first one counts. It is thrown after the step: within it somebody might take it for an error of the database. */
    void broken(String rule, String how) {
        broken(new Violation(rule, how));
    }

    private void broken(Violation violation) {
        if (broken == null) {
            broken = violation;
        }
    }

    // ---- what the router knows

    /** After each step: who is followed now? */
    void look() {
        if (broken != null) {
            throw broken;
        }
        RoutingTable now = factory.table();
        if (now == table) {
            return;
        }
        table = now;
        int primary = now.primary().map(ServerState::index).orElse(-1);
        if (primary >= 0 && (followed.isEmpty() || followed.get(followed.size() - 1).server != primary)) {
            followed.add(new Followed(agenda.now(), primary));
            teller.tell(() -> "the router follows db" + primary);
        }
    }

    void heard(RoutingEvent event) {
        if (event instanceof RoutingEvent.WritePossiblyLost) {
            told++;
            teller.tell(() -> "the router tells that a write may be lost");
        }
    }

    void toldByError() {
        told++;
    }

    private SimulatedServer followedNow() {
        return followed.isEmpty() ? null : cluster.servers.get(followed.get(followed.size() - 1).server);
    }

    private boolean followedSince(long time, int server) {
        for (int i = followed.size() - 1; i >= 0; i--) {
            if (followed.get(i).server == server) {
                return true;
            }
            if (followed.get(i).since <= time) {
                return false;
            }
        }
        return followed.isEmpty();
    }

    // ---- what is asked

    void begun(Operation operation) {
        operations.put(operation.number, operation);
    }

    Operation operationOf(Question question, int[] bound, Operation before) {
        if (question == Question.READ) {
            return operations.get(bound[1]);
        } else if (question == Question.APPEND) {
            return operations.get(bound[2]);
        }
        return question == null ? before : null;
    }

    /** What a causal read must bring, if nothing of it was lost. */
    BitSet mustSee(User user, int key) {
        BitSet must = new BitSet();
        addOf(user.knows, key, must);
        SimulatedServer primary = followedNow();
        for (int value = user.unknown.nextSetBit(0); value >= 0; value = user.unknown.nextSetBit(value + 1)) {
            LogRecord record = cluster.recordOf(value);
            if (record != null && primary != null && primary.primary && primary.shows(record)) {
                addIfOf(value, record, key, must);
            }
        }
        return must;
    }

    private void addOf(BitSet values, int key, BitSet to) {
        for (int value = values.nextSetBit(0); value >= 0; value = values.nextSetBit(value + 1)) {
            addIfOf(value, cluster.recordOf(value), key, to);
        }
    }

    private static void addIfOf(int value, LogRecord record, int key, BitSet to) {
        for (LogRecord.Appended appended : record.committed) {
            if (appended.value() == value && appended.key() == key) {
                to.set(value);
            }
        }
    }

    /** An exchange with a server begins. */
    void sent(Exchange exchange) {
        Operation operation = exchange.operation;
        if (operation == null || exchange.question == null) {
            if (!exchange.connection.pooled && exchange.question != null) {
                probes++;
            }
            return;
        }
        SimulatedConnection connection = exchange.connection;
        Operation before = connection.borrower;
        if (before != null && before != operation && connection.used > 0) {
            broken(
                    SHARED,
                    connection + " is used for operation " + operation.number + " while operation " + before.number
                            + " uses it");
        }
        connection.borrower = operation;
        exchange.onPrimary = table.primary().map(ServerState::index).orElse(-1) == connection.server.number;
        connection.used++;
        if (falls(exchange)) {
            falling++;
            if (falling > Settings.BUDGET) {
                broken(STAMPEDE, falling + " reads are under way on primaries, and " + Settings.BUDGET + " may be");
            }
        }
        operation.servedBy = connection.server.name;
        exchange.sentBy = table;
    }

    /** It is over, for the driver. */
    void over(Exchange exchange) {
        if (exchange.operation == null || exchange.question == null) {
            return;
        }
        if (!leftRunning(exchange)) {
            exchange.connection.used--;
        }
        if (falls(exchange)) {
            falling--;
        }
    }

    /** A read on a replica that nobody waits for any more may be queued behind: nothing of it is kept. */
    void abandoned(Exchange exchange) {
        if (exchange.operation != null && exchange.question != null && leftRunning(exchange)) {
            exchange.connection.used--;
        }
    }

    private static boolean leftRunning(Exchange exchange) {
        return exchange.abandoned() && exchange.question == Question.READ && !exchange.onPrimary;
    }

    private static boolean falls(Exchange exchange) {
        return exchange.question == Question.READ && exchange.onPrimary && exchange.operation.ofReplicas();
    }

    // ---- what is done

    void written(SimulatedServer server, LogRecord record) {
        teller.tell(() -> server + " writes " + record.committed + " at " + LogPages.text(record.end) + " on timeline "
                + record.timeline + (record.asynchronous ? ", not waiting for the disk" : ""));
    }

    void writing(Exchange exchange) {
        Operation operation = exchange.operation;
        SimulatedServer server = exchange.connection.server;
        if (!followedSince(operation.since, server.number)) {
            broken(
                    TWO_PRIMARIES,
                    "operation " + operation.number + " writes to " + server + ", while " + followedNow()
                            + " was followed from before it began");
        }
    }

    void read(Exchange exchange, BitSet seen) {
        if (exchange.over() || exchange.abandoned()) {
            // reaches nobody: the connection was lost, or the read given up, and somebody else may have been asked
            // since
            return;
        }
        Operation operation = exchange.operation;
        SimulatedServer server = exchange.connection.server;
        operation.suspicion = null;
        operation.nowhere =
                !server.primary && exchange.sentBy.servers().get(server.number).position() == null;
        SimulatedServer primary = followedNow();
        if (primary == null) {
            return;
        }
        if (operation.causal()) {
            for (int value = operation.must.nextSetBit(0); value >= 0; value = operation.must.nextSetBit(value + 1)) {
                if (!seen.get(value) && primary.has(cluster.recordOf(value))) {
                    suspect(operation, STALE, value, server, primary);
                }
            }
        }
        if (operation.bound != null && !server.primary) {
            checkAge(operation, exchange, seen, primary);
        }
        if (!server.primary) {
            checkBranch(operation, exchange, primary);
        }
    }

    private void suspect(Operation operation, String rule, int value, SimulatedServer server, SimulatedServer primary) {
        LogRecord record = cluster.recordOf(value);
        operation.suspect = value;
        operation.suspicion = new Violation(
                rule,
                "operation " + operation.number + " of user " + operation.user.number + " reads key " + operation.key
                        + " on " + server + " at " + LogPages.text(server.position()) + " without value " + value
                        + ", which is at " + LogPages.text(record.end) + " on timeline " + record.timeline + " of "
                        + primary);
    }

    /** Everything that the primary had on its disk so long before the read was sent. */
    private void checkAge(Operation operation, Exchange exchange, BitSet seen, SimulatedServer primary) {
        long before = exchange.sentAt - operation.bound.toNanos();
        for (int i = 0; i < primary.flushed; i++) {
            LogRecord record = primary.log.get(i);
            if (record.flushedAt >= 0 && record.flushedAt <= before) {
                for (LogRecord.Appended appended : record.committed) {
                    if (appended.key() == operation.key && !seen.get(appended.value())) {
                        suspect(operation, TOO_OLD, appended.value(), exchange.connection.server, primary);
                    }
                }
            }
        }
    }

    /** Where the table's knowledge is newer than the parting of the ways, it must show. */
    private void checkBranch(Operation operation, Exchange exchange, SimulatedServer primary) {
        if (!cluster.settings.privileged() || twins) {
            return;
        }
        SimulatedServer server = exchange.connection.server;
        RoutingTable now = exchange.sentBy;
        ServerState state = now.servers().get(server.number);
        ServerState leader = now.servers().get(primary.number);
        long parted = server.divergedFrom(primary);
        // while it receives from nobody it names the branch of its last checkpoint, which may be the one before
        boolean named = server.hasNamedBranch(Math.max(parted, primary.promotedAt), state.sampledAt());
        boolean known = parted >= 0
                && named
                && primary.primary
                // of a replica that cannot say whom it follows nothing is known, so it serves what asks for nothing
                && state.position() != null
                && now.primary().map(ServerState::index).orElse(-1) == primary.number
                && state.sampledAt() > Math.max(parted, primary.promotedAt)
                && leader.sampledAt() > primary.promotedAt
                && leader.status() == ServerStatus.UP
                && leader.role() == ServerRole.PRIMARY;
        if (known) {
            operation.suspect = -1;
            operation.suspicion = new Violation(
                    LOST_BRANCH,
                    "operation " + operation.number + " reads on " + server + ", whose history is another one than that"
                            + " of " + primary + "; it was sampled after they had parted");
        }
    }

    /** The answer reached whoever asked: what was wrong with it counts, unless what it lacks is lost by now. */
    void delivered(Operation operation, BitSet seen) {
        checkToldBefore(operation, seen);
        if (operation.nowhere) {
            // of that replica's history nothing is known, so nobody can tell what of it is lost
            BitSet news = (BitSet) seen.clone();
            news.andNot(operation.user.knows);
            operation.user.excused.or(news);
        }
        Violation suspicion = operation.suspicion;
        if (suspicion == null) {
            return;
        }
        SimulatedServer primary = followedNow();
        boolean kept = operation.suspect < 0 || (primary != null && primary.has(cluster.recordOf(operation.suspect)));
        if (kept) {
            broken(suspicion);
        }
    }

    /** Whoever has written or seen what is in the history no more hears of it before an answer lacks it. */
    private void checkToldBefore(Operation operation, BitSet seen) {
        SimulatedServer primary = followedNow();
        boolean judged = primary != null
                && primary.primary
                && operation.causal()
                && cluster.settings.strict()
                && cluster.settings.nudged()
                && !twins
                && !operation.user.marked;
        for (int value = operation.must.nextSetBit(0);
                judged && value >= 0;
                value = operation.must.nextSetBit(value + 1)) {
            boolean missed = !seen.get(value) && operation.user.knows.get(value) && !operation.user.excused.get(value);
            LogRecord record = cluster.recordOf(value);
            if (missed && !primary.has(record)) {
                broken(
                        UNTOLD,
                        "operation " + operation.number + " of user " + operation.user.number + " reads key "
                                + operation.key + " on " + operation.servedBy + " without value " + value
                                + ", which was at "
                                + LogPages.text(record.end) + " on timeline " + record.timeline
                                + " and is not in the history"
                                + " of " + primary + ": it was not told");
            }
        }
    }

    /** With nothing in the way a replica gets there; but only where the router may nudge, and may know whom it follows. */
    void failed(Operation operation, Throwable error) {
        boolean mustBeServed = operation.number >= Simulation.AT_THE_END
                && operation.asked.what() == Happening.What.WAITING_READ
                && cluster.settings.nudged()
                && cluster.settings.privileged()
                && !twins
                && !operation.user.marked;
        if (mustBeServed && !(error instanceof PossiblyLostWriteException)) {
            broken(STUCK, error.getMessage() + "\n" + operation.user.session + "\n" + factory.captureStatistics());
        }
    }

    void promoted(SimulatedServer promoted) {
        for (SimulatedServer other : cluster.servers) {
            twins |= other != promoted && other.primary && other.timeline == promoted.timeline;
        }
    }

    boolean twins() {
        return twins;
    }

    // ---- at the end

    /** Of what was acknowledged and is in no history any more somebody has heard. */
    void checkTold(List<User> users) {
        SimulatedServer leader = cluster.leader();
        for (User user : users) {
            for (int value = user.acknowledged.nextSetBit(0);
                    value >= 0;
                    value = user.acknowledged.nextSetBit(value + 1)) {
                LogRecord record = cluster.recordOf(value);
                if (!leader.has(record) && told == 0 && cluster.settings.nudged() && !twins) {
                    broken(
                            SILENT,
                            "value " + value + " was acknowledged to user " + user.number + " and is not in the"
                                    + " history of " + leader + ": nobody was told");
                }
            }
        }
    }

    void checkProbes(long milliseconds) {
        long most = (long) cluster.servers.size() * (milliseconds * 5 / 4 + 100);
        if (probes > most) {
            broken(PROBES, probes + " probes in " + milliseconds + " ms");
        }
    }

    boolean idle() {
        for (SimulatedServer server : cluster.servers) {
            var metrics = factory.pool(server.name).getMetrics().orElseThrow();
            if (metrics.acquiredSize() > 0 || metrics.pendingAcquireSize() > 0) {
                return false;
            }
        }
        return factory.statistics().waiting() == 0 && factory.statistics().fallbackInUse() == 0;
    }

    void checkIdle() {
        if (!idle()) {
            StringBuilder left = new StringBuilder(factory.statistics().toString());
            for (SimulatedServer server : cluster.servers) {
                var metrics = factory.pool(server.name).getMetrics().orElseThrow();
                left.append(", ").append(server).append(" lends ").append(metrics.acquiredSize());
            }
            broken(LEAK, left.toString());
        }
    }

    void checkRoles(List<SimulatedDriver> drivers) {
        for (SimulatedDriver driver : drivers) {
            for (SimulatedConnection connection : driver.opened) {
                if (connection.pooled && connection.open() && connection.openedToPrimary != driver.server.primary) {
                    broken(POOLS, connection + " was opened in another role of it");
                }
            }
        }
    }

    void checkClosed(List<SimulatedDriver> drivers) {
        for (SimulatedDriver driver : drivers) {
            for (SimulatedConnection connection : driver.opened) {
                if (connection.open()) {
                    broken(LEAK, connection + " was left open");
                }
            }
        }
    }
}
