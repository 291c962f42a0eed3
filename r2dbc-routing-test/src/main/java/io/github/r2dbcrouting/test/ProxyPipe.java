package io.github.r2dbcrouting.test;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * When does what one end has sent reach the other? One direction of a connection: bytes, and its end, wait here until
 * they are due, the proxy lets them pass, and the other end takes them. Confined to one event loop.
 */
final class ProxyPipe extends ChannelInboundHandlerAdapter {

    /** What may lie here before the sender is held back. */
    private static final long CAPACITY = 1 << 20;

    private record Parcel(@Nullable ByteBuf bytes, boolean reset, long due) {}

    private final FaultProxy proxy;
    private final Deque<Parcel> parcels = new ArrayDeque<>();
    private @Nullable Channel source;
    private @Nullable ProxyPipe opposite;
    private long waiting;
    private long lastDue = Long.MIN_VALUE;
    private boolean alarmSet;
    private boolean resetSeen;

    ProxyPipe(FaultProxy proxy, @Nullable Channel source) {
        this.proxy = proxy;
        this.source = source;
    }

    void pairWith(ProxyPipe pipe) {
        opposite = pipe;
    }

    void attach(Channel channel) {
        source = channel;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        waiting += bytes.readableBytes();
        add(new Parcel(bytes, false, due()));
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        add(new Parcel(null, resetSeen, due()));
        // nobody is left to take what comes the other way
        opposite().discard();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        opposite().goOn();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        resetSeen = true;
        reset();
    }

    /** Times may shrink when the latency does, but bytes must not overtake each other. */
    private long due() {
        long due = System.nanoTime() + proxy.delayNanos();
        lastDue = lastDue == Long.MIN_VALUE ? due : Math.max(lastDue, due);
        return lastDue;
    }

    private void add(Parcel parcel) {
        parcels.add(parcel);
        goOn();
    }

    /** Passes on what may pass, and takes more from the source if there is room. */
    void goOn() {
        boolean passing = proxy.mode() == FaultProxy.Mode.PASSING;
        Channel sink = opposite().source;
        if (passing && sink != null && sink.isActive()) {
            deliver(sink);
        }
        if (source != null && source.isOpen()) {
            source.config().setAutoRead(passing && sink != null && sink.isActive() && waiting < CAPACITY);
        }
    }

    private void deliver(Channel sink) {
        boolean written = false;
        while (!parcels.isEmpty() && sink.isWritable()) {
            long early = parcels.element().due() - System.nanoTime();
            if (early > 0) {
                setAlarm(sink, early);
                break;
            }
            Parcel parcel = parcels.remove();
            ByteBuf bytes = parcel.bytes();
            if (bytes != null) {
                waiting -= bytes.readableBytes();
                sink.write(bytes).addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
                written = true;
            } else if (parcel.reset()) {
                opposite().reset();
            } else {
                sink.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
            }
        }
        if (written) {
            sink.flush();
        }
    }

    private void setAlarm(Channel sink, long nanos) {
        if (!alarmSet) {
            alarmSet = true;
            var unused = sink.eventLoop()
                    .schedule(
                            () -> {
                                alarmSet = false;
                                goOn();
                            },
                            nanos,
                            TimeUnit.NANOSECONDS);
        }
    }

    /** Closes this pipe's source with a reset. */
    void reset() {
        discard();
        if (source instanceof SocketChannel socket && socket.isOpen()) {
            socket.config().setSoLinger(0);
            var unused = socket.close();
        }
    }

    private void discard() {
        for (Parcel parcel : parcels) {
            if (parcel.bytes() != null) {
                parcel.bytes().release();
            }
        }
        parcels.clear();
        waiting = 0;
    }

    private ProxyPipe opposite() {
        return Objects.requireNonNull(opposite);
    }
}
