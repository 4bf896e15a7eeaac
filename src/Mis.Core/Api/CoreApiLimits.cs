namespace Massif.Mis.Core.Api;

/// <summary>Limits of the read API.</summary>
public sealed record CoreApiLimits
{
    /// <summary>Gets the most connections of certified clients at once; further ones are closed. Default 256.</summary>
    public int ConnectionsMax { get; init; } = 256;

    /// <summary>Gets the most connections that have shown no certificate yet; beyond it the oldest silent one goes. Default 256.</summary>
    public int NewcomersMax { get; init; } = 256;

    /// <summary>Gets the most of these from one address. Default 64.</summary>
    public int NewcomersPerAddressMax { get; init; } = 64;

    /// <summary>Gets how long a new connection may say nothing. Default 5 s.</summary>
    public TimeSpan FirstByteTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets the most live streams at once; further ones are answered with 503. Default 16.</summary>
    public int StreamsMax { get; init; } = 16;

    /// <summary>Gets how many batches may wait for one live stream before it is cut. Default 64: at most 16 MiB.</summary>
    public int BatchesWaiting { get; init; } = 64;

    /// <summary>Gets how many alarms may wait for one live stream before it is cut. Default 1,024.</summary>
    public int AlarmsWaiting { get; init; } = 1_024;

    /// <summary>
    /// Gets how many answers may be made at once; the others wait. Default 4: each may be <see cref="AnswerBytesMax"/> long.
    /// </summary>
    public int AnswersAtOnce { get; init; } = 4;

    /// <summary>Gets the longest answer in bytes; what is longer is left out and named. Default 8 MiB.</summary>
    public int AnswerBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>Gets how many bytes of answers may wait for their clients to read them; then 503. Default 64 MiB.</summary>
    public long AnswersWaitingBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>Gets how long the replica may take to answer a question; then 503. Default 5 s.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets how long a client may read nothing of what is sent to it; then it is cut. Default 10 s.</summary>
    public TimeSpan ReadTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets after how much silence a live stream says that it is alive. Default 1 s, below the 2 s of a voting client.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(1);
}
