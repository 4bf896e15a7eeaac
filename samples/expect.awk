#!/usr/bin/awk -f
# Says which alarms the samples must raise: five or more failed logins from one address within 60 s of claimed time.
#
#   samples/expect.awk samples/*.log
#
# An independent reading of the shipped rule, with no code of Massif in it. Output, tab separated, one line an alarm:
# file, source address, number of failures in the window, time of the first, time of the last (as in the log).
# "message repeated n times" counts n. An address is silent until a failure later than its last alarm's last + 60 s.

function seconds_of(line,   part, clock) {
  # RFC 3164 file: "Nov 20 12:30:00 host"; RFC 5424: "<38>1 2026-11-20T12:30:00.123456+00:00 host".
  if (line ~ /^<[0-9]+>1 /) { split(line, part, " "); stamp = part[2] }
  else if (line ~ /^[0-9][0-9][0-9][0-9]-/) { split(line, part, " "); stamp = part[1] }
  else { stamp = substr(line, 1, 15); return day_start(substr(line, 5, 2), substr(line, 8, 8)) }
  return day_start(substr(stamp, 9, 2), substr(stamp, 12, 15))
}
function day_start(day, clock,   part) { split(clock, part, /[:+Z]/); return day * 86400 + part[1] * 3600 + part[2] * 60 + part[3] }

FNR == 1 { delete times; delete counts; delete stamps; delete number; delete silent; name = FILENAME; sub(/.*\//, "", name) }

/ sshd(-session)?(\[| )/ && match($0, /(message repeated [0-9]+ times: \[ )?Failed [a-z\/-]+ for .* from [0-9a-f.:]+ port [0-9]+ ssh2\]?$/) {
  text = substr($0, RSTART); n = 1
  if (text ~ /^message repeated/) { split(text, word, " "); n = word[3] }
  sub(/ port [0-9]+ ssh2\]?$/, "", text); sub(/.* from /, "", text)
  key = text; at = seconds_of($0)
  i = ++number[key]; times[key, i] = at; counts[key, i] = n; stamps[key, i] = stamp
  if (key in silent && at <= silent[key] + 60) next
  sum = 0; first = i
  for (j = i; j >= 1 && times[key, j] > at - 60; j--) { sum += counts[key, j]; first = j }
  if (sum >= 5) { printf "%s\t%s\t%d\t%s\t%s\n", name, key, sum, stamps[key, first], stamp; silent[key] = at }
}
