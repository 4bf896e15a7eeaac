using System.Text;
using Massif.Events;
using Massif.Get.Recognition;

namespace Massif.Get.Tests;

/// <summary>One line, translated, encoded and read back: what a replica sees of it.</summary>
internal sealed class Translated
{
    public const long Received = 1_795_177_800_000_000_000; // 2026-11-20T12:30:00Z

    private readonly byte[] _batch;

    private Translated(byte[] batch) => _batch = batch;

    public string? this[EventField field] => View.Has(field) ? Format(field) : null;

    public EventView View => BatchReader.TryOpen(_batch, out var batch, out var reason)
        ? batch[0]
        : throw new InvalidOperationException(reason);

    public string[] Flags => [.. FlagNames.NamesOf(View.Flags)];

    public string HeaderFormat => EventText.Decode(EventWords.Of(View.Parser));

    public string? Time => View.Time is { } time ? Rfc3339.ToString(time) : null;

    public static ReceiveContext Context { get; } = new()
    {
        Trusted = new(Received, 100, TimeQuality.Sync, ClockStep: false),
        ReceivedWallNanoseconds = Received,
        PeerAddress = IpAddress.FromIPv4(0x7F000001),
        PeerPort = 4711,
        Transport = EventTransport.Tcp,
    };

    public static Translated From(string line) => From(Encoding.Latin1.GetBytes(line), Context);

    public static Translated From(ReadOnlySpan<byte> bytes, in ReceiveContext context)
    {
        var draft = new EventDraft();
        EventTranslator.Translate(bytes, context, draft);
        var builder = new BatchBuilder();
        Assert.True(builder.TryAdd(draft));
        return new(builder.Build());
    }

    /// <summary>A line as a real Debian host writes it.</summary>
    public static Translated FromSshd(string message, string app = "sshd") =>
        From($"<38>Nov 20 12:00:01 host1 {app}[42]: {message}");

    private string Format(EventField field)
    {
        Span<byte> text = stackalloc byte[4096];
        Assert.True(View.TryFormat(field, text, out var length));
        return EventText.Decode(text[..length]);
    }
}
