package io.github.r2dbcrouting.test;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What happens on the way to a server? A TCP proxy on the loopback interface that delays, holds or refuses. Its port
 * stays the same until it is closed, whatever becomes of the server behind it.
 *
 * <p>All methods may be called from any thread but one that moves bytes; they return when what they say holds.
 *
 * @since 0.1.0
 */
public final class FaultProxy implements AutoCloseable {

    enum Mode {
        PASSING,
        HOLDING,
        REFUSING
    }

    private final Supplier<@Nullable InetSocketAddress> target;
    private final Set<ProxiedConnection> connections = ConcurrentHashMap.newKeySet();
    private final Channel listener;
    private volatile Mode mode = Mode.PASSING;
    private volatile long delayNanos;

    private FaultProxy(Supplier<@Nullable InetSocketAddress> target) {
        this.target = target;
        EventLoopGroup loops = Loops.SHARED.onServer(false);
        this.listener = new ServerBootstrap()
                .group(loops)
                .channelFactory(() -> Loops.SHARED.onChannel(ServerSocketChannel.class, loops))
                .option(ChannelOption.SO_BACKLOG, 1024)
                .childOption(ChannelOption.AUTO_READ, false)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel client) {
                        accept(client);
                    }
                })
                .bind("127.0.0.1", 0)
                .syncUninterruptibly()
                .channel();
    }

    /**
     * Starts a proxy on a free port of 127.0.0.1.
     *
     * @param target where a new connection leads; asked on an event loop for every connection, so it must not block;
     *     {@code null} while there is nowhere to lead to: the connection is reset
     * @return the proxy, listening
     */
    public static FaultProxy to(Supplier<@Nullable InetSocketAddress> target) {
        return new FaultProxy(target);
    }

    /**
     * Returns the port that clients connect to.
     *
     * @return the port, always the same
     */
    public int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    /**
     * Delays all bytes, on open connections too. Bytes under way keep their order.
     *
     * @param oneWay the delay in each direction, so that a round trip takes at least twice as long; zero for none
     */
    public void latency(Duration oneWay) {
        if (oneWay.isNegative()) {
            throw new IllegalArgumentException("A latency is not negative: " + oneWay);
        }
        delayNanos = oneWay.toNanos();
    }

    /**
     * Cuts the network: bytes on open connections go no further, and new connections hang. Nobody is told, and nothing is
     * lost: {@link #reconnect()} lets everything go on, the ends of connections included.
     */
    public void isolate() {
        change(Mode.HOLDING);
    }

    /** Resets all open connections, and every new one, until {@link #reconnect()}. */
    public void refuse() {
        change(Mode.REFUSING);
    }

    /** Ends {@link #isolate()} and {@link #refuse()}. */
    public void reconnect() {
        change(Mode.PASSING);
    }

    /** Resets all open connections at both ends; new ones are not affected. */
    public void resetConnections() {
        forEach(ProxiedConnection::reset);
    }

    /**
     * Returns how many connections are open.
     *
     * @return the number, those included that hang
     */
    public int connections() {
        return connections.size();
    }

    /** Stops listening and resets all connections. Closing twice does nothing more. */
    @Override
    public void close() {
        listener.close().syncUninterruptibly();
        change(Mode.REFUSING);
    }

    @Override
    public String toString() {
        return "FaultProxy[127.0.0.1:%d, %s, %d connections]".formatted(port(), mode, connections());
    }

    Mode mode() {
        return mode;
    }

    long delayNanos() {
        return delayNanos;
    }

    private void change(Mode changed) {
        mode = changed;
        forEach(ProxiedConnection::modeChanged);
    }

    private void forEach(Consumer<ProxiedConnection> action) {
        for (ProxiedConnection connection : connections) {
            connection.run(() -> action.accept(connection)).syncUninterruptibly();
        }
    }

    private void accept(SocketChannel client) {
        ProxiedConnection connection = new ProxiedConnection(this, client, target);
        connections.add(connection);
        client.closeFuture().addListener(closed -> connections.remove(connection));
        connection.modeChanged();
    }
}
