using System.Buffers.Text;
using Massif.Events;

namespace Massif.Get.Parsers.Sshd;

/// <summary>
/// Messages of pluggable authentication modules, which appear under the name of the program that uses them.
/// </summary>
/// <remarks>
/// sshd tells every attempt itself, so that what PAM says under sshd's name is flagged
/// <see cref="EventFlags.SameAttempt"/>. Where PAM logs under a name of its own, "sshd(pam_unix)" of older systems,
/// sshd's
/// lines went to another facility, and these are the only ones: "authentication failure" is the first attempt and
/// "n more authentication failures" the rest. Other programs (su, sudo) do not tell their attempts in another line.
/// </remarks>
internal static class PamParser
{
    /// <summary>Reads the message into the draft; false when it is none of PAM's.</summary>
    public static bool TryRead(ReadOnlySpan<byte> app, ReadOnlySpan<byte> text, bool isSshd, EventDraft draft)
    {
        var isOwnName = app.EndsWith("(pam_unix)"u8);
        var isModule = text.StartsWith("pam_"u8);
        var isSummary = isSshd && text.StartsWith("PAM "u8);
        if (!isOwnName && !isModule && !isSummary) return false;

        if (isSummary) text = text["PAM "u8.Length..];
        else if (isModule && !TrySkipModule(ref text)) return false;
        if (!TryReadFailure(text, draft) && !TryReadSession(text, draft) && !TryReadCheckPass(text, draft)) return false;

        draft.SourceType = EventSourceType.Pam;
        if (isSshd && draft.Category == EventCategory.Authentication) draft.Flags |= EventFlags.SameAttempt;
        return true;
    }

    // "pam_unix(sshd:auth): "
    private static bool TrySkipModule(ref ReadOnlySpan<byte> text)
    {
        var end = text.IndexOf("): "u8);
        if (end < 0 || text[..end].Contains((byte)' ')) return false;
        text = text[(end + "): "u8.Length)..];
        return true;
    }

    // "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=HOST  user=USER", with "n more" in front when
    // it sums up (pam_unix support.c).
    private static bool TryReadFailure(ReadOnlySpan<byte> text, EventDraft draft)
    {
        var count = draft.Count;
        if (Utf8Parser.TryParse(text, out uint more, out var digits) && more > 0)
        {
            text = text[digits..];
            if (!text.StartsWith(" more authentication failure"u8)) return false;
            count = more;
        }
        else if (!text.StartsWith("authentication failure"u8))
        {
            return false;
        }

        draft.Count = count;
        (draft.Category, draft.Action, draft.Outcome) =
            (EventCategory.Authentication, EventAction.Login, EventOutcome.Failure);

        // The user name comes last and may hold anything; everything in front of it is PAM's. So the first rhost
        // counts.
        var rhost = text.IndexOf(" rhost="u8);
        if (rhost < 0) return true;
        text = text[(rhost + " rhost="u8.Length)..];
        var end = text.IndexOf((byte)' ');
        SourceField.Set(end < 0 ? text : text[..end], draft);
        var user = text.IndexOf(" user="u8);
        if (user >= 0) draft.SetText(EventField.UserName, text[(user + " user="u8.Length)..]);
        return true;
    }

    // "session opened for user USER(uid=0) by (uid=0)", "session closed for user USER".
    private static bool TryReadSession(ReadOnlySpan<byte> text, EventDraft draft)
    {
        var opened = "session opened for user "u8;
        var closed = "session closed for user "u8;
        var isOpened = text.StartsWith(opened);
        if (!isOpened && !text.StartsWith(closed)) return false;

        (draft.Category, draft.Action, draft.Outcome) =
            (EventCategory.Session, isOpened ? EventAction.SessionOpened : EventAction.SessionClosed, EventOutcome.Success);
        text = text[opened.Length..];
        var by = isOpened ? text.LastIndexOf(" by "u8) : -1;
        if (by >= 0) text = text[..by];
        var uid = text.LastIndexOf("(uid="u8);
        draft.SetText(EventField.UserName, uid > 0 ? text[..uid] : text);
        return true;
    }

    private static bool TryReadCheckPass(ReadOnlySpan<byte> text, EventDraft draft)
    {
        if (!text.StartsWith("check pass; user unknown"u8)) return false;
        (draft.Category, draft.Action, draft.Outcome) =
            (EventCategory.Authentication, EventAction.InvalidUser, EventOutcome.Failure);
        return true;
    }
}
