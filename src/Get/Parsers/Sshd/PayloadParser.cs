using Massif.Events;
using Massif.Get.Recognition;

namespace Massif.Get.Parsers.Sshd;

/// <summary>Chooses the parser of the message text by the application that wrote it.</summary>
public static class PayloadParser
{
    /// <summary>Reads what a known application says; leaves the draft as it is otherwise.</summary>
    /// <param name="app">Name of the application.</param>
    /// <param name="message">The message, a span of the draft's raw bytes or not.</param>
    /// <param name="draft">The event to complete.</param>
    public static void Read(ReadOnlySpan<byte> app, ReadOnlySpan<byte> message, EventDraft draft)
    {
        var text = BodyRecognizer.RepeatedMessage(message);
        var slash = app.LastIndexOf((byte)'/');
        if (slash >= 0) app = app[(slash + 1)..];

        var isSshd = IsSshd(app);
        if (isSshd && SshdParser.TryRead(text, draft)) return;
        PamParser.TryRead(app, text, isSshd, draft);
    }

    // OpenSSH 9.8 split the server: sessions log as sshd-session, and since 10.0 authentication as sshd-auth.
    private static bool IsSshd(ReadOnlySpan<byte> app) =>
        app.SequenceEqual("sshd"u8) || app.SequenceEqual("sshd-session"u8) || app.SequenceEqual("sshd-auth"u8);
}
