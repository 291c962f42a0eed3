package io.github.r2dbcrouting.simulation;

import io.github.r2dbcrouting.simulation.LogRecord.Appended;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * What does a PostgreSQL server do that routing depends on?
 *
 * <p>A primary writes a history and brings it to its disk; commits wait for that or do not. A replica receives what is on
 * the primary's disk and replays it, as far as its records are whole. Both can crash, as a whole or by one backend: a
 * primary forgets what was not on its disk, and may write something else at the same positions; a replica comes back at
 * any place since its last restart point. A replica can be promoted, and then has a timeline of its own.
 */
final class SimulatedServer {

    private static final long DISK = 300 * Agenda.MICROSECOND;
    private static final long WIRE = 150 * Agenda.MICROSECOND;
    private static final long REPLAY = 200 * Agenda.MICROSECOND;

    /** Where a timeline was left. */
    record Left(int timeline, long position) {}

    final int number;
    final String name;
    private final Agenda agenda;
    private final Chance chance;
    private final SimulatedCluster cluster;

    /** Connections that it has, also those whose client has gone without its having noticed. */
    final List<SimulatedConnection> backends = new ArrayList<>();

    private final List<Runnable> held = new ArrayList<>();

    List<LogRecord> log = new ArrayList<>();
    private final List<Long> replayedAt = new ArrayList<>();
    boolean primary;
    int timeline = 1;
    List<Left> history = List.of();

    /** Up to where a primary's history is on its disk, perhaps in the middle of a record. */
    long flushedTo;

    int flushed;
    private long resumesAt;
    Long lastReplayed;
    long promotedAt = -1;

    SimulatedServer upstream;
    boolean streaming;
    private boolean upstreamCut;
    private long streamedUntil;
    private int stream;
    private long receivedTo;
    int replayed;
    private int restartPoint = 1;
    private int checkpointTimeline = 1;
    private boolean replayPaused;
    private boolean replaying;

    boolean running = true;
    boolean accepting = true;
    int life;
    long livesSince;
    private int starts;
    private int loads;
    boolean asynchronousCommits;
    boolean reachable = true;

    SimulatedServer(int number, Agenda agenda, Chance chance, SimulatedCluster cluster) {
        this.number = number;
        this.name = "db" + number;
        this.agenda = agenda;
        this.chance = chance;
        this.cluster = cluster;
    }

    // ---- what its clients are told

    String startedAt() {
        return name + " #" + starts;
    }

    String configuration() {
        return "loaded " + loads;
    }

    long position() {
        return log.get(replayed - 1).end;
    }

    /** As PostgreSQL tells it: behind the header of the page that comes next, if there is no record in it yet. */
    long inserted() {
        return LogPages.start(tail());
    }

    private long tail() {
        return Math.max(log.get(log.size() - 1).end, resumesAt);
    }

    boolean replayedAll() {
        return replayed >= log.size();
    }

    int receivedTimeline(boolean mayTell) {
        return mayTell && streaming ? Math.max(upstreamTimeline, checkpointTimeline) : checkpointTimeline;
    }

    /** A router's monitor has asked: the answer names the branch of what is replayed here, or one before that. */
    void observed(long sentAt, boolean mayTell) {
        boolean named = primary || receivedTimeline(mayTell) >= log.get(replayed - 1).timeline;
        namedBranch.put(sentAt, named);
    }

    /** Whether the answer to a sample, or one before it since a time, has named the branch of what was replayed. */
    boolean hasNamedBranch(long since, long sampledAt) {
        Long sentAt = namedBranch.ceilingKey(sampledAt);
        return sentAt != null
                && since <= sentAt
                && namedBranch.subMap(since, true, sentAt, true).containsValue(true);
    }

    private final NavigableMap<Long, Boolean> namedBranch = new TreeMap<>();
    private int upstreamTimeline = 1;

    /** How many of its records can be seen. */
    private boolean visible(LogRecord record) {
        return primary ? record.index < flushed || record.asynchronous : record.index < replayed;
    }

    boolean shows(LogRecord record) {
        return has(record) && visible(record);
    }

    boolean has(LogRecord record) {
        return log.size() > record.index && log.get(record.index) == record;
    }

    BitSet read(int key) {
        BitSet seen = new BitSet();
        int end = primary ? log.size() : replayed;
        for (int i = 0; i < end; i++) {
            LogRecord record = log.get(i);
            if (!record.committed.isEmpty() && visible(record)) {
                for (Appended appended : record.committed) {
                    if (appended.key() == key) {
                        seen.set(appended.value());
                    }
                }
            }
        }
        return seen;
    }

    /** Since when it shows something that the history of another one does not have; negative if it does not. */
    long divergedFrom(SimulatedServer other) {
        int seen = primary ? flushed : replayed;
        int least = Math.min(seen, other.log.size());
        if (log.get(least - 1) == other.log.get(least - 1)) {
            return -1;
        }
        int same = least;
        while (same > 0 && log.get(same - 1) != other.log.get(same - 1)) {
            same--;
        }
        return Math.max(replayedAt(same), other.promotedAt);
    }

    private long replayedAt(int index) {
        return index < replayedAt.size() ? replayedAt.get(index) : livesSince;
    }

    // ---- a primary writes

    void start(List<LogRecord> common, long end) {
        log = new ArrayList<>(common);
        replayed = log.size();
        flushed = log.size();
        flushedTo = end;
        receivedTo = end;
        restartPoint = replayed;
        checkpointTimeline = timeline;
        replayedAt.clear();
        common.forEach(record -> replayedAt.add(agenda.now()));
        livesSince = agenda.now();
    }

    private LogRecord insert(int size, List<Appended> committed, boolean asynchronous) {
        long start = LogPages.start(tail());
        LogRecord record =
                new LogRecord(log.size(), start, LogPages.end(start, size), timeline, committed, asynchronous);
        log.add(record);
        resumesAt = 0;
        return record;
    }

    private void flush(long to) {
        if (to <= flushedTo) {
            return;
        }
        flushedTo = to;
        while (flushed < log.size() && log.get(flushed).end <= to) {
            LogRecord record = log.get(flushed++);
            if (record.flushedAt < 0) {
                record.flushedAt = agenda.now();
            }
        }
        cluster.offer(this);
    }

    /** How far a flush gets that must get to a position: often others have written meanwhile. */
    private long target(long least) {
        int luck = chance.below(10);
        long whole = LogPages.pageBefore(tail());
        return luck < 3 ? Math.max(least, tail()) : luck < 6 ? Math.max(least, whole) : least;
    }

    /** Writes a commit, and says when it is done; never, if the server crashes first. */
    void commit(List<Appended> values, Runnable done) {
        boolean asynchronous = asynchronousCommits;
        LogRecord record = insert(size(), values, asynchronous);
        cluster.committed(this, record);
        if (asynchronous) {
            later(chance.between(2, 60) * Agenda.MILLISECOND, () -> flush(record.end));
            done.run();
        } else {
            later(chance.latency(DISK), () -> {
                flush(target(record.end));
                done.run();
            });
        }
    }

    private int size() {
        long left = LogPages.PAGE - tail() % LogPages.PAGE;
        // so that ends of records and of pages meet more often than they would by themselves
        return chance.percent(15) && left > 64 ? (int) left : chance.between(48, 900);
    }

    /** Somebody's transaction writes, and is left open. */
    void writeWithoutCommit() {
        insert(size(), List.of(), false);
    }

    /** A large record of an open transaction, of which only whole pages come to the disk. */
    void leaveUnfinished() {
        insert(chance.between(8192, 12_000), List.of(), false);
        flushWholePages();
    }

    void flushWholePages() {
        long whole = LogPages.pageBefore(tail());
        later(chance.latency(DISK), () -> flush(whole));
    }

    void nudge(java.util.function.LongConsumer done) {
        if (flushedTo >= inserted()) {
            done.accept(flushedTo);
            return;
        }
        LogRecord mark = insert(48, List.of(), false);
        later(chance.latency(DISK), () -> {
            flush(mark.end);
            done.accept(mark.end);
        });
    }

    // ---- a replica receives and replays

    void follow(SimulatedServer leader) {
        upstream = leader;
        streaming = false;
        stream++;
        if (leader != null) {
            later(chance.latency(5 * WIRE), this::connectUpstream);
        }
    }

    /** Streaming begins only on a history that has all that was replayed here. */
    void connectUpstream() {
        SimulatedServer leader = upstream;
        boolean possible = running && !primary && leader != null && !upstreamCut && leader.accepting && leader.primary;
        if (!possible
                || streaming
                || leader.flushed < replayed
                || log.get(replayed - 1) != leader.log.get(replayed - 1)) {
            return;
        }
        int same = replayed;
        while (same < Math.min(log.size(), leader.flushed) && log.get(same) == leader.log.get(same)) {
            same++;
        }
        while (log.size() > same) {
            log.remove(log.size() - 1);
        }
        receivedTo = log.get(same - 1).end;
        streaming = true;
        upstreamTimeline = leader.timeline;
        timeline = leader.timeline;
        history = leader.history;
        stream++;
        offered();
    }

    /** The primary has brought more to its disk. */
    void offered() {
        SimulatedServer leader = upstream;
        if (!streaming || leader.flushedTo <= receivedTo) {
            return;
        }
        long to = leader.flushedTo;
        int as = stream;
        streamedUntil = Math.max(streamedUntil, agenda.now() + chance.latency(WIRE));
        later(streamedUntil - agenda.now(), () -> {
            if (stream == as && streaming) {
                receive(leader, to);
            }
        });
    }

    private void receive(SimulatedServer leader, long to) {
        while (log.size() < leader.flushed && leader.log.get(log.size()).end <= to) {
            log.add(leader.log.get(log.size()));
        }
        receivedTo = Math.max(receivedTo, to);
        replaySoon();
    }

    private void replaySoon() {
        if (replaying || replayPaused || primary || replayed >= log.size()) {
            return;
        }
        replaying = true;
        later(chance.latency(REPLAY), () -> {
            replaying = false;
            if (!replayPaused && !primary && replayed < log.size()) {
                replay(chance.percent(50) ? log.size() : replayed + 1);
                replaySoon();
            }
        });
    }

    private void replay(int until) {
        while (replayed < until) {
            replayed++;
            replayedAt.add(agenda.now());
        }
    }

    void pauseReplay() {
        replayPaused = true;
    }

    void resumeReplay() {
        replayPaused = false;
        replaySoon();
    }

    void restartPoint() {
        restartPoint = replayed;
        checkpointTimeline = log.get(replayed - 1).timeline;
    }

    void cutUpstream() {
        upstreamCut = true;
        streaming = false;
        stream++;
    }

    void reconnectUpstream() {
        upstreamCut = false;
        later(chance.latency(5 * WIRE), this::connectUpstream);
    }

    // ---- what becomes of it

    /** It runs on only in the life in which it was begun. */
    void later(long delay, Runnable task) {
        int as = life;
        agenda.after(delay, () -> {
            if (life == as) {
                task.run();
            }
        });
    }

    /** Everything but what is on the disk is gone. It stays down until {@link #restart}, or recovers by itself. */
    void crash(boolean whole) {
        if (!running) {
            return;
        }
        life++;
        accepting = false;
        running = !whole;
        streaming = false;
        replaying = false;
        stream++;
        if (primary) {
            while (log.size() > flushed) {
                log.remove(log.size() - 1);
            }
            resumesAt = flushedTo;
        } else {
            replayed = Math.min(chance.between(restartPoint, replayed), replayed);
            while (replayedAt.size() > replayed) {
                replayedAt.remove(replayedAt.size() - 1);
            }
        }
        cluster.downstreamOf(this).forEach(SimulatedServer::upstreamLost);
        List.copyOf(backends).forEach(backend -> backend.serverCrashed(whole));
        backends.clear();
        if (!whole) {
            later(chance.between(1, chance.percent(60) ? 3 : 20) * Agenda.MILLISECOND, this::recovered);
        }
    }

    private void upstreamLost() {
        streaming = false;
        stream++;
    }

    void restart() {
        if (!running) {
            running = true;
            life++;
            starts++;
            later(chance.between(1, 10) * Agenda.MILLISECOND, this::recovered);
        }
    }

    private void recovered() {
        accepting = true;
        livesSince = agenda.now();
        if (primary) {
            lastReplayed = tail();
            LogRecord mark = insert(112, List.of(), false);
            later(chance.latency(DISK), () -> flush(mark.end));
            cluster.downstreamOf(this)
                    .forEach(replica -> replica.later(chance.latency(20 * WIRE), replica::connectUpstream));
        } else {
            replaySoon();
            connectUpstream();
        }
    }

    /** It replays what it has, and goes on on a timeline of its own. */
    boolean promote() {
        boolean whole = history.isEmpty()
                || log.get(log.size() - 1).end
                        >= history.get(history.size() - 1).position();
        if (primary || !running || !accepting || !whole) {
            return false;
        }
        replayPaused = false;
        replay(log.size());
        streaming = false;
        upstream = null;
        stream++;
        long end = log.get(log.size() - 1).end;
        List<Left> left = new ArrayList<>(history);
        left.add(new Left(timeline, end));
        history = List.copyOf(left);
        timeline++;
        primary = true;
        flushed = log.size();
        flushedTo = end;
        resumesAt = 0;
        lastReplayed = end;
        promotedAt = agenda.now();
        LogRecord mark = insert(112, List.of(), false);
        later(chance.latency(10 * DISK), () -> flush(mark.end));
        return true;
    }

    /** What it was is forgotten: it becomes a fresh replica. */
    void rebuildFrom(SimulatedServer leader) {
        crash(true);
        primary = false;
        promotedAt = -1;
        timeline = leader.timeline;
        history = leader.history;
        lastReplayed = null;
        resumesAt = 0;
        replayPaused = false;
        upstreamTimeline = leader.timeline;
        start(leader.log.subList(0, leader.flushed), leader.log.get(leader.flushed - 1).end);
        upstream = leader;
        restart();
    }

    void reload(boolean asynchronous) {
        loads++;
        asynchronousCommits = asynchronous;
    }

    // ---- its network towards clients

    /** Carries something, now or when the network is there again: never past what is held already. */
    void carry(Runnable message) {
        if (reachable && held.isEmpty()) {
            message.run();
        } else {
            held.add(message);
        }
    }

    void cut() {
        reachable = false;
    }

    void heal() {
        if (!reachable) {
            reachable = true;
            agenda.after(chance.latency(WIRE), this::carryHeld);
        }
    }

    private void carryHeld() {
        if (reachable) {
            List<Runnable> all = List.copyOf(held);
            held.clear();
            all.forEach(Runnable::run);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
