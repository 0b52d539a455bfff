# Sourced by tests/integration/cli.sh: what needs no cluster.
# shellcheck shell=bash disable=SC2154 # check, same, fluvio and work are the script's

config=$HOME/.config/fluvio/config
check "nothing to do shows what there is" 2 "Commands:" "$fluvio"
check "help is no mistake" 0 "Commands:" "$fluvio" --help
check "every command has help with examples" 0 "Examples:" "$fluvio" topic create --help
long=$("$fluvio" --help | awk '/^  [a-z]/ { print $1 }' | while read -r word; do
    [ "$word" = help ] && continue
    { "$fluvio" "$word" --help; "$fluvio" "$word" --help | awk '/^  [a-z]/ { print $1 }' | while read -r second; do
        "$fluvio" "$word" "$second" --help
    done; } 2>/dev/null | awk 'length > 80'
done)
same "no line of any help is wider than 80 columns" '' echo "$long"
check "help by word" 0 "Usage: fluvio topic create" "$fluvio" help topic create
check "a mistyped command" 2 'unknown command `topc`, did you mean `topic`?' "$fluvio" topc
check "a mistyped second word" 2 'unknown command `topic crate`, did you mean `create`?' "$fluvio" topic crate
check "a mistyped flag" 2 'did you mean `--partitions`?' "$fluvio" topic create x --partitons=3
check "a flag before the command" 2 '`--profile` stands before the command, flags come after it: fluvio COMMAND --profile' "$fluvio" --profile x topic list
check "or before its second word" 2 'flags come after it: fluvio topic COMMAND -O' "$fluvio" topic -O json list
check "a number that is none" 2 "--partitions needs a whole number" "$fluvio" topic create x -p many
check "a time that is none" 2 "--retention-time needs a time" "$fluvio" topic create x --retention-time soon
check "a setting that is given twice" 2 '`retention.ms` can be set only once' "$fluvio" topic create x -c retention.ms=5 -c retention.ms=6
check "also by a flag of its own" 2 '`retention.ms` can be set only once' "$fluvio" topic create x --config retention.ms=5 --retention-time 7d
for host in 10.0.0.0/8 999.1.1.1 foo.example ''; do
    check "\`$host\` is no address to allow" 2 "--host needs an address such as 10.0.0.8, or '*', not \`$host\`" \
        "$fluvio" acl add --user ada --operation read --topic t --host "$host"
done
for host in 10.0.0.8 ::1 '*'; do
    check "\`$host\` is one" 1 "Connection refused" "$fluvio" acl add --user ada --operation read --topic t --host "$host" --cluster 127.0.0.1:1
done
check "an operation as Kafka spells it" 1 "Connection refused" "$fluvio" acl list --operation DescribeConfigs,IDEMPOTENT_WRITE --cluster 127.0.0.1:1
check "an operation that is none" 2 'unknown operation `raed`, did you mean `read`?' "$fluvio" acl list --operation raed
check "an output that is none" 2 "-O must be table, json or yaml" "$fluvio" topic list -O xml
check "starts that exclude each other" 2 "exclude each other" "$fluvio" consume x -B -T 3
check "an unknown variable" 2 'no {{ofset}}, did you mean `offset`?' "$fluvio" consume x -F '{{ofset}}'
check "an unknown property" 2 "no.such.property" "$fluvio" topic list --cluster 127.0.0.1:1 -X no.such.property=1
check "a secret on the command line" 2 "seen by every user" "$fluvio" topic list --cluster 127.0.0.1:1 -X sasl.password=x
check "nobody there is told at once" 1 "Connection refused" timeout 5 "$fluvio" topic list --cluster 127.0.0.1:1
check "an empty address is no server" 2 "it must be HOST:PORT" "$fluvio" topic list --cluster ''
for server in 'b c:1' host:x host:0 host:65536 host: a:1,,b:2 ::1 '[::1' http//x http://127.0.0.1:29092 ://a:1; do
    check "\`$server\` is no server" 2 "it must be HOST:PORT" "$fluvio" topic list --cluster "$server"
    check "nor is it for a profile" 2 "it must be HOST:PORT" "$fluvio" profile add bad "$server"
done
check "an address of version 6 is one, and spaces after commas" 1 "cannot reach" timeout 8 "$fluvio" topic list --cluster '[::1]:1, PLAINTEXT://127.0.0.1:1'
check "an empty name" 2 "a name is empty: fluvio consumer describe" "$fluvio" consumer describe ''
check "an empty name of a group to read as" 2 "--group needs a name" "$fluvio" consume x -g ''
check "a name that is none is told" 1 "resolve" timeout 8 "$fluvio" topic list --cluster no.such.host.invalid:9092
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 5); $| = 1;
    print $s->sockport, "\n"; close STDOUT; while ($c = $s->accept) { push @c, $c }' >"$work/mute" &
mute=$!
until [ -s "$work/mute" ]; do :; done
check "who listens and never answers is told in time" 1 "did not answer within" \
    timeout 8 "$fluvio" topic list --cluster "127.0.0.1:$(cat "$work/mute")" --timeout 1s
check "also on our own connection" 1 "no answer in time" \
    timeout 8 "$fluvio" user list --cluster "127.0.0.1:$(cat "$work/mute")" --timeout 1s
kill $mute

perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 5); $| = 1;
    print $s->sockport, "\n"; close STDOUT; while ($c = $s->accept) { sysread $c, $_, 9; print $c "HTTP/1.1 400 Bad Request\r\n\r\n"; close $c }' >"$work/web" &
web=$!
until [ -s "$work/web" ]; do :; done
check "a server of another protocol" 1 "answers, but not in Kafka's protocol" timeout 8 "$fluvio" topic list --cluster "127.0.0.1:$(cat "$work/web")"
check "on our own connection" 1 "is this a Kafka port" timeout 8 "$fluvio" user list --cluster "127.0.0.1:$(cat "$work/web")"
kill $web

check "results that nobody can have" 1 "stdout: the results could not be written" sh -c "'$fluvio' version --client >&-"
check "also of the runner" 1 "stdout: the results could not be written" sh -c "'$BUILD/fluvio-connect' version >&-"
printf 'connector: x\n' >"$work/connector.yaml"
check "restore takes some table at a time" 2 "--parallel 0: write 1 to 64" "$BUILD/fluvio-connect" restore --parallel 0 "$work/connector.yaml"
printf 'data-dir: %s/closed\nlisteners: [{ port: 0 }]\n' "$work" >"$work/closed.yaml"
sh -c "exec '$BUILD/fluvio-spu' --config '$work/closed.yaml' <&- >&- 2>&-" &
closed=$!
until [ -e "$work/closed/.lock" ]; do kill -0 $closed 2>/dev/null || break; done
same "a server whose stderr is closed writes into no file of its own" "/dev/null /dev/null /dev/null" \
    sh -c "readlink /proc/$closed/fd/0 /proc/$closed/fd/1 /proc/$closed/fd/2 | xargs"
kill $closed
wait $closed

rm -rf "$HOME/.config"
check "no cluster is chosen" 2 "no cluster is chosen" "$fluvio" topic list
check "a profile is added" 0 "is used from now on" "$fluvio" profile add one 127.0.0.1:1
same "only the user can read the file" 600 stat -c %a "$config"
check "a second one" 0 "two" "$fluvio" profile add two 127.0.0.1:2 --stay
same "the first is still current" one "$fluvio" profile current
check "switch" 0 "two" "$fluvio" profile switch two
same "it is current now" two "$fluvio" profile current
same "the environment goes over it" one env FLUVIO_PROFILE=one "$fluvio" profile current
check "rename" 0 "now three" "$fluvio" profile rename two three
echo x >"$work/word"
for mechanism in FOO GSSAPI ''; do
    check "\`$mechanism\` is no way to log in" 2 "--mechanism must be SCRAM-SHA-256, SCRAM-SHA-512 or PLAIN, not \`$mechanism\`" \
        "$fluvio" profile add bad 127.0.0.1:3 --user ada --password-file "$work/word" --mechanism "$mechanism"
done
"$fluvio" profile add -q small 127.0.0.1:3 --user ada --password-file "$work/word" --mechanism scram-sha-512 --stay
same "one in small letters is one" SCRAM-SHA-512 sh -c "'$fluvio' profile list -o json | jq -r '.[] | select(.profile == \"small\") | .properties[\"sasl.mechanism\"]'"
"$fluvio" profile delete -q small
check "an unknown profile" 2 'did you mean `three`?' "$fluvio" topic list --profile thre
check "a name that is taken" 3 "already" "$fluvio" profile add three 127.0.0.1:3
check "a bad name" 2 "cannot be a profile's name" "$fluvio" profile add 'a b' 127.0.0.1:3
check "a bad property is refused when it is added" 2 "no.such" "$fluvio" profile add four 127.0.0.1:3 --set no.such=1
check "its reason is one line" 1 '' sh -c "'$fluvio' profile add four 127.0.0.1:3 --set acks=9999999 2>&1 | grep -c '^$' | grep 1"
check "a name is no command for the terminal" 2 'no profile `a?[31mb` in' "$fluvio" topic list --profile "$(printf 'a\033[31mb')"
check "a CA that is not there is refused when it is added" 2 "--ca: none.pem: No such file" "$fluvio" profile add four 127.0.0.1:3 --ca none.pem
touch "$work/ca.pem"
check "one by a path from here" 0 "profile four" env -C "$work" "$fluvio" profile add four 127.0.0.1:3 --ca ca.pem --stay
same "is found from anywhere" "$work/ca.pem" sh -c "'$fluvio' profile list -o json | jq -r '.[] | select(.profile == \"four\") | .properties[\"ssl.ca.location\"]'"
check "delete" 0 "forgotten" "$fluvio" profile delete three
chmod 644 "$config"
check "a file that others can read is warned of" 0 "chmod 600" "$fluvio" profile list
chmod 600 "$config"
printf 'version: 1\nprofils: {}\n' >"$config"
check "a broken file names line and column" 2 'config:2:1: unknown key `profils`, did you mean `profiles`?' "$fluvio" topic list
printf 'version: 2\n' >"$config"
check "a file of another version is refused" 2 "version: 1" "$fluvio" profile list
rm "$config"

mkdir -p "$work/bin"
printf '#!/bin/sh\necho "hello $1"\n' >"$work/bin/fluvio-greet"
chmod +x "$work/bin/fluvio-greet"
check "a program fluvio-greet is fluvio greet" 0 "hello you" env PATH="$work/bin:$PATH" "$fluvio" greet you
check "and in the list" 0 "runs fluvio-greet" env PATH="$work/bin:$PATH" "$fluvio" --help
check "and suggested" 2 'did you mean `greet`?' env PATH="$work/bin:$PATH" "$fluvio" greeet
printf '#!/bin/sh\nexit 7\n' >"$work/bin/fluvio-seven"
printf '#!/no/such/shell\n' >"$work/bin/fluvio-lost"
chmod +x "$work/bin/fluvio-seven" "$work/bin/fluvio-lost"
mkdir "$work/bin/fluvio-folder"
check "its exit code is ours" 7 '' env PATH="$work/bin:$PATH" "$fluvio" seven
check "one without its interpreter" 1 "fluvio-lost: its interpreter (#!) is not there" env PATH="$work/bin:$PATH" "$fluvio" lost
check "a folder is no program" 2 'unknown command `folder`' env PATH="$work/bin:$PATH" "$fluvio" folder
rm -r "$work/bin/fluvio-folder" "$work/bin/fluvio-lost" "$work/bin/fluvio-seven"
check "completions for bash" 0 "complete -o default" "$fluvio" completions bash
same "they complete commands" "partition" sh -c "'$fluvio' __complete -- par | grep '^par'"
check "and flags" 0 "--cleanup-policy" "$fluvio" __complete -- topic create --
# What the shells themselves offer, in a directory with a file: commands alone, and the file where nothing else is known.
mkdir "$work/shells" && touch "$work/shells/a-file" && ln -s "$fluvio" "$work/bin/fluvio"
in_shell() { # NAME TEXT COMMAND...: as check, with `fluvio` in the path
    check "$1" 0 "$2" env -C "$work/shells" PATH="$work/bin:$PATH" "${@:3}"
}
no_file() { # NAME: the last check's output had no file in it
    ! grep -q a-file "$work/out" && tell yes "$1" || tell no "$1"
}
# shellcheck disable=SC2016
of_bash='source <(fluvio completions bash); COMP_WORDS=(fluvio "$@"); COMP_CWORD=$#; _fluvio; printf "%s\n" "${COMPREPLY[@]}"'
of_zsh=$PWD/tests/support/complete.zsh
# shellcheck disable=SC2016
of_fish='fluvio completions fish | source; complete -C $argv[1]'
in_shell "bash completes the commands of a group" describe bash --norc -c "$of_bash" bash topic ''
no_file "and offers no files there"
in_shell "zsh completes the commands of a group" describe zsh -f "$of_zsh" 'fluvio topic ' '*delete*describe*'
no_file "and offers no files there, either"
in_shell "zsh completes a word" ate zsh -f "$of_zsh" 'fluvio topic cre' '*ate*'
in_shell "zsh offers files where it knows nothing" a-file zsh -f "$of_zsh" 'fluvio produce t -f ' '*a-file*'
in_shell "fish completes the commands of a group" describe fish --no-config -c "$of_fish" 'fluvio topic '
no_file "and offers no files there, neither"
in_shell "fish completes flags" --cleanup-policy fish --no-config -c "$of_fish" 'fluvio topic create --cl'
in_shell "fish offers files where it knows nothing" a-file fish --no-config -c "$of_fish" 'fluvio produce t -f '
check "an unknown shell" 2 "not for \`tcsh\`" "$fluvio" completions tcsh

openssl req -x509 -newkey rsa:2048 -nodes -days 10 -subj /CN=x -keyout "$work/a.key" -out "$work/a.pem" 2>/dev/null
openssl genpkey -algorithm RSA -out "$work/b.key" 2>/dev/null
chmod 600 "$work"/*.key
check "a server's file that is not there is not checked" 2 "--config: $work/none.yaml: No such file" "$fluvio" cluster check -c "$work/none.yaml"
check "a server's program that is not there" 2 "--spu: $work/none: No such file" "$fluvio" cluster start --spu "$work/none" --dir "$work/unmade"
check "nothing was made for it" 1 '' test -e "$work/unmade"
check "a cluster of another file does not run" 0 "no cluster runs in $work/unmade with $work/none.yaml" "$fluvio" cluster shutdown --dir "$work/unmade" -c "$work/none.yaml"
check "what could not be had is counted" 0 "1 thing could not be had" "$fluvio" cluster diagnostics --dir "$work/unmade" --cluster 127.0.0.1:1 -f "$work/none.tar.gz"
spu_file() { # KEY
    printf 'data-dir: %s/checked\nlisteners:\n  - {port: 0, tls: {certificate: %s/a.pem, key: %s}}\n' "$work" "$work" "$1" \
        >"$work/checked.yaml"
}
spu_file "$work/a.key"
check "a certificate that ends soon is warned of" 0 "warn    certificate" "$fluvio" cluster check -c "$work/checked.yaml"
spu_file "$work/b.key"
check "a key of another certificate" 1 "is not the key of" "$fluvio" cluster check -c "$work/checked.yaml"
spu_file "$work/none.key"
check "a key that is not there" 1 "No such file" "$fluvio" cluster check -c "$work/checked.yaml"
spu_file "$work/a.key"
check "a server's file that can be read" 0 "server's file    $work/checked.yaml" sh -c "'$fluvio' cluster check -c '$work/checked.yaml' | tr -s ' ' | sed 's/file /file    /'"
echo 'data-dirs: x' >>"$work/checked.yaml"
check "a server's file with a key that is none" 1 "checked.yaml:4:1: unknown key \`data-dirs\`" "$fluvio" cluster check -c "$work/checked.yaml"
check "the server's program says so, too" 2 "checked.yaml:4:1: unknown key \`data-dirs\`" "$BUILD/fluvio-spu" --check --config "$work/checked.yaml"
check "it checks, or adds a user" 2 "--check and --add-user exclude each other" "$BUILD/fluvio-spu" --check --config "$work/checked.yaml" --add-user ada
for flag in --options --help --version; do
    check "what it prints has to arrive: $flag" 1 "stdout: No space left" sh -c "'$BUILD/fluvio-spu' $flag >/dev/full"
done
mkdir -p "$work/held"
printf 'data-dir: %s/held\nlisteners: [{port: 0}]\n' "$work" >"$work/held.yaml"
exec 9>"$work/held/.lock"
flock 9
check "a data directory that another process has" 1 "is open in another process" "$fluvio" cluster check -c "$work/held.yaml"
exec 9>&-
