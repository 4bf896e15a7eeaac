using System.Buffers.Text;
using Massif.Events;

namespace Massif.Get.Parsers.Sshd;

/// <summary>Messages of the OpenSSH server (auth.c, packet.c and monitor.c of OpenSSH 9.2 to 10).</summary>
/// <remarks>
/// <para>User names are chosen by whoever connects and may contain anything, "from 10.0.0.1 port 22 ssh2" included.
/// Address and port are therefore taken from the end of the line, where sshd writes them.</para>
/// <para>One attempt makes several lines. The one that begins with "Failed" or "Accepted" is the attempt; every other
/// line about it is flagged <see cref="EventFlags.SameAttempt"/> or is no login.</para>
/// </remarks>
internal static class SshdParser
{
    /// <summary>Reads the message into the draft; false when it is none of those known here.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, EventDraft draft)
    {
        if (text.IsEmpty) return false;
        text = StripPreauth(text);
        var known = text[0] switch
        {
            (byte)'F' => TryTake(ref text, "Failed "u8) && ReadAttempt(text, EventOutcome.Failure, draft),
            (byte)'A' => TryTake(ref text, "Accepted "u8) && ReadAttempt(text, EventOutcome.Success, draft),
            (byte)'I' => TryTake(ref text, "Invalid user "u8) && ReadInvalidUser(text, draft),
            (byte)'i' => TryTake(ref text, "input_userauth_request: invalid user "u8) && ReadInvalidUserName(text, draft),
            (byte)'C' => TryReadConnection(text, draft),
            (byte)'D' => TryReadDisconnect(text, draft),
            (byte)'R' => TryTake(ref text, "Received disconnect from "u8) && ReadReceivedDisconnect(text, draft),
            (byte)'U' => TryTake(ref text, "User "u8) && ReadNotAllowed(text, draft),
            (byte)'e' => TryTake(ref text, "error: "u8) && TryReadError(text, draft),
            (byte)'m' => TryReadError(text, draft),
            _ => false,
        };
        if (known) draft.SourceType = EventSourceType.Sshd;
        return known;
    }

    // "METHOD for [invalid user ]USER from ADDRESS port PORT ssh2[: KEY]" (auth.c, auth_log).
    private static bool ReadAttempt(ReadOnlySpan<byte> text, EventOutcome outcome, EventDraft draft)
    {
        var method = text.IndexOf(" for "u8);
        if (method <= 0 || text[..method].Contains((byte)' ')) return false;

        Set(draft, EventCategory.Authentication, EventAction.Login, outcome);
        draft.SetText(EventField.Method, text[..method]);
        text = text[(method + " for "u8.Length)..];
        SetInvalid(draft, TryTake(ref text, "invalid user "u8) || TryTake(ref text, "illegal user "u8)); // Before OpenSSH 3.9.

        var end = EndOfAddress(text);
        if (end >= 0) SetUserAndPeer(text[..end], draft);
        return true;
    }

    /// <summary>
    /// Returns where " ssh2" and what follows begins; -1 when a forged name leaves more than one reading.
    /// </summary>
    private static int EndOfAddress(ReadOnlySpan<byte> text)
    {
        if (text.EndsWith(" ssh2"u8)) return text.Length - " ssh2"u8.Length;

        // "ssh2: RSA SHA256:..." ends with two words that sshd makes itself. A certificate's line holds its ID, which
        // the client chose; then the mark must be the only one, else somebody wants another address blamed.
        var mark = " ssh2: "u8;
        var last = text.LastIndexOf(mark);
        if (last < 0) return -1;
        var key = text[(last + mark.Length)..];
        var space = key.IndexOf((byte)' ');
        var fingerprint = space > 0 ? key[(space + 1)..] : [];
        var isPlainKey = !fingerprint.Contains((byte)' ')
            && (fingerprint.StartsWith("SHA256:"u8) || fingerprint.StartsWith("MD5:"u8));
        return isPlainKey || text.IndexOf(mark) == last ? last : -1;
    }

    // "USER from ADDRESS port PORT", read from the end.
    private static bool SetUserAndPeer(ReadOnlySpan<byte> text, EventDraft draft)
    {
        if (!TryTakePort(ref text, draft)) return false;
        var from = text.LastIndexOf(" from "u8);
        if (from < 0) return false;
        SetSource(text[(from + " from "u8.Length)..], draft);
        draft.SetText(EventField.UserName, text[..from]);
        return true;
    }

    // "USER from ADDRESS[ port PORT]"; the Failed line of the same attempt counts.
    private static bool ReadInvalidUser(ReadOnlySpan<byte> text, EventDraft draft)
    {
        Set(draft, EventCategory.Authentication, EventAction.InvalidUser, EventOutcome.Failure);
        draft.Flags |= EventFlags.SameAttempt;
        SetInvalid(draft, true);
        if (SetUserAndPeer(text, draft)) return true;

        var from = text.LastIndexOf(" from "u8);
        if (from < 0) return true;
        SetSource(text[(from + " from "u8.Length)..], draft);
        draft.SetText(EventField.UserName, text[..from]);
        return true;
    }

    private static bool ReadInvalidUserName(ReadOnlySpan<byte> text, EventDraft draft)
    {
        Set(draft, EventCategory.Authentication, EventAction.InvalidUser, EventOutcome.Failure);
        draft.Flags |= EventFlags.SameAttempt;
        SetInvalid(draft, true);
        draft.SetText(EventField.UserName, text);
        return true;
    }

    // "Connection closed by|reset by WHO", "Connection from ADDRESS port PORT on ADDRESS port PORT".
    private static bool TryReadConnection(ReadOnlySpan<byte> text, EventDraft draft)
    {
        if (TryTake(ref text, "Connection closed by "u8) || TryTake(ref text, "Connection reset by "u8))
            return ReadDisconnected(text, draft);
        if (!TryTake(ref text, "Connection from "u8)) return false;

        Set(draft, EventCategory.Network, EventAction.Connected, EventOutcome.None);
        var on = text.IndexOf(" on "u8);
        if (on >= 0) text = text[..on];
        if (TryTakePort(ref text, draft)) SetSource(text, draft);
        return true;
    }

    private static bool TryReadDisconnect(ReadOnlySpan<byte> text, EventDraft draft)
    {
        if (TryTake(ref text, "Disconnected from "u8)) return ReadDisconnected(text, draft);
        if (!TryTake(ref text, "Disconnecting "u8)) return false;

        // The reason behind the last colon is sshd's own: "Too many authentication failures".
        var colon = text.LastIndexOf(": "u8);
        return ReadDisconnected(colon < 0 ? text : text[..colon], draft);
    }

    // "[authenticating |invalid ]user USER ADDRESS port PORT" or "ADDRESS port PORT" (packet.c, ssh_remote_ipaddr).
    private static bool ReadDisconnected(ReadOnlySpan<byte> text, EventDraft draft)
    {
        Set(draft, EventCategory.Network, EventAction.Disconnected, EventOutcome.None);
        if (!TryTakePort(ref text, draft))
        {
            // Before OpenSSH 7 the address stood alone.
            if (IpAddress.TryParse(text, out _)) SetSource(text, draft);
            return true;
        }

        if (TryTake(ref text, "invalid user "u8)) SetInvalid(draft, true);
        else if (!TryTake(ref text, "authenticating user "u8) && !TryTake(ref text, "user "u8))
        {
            SetSource(text, draft);
            return true;
        }

        var space = text.LastIndexOf((byte)' ');
        if (space < 0) return true;
        SetSource(text[(space + 1)..], draft);
        draft.SetText(EventField.UserName, text[..space]);
        return true;
    }

    // "ADDRESS port PORT:CODE: TEXT", "ADDRESS: CODE: TEXT" before OpenSSH 7; here the peer chooses the text at the end,
    // so the start is what counts.
    private static bool ReadReceivedDisconnect(ReadOnlySpan<byte> text, EventDraft draft)
    {
        Set(draft, EventCategory.Network, EventAction.Disconnected, EventOutcome.None);
        var space = text.IndexOf((byte)' ');
        if (space <= 0) return true;
        var address = text[..space];
        SetSource(address[^1] == ':' ? address[..^1] : address, draft);
        text = text[space..];
        if (TryTake(ref text, " port "u8) && Utf8Parser.TryParse(text, out ushort number, out _))
            draft.SetNumber(EventField.SourcePort, number);
        return true;
    }

    // "USER from HOST not allowed because ..."; a Failed line for the attempt follows.
    private static bool ReadNotAllowed(ReadOnlySpan<byte> text, EventDraft draft)
    {
        var reason = text.LastIndexOf(" not allowed because "u8);
        if (reason < 0) return false;
        Set(draft, EventCategory.Authentication, EventAction.Refused, EventOutcome.Failure);
        draft.Flags |= EventFlags.SameAttempt;
        text = text[..reason];
        var from = text.LastIndexOf(" from "u8);
        if (from >= 0) SetSource(text[(from + " from "u8.Length)..], draft);
        draft.SetText(EventField.UserName, from >= 0 ? text[..from] : text);
        return true;
    }

    private static bool TryReadError(ReadOnlySpan<byte> text, EventDraft draft)
    {
        if (TryTake(ref text, "maximum authentication attempts exceeded for "u8))
        {
            Set(draft, EventCategory.Authentication, EventAction.AttemptsExceeded, EventOutcome.Failure);
            draft.Flags |= EventFlags.SameAttempt;
            SetInvalid(draft, TryTake(ref text, "invalid user "u8));
            if (text.EndsWith(" ssh2"u8)) SetUserAndPeer(text[..^" ssh2"u8.Length], draft);
            return true;
        }

        if (TryTake(ref text, "Received disconnect from "u8)) return ReadReceivedDisconnect(text, draft);

        // Keyboard-interactive through PAM (auth-pam.c, sshpam_query); the Failed line tells the same attempt.
        if (!TryTake(ref text, "PAM: "u8)) return false;
        var user = text.IndexOf(" for "u8);
        if (user < 0) return false;
        text = text[(user + " for "u8.Length)..];
        Set(draft, EventCategory.Authentication, EventAction.Login, EventOutcome.Failure);
        draft.Flags |= EventFlags.SameAttempt;
        SetInvalid(draft, TryTake(ref text, "illegal user "u8));
        var from = text.LastIndexOf(" from "u8);
        if (from < 0) return true;
        SetSource(text[(from + " from "u8.Length)..], draft);
        draft.SetText(EventField.UserName, text[..from]);
        return true;
    }

    private static void Set(EventDraft draft, EventCategory category, EventAction action, EventOutcome outcome) =>
        (draft.Category, draft.Action, draft.Outcome) = (category, action, outcome);

    private static void SetInvalid(EventDraft draft, bool invalid) => draft.SetNumber(EventField.InvalidUser, invalid ? 1u : 0);

    private static void SetSource(ReadOnlySpan<byte> host, EventDraft draft) => SourceField.Set(host, draft);

    // Lines of the unprivileged child carry this mark (monitor.c).
    private static ReadOnlySpan<byte> StripPreauth(ReadOnlySpan<byte> text) =>
        text.EndsWith(" [preauth]"u8) ? text[..^" [preauth]"u8.Length] : text;

    private static bool TryTake(ref ReadOnlySpan<byte> text, ReadOnlySpan<byte> words)
    {
        if (!text.StartsWith(words)) return false;
        text = text[words.Length..];
        return true;
    }

    // Takes " port PORT" from the end.
    private static bool TryTakePort(ref ReadOnlySpan<byte> text, EventDraft draft)
    {
        var port = text.LastIndexOf(" port "u8);
        if (port < 0) return false;
        var digits = text[(port + " port "u8.Length)..];
        if (!Utf8Parser.TryParse(digits, out ushort number, out var length) || length != digits.Length) return false;
        draft.SetNumber(EventField.SourcePort, number);
        text = text[..port];
        return true;
    }
}

/// <summary>Where an action came from: an address, or the name that stands in its place.</summary>
internal static class SourceField
{
    /// <summary>Sets the address, v4-mapped ones as IPv4, or else the host name.</summary>
    public static void Set(ReadOnlySpan<byte> host, EventDraft draft)
    {
        if (IpAddress.TryParse(host, out var address)) draft.SetAddress(EventField.SourceAddress, address);
        else if (!host.IsEmpty) draft.SetText(EventField.SourceHost, host);
    }
}
