package io.github.r2dbcrouting.test;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What becomes of one connection through the proxy? Confined to the event loop that both its channels share. */
final class ProxiedConnection {

    private final FaultProxy proxy;
    private final SocketChannel client;
    private final Supplier<@Nullable InetSocketAddress> target;
    private final ProxyPipe fromClient;
    private final ProxyPipe fromServer;
    private @Nullable Channel server;

    ProxiedConnection(FaultProxy proxy, SocketChannel client, Supplier<@Nullable InetSocketAddress> target) {
        this.proxy = proxy;
        this.client = client;
        this.target = target;
        this.fromClient = new ProxyPipe(proxy, client);
        this.fromServer = new ProxyPipe(proxy, null);
        fromClient.pairWith(fromServer);
        fromServer.pairWith(fromClient);
        client.pipeline().addLast(fromClient);
    }

    Future<?> run(Runnable action) {
        return client.eventLoop().submit(action);
    }

    void modeChanged() {
        if (proxy.mode() == FaultProxy.Mode.REFUSING) {
            reset();
        } else if (proxy.mode() == FaultProxy.Mode.PASSING && server == null && client.isOpen()) {
            connect();
        } else {
            fromClient.goOn();
            fromServer.goOn();
        }
    }

    void reset() {
        fromClient.reset();
        fromServer.reset();
    }

    private void connect() {
        InetSocketAddress address = target.get();
        if (address == null) {
            reset();
            return;
        }
        ChannelFuture connecting = new Bootstrap()
                .group(client.eventLoop())
                .channelFactory(() -> Loops.SHARED.onChannel(SocketChannel.class, client.eventLoop()))
                .option(ChannelOption.AUTO_READ, false)
                .handler(fromServer)
                .connect(address);
        server = connecting.channel();
        fromServer.attach(connecting.channel());
        connecting.addListener(connected -> {
            if (connected.isSuccess() && client.isOpen()) {
                fromClient.goOn();
                fromServer.goOn();
            } else {
                reset();
            }
        });
    }
}
