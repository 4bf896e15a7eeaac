using System.Globalization;
using System.Text;
using Massif.Events;
using Massif.Get.Framing;
using Massif.Get.Recognition;

namespace Massif.Benchmarks;

/// <summary>The traffic of all benchmarks: sshd lines of 200 bytes as rsyslog sends them, a quarter of them failed logins.</summary>
/// <remarks>Sixty-four addresses fail, so that rules have work and there are few alarms.</remarks>
internal static class SyslogLines
{
    /// <summary>Length of a line with its end, in bytes.</summary>
    public const int LineBytes = 200;

    /// <summary>Number of lines in <see cref="Block"/>.</summary>
    public const int LinesPerBlock = 320; // 64,000 bytes: one write.

    /// <summary>Gets a block of whole lines.</summary>
    public static byte[] Block { get; } = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, LinesPerBlock).Select(Line)));

    /// <summary>Gets the mean length of an event in a batch, in bytes.</summary>
    public static double EncodedBytes { get; } = MeasureEncoded();

    /// <summary>Returns lines that make one alarm for an address.</summary>
    public static byte[] FailedLogins(string address, int count) => Encoding.ASCII.GetBytes(string.Concat(
        Enumerable.Range(0, count).Select(i => Padded($"Failed password for root from {address} port {40_000 + i} ssh2", i))));

    private static string Line(int index)
    {
        var port = 30_000 + index;
        return Padded(
            (index % 4) switch
            {
                0 => $"Failed password for invalid user admin from 203.0.113.{index / 4 % 64} port {port} ssh2",
                1 => $"Accepted publickey for deploy from 198.51.100.{index % 256} port {port} ssh2: " +
                    "ED25519 SHA256:xQX0ZkGvEJ3mYq5rT1uW9aB2cD4eF6gH8iJ0kL1mN2o",
                2 => $"Connection closed by 198.51.100.{index % 256} port {port} [preauth]",
                _ => $"Disconnected from user deploy 198.51.100.{index % 256} port {port}",
            },
            index);
    }

    private static string Padded(string message, int index)
    {
        var before = "<38>Nov 21 12:00:00 ";
        var tag = string.Create(CultureInfo.InvariantCulture, $" sshd[{10_000 + index}]: ");
        // The host's name fills up the line: what parsers look at stays as it is in real logs.
        var host = "bastion-" + new string('x', LineBytes - 1 - before.Length - tag.Length - message.Length - "bastion-".Length);
        return before + host + tag + message + "\n";
    }

    private static double MeasureEncoded()
    {
        var framing = new SyslogFraming(8192, overTls: false);
        var draft = new EventDraft();
        var batch = new BatchBuilder();
        framing.Push(Block);
        while (framing.TryRead(out var frame))
        {
            EventTranslator.Translate(frame.Bytes, default, draft, frame.Flags);
            if (!batch.TryAdd(draft)) break;
        }

        return (double)batch.Bytes / batch.Count;
    }
}
