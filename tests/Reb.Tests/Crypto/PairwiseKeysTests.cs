using Massif.Reb.Configuration;
using Massif.Reb.Crypto;
using Massif.Reb.Hosting;

namespace Massif.Reb.Tests.Crypto;

public sealed class PairwiseKeysTests : IDisposable
{
    private static readonly byte[] Data = [1, 2, 3];

    private readonly TestDomain _test = new();
    private readonly List<PairwiseKeys> _made = [];

    [Fact]
    public void Both_ends_of_every_pair_have_the_same_keys()
    {
        var all = TestDomain.Members.Select(member => Keys(member.Id)).ToArray();
        for (var a = 0; a < all.Length; a++)
        {
            for (var b = 0; b < all.Length; b++)
            {
                if (a == b) continue;
                foreach (var purpose in Enum.GetValues<MacPurpose>())
                    Assert.True(all[b].Verify(new((ushort)a), purpose, Data, Mac(all[a], (ushort)b, purpose)));
            }
        }
    }

    [Fact]
    public void A_mac_counts_for_one_direction_purpose_pair_epoch_and_domain_only()
    {
        var (core1, core2, edge) = (Index("core1"), Index("core2"), Index("edge1"));
        var sender = Keys("core1");
        var macs = new HashSet<string>
        {
            Convert.ToHexString(Mac(sender, core2.Value)),
            Convert.ToHexString(Mac(sender, edge.Value)),
            Convert.ToHexString(Mac(sender, core2.Value, MacPurpose.Envelope)),
            Convert.ToHexString(Mac(Keys("core2"), core1.Value)),
            Convert.ToHexString(Mac(Keys("core1", _test.Describe(epoch: 2)), core2.Value)),
            Convert.ToHexString(Mac(Keys("core1", Renamed("other")), core2.Value)),
        };
        Assert.Equal(6, macs.Count);
        Assert.False(Keys("core1").Verify(core2, MacPurpose.Initial, Data, Mac(sender, core2.Value))); // Reflected.
    }

    [Fact]
    public void A_changed_constant_does_not_invalidate_what_waits_in_a_spool()
    {
        var mac = Mac(Keys("edge1"), Index("core1").Value);
        Assert.True(Keys("core1", _test.Describe(window: 512)).Verify(Index("edge1"), MacPurpose.Initial, Data, mac));
    }

    [Fact]
    public void Any_changed_bit_and_any_other_length_is_refused()
    {
        var receiver = Keys("core1");
        var mac = Mac(Keys("edge1"), Index("core1").Value);
        for (var bit = 0; bit < mac.Length * 8; bit++)
        {
            mac[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(receiver.Verify(Index("edge1"), MacPurpose.Initial, Data, mac));
            mac[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.True(receiver.Verify(Index("edge1"), MacPurpose.Initial, Data, mac));
        Assert.False(receiver.Verify(Index("edge1"), MacPurpose.Initial, Data, mac.AsSpan(0, 15)));
        Assert.False(receiver.Verify(Index("edge1"), MacPurpose.Initial, Data, []));
        Assert.False(receiver.Verify(Index("edge1"), MacPurpose.Initial, [1, 2, 4], mac));
    }

    [Fact]
    public void A_mac_allocates_nothing_once_its_key_is_made()
    {
        var keys = Keys("edge1");
        var mac = new byte[PairwiseKeys.MacLength];
        void Once()
        {
            keys.Mac(new(0), MacPurpose.Initial, Data, mac);
            keys.Verify(new(0), MacPurpose.Initial, Data, mac);
        }

        Once();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++) Once();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void A_node_has_no_key_with_itself() =>
        Assert.Throws<ArgumentException>(() => Mac(Keys("core1"), Index("core1").Value));

    [Fact]
    public void A_start_is_signed_for_one_node_domain_epoch_and_statement()
    {
        var domain = _test.Describe();
        using var verifier = new StartVerifier(domain);
        using var nextEpoch = new StartVerifier(_test.Describe(epoch: 2));
        using var elsewhere = new StartVerifier(Renamed("other"));
        var core1 = Index("core1");
        var signature = new StartSigner(domain, core1, _test.KeyOf("core1")).Sign(Data);
        Assert.Equal(StartSigner.SignatureLength, signature.Length);
        Assert.True(verifier.Verify(core1, Data, signature));
        Assert.False(verifier.Verify(Index("core2"), Data, signature));
        Assert.False(verifier.Verify(core1, [1, 2], signature));
        Assert.False(nextEpoch.Verify(core1, Data, signature));
        Assert.False(elsewhere.Verify(core1, Data, signature));
        Assert.False(verifier.Verify(core1, Data, []));
        Assert.False(verifier.Verify(new(99), Data, signature));
        signature[10] ^= 1;
        Assert.False(verifier.Verify(core1, Data, signature));
    }

    public void Dispose()
    {
        foreach (var keys in _made) keys.Dispose();
        _test.Dispose();
    }

    private static NodeIndex Index(string id) => TestDomain.Index(id);

    private static byte[] Mac(PairwiseKeys keys, ushort to, MacPurpose purpose = MacPurpose.Initial)
    {
        var mac = new byte[PairwiseKeys.MacLength];
        keys.Mac(new(to), purpose, Data, mac);
        return mac;
    }

    private Domain Renamed(string name)
    {
        var domain = _test.Describe();
        return new(name, 1, 0, 1, 1, false, domain.Nodes, domain.Channels, domain.Protocol);
    }

    private PairwiseKeys Keys(string id, Domain? domain = null)
    {
        using var identity = _test.IdentityOf(id);
        using var key = identity.AgreementKey();
        var keys = new PairwiseKeys(domain ?? _test.Describe(), Index(id), key);
        _made.Add(keys);
        return keys;
    }
}
