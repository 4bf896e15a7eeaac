namespace Massif.Get.Framing;

/// <summary>
/// The delimiters that senders leave at the end of a message (RFC 6587 section 3.4.2: LF, CR LF, NUL).
/// </summary>
internal static class SyslogTrailer
{
    /// <summary>Returns the length without trailing LF, CR LF and NUL.</summary>
    /// <param name="bytes">The message.</param>
    /// <param name="beforeLineFeed">A LF followed it, so that a CR at its end belongs to that.</param>
    public static int Strip(ReadOnlySpan<byte> bytes, bool beforeLineFeed = false)
    {
        var length = bytes.Length;
        var lineFeed = beforeLineFeed;
        while (length > 0)
        {
            var last = bytes[length - 1];
            if (last is (byte)'\n' or 0) lineFeed = last == '\n';
            else if (last == '\r' && lineFeed) lineFeed = false;
            else break;
            length--;
        }

        return length;
    }
}
