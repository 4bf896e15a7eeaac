using System.Net;
using Massif.Actors;
using Massif.Mis.Edge.Collectors;

namespace Massif.Mis.Edge.Tests.Collectors;

/// <summary>The way from the sockets into the host: what a host that does not keep up makes others wait for, and what it drops.</summary>
public sealed class InputGateTests
{
    private static readonly IPEndPoint Peer = new(IPAddress.Loopback, 514);
    private readonly InputGate _gate = new(new ActorLoop<EdgeInput>("test", new NoActor(), () => 0)); // Never started: nothing is taken.

    [Fact]
    public async Task As_many_readers_as_an_inbox_holds_have_a_buffer_and_the_next_waits_for_one_to_leave()
    {
        var readers = Enumerable.Range(0, 9).Select(i => _gate.Enter(16 * i).AsTask()).ToArray(); // All of one inbox.
        var other = _gate.Enter(1).AsTask();
        Assert.All(readers[..8], reader => Assert.True(reader.IsCompletedSuccessfully));
        Assert.False(readers[8].IsCompleted);
        Assert.True(other.IsCompletedSuccessfully);
        _gate.Leave(0);
        await readers[8].WaitAsync(RecordingSink.Patience);
    }

    [Fact]
    public async Task While_the_gate_is_closed_nobody_reads()
    {
        _gate.Set(false);
        var reader = _gate.Enter(3).AsTask();
        Assert.False(reader.IsCompleted);
        _gate.Set(true);
        await reader.WaitAsync(RecordingSink.Patience);
    }

    [Fact]
    public void Datagrams_are_bounded_in_bytes_and_there_is_room_again_when_the_host_has_taken_one()
    {
        var large = new Datagram(Peer, new byte[60_000]);
        var taken = 0;
        while (_gate.Datagrams(0, [large]) == 1) taken++;
        Assert.Equal(InputGate.DatagramBytesMax / 60_000, taken);
        Assert.Equal(1, _gate.Datagrams(0, [new(Peer, new byte[100])])); // What still fits is taken.
        _gate.Took(60_000);
        Assert.Equal(1, _gate.Datagrams(0, [large, large]));
    }

    [Fact]
    public void A_loss_is_told_when_the_spool_has_room_for_the_event()
    {
        _gate.Set(false);
        Assert.False(_gate.TryPostLoss(0, 5));
        _gate.Set(true);
        Assert.True(_gate.TryPostLoss(0, 7));
    }

    private sealed class NoActor : IActor<EdgeInput>
    {
        public long? NextDeadlineNanoseconds => null;

        public void Step(in EdgeInput input) => Assert.Fail("Nothing is taken here.");

        public void EndTurn() => Assert.Fail("Nothing is taken here.");

        public void OnDeadline() => Assert.Fail("Nothing is taken here.");
    }
}
