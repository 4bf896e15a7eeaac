using System.Globalization;
using System.Text;
using System.Text.Json;
using Massif.Events;
using Massif.Get.Parsers.Sshd;
using Massif.Get.Recognition;

namespace Massif.Get.Conformance;

/// <summary>A vector of one application's message text.</summary>
internal static class PayloadVector
{
    public static void Run(JsonElement vector, Differences differences)
    {
        var app = Encoding.UTF8.GetBytes(vector.GetProperty("app").GetString() ?? "");
        var draft = new EventDraft();
        draft.Reset(Encoding.UTF8.GetBytes(vector.GetProperty("message").GetString() ?? ""));
        draft.SetText(EventField.App, app);
        draft.SetText(EventField.Message, draft.Raw);
        BodyRecognizer.Read(draft.Raw, draft);
        PayloadParser.Read(app, draft.Raw, draft);

        var builder = new BatchBuilder();
        if (!builder.TryAdd(draft) || !BatchReader.TryOpen(builder.Build(), out var batch, out _))
        {
            differences.Add("the event does not go through the binary form");
            return;
        }

        foreach (var property in vector.GetProperty("expect").EnumerateObject())
        {
            if (property.NameEquals("flags")) differences.CompareFlags(property.Value, batch[0].Flags);
            else differences.Compare(property.Name, Differences.TextOf(property.Value), Found(batch[0], property.Name));
        }
    }

    private static string? Found(in EventView view, string name) => name switch
    {
        "action" => Text(view, EventField.Action),
        "outcome" => Text(view, EventField.Outcome),
        "user" => Text(view, EventField.UserName),
        "src_host" => Text(view, EventField.SourceHost),
        "method" => Text(view, EventField.Method),
        "src_ip" => view.TryGetAddress(EventField.SourceAddress, out var address) ? address.ToString() : null,
        "src_port" => Number(view, EventField.SourcePort),
        "count" => Number(view, EventField.Count),
        "invalid_user" => Number(view, EventField.InvalidUser) switch { "0" => "false", "1" => "true", _ => null },
        _ => throw new FormatException($"unknown expectation {name}"),
    };

    private static string? Text(in EventView view, EventField field) =>
        view.Has(field) ? EventText.Decode(view.Text(field)) : null;

    private static string? Number(in EventView view, EventField field) =>
        view.TryGetNumber(field, out var number) ? number.ToString(CultureInfo.InvariantCulture) : null;
}
