package io.github.r2dbcrouting.simulation;

import io.github.r2dbcrouting.Factories;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.internal.clock.Surroundings;
import io.github.r2dbcrouting.internal.reactive.Detached;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.simulation.Happening.What;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import reactor.core.Disposable;

/**
 * How does a story go?
 *
 * <p>It is played by a whole router, of which only the servers, the clocks and the schedulers are simulated. When all of it
 * has happened the cluster is mended. Then the router must follow, every read be served by a replica, and everything that
 * was taken come back. Runs on the thread that plays it, and shares nothing with others.
 */
final class Simulation {

    /**
     * What came of it.
     *
     * @param broken the rule that was broken; {@code null} if none was
     * @param steps how many steps it took
     * @param hash equal if the same happened at the same times
     */
    record Outcome(Violation broken, long steps, long hash) {}

    /** Operations with such a number, and later ones, are begun when the cluster is mended. */
    static final int AT_THE_END = 100_000;

    private static final long SECOND = 1_000 * Agenda.MILLISECOND;

    private final Story story;
    private final Agenda agenda = new Agenda();
    private final SimulatedCluster cluster;
    private final Rules rules;
    private final Story.Teller teller;
    private final List<SimulatedDriver> drivers = new ArrayList<>();
    private final Chance chance;
    private final RoutingConnectionFactory factory;
    private final Users users;
    private final long began;
    private final Disposable hearing;

    private Simulation(Story story, Safeguards safeguards, Story.Teller teller) {
        this.story = story;
        this.teller = words -> teller.tell(
                () -> String.format(Locale.ROOT, "%9.3f ms  ", (agenda.now() - beginning()) / 1e6) + words.get());
        this.cluster = new SimulatedCluster(agenda, story.settings(), story.seed());
        this.rules = new Rules(agenda, cluster, this.teller);
        this.cluster.rules = rules;
        this.chance = Chance.of(story.seed(), 2);
        SimulatedScheduler.enter(new SimulatedScheduler(agenda, Chance.of(story.seed(), 3)));
        Chance drawn = Chance.of(story.seed(), 4);
        this.factory = factory(safeguards, new Surroundings(agenda::now, agenda::now, drawn::below));
        rules.over(factory);
        this.users = new Users(factory, agenda, rules, this.teller);
        this.hearing = factory.events().subscribe(rules::heard);
        this.began = agenda.now();
    }

    private long beginning() {
        return began;
    }

    private RoutingConnectionFactory factory(Safeguards safeguards, Surroundings surroundings) {
        Settings settings = story.settings();
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder()
                .whenBehind(settings.whenBehind())
                .maxWait(Duration.ofMillis(50))
                .readDeadline(Duration.ofSeconds(1))
                .fallbackBudget(Settings.BUDGET)
                .sampling(Duration.ofMillis(settings.atRest()), Duration.ofMillis(settings.watched()))
                .strictLostWrites(settings.strict())
                .lazyBegin(settings.lazyBegin())
                .loadBalancer(settings.loadBalancer());
        for (SimulatedServer server : cluster.servers) {
            SimulatedDriver driver = new SimulatedDriver(server, cluster, story.seed());
            drivers.add(driver);
            builder.server(server.name, driver, spec -> spec.decorator(ignored -> driver.ofPool()));
        }
        return Factories.simulated(builder, safeguards, surroundings);
    }

    /** Plays a story, to its end or until a rule is broken. */
    static Outcome play(Story story, Safeguards safeguards, Story.Teller teller) {
        Simulation simulation = new Simulation(story, safeguards, teller);
        Violation broken = null;
        try {
            simulation.run();
        } catch (Violation violation) {
            broken = violation;
        } finally {
            SimulatedScheduler.enter(null);
        }
        return new Outcome(broken, simulation.agenda.taken(), simulation.agenda.hash());
    }

    private void run() {
        Detached.run(factory.ready(), error -> rules.broken(Rules.RECOVERY, error.toString()));
        until(
                5 * SECOND,
                () -> factory.table().primary().isPresent() && factory.table().complete());
        long start = agenda.now();
        for (Happening happening : story.happenings()) {
            agenda.after(happening.at() * Agenda.MICROSECOND, () -> happens(happening));
        }
        passUntil(start + story.length() * Agenda.MICROSECOND + 20 * Agenda.MILLISECOND);
        mend();
        until(20 * SECOND, this::recovered);
        if (!recovered()) {
            rules.broken(
                    Rules.RECOVERY,
                    users.busy() + " operations are not over, and the router says\n" + factory.describe());
            rules.look();
        }
        readFromReplicas();
        rules.checkTold(users.all);
        until(12 * SECOND, rules::idle);
        rules.checkIdle();
        rules.checkRoles(drivers);
        rules.checkProbes((agenda.now() - began) / Agenda.MILLISECOND);
        Detached.run(factory.close(), error -> rules.broken(Rules.LEAK, error.toString()));
        passUntil(agenda.now() + SECOND / 2);
        rules.checkClosed(drivers);
        rules.look();
        hearing.dispose();
    }

    // ---- time

    private void passUntil(long time) {
        while (agenda.step(time)) {
            rules.look();
        }
    }

    private void until(long atMost, BooleanSupplier holds) {
        long end = agenda.now() + atMost;
        long looked = 0;
        while (agenda.step(end)) {
            rules.look();
            if (agenda.now() - looked > Agenda.MILLISECOND) {
                looked = agenda.now();
                if (holds.getAsBoolean()) {
                    return;
                }
            }
        }
    }

    // ---- what happens

    private void happens(Happening happening) {
        if (happening.ofUser()) {
            agenda.routerAfter(0, () -> users.ask(happening));
            return;
        }
        List<SimulatedServer> servers = cluster.servers;
        if (happening.who() >= servers.size() || happening.key() >= servers.size()) {
            return;
        }
        teller.tell(() -> happening.toString().substring(14));
        SimulatedServer server = servers.get(happening.who());
        long duration = happening.amount() * Agenda.MILLISECOND;
        SimulatedServer leader = cluster.leader();
        boolean writable = leader.running && leader.accepting;
        switch (happening.what()) {
            case PAUSE_REPLAY -> {
                server.pauseReplay();
                agenda.after(duration, server::resumeReplay);
            }
            case RESTART_POINT -> server.restartPoint();
            case BACKEND_CRASH -> {
                if (server.accepting) {
                    server.crash(false);
                }
            }
            case KILL -> {
                server.crash(true);
                agenda.after(duration, server::restart);
            }
            case PROMOTE -> {
                if (server.promote()) {
                    rules.promoted(server);
                }
            }
            case FOLLOW -> {
                SimulatedServer followed = servers.get(happening.key());
                if (!server.primary && followed.primary && server != followed) {
                    server.follow(followed);
                }
            }
            case REBUILD -> {
                if (server != leader && writable) {
                    server.rebuildFrom(leader);
                }
            }
            case CUT_CLIENTS -> {
                server.cut();
                agenda.after(duration, server::heal);
            }
            case CUT_UPSTREAM -> {
                server.cutUpstream();
                agenda.after(duration, server::reconnectUpstream);
            }
            case OPEN_WRITER -> {
                if (writable) {
                    leader.writeWithoutCommit();
                }
            }
            case UNFINISHED -> {
                if (writable) {
                    leader.leaveUnfinished();
                }
            }
            case FLUSH_PAGES -> {
                if (writable) {
                    leader.flushWholePages();
                }
            }
            case RELOAD -> leader.reload(happening.amount() == 1);
            case RESET -> reset(server);
            case PAUSE_ROUTER -> agenda.pauseRouter(duration);
            default -> throw new IllegalStateException("not a user's, and not known: " + happening);
        }
    }

    private void reset(SimulatedServer server) {
        if (!server.backends.isEmpty()) {
            server.backends.get(chance.below(server.backends.size())).reset();
        }
    }

    // ---- the end

    /** What whoever runs the cluster would do: one leader, all others follow it, and nothing is in the way. */
    private void mend() {
        teller.tell(() -> "the cluster is mended");
        for (SimulatedServer server : cluster.servers) {
            server.heal();
            server.restart();
        }
        SimulatedServer leader = cluster.leader();
        for (SimulatedServer server : cluster.servers) {
            if (server == leader) {
                continue;
            }
            // also what it has only received will be replayed
            boolean apart = server.primary || !leader.has(server.log.get(server.log.size() - 1));
            if (apart) {
                server.rebuildFrom(leader);
            } else {
                server.follow(leader);
                server.reconnectUpstream();
                server.resumeReplay();
            }
        }
    }

    private boolean recovered() {
        boolean allUp = factory.table().servers().stream()
                .allMatch(server -> server.status() == io.github.r2dbcrouting.ServerStatus.UP);
        boolean follows = factory.table()
                .primary()
                .map(primary -> primary.index() == cluster.leader().number)
                .orElse(false);
        return allUp && follows && users.busy() == 0;
    }

    /** Once nothing is in the way any more, a replica reaches what each session has written, whatever is left unfinished. */
    private void readFromReplicas() {
        int number = AT_THE_END;
        for (User user : users.all) {
            // whoever is to be told of something lost is told by now
            users.ask(new Happening(0, What.READ, user.number, 0, 0, number++));
            users.ask(new Happening(0, What.APPEND, user.number, 0, 0, number++));
        }
        until(5 * SECOND, () -> users.busy() == 0);
        cluster.leader().leaveUnfinished();
        for (User user : users.all) {
            users.ask(new Happening(0, What.WAITING_READ, user.number, 0, 0, number++));
        }
        until(5 * SECOND, () -> users.busy() == 0);
        if (users.busy() > 0) {
            rules.broken(Rules.STUCK, users.busy() + " operations do not end");
        }
    }
}
