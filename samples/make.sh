#!/usr/bin/env bash
# Makes samples/*.log anew: a real sshd, a real rsyslogd and real loggers, in namespaces of their own.
#
#   sudo samples/make.sh            # Debian or Ubuntu, root, about 5 minutes
#
# Everything runs in a private mount, network, host-name and process namespace. /etc, /home, /run, /dev and /var/log are
# copies or empty there: the users, host keys and passwords made here never exist on this machine. The namespace's first
# process is this script, so when it ends, or is killed, the kernel ends whatever it started.
set -euo pipefail
trap 'echo "samples/make.sh: line $LINENO failed: $BASH_COMMAND" >&2' ERR

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() { echo "samples/make.sh: $*" >&2; exit 1; }

if [[ ${1:-} != --inside ]]; then
  [[ $(id -u) == 0 ]] || fail "needs root: run  sudo samples/make.sh"
  packages=()
  [[ -x /usr/sbin/sshd ]] || packages+=(openssh-server)
  [[ -x /usr/sbin/rsyslogd ]] || packages+=(rsyslog)
  command -v ssh >/dev/null || packages+=(openssh-client)
  command -v logger >/dev/null || packages+=(bsdutils)
  command -v unshare >/dev/null || packages+=(util-linux)
  command -v ip >/dev/null || packages+=(iproute2)
  if (( ${#packages[@]} )); then
    command -v apt-get >/dev/null || fail "needs Debian or Ubuntu (apt-get), or these installed: ${packages[*]}"
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2
  fi
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  timeout --kill-after=10 900 \
    unshare --mount --net --uts --ipc --pid --fork --kill-child --mount-proc "$here/make.sh" --inside "$work"
  for file in sshd-bruteforce sshd-workday logger-wire system; do cp "$work/$file.log" "$here/$file.log"; done
  "$here/expect.awk" "$here"/*.log > "$here/expected-alarms.tsv"
  echo "lines:"; grep -c . "$here"/*.log
  echo "expected alarms:"; cat "$here/expected-alarms.tsv"
  exit 0
fi

work=$2
export TZ=UTC LC_ALL=C.UTF-8
log() { echo "[$SECONDS s] $*" >&2; }

# ---- a machine of our own ------------------------------------------------------------------------------------------
make_machine() {
  hostname web-1
  ip link set lo up
  mount --make-rprivate /
  cp -a /etc "$work/etc" && mount --bind "$work/etc" /etc
  printf '127.0.0.1 localhost\n127.0.1.1 web-1\n' > /etc/hosts
  local directory device
  for directory in /home /run /var/log /srv; do mount -t tmpfs tmpfs "$directory"; done
  mkdir -p /run/sshd /run/lock "$work/dev"
  for device in null zero full random urandom tty; do touch "$work/dev/$device"; mount --bind "/dev/$device" "$work/dev/$device"; done
  mkdir "$work/dev/pts" "$work/dev/shm" && mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$work/dev/pts"
  ln -s pts/ptmx "$work/dev/ptmx"
  mount --rbind "$work/dev" /dev
}

secret() { head -c 18 /dev/urandom | base64; }

make_keys() {
  ssh-keygen -q -t ed25519 -N '' -C web-1 -f "$work/host_key"
  ssh-keygen -q -t ed25519 -N '' -C deploy@ci -f "$work/deploy_key"
  ssh-keygen -q -t ed25519 -N '' -C stranger -f "$work/stranger_key"
  printf '#!/bin/sh\nprintf "%%s\\n" "$SAMPLE_PASSWORD"\n' > "$work/askpass" && chmod 755 "$work/askpass"
  good=$(secret) wrong=$(secret)
}

# Run while rsyslogd listens, so that what useradd and chpasswd report becomes part of a sample.
make_users() {
  local user
  for user in alice bob carol dave erin frank deploy backup-agent; do
    useradd --create-home --shell /bin/sh "$user"
    echo "$user:$good" | chpasswd
  done
  install -d -m 700 -o deploy -g deploy /home/deploy/.ssh
  install -m 600 -o deploy -g deploy "$work/deploy_key.pub" /home/deploy/.ssh/authorized_keys
}

# ---- daemons, started and stopped by process id ----------------------------------------------------------------------
await() { # what, command...: at most 10 s
  local what=$1 tries=0; shift
  until "$@" 2>/dev/null; do
    (( ++tries < 100 )) || fail "$what does not come up"
    sleep 0.1
  done
}

start_rsyslog() { # configuration
  rsyslogd -n -f "$1" -i "$work/rsyslogd.pid" & rsyslog_pid=$!
  await rsyslogd test -S /dev/log
}

start_sshd() { # log level
  cat > "$work/sshd_config" <<CONFIG
ListenAddress 127.0.0.1:22
HostKey $work/host_key
PidFile none
UsePAM yes
UseDNS no
PasswordAuthentication yes
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxAuthTries 6
MaxStartups 200
MaxSessions 10
PrintMotd no
SyslogFacility AUTH
LogLevel $1
CONFIG
  # OpenSSH 9.8 and later slow down addresses that fail; the samples need their failures.
  if /usr/sbin/sshd -t -f "$work/sshd_config" -o PerSourcePenalties=no 2>/dev/null; then
    echo "PerSourcePenalties no" >> "$work/sshd_config"
  fi
  /usr/sbin/sshd -D -f "$work/sshd_config" & sshd_pid=$!
  await sshd bash -c 'exec 3<>/dev/tcp/127.0.0.1/22'
}

stop() { # pid
  kill "$1" && wait "$1" 2>/dev/null || true
}

# ---- one connection: real ssh, from the address given ---------------------------------------------------------------
try_login() { # address, user, password, prompts
  SAMPLE_PASSWORD=$3 SSH_ASKPASS="$work/askpass" SSH_ASKPASS_REQUIRE=force timeout 60 \
    ssh -F none -b "$1" -l "$2" -o "NumberOfPasswordPrompts=$4" -o PreferredAuthentications=password \
      -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
      127.0.0.1 true </dev/null >/dev/null 2>&1 || true
}

with_key() { # address, user, key
  timeout 60 ssh -F none -b "$1" -l "$2" -i "$work/$3" -o IdentitiesOnly=yes -o PreferredAuthentications=publickey \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
    127.0.0.1 true </dev/null >/dev/null 2>&1 || true
}

failure() { try_login "$1" "$2" "$wrong" "${3:-1}"; }
success() { try_login "$1" "$2" "$good" 1; }

# n single failures started 0.3 s apart: PAM makes each of them wait about 2 s, so they overlap.
burst() { # address, user...
  local address=$1 user jobs=(); shift
  for user in "$@"; do failure "$address" "$user" & jobs+=($!); sleep 0.3; done
  wait "${jobs[@]}"
}

# ---- sshd-bruteforce.log --------------------------------------------------------------------------------------------
bruteforce() {
  cat > "$work/rsyslog-bruteforce.conf" <<CONFIG
global(workDirectory="$work")
module(load="imuxsock" SysSock.RateLimit.Interval="0")
\$RepeatedMsgReduction on
if \$programname == "sshd" or \$programname == "sshd-session" then {
  action(type="omfile" file="$work/sshd-bruteforce.log" template="RSYSLOG_TraditionalFileFormat")
}
CONFIG
  start_rsyslog "$work/rsyslog-bruteforce.conf"
  start_sshd INFO
  log "bruteforce: alone, so that rsyslog can fold repeated lines"
  failure 127.0.0.67 root 3
  failure 127.0.0.67 root 3
  success 127.0.0.10 alice

  log "bruteforce: everybody at once"
  local jobs=()
  ( for _ in {1..36}; do success 127.0.0.10 alice; sleep 3; done ) & jobs+=($!)
  ( for _ in {1..20}; do success 127.0.0.11 bob; sleep 4.5; done ) & jobs+=($!)
  ( for user in root admin test oracle postgres guest ubuntu pi nagios git www-data ftp; do failure 127.0.0.66 "$user"; done ) & jobs+=($!)
  ( for _ in {1..5}; do failure 127.0.0.68 "x from 10.0.0.1 port 22 ssh2"; done ) & jobs+=($!)
  ( burst 127.0.0.69 root root admin root admin; sleep 70; burst 127.0.0.69 root admin root admin root ) & jobs+=($!)
  ( for _ in 1 2; do failure 127.0.0.20 bob; done; success 127.0.0.20 bob ) & jobs+=($!)
  ( burst 127.0.0.21 carol carol carol carol; sleep 66; burst 127.0.0.21 carol carol carol carol ) & jobs+=($!)
  ( for _ in {1..7}; do failure 127.0.0.22 dave; sleep 15; done ) & jobs+=($!)
  ( for last in {30..41}; do failure "127.0.0.$last" root; done ) & jobs+=($!)
  wait "${jobs[@]}"
  success 127.0.0.10 alice
  stop "$sshd_pid"
  stop "$rsyslog_pid"
}

# ---- sshd-workday.log, logger-wire.log, system.log ------------------------------------------------------------------
workday() {
  cat > "$work/rsyslog-workday.conf" <<CONFIG
global(workDirectory="$work")
module(load="imuxsock" SysSock.RateLimit.Interval="0")
module(load="imtcp")
template(name="wire" type="string" string="%rawmsg%\n")
ruleset(name="wire") { action(type="omfile" file="$work/logger-wire.log" template="wire") }
input(type="imtcp" port="514" address="127.0.0.1" ruleset="wire" rateLimit.Interval="0")
if \$programname == "sshd" or \$programname == "sshd-session" then {
  action(type="omfile" file="$work/sshd-workday.log" template="RSYSLOG_SyslogProtocol23Format")
  stop
}
action(type="omfile" file="$work/system.log" template="RSYSLOG_FileFormat")
CONFIG
  start_rsyslog "$work/rsyslog-workday.conf"
  start_sshd VERBOSE
  log "workday: people, machines and one intruder"
  local jobs=() index=10 user
  for user in alice bob carol dave erin frank; do
    ( for _ in {1..18}; do success "127.0.1.$index" "$user"; sleep 1; done
      failure "127.0.1.$index" "$user"; success "127.0.1.$index" "$user" ) & jobs+=($!)
    index=$((index + 1))
  done
  ( for _ in {1..40}; do with_key 127.0.1.50 deploy deploy_key; sleep 0.7; done ) & jobs+=($!)
  ( with_key 127.0.1.51 deploy stranger_key; with_key 127.0.1.51 deploy deploy_key ) & jobs+=($!)
  ( sleep 5; burst 127.0.1.66 ' 0101' 'jürgen' 'admin or 1=1--' 'Administrator@corp.example' root 'ro ot' \
      "$(printf 'a%.0s' {1..90})" 'root from 10.0.0.2' ) & jobs+=($!)
  ( burst 127.0.1.67 backup backup backup backup ) & jobs+=($!)
  ( system_traffic ) & jobs+=($!)
  ( wire_traffic ) & jobs+=($!)
  wait "${jobs[@]}"
  stop "$sshd_pid"
  stop "$rsyslog_pid"
}

system_traffic() {
  local user line
  make_users_again
  for user in alice bob carol; do
    su - "$user" -c true
    su -s /bin/sh "$user" -c "echo $wrong | su - dave -c true" >/dev/null 2>&1 || true
  done
  for user in temp-{1..6}; do useradd "$user"; usermod -c "temporary" "$user"; passwd -l "$user" >/dev/null; userdel "$user" 2>/dev/null; done
  # A real job and its real output: tar names each file that it packs.
  tar -cvf /dev/null -C / usr/share/common-licenses usr/share/perl5/Debconf usr/lib/tmpfiles.d usr/share/pam usr/share/pam-configs usr/share/perl5/Dpkg usr/share/bash-completion/helpers etc/pam.d 2>/dev/null \
    | logger -t backup -p local0.info -i
  for line in {1..60}; do logger -t health -p daemon.info "load $(cut -d' ' -f1-3 /proc/loadavg) uptime_s $(cut -d. -f1 /proc/uptime)"; done
  for line in emerg alert crit err warning notice info debug; do logger -t severities -p "local7.$line" "a line of severity $line"; done
  logger -t unicode "Grüße, 世界, emoji 🔒, tab	inside"
  logger -t quoting 'quotes " and \ and ] and {"json": true} and CEF:0|not|really'
  logger -t long "$(printf 'x%.0s' {1..900})"
  printf '' | logger -t empty -e || true
  logger -t 'tag with spaces' 'a tag that is none'
}

# The accounts exist since the first half; the same tools report the same changes here, where they are recorded.
make_users_again() {
  local user
  for user in alice bob carol; do usermod -aG users "$user"; echo "$user:$good" | chpasswd; done
}

wire_traffic() {
  local to=(--server 127.0.0.1 --port 514 --tcp) number
  for number in {1..300}; do echo "request $number handled in $((RANDOM % 90 + 10)) ms"; done \
    | logger "${to[@]}" --rfc5424 -t webshop -p local1.info --msgid REQ --sd-id shop@32473 --sd-param 'region="eu"' --sd-param 'node="web-1"'
  for number in {1..300}; do echo "queue length $((RANDOM % 50))"; done | logger "${to[@]}" --rfc3164 -t worker -i -p local2.notice
  for number in {1..200}; do echo "sensor $((number % 7)) reads $((RANDOM % 40)) degrees"; done \
    | logger "${to[@]}" --rfc5424=notq --octet-count -t sensor -p local3.debug
  find /usr/bin -name 'd*' -printf '%M %s %f\n' | sort -k3 | logger "${to[@]}" --rfc5424=nohost -t inventory -p user.info
}

make_machine
make_keys
log "users"
touch "$work/system.log"
make_users >/dev/null
bruteforce
workday
log "done"
