namespace Massif.Simulation;

/// <summary>What the weather asks its world to do.</summary>
public interface IWeatherUser
{
    /// <summary>Plans <see cref="Weather{TFrame}.Happen"/> with this number after a delay.</summary>
    void PlanWeather(long delay, int episode);

    /// <summary>Writes an episode into the trace.</summary>
    void WeatherChanged(FaultKinds kind, bool begins, ulong nodes);
}

/// <summary>Makes episodes of bad network, one after the other and over each other, and ends them all when it is told to heal.</summary>
public sealed class Weather<TFrame>
{
    private const int NextEpisode = -1;

    private readonly SimulatedNetwork<TFrame> _network;
    private readonly IWeatherUser _user;
    private readonly Prng _prng;
    private readonly FaultKinds[] _kinds;
    private readonly List<List<(int From, int To)>?> _episodes = [];
    private readonly long _meanPause;
    private bool _healed;

    /// <summary>Makes the weather of a world, tempers the links, and plans the first episode.</summary>
    /// <param name="network">The network; its links get their delays here.</param>
    /// <param name="user">The world.</param>
    /// <param name="prng">Decides everything.</param>
    /// <param name="enabled">The kinds of this seed.</param>
    /// <param name="meanPause">Mean pause between two episodes in nanoseconds.</param>
    public Weather(SimulatedNetwork<TFrame> network, IWeatherUser user, Prng prng, FaultKinds enabled, long meanPause)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(user);
        ArgumentNullException.ThrowIfNull(prng);
        (_network, _user, _prng, _meanPause) = (network, user, prng, meanPause);
        FaultKinds[] episodic = [FaultKinds.OneWayPartition, FaultKinds.Partition, FaultKinds.Clog, FaultKinds.Starve, FaultKinds.Reset];
        _kinds = [.. episodic.Where(kind => enabled.HasFlag(kind))];
        Temper(enabled);
        if (_kinds.Length > 0) PlanNext();
    }

    /// <summary>Begins or ends an episode.</summary>
    public void Happen(int episode)
    {
        if (_healed) return;
        if (episode != NextEpisode)
        {
            End(episode);
            return;
        }

        Begin(_prng.Pick(_kinds));
        PlanNext();
    }

    /// <summary>Ends every episode and begins no other; links are quick and lose nothing from now on.</summary>
    public void Heal()
    {
        for (var i = 0; i < _episodes.Count; i++) End(i);
        _healed = true;
        for (var from = 0; from < _network.Nodes; from++)
        {
            for (var to = 0; to < _network.Nodes; to++)
            {
                ref var temper = ref _network.Temper(from, to);
                temper.LossPercent = temper.DuplicatePercent = temper.Tail = 0;
                temper.DelayHigh = Math.Min(temper.DelayHigh, 10 * VirtualTime.Millisecond);
                temper.DelayLow = Math.Min(temper.DelayLow, temper.DelayHigh);
            }
        }
    }

    private void Temper(FaultKinds enabled)
    {
        var low = _prng.Between(20_000, VirtualTime.Millisecond);
        var high = low * _prng.Between(1, 12);
        for (var from = 0; from < _network.Nodes; from++)
        {
            for (var to = 0; to < _network.Nodes; to++)
            {
                var datagram = enabled.HasFlag(FaultKinds.Datagrams) && _prng.Chance(50);
                var slow = enabled.HasFlag(FaultKinds.SlowLink) && _prng.OneIn(6) ? 20 : 1;
                _network.Temper(from, to) = new()
                {
                    DelayLow = low * slow,
                    DelayHigh = high * slow,
                    Tail = enabled.HasFlag(FaultKinds.LongTail) ? 12 : 0,
                    Datagram = datagram,
                    LossPercent = datagram ? _prng.Below(25) : 0,
                    DuplicatePercent = datagram ? _prng.Below(20) : 0,
                };
            }
        }
    }

    private void PlanNext() => _user.PlanWeather(_prng.Between(1, 2 * _meanPause), NextEpisode);

    private void Begin(FaultKinds kind)
    {
        var everyone = (1UL << _network.Nodes) - 1;
        var nodes = kind switch
        {
            FaultKinds.Starve => 1UL << _prng.Below(_network.Nodes),
            FaultKinds.Reset or FaultKinds.Clog => 0UL,
            _ => _prng.Subset(everyone),
        };
        _user.WeatherChanged(kind, begins: true, nodes);
        if (kind == FaultKinds.Reset)
        {
            ResetSome();
            return;
        }

        var blocked = new List<(int From, int To)>();
        for (var from = 0; from < _network.Nodes; from++)
        {
            for (var to = 0; to < _network.Nodes; to++)
            {
                if (from == to || !Hit(kind, nodes, from, to)) continue;
                _network.Block(from, to);
                blocked.Add((from, to));
            }
        }

        _episodes.Add(blocked);
        var length = kind == FaultKinds.Starve ? 8 * _meanPause : 3 * _meanPause;
        _user.PlanWeather(_prng.Between(1, length), _episodes.Count - 1);
    }

    private bool Hit(FaultKinds kind, ulong nodes, int from, int to)
    {
        var (fromIn, toIn) = ((nodes >> from & 1) != 0, (nodes >> to & 1) != 0);
        return kind switch
        {
            FaultKinds.Partition => fromIn != toIn,
            FaultKinds.OneWayPartition => fromIn && !toIn,
            FaultKinds.Starve => toIn,
            _ => _prng.OneIn(5),
        };
    }

    private void ResetSome()
    {
        for (var one = 0; one < _network.Nodes; one++)
        {
            for (var other = one + 1; other < _network.Nodes; other++)
                if (_prng.OneIn(4)) _network.Reset(one, other, _prng.Between(0, 2 * _meanPause));
        }
    }

    private void End(int episode)
    {
        if (_episodes[episode] is not { } blocked) return;
        _episodes[episode] = null;
        foreach (var (from, to) in blocked) _network.Unblock(from, to);
        _user.WeatherChanged(FaultKinds.None, begins: false, (ulong)episode);
    }
}
